//go:build race

package simulate_test

// raceDetector says that everything takes ten times as long.
const raceDetector = true

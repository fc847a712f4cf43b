//go:build !race

package harness_test

// raceDetector says that the tests run ten times slower, so that they had better be fewer.
const raceDetector = false

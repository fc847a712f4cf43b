//go:build race

package attack

// raceDetector says that the tests run ten times slower, so that they had better be fewer.
const raceDetector = true

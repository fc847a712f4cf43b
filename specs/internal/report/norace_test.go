//go:build !race

package report_test

// underRace reports whether the race detector is on.
const underRace = false

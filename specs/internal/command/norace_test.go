//go:build !race

package command_test

// underRace reports whether the race detector is on.
const underRace = false

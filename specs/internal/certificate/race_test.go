//go:build race

package certificate

// underRace reports whether the race detector is on.
const underRace = true

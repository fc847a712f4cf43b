//go:build race

package spectest

// underRace says that the race detector is on, which makes a server ten times as costly.
const underRace = true

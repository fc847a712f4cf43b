//go:build race

package clients_test

// underRace says that the race detector is on. It makes a trial ten times as costly, and looks at the suite's own code,
// which every client takes through the same places: a few of them are enough for it.
const underRace = true

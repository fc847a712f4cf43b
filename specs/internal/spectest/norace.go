//go:build !race

package spectest

const underRace = false

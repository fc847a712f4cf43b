package spectest

// Some returns all the servers that a test tries; under the race detector one in 24, since every server takes the
// suite through the same code.
func Some[T any](all []T) []T {
	if !underRace {
		return all
	}
	var some []T
	for i := 0; i < len(all); i += 24 {
		some = append(some, all[i])
	}
	return some
}

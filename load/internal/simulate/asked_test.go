package simulate_test

import (
	"slices"
	"testing"

	"leadconform/load/internal/simulate"
)

// Every kind of limiter that judge and estimate have to be measured on is in the catalogue, and on the right side of it.
func TestTheCatalogueHoldsWhatWasAskedFor(t *testing.T) {
	right := map[string][]string{
		"dual bucket, peak depths":       {"dual bucket, peak depth 50 ms", "dual bucket, peak depth 0.25 s", "dual bucket, peak depth 1 s"},
		"GCRA pair":                      {"GCRA pair"},
		"fixed 1 s windows, both clocks": {"fixed 1 s windows with credit, by the clock", "fixed 1 s windows with credit, from the first request"},
		"sliding log":                    {"sliding log"},
		"sliding counter":                {"sliding counter"},
		"burst timers":                   {"burst timer with cool-down", "burst seconds"},
		"base + credit":                  {"base + credit"},
		"Redis-shared dual bucket":       {"Redis-shared dual bucket, 10 ms", "Redis-shared dual bucket, 50 ms"},
	}
	wrong := map[string][]string{
		"no burst":                    {"no burst"},
		"no limit":                    {"no limit"},
		"single bucket":               {"single bucket"},
		"per IP":                      {"per IP"},
		"shared across endpoints":     {"shared across endpoints"},
		"two nodes, full limit each":  {"two nodes, each with the full limit"},
		"rejects charged":             {"rejects charged"},
		"penalty box":                 {"penalty box, 2 s", "penalty box, 5 s, extended"},
		"burst never comes back":      {"burst never comes back"},
		"queue instead of reject":     {"queue instead of reject", "queue up to 3 s, then reject"},
		"10 s fixed window (W there)": {"fixed window of W, B·W in it", "fixed window of W, R·W in it"},
		"2 % random rejects":          {"2 % refused at random"},
		"Retry-After": {"Retry-After: missing", "Retry-After: no header", "Retry-After: not in the body", "Retry-After: 0",
			"Retry-After: fractional header", "Retry-After: too short", "Retry-After: too long", "Retry-After: header ≠ body"},
	}
	for figure, factors := range map[string][]string{
		"R": {"0.90", "0.95", "1.05", "1.10", "1.20"},
		"B": {"0.75", "0.90", "0.95", "1.05", "1.10", "1.50"},
		"W": {"0.50", "0.80", "1.50", "2.00"},
	} {
		for _, factor := range factors {
			name := figure + " × " + factor
			wrong[name] = []string{name + ", dual bucket", name + ", fixed windows"}
		}
	}
	check := func(asked map[string][]string, isRight bool) {
		for what, names := range asked {
			for _, name := range names {
				if !slices.ContainsFunc(simulate.Catalogue(), func(l simulate.Limiter) bool { return l.Name == name && l.Right == isRight }) {
					t.Errorf("%s: the catalogue has no %q with Right %v", what, name, isRight)
				}
			}
		}
	}
	check(right, true)
	check(wrong, false)
}

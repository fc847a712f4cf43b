package distro

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"leadconform/reference/internal/world"
)

func buyersOf(weights ...int) []*world.Buyer {
	var buyers []*world.Buyer
	for i, weight := range weights {
		buyers = append(buyers, &world.Buyer{ID: string(rune('a' + i)), Weight: weight})
	}
	return buyers
}

func names(buyers []*world.Buyer) string {
	var ids []string
	for _, buyer := range buyers {
		ids = append(ids, buyer.ID)
	}
	return strings.Join(ids, "")
}

func TestOrder(t *testing.T) {
	for _, test := range []struct {
		distribution world.Distribution
		weights      []int
		want         string // the orders of the first turns
	}{
		{world.Waterfall, []int{1, 2, 3}, "abc abc abc"},
		{world.RoundRobin, []int{1, 9, 1}, "abc bca cab abc"},
		{world.Weighted, []int{3, 1}, "ab ab ba ab ab ab ba ab"},
		{world.Weighted, []int{5, 1, 1}, "abc abc bca acb cab abc abc abc"},
		{world.Weighted, []int{700, 300}, "ab ba ab ab ab ba ab ab ba ab ab"},
		{world.Weighted, []int{1, 1, 1}, "abc bca cab abc"},
		{world.Weighted, []int{7}, "a a"},
		{world.Weighted, []int{0, 2}, "ba ab ba"}, // no weight is a weight of one
	} {
		var got []string
		for turn := range strings.Fields(test.want) {
			got = append(got, names(order(test.distribution, buyersOf(test.weights...), uint64(turn))))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s %v:\n got %s\nwant %s", test.distribution, test.weights, strings.Join(got, " "), test.want)
		}
	}
}

func TestOrderOfNobody(t *testing.T) {
	for _, distribution := range []world.Distribution{world.Waterfall, world.RoundRobin, world.Weighted} {
		if got := order(distribution, nil, 7); len(got) != 0 {
			t.Errorf("%s offers to %s", distribution, names(got))
		}
	}
}

// TestOrderProperties: whatever the buyers, an order holds each of them once and is the same whenever it is asked for; and
// within any one round each buyer comes first just as often as it is due.
func TestOrderProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(1, 12), 1, 5).Draw(rt, "weights")
		distribution := rapid.SampledFrom([]world.Distribution{world.RoundRobin, world.Weighted, world.Waterfall}).Draw(rt, "distribution")
		start := rapid.Uint64Range(0, 1<<62).Draw(rt, "start")
		buyers := buyersOf(weights...)

		due := make(map[string]int)
		round := 0
		for i, buyer := range buyers {
			share := map[world.Distribution]int{world.RoundRobin: 1, world.Weighted: weights[i]}[distribution]
			due[buyer.ID], round = share, round+share
		}
		first := make(map[string]int)
		for turn := start; turn < start+uint64(round); turn++ {
			ordered := order(distribution, buyers, turn)
			first[ordered[0].ID]++
			if !slices.Equal(ordered, order(distribution, buyers, turn)) {
				rt.Fatalf("turn %d has two orders", turn)
			}
			sorted := slices.Sorted(strings.SplitSeq(names(ordered), ""))
			if strings.Join(sorted, "") != names(buyers) {
				rt.Fatalf("turn %d offers to %s, the buyers are %s", turn, names(ordered), names(buyers))
			}
		}
		if round > 0 && fmt.Sprint(first) != fmt.Sprint(due) {
			rt.Fatalf("%s %v from turn %d: first were %v, due %v", distribution, weights, start, first, due)
		}
	})
}

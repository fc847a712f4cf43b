package distro

import (
	"cmp"
	"slices"

	"leadconform/reference/internal/world"
)

// order puts buyers in the order in which the lead of that turn is offered to them: to the first, and to each next one if
// those before have no room. It is a pure function of its arguments; turns are counted from 0.
func order(d world.Distribution, buyers []*world.Buyer, turn uint64) []*world.Buyer {
	switch {
	case len(buyers) < 2:
		return buyers
	case d == world.RoundRobin:
		return roundRobin(buyers, turn)
	case d == world.Weighted:
		return weighted(buyers, turn)
	}
	return buyers
}

// roundRobin starts one buyer later at each turn.
func roundRobin(buyers []*world.Buyer, turn uint64) []*world.Buyer {
	first := int(turn % uint64(len(buyers)))
	return slices.Concat(buyers[first:], buyers[:first])
}

// weighted is the smooth weighted round robin: at every turn each buyer's credit grows by its weight, the one with the
// most credit comes first and pays the sum of all weights. In as many turns as that sum, each buyer comes first as often
// as its weight says, spread evenly; after that it all begins anew, so a turn's order follows from its number alone.
func weighted(buyers []*world.Buyer, turn uint64) []*world.Buyer {
	weights, sum := lowestWeights(buyers)
	credit := make([]int, len(buyers))
	ranked := make([]int, len(buyers)) // positions in buyers
	for i := range ranked {
		ranked[i] = i
	}
	for past := turn % uint64(sum); ; past-- {
		for i, weight := range weights {
			credit[i] += weight
		}
		if past == 0 {
			break
		}
		credit[richest(credit)] -= sum
	}
	slices.SortStableFunc(ranked, func(i, j int) int { return cmp.Compare(credit[j], credit[i]) })

	ordered := make([]*world.Buyer, len(buyers))
	for place, i := range ranked {
		ordered[place] = buyers[i]
	}
	return ordered
}

// richest returns the position of the most credit, the earliest if there are several.
func richest(credit []int) int {
	best := 0
	for i := range credit {
		if credit[i] > credit[best] {
			best = i
		}
	}
	return best
}

// lowestWeights returns the buyers' weights in lowest terms, and their sum: 70 and 30 share out like 7 and 3.
func lowestWeights(buyers []*world.Buyer) (weights []int, sum int) {
	divisor := 0
	for _, buyer := range buyers {
		weight := max(buyer.Weight, 1)
		weights = append(weights, weight)
		divisor = gcd(divisor, weight)
	}
	for i := range weights {
		weights[i] /= divisor
		sum += weights[i]
	}
	return weights, sum
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

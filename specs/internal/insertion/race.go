package insertion

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"leadconform/specs/internal/answer"
	"leadconform/specs/internal/spec"
)

const (
	// runners is how many requests a race has.
	runners = 20
	// rounds is how often a race is run that may end well by chance, each time about another lead.
	rounds = 3
	// longestStart is the time within which a race's requests must have been sent, unless half of them were under way at
	// one and the same time: a pace of no more than 20 requests a second takes longer.
	longestStart = time.Second
)

// runner is the value that a request of a race sends.
func runner(i int) string { return "Runner " + string(rune('A'+i)) }

// inRounds makes a check of a race that is run several times, one after the other.
func inRounds(check func(g spec.Gomega, d api)) func(g spec.Gomega, d api) {
	return func(_ spec.Gomega, d api) {
		d.lineUp()
		for i := range rounds {
			d.each(kase{fmt.Sprintf("round %d", i+1), check})
		}
	}
}

// lineUp opens a connection for every runner: a request that finds one would arrive long before one that has to shake
// hands first.
func (d api) lineUp() {
	d.control("as many requests at once are accepted", func(_ spec.Gomega, d api) {
		d.atOnce(everyone(), func(g spec.Gomega, d api, _ int) { g.Expect(d.call(listing())).To(BeAccepted()) })
	})
}

// race sends all runners' requests at the same time and returns their answers.
func (d api) race(run func(d api, i int) *answer.Answer) []*answer.Answer {
	answers := make([]*answer.Answer, runners)
	d.atOnce(everyone(), func(_ spec.Gomega, d api, i int) { answers[i] = run(d, i) })
	// Requests that were sent one after the other prove nothing, be it because the pace was slowed down or because the
	// answers came faster than they could be sent.
	n, start := together(answers)
	if n < 2 || n < runners/2 && start > longestStart {
		d.NotAssessed("%d requests were sent within %v, at most %d of them under way at the same time: that is no race",
			runners, start.Round(time.Millisecond), n)
	}
	return answers
}

// raceOn is a race in which those who are answered 409 run again, as often as each may lose to another: that answer is
// documented, and safe to retry.
func (d api) raceOn(run func(d api, i int) *answer.Answer) []*answer.Answer {
	answers := d.race(run)
	for range runners {
		lost := slices.DeleteFunc(everyone(), func(i int) bool { return answers[i].Status != http.StatusConflict })
		d.atOnce(lost, func(_ spec.Gomega, d api, i int) { answers[i] = run(d, i) })
	}
	return answers
}

// everyone are the runners.
func everyone() []int {
	all := make([]int, runners)
	for i := range all {
		all[i] = i
	}
	return all
}

// atOnce lets some of the runners start at the same time.
func (d api) atOnce(who []int, run func(g spec.Gomega, d api, i int)) {
	var cases []kase
	for _, i := range who {
		cases = append(cases, kase{fmt.Sprintf("%d of %d at once", i+1, runners), func(g spec.Gomega, d api) { run(g, d, i) }})
	}
	d.AtOnce(d.cases(cases)...)
}

// together is the greatest number of exchanges that were under way at the same time, and the time within which all
// were sent.
func together(answers []*answer.Answer) (most int, start time.Duration) {
	type edge struct {
		at   time.Time
		step int
	}
	var sent []time.Time
	var edges []edge
	for _, a := range answers {
		at, took := a.Exchange.At, a.Exchange.Took
		sent = append(sent, at)
		edges = append(edges, edge{at, 1}, edge{at.Add(took), -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	now := 0
	for _, e := range edges {
		now += e.step
		most = max(most, now)
	}
	return most, slices.MaxFunc(sent, time.Time.Compare).Sub(slices.MinFunc(sent, time.Time.Compare))
}

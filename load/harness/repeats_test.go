package harness

import (
	"fmt"
	"testing"
	"time"

	"leadconform/load/internal/judge"
	"leadconform/load/internal/plan"
)

// What is repeated of streams that share a key may not overlap, or one would use up what the other is judged by.
func TestRepeatsOfOneKeyFollowEachOther(t *testing.T) {
	ingest := plan.Policy{Rate: 100, Burst: 200, Window: 10 * time.Second}
	const rest = 22 * time.Second
	again := []judge.Again{
		{Endpoint: Ingest, Stream: plan.StreamA, Rest: rest},
		{Endpoint: Ingest, Stream: plan.StreamB, Rest: rest},
	}
	for _, test := range []struct {
		keys map[plan.Stream]string
		n    int
	}{
		{map[plan.Stream]string{plan.StreamA: "a", plan.StreamB: "b", plan.StreamC: "c"}, 3},
		{map[plan.Stream]string{plan.StreamA: "a", plan.StreamB: "a", plan.StreamC: "c"}, 2},
		{map[plan.Stream]string{plan.StreamA: "a", plan.StreamB: "a", plan.StreamC: "a"}, 1},
	} {
		t.Run(fmt.Sprint(test.n, " keys"), func(t *testing.T) {
			phases := plan.TwoRate(Ingest, ingest, plan.Options{Keys: test.n})
			now := plan.Plan{Phases: phases}.Length()
			added := repeats(phases, again, now, test.keys)
			if len(added) != len(phases) {
				t.Fatalf("%d phases repeated, of %d", len(added), len(phases))
			}
			start := make(map[plan.Name]time.Duration)
			for i, p := range added {
				start[p.Name] = p.Start
				if p.Start < now+rest {
					t.Errorf("%s starts after %v, before the key has rested", p.Name, p.Start)
				}
				for _, q := range added[:i] {
					same := test.keys[p.Stream] == test.keys[q.Stream] && !p.Adaptive() && !q.Adaptive()
					if same && p.Start < q.End() && q.Start < p.End() {
						t.Errorf("%s, %v to %v, overlaps %s, %v to %v", p.Name, p.Start, p.End(), q.Name, q.Start, q.End())
					}
				}
			}
			if together := start[plan.B1]-start[plan.A1] < time.Second; together != (test.n == 3) {
				t.Errorf("A1 starts at %v, B1 at %v", start[plan.A1], start[plan.B1])
			}
		})
	}
}

package report

import (
	"fmt"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/verdict"
)

// unassessed is a reason why rows were not assessed, and those rows, in their order.
type unassessed struct {
	Reason string
	IDs    []string
}

// Many reports whether the rows are so many that they hide what stands around them.
func (u unassessed) Many() bool { return len(u.IDs) > 12 }

// unassessed groups the rows that were not assessed by their reason: a run of level core has one reason for all that
// lies above it. Rows that were not selected are left out.
func (r *Report) unassessed() []unassessed {
	var all []unassessed
	places := map[string]int{}
	for _, row := range r.Rows {
		if row.Verdict != verdict.NotAssessed || (r.Run.Selected && !row.counts) {
			continue
		}
		reason := target.Printable(row.Reason)
		if !row.counts && !catalogue.Tier(r.Run.Level).Holds(catalogue.Tier(row.Tier)) {
			reason = fmt.Sprintf("of tier %s, above the asked level %s", row.Tier, r.Run.Level)
		}
		place, known := places[reason]
		if !known {
			place = len(all)
			places[reason] = place
			all = append(all, unassessed{Reason: reason})
		}
		all[place].IDs = append(all[place].IDs, row.ID)
	}
	return all
}

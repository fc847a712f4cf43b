package certificate

import (
	"strconv"
	"time"

	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// Claim is what a certificate says in the suite's own words: the member leadconform of the predicate. All of it but the
// implementation and the key follows from the report.
type Claim struct {
	Implementation Implementation `json:"implementation"`
	Target         Target         `json:"target"`
	APIs           []API          `json:"apis"` // in the order of the contract
	Peak           string         `json:"peak"` // how the burst rate was read: strict or capacity
	Run            Run            `json:"run"`
	Key            string         `json:"key"` // the public key, PEM: it checks the signature, and says nothing of whose it is
}

// Implementation is what was certified, as its vendor calls it.
type Implementation struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Target is where the implementation ran.
type Target struct {
	Name     string            `json:"name"` // the profile's
	BaseURLs map[string]string `json:"base_urls"`
}

// API is the level that one API was granted.
type API struct {
	API   string `json:"api"`
	Level string `json:"level"` // core, limits, full or none
	// Denied are the MUST rows of the asked level that are not a pass: each denies its tier and those above.
	Denied []Denied `json:"denied"`
}

// Denied is a row that denies a level.
type Denied struct {
	Row     string          `json:"row"`
	Tier    string          `json:"tier"`
	Verdict verdict.Verdict `json:"verdict"`          // fail or not-assessed
	Waived  string          `json:"waived,omitempty"` // the reason of its waiver, which changes nothing
}

// Run is the run that the certificate rests on.
type Run struct {
	ID       string    `json:"id"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Level    string    `json:"level"` // that was asked for
	Seed     string    `json:"seed"`  // decimal
}

// newClaim says what a report says.
func newClaim(r *report.Report, implementation Implementation, key PublicKey) Claim {
	return Claim{
		Implementation: implementation,
		Target:         Target{r.Target.Name, r.Target.BaseURLs},
		APIs:           Levels(r),
		Peak:           r.Policy.Peak,
		Run: Run{ID: r.Run.ID, Started: r.Run.Started, Finished: r.Run.Finished, Level: r.Run.Level,
			Seed: strconv.FormatUint(r.Run.Seed, 10)},
		Key: key.PEM(),
	}
}

// Levels returns the levels that a report grants, and the rows that deny higher ones, in the order of the contract.
func Levels(r *report.Report) []API {
	apis := []API{}
	for _, name := range []string{catalogue.Distro, catalogue.Insertion} {
		if level, tested := r.Levels[name]; tested {
			apis = append(apis, API{name, level, denied(r, name)})
		}
	}
	return apis
}

func denied(r *report.Report, api string) []Denied {
	rows := []Denied{}
	for _, row := range r.Rows {
		if row.API == api && row.Level == string(catalogue.Must) && row.Verdict != verdict.Pass &&
			catalogue.Tier(r.Run.Level).Holds(catalogue.Tier(row.Tier)) {
			rows = append(rows, Denied{row.ID, row.Tier, row.Verdict, row.Waived})
		}
	}
	return rows
}

// Refusal says why no certificate can be written for a report, or "" if one can: some API must be granted a level, by a
// run that came to its end.
func Refusal(r *report.Report) string {
	switch r.Run.Exit {
	case verdict.ExitUnreachable:
		return "the target was lost half-way"
	case verdict.ExitUsage:
		return "the suite itself was at fault"
	}
	if r.Run.Selected {
		return "rows were selected, and a certificate takes them all"
	}
	for _, level := range r.Levels {
		if level != verdict.LevelNone {
			return ""
		}
	}
	return "no API is granted a level: a MUST row of tier core is no pass"
}

// result sums the run up in the words of the predicate: PASSED only if every MUST row of the asked level passed, WARNED if
// so but a SHOULD row failed, and FAILED otherwise, so that whoever reads nothing else never takes a part for the whole.
func result(r *report.Report) string {
	switch {
	case r.Verdict != verdict.Conformant:
		return "FAILED"
	case r.Summary.Warn > 0:
		return "WARNED"
	}
	return "PASSED"
}

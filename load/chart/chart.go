// Package chart makes the data of the pictures that a report shows of a limit: what was sent and what came back, second
// by second, with the most and the least that the contract lets in. It draws nothing.
package chart

import (
	"cmp"
	"slices"

	"leadconform/load/harness"
	"leadconform/load/internal/plan"
)

// Picture is what one key saw of one endpoint. A limit belongs to a key, so each key has a picture of its own.
type Picture struct {
	Key    string  `json:"key"` // its role in the profile
	Phases []Phase `json:"phases"`
	Points []Point `json:"points"` // in the order of time
	Totals Totals  `json:"totals"`
}

// Phase is a stretch of the time axis, in seconds since the start of the run.
type Phase struct {
	Name    string  `json:"name"`
	Attempt int     `json:"attempt"` // counts the repetitions, from 0
	StartS  float64 `json:"start_s"`
	EndS    float64 `json:"end_s"`
	Rate    float64 `json:"rate"` // offered, requests per second; 0: as the answers asked for
}

// Point is one second, counted from the start of its phase. The figures of the target are those of the report, as they
// are there.
type Point struct {
	AtS     float64 `json:"at_s"`     // when it begins, since the start of the run
	LengthS float64 `json:"length_s"` // 1, or less where the phase ends within it
	Phase   int     `json:"phase"`    // index into Picture.Phases
	harness.Second
	// The contract's share, nil where it promises no rate: see curves.go.
	Most   *float64 `json:"most"`   // requests that a conforming limiter lets in at most
	Least  *float64 `json:"least"`  // requests that it lets in at least
	Credit *float64 `json:"credit"` // requests of the burst credit that are still promised when the second begins
}

// Totals are the sums over all points.
type Totals struct {
	Offered  int `json:"offered"`
	Sent     int `json:"sent"`
	Admitted int `json:"admitted"`
	Limited  int `json:"limited"`
}

// Of returns the pictures of a limit, one of each key, in the order in which the keys were first used. peak is how the
// run read the burst rate (harness.PeakStrict or harness.PeakCapacity).
func Of(l harness.Limit, peak string) []Picture {
	byKey := map[string]*Picture{}
	// Two keys of one supplier may have one limit or two: what either of them is promised alone is not said.
	twins := map[string]bool{}
	var keys []string
	for _, p := range l.Phases {
		twins[p.Key] = p.Stream == string(plan.StreamTwinOne) || p.Stream == string(plan.StreamTwinTwo)
		if byKey[p.Key] == nil {
			byKey[p.Key] = &Picture{Key: p.Key}
			keys = append(keys, p.Key)
		}
		byKey[p.Key].add(p)
	}
	pictures := []Picture{}
	for _, key := range keys {
		picture := byKey[key]
		picture.order()
		if !twins[picture.Key] {
			drawCurves(picture.Points, l.Policy, peak)
		}
		pictures = append(pictures, *picture)
	}
	return pictures
}

func (p *Picture) add(phase harness.Phase) {
	length := lengthOf(phase)
	p.Phases = append(p.Phases, Phase{
		Name: phase.Name, Attempt: phase.Attempt, StartS: phase.StartS, EndS: phase.StartS + length, Rate: phase.Rate,
	})
	for n, second := range phase.Seconds {
		at := float64(n)
		p.Points = append(p.Points, Point{
			AtS: phase.StartS + at, LengthS: min(1, length-at), Phase: len(p.Phases) - 1, Second: second,
		})
		p.Totals.Offered += second.Offered
		p.Totals.Sent += second.Sent
		p.Totals.Admitted += second.Admitted
		p.Totals.Limited += second.Limited
	}
}

// shortest is what is shown, in seconds, of a phase that is over at once: a single probe, say.
const shortest = 0.05

// lengthOf is how long a phase lasted, in seconds: until the request after its last would have been due, and as long as
// it has seconds.
func lengthOf(p harness.Phase) float64 {
	length := p.LengthS
	if p.Rate > 0 {
		length += 1 / p.Rate
	}
	return max(length, float64(len(p.Seconds)-1)+shortest)
}

// order sorts phases and points by time: a repetition is listed after the first runs, wherever it ran.
func (p *Picture) order() {
	places := make([]int, len(p.Phases)) // the former places, in the new order
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return cmp.Compare(p.Phases[a].StartS, p.Phases[b].StartS) })
	phases := make([]Phase, len(places))
	moved := make([]int, len(places))
	for now, former := range places {
		phases[now], moved[former] = p.Phases[former], now
	}
	p.Phases = phases
	for i := range p.Points {
		p.Points[i].Phase = moved[p.Points[i].Phase]
	}
	slices.SortStableFunc(p.Points, func(a, b Point) int { return cmp.Compare(a.AtS, b.AtS) })
}

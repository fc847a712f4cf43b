package judge

import (
	"testing"
	"time"

	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// told makes the refusals of a run in which each of these was met once.
func told(all ...trace.Refusal) refusals {
	p := &phase{}
	for i := range all {
		p.samples = append(p.samples, &trace.Sample{Kind: trace.Limited, Status: 429, Refusal: &all[i]})
	}
	return countRefusals([]*phase{p}, func(*phase) bool { return true })
}

func says(header, body time.Duration) trace.Refusal {
	return trace.Refusal{Fields: 1, Header: trace.Seconds, HeaderWait: header, Body: trace.Number, BodyWait: body}
}

func TestRefusals(t *testing.T) {
	const s = time.Second
	good := says(s, s)
	date := trace.Refusal{Fields: 1, Header: trace.Date, HeaderWait: 2 * s, Body: trace.Number, BodyWait: s}
	farDate := date
	farDate.HeaderWait = 5 * s
	fractional := trace.Refusal{Fields: 1, Header: trace.Fractional, HeaderWait: s / 2, Body: trace.Number, BodyWait: s / 2}
	twice := good
	twice.Fields = 2
	named := good
	named.Named = true

	type rows struct{ body, header, agree, modest Verdict }
	tests := []struct {
		name string
		said []trace.Refusal
		want rows
	}{
		{"nothing was refused", nil, rows{NotAssessed, NotAssessed, NotAssessed, NotAssessed}},
		{"right", []trace.Refusal{good, says(3*s, 3*s)}, rows{Pass, Pass, Pass, Pass}},
		{"one wrong among many", []trace.Refusal{good, good, good, says(s, 2*s)}, rows{Pass, Pass, Fail, Pass}},
		{"the next whole second", []trace.Refusal{says(s, s/3)}, rows{Pass, Pass, Pass, Pass}},
		{"the second before", []trace.Refusal{says(s, 4*s/3)}, rows{Pass, Pass, Fail, Pass}},
		{"a date", []trace.Refusal{date}, rows{Pass, Pass, Pass, Pass}},
		{"another date", []trace.Refusal{farDate}, rows{Pass, Pass, Fail, Pass}},
		{"zero", []trace.Refusal{says(0, 0)}, rows{Fail, Fail, Pass, Pass}},
		{"fractional", []trace.Refusal{fractional}, rows{Pass, Fail, Pass, Pass}},
		{"two fields", []trace.Refusal{twice}, rows{Pass, Fail, Pass, Pass}},
		{"no header", []trace.Refusal{{Body: trace.Number, BodyWait: s}}, rows{Pass, Fail, NotAssessed, Pass}},
		{"no body", []trace.Refusal{{Fields: 1, Header: trace.Seconds, HeaderWait: s}}, rows{Fail, Pass, NotAssessed, Pass}},
		{"a body of words", []trace.Refusal{{Fields: 1, Header: trace.Seconds, HeaderWait: s, Body: trace.NotANumber}}, rows{Fail, Pass, NotAssessed, Pass}},
		{"a malformed header", []trace.Refusal{{Fields: 1, Header: trace.Malformed, Body: trace.Number, BodyWait: s}}, rows{Pass, Fail, NotAssessed, Pass}},
		{"absurd", []trace.Refusal{says(12*s, 12*s)}, rows{Pass, Pass, Pass, Fail}},
		{"absurd in the body", []trace.Refusal{says(s, 3600*s)}, rows{Pass, Pass, Fail, Fail}},
	}
	ingest := plan.Endpoint{Name: "ingest", Policy: plan.Policy{Rate: 100, Burst: 200, Window: 10 * s}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := told(test.said...)
			got := rows{bodySays(r, "ingest").Verdict, headerSays(r, "ingest").Verdict, agree(r, "ingest").Verdict, modest(r, ingest).Verdict}
			if got != test.want {
				t.Errorf("body, header, agreement, modesty: %v, want %v", got, test.want)
			}
		})
	}
	if f := underscored(told(good, named), "ingest"); f.Verdict != Observed || f.Figure != 1 {
		t.Errorf("a header called retry_after: %+v", f)
	}
}

func TestA429OutsideTheEnvelopeFailsItsRow(t *testing.T) {
	good := says(time.Second, time.Second)
	p := &phase{samples: []*trace.Sample{
		{Kind: trace.Limited, Status: 429, Refusal: &good},
		{Kind: trace.Other, Status: 429, Fault: trace.BadBody},
	}}
	r := countRefusals([]*phase{p}, func(*phase) bool { return true })
	if f := refused(r, &evidence{Endpoint: plan.Endpoint{Name: "lookup"}}); f.Row != "LD-429-03" || f.Verdict != Fail || f.Figure != 1 {
		t.Errorf("%+v", f)
	}
}

func TestTheClockOfAWaitStartsAtTheLastSuccess(t *testing.T) {
	const ms = time.Millisecond
	one := says(time.Second, time.Second)
	refusal := &trace.Sample{Sent: 100 * ms, Received: 150 * ms, Kind: trace.Limited, Refusal: &one}
	before := &trace.Sample{Sent: 90 * ms, Received: 300 * ms, Kind: trace.Admitted}
	after := &trace.Sample{Sent: 110 * ms, Received: 250 * ms, Kind: trace.Admitted}
	probe := &trace.Sample{Sent: 1400 * ms}

	if a, ok := waitBefore(probe, []*trace.Sample{refusal, before}); !ok || a.clock != 150*ms || a.wait != time.Second {
		t.Errorf("after a refusal: %+v, %v", a, ok)
	}
	if a, _ := waitBefore(probe, []*trace.Sample{refusal, before, after}); a.clock != 250*ms {
		t.Errorf("after a success that was sent later: %+v", a)
	}
	if _, ok := waitBefore(probe, []*trace.Sample{before, after}); ok {
		t.Error("found a wait without a refusal")
	}
}

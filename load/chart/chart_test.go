package chart_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"leadconform/fixtures/pipenet"
	"leadconform/fixtures/target"
	"leadconform/load/chart"
	"leadconform/load/harness"
	"leadconform/reference/server"
)

// steady is a limit of which one phase was run: the same number sent and admitted in each second.
func steady(promise harness.Promise, phases ...harness.Phase) harness.Limit {
	return harness.Limit{API: "distro", Endpoint: "ingest", Policy: promise, Phases: phases}
}

func phase(start float64, sent, admitted int, seconds int) harness.Phase {
	p := harness.Phase{Name: "A", Key: "limits_a", StartS: start, LengthS: float64(seconds) - 1/float64(sent), Rate: float64(sent)}
	for range seconds {
		p.Seconds = append(p.Seconds, harness.Second{Offered: sent, Sent: sent, Admitted: admitted, Limited: sent - admitted})
	}
	return p
}

var ingest = harness.Promise{Rate: 100, Burst: 200, WindowS: 10}

// curve is one curve of a picture, NaN-free: a point without it fails the test.
func curve(t *testing.T, p chart.Picture, of func(chart.Point) *float64) []float64 {
	t.Helper()
	var values []float64
	for _, point := range p.Points {
		if of(point) == nil {
			t.Fatalf("the second at %g has no curve", point.AtS)
		}
		values = append(values, *of(point))
	}
	return values
}

func most(p chart.Point) *float64   { return p.Most }
func least(p chart.Point) *float64  { return p.Least }
func credit(p chart.Point) *float64 { return p.Credit }

func TestCurvesOfABurst(t *testing.T) {
	// Twelve seconds at B: ten are within the credit, then only R is promised and soon no more is allowed.
	p := chart.Of(steady(ingest, phase(0, 200, 200, 12)), harness.PeakStrict)[0]
	for name, c := range map[string]struct {
		of   func(chart.Point) *float64
		want []float64
	}{
		"least":  {least, []float64{200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 100, 100}},
		"credit": {credit, []float64{1000, 900, 800, 700, 600, 500, 400, 300, 200, 100, 0, 0}},
		"most":   {most, []float64{400, 400, 400, 400, 400, 400, 400, 400, 400, 300, 200, 100}},
	} {
		if diff := cmp.Diff(c.want, curve(t, p, c.of)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestNothingIsPromisedBeyondWhatIsSentOrBeyondR(t *testing.T) {
	p := chart.Of(steady(ingest, phase(0, 90, 90, 3)), harness.PeakStrict)[0]
	if diff := cmp.Diff([]float64{90, 90, 90}, curve(t, p, least)); diff != "" {
		t.Errorf("least (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float64{1000, 1000, 1000}, curve(t, p, credit)); diff != "" {
		t.Errorf("traffic below R uses no credit (-want +got):\n%s", diff)
	}
}

func TestCreditIsPromisedAgainOnlyAfterRest(t *testing.T) {
	for _, c := range []struct {
		rest, want float64
	}{{11, 0}, {13, 1000}} {
		p := chart.Of(steady(ingest, phase(0, 200, 200, 10), phase(10+c.rest, 200, 200, 1)), harness.PeakStrict)[0]
		if got := *p.Points[10].Credit; got != c.want {
			t.Errorf("after %g s of rest %g of the credit is promised, want %g", c.rest, got, c.want)
		}
	}
}

func TestPeakOnlyBoundsWhereThePolicyIsStrict(t *testing.T) {
	limit := steady(ingest, phase(0, 1500, 1100, 1))
	if got := *chart.Of(limit, harness.PeakStrict)[0].Points[0].Most; got != 400 {
		t.Errorf("strict: at most %g in the first second, want 400", got)
	}
	if got := *chart.Of(limit, harness.PeakCapacity)[0].Points[0].Most; got != 1200 {
		t.Errorf("capacity: at most %g in the first second, want E + 2R = 1200", got)
	}
}

func TestASecondThatIsCutShortPromisesLess(t *testing.T) {
	p := phase(0, 200, 100, 11)
	p.LengthS -= 0.5
	p.Seconds[10] = harness.Second{Offered: 100, Sent: 100, Admitted: 50, Limited: 50}
	got := chart.Of(steady(harness.Promise{Rate: 100, Burst: 200, WindowS: 0}, p), harness.PeakStrict)[0].Points[10]
	if got.LengthS != 0.5 || *got.Least != 50 {
		t.Errorf("half a second is %g long and promises %g, want 50", got.LengthS, *got.Least)
	}
}

func TestALimitWithoutARateHasNoCurves(t *testing.T) {
	p := chart.Of(steady(harness.Promise{WindowS: 10}, phase(0, 10, 10, 2)), harness.PeakStrict)[0]
	for _, point := range p.Points {
		if point.Most != nil || point.Least != nil || point.Credit != nil {
			t.Errorf("the second at %g has a curve: nothing is promised", point.AtS)
		}
	}
}

func TestPicturesAreOfKeysInOrderOfTime(t *testing.T) {
	again := phase(40, 10, 10, 2)
	again.Attempt = 1
	other := phase(0, 20, 20, 1)
	other.Key, other.Name = "limits_b", "B"
	late := phase(20, 30, 30, 1)
	late.Name = "A2"
	pictures := chart.Of(steady(ingest, phase(0, 10, 10, 2), other, again, late), harness.PeakStrict)
	if len(pictures) != 2 || pictures[0].Key != "limits_a" || pictures[1].Key != "limits_b" {
		t.Fatalf("pictures of %v", pictures)
	}
	var sent []int
	var phases []string
	for _, point := range pictures[0].Points {
		sent, phases = append(sent, point.Sent), append(phases, pictures[0].Phases[point.Phase].Name)
	}
	if diff := cmp.Diff([]int{10, 10, 30, 10, 10}, sent); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"A", "A", "A2", "A", "A"}, phases); diff != "" {
		t.Errorf("phases of the points (-want +got):\n%s", diff)
	}
	if want := (chart.Totals{Offered: 70, Sent: 70, Admitted: 70}); pictures[0].Totals != want {
		t.Errorf("totals %+v, want %+v", pictures[0].Totals, want)
	}
	if chart.Of(harness.Limit{}, "") == nil {
		t.Error("no phases: nil, want no pictures")
	}
}

// TestReferenceLiesBetweenTheCurves attacks the reference in virtual time, where nothing jitters.
func TestReferenceLiesBetweenTheCurves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reference, err := server.New(server.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer reference.Close(context.WithoutCancel(t.Context()))
		network := pipenet.New()
		public := &http.Server{Handler: reference.Handler()}
		served := make(chan struct{})
		go func() { defer close(served); _ = public.Serve(network) }()
		defer func() { public.Close(); <-served }()
		verdict, err := harness.Verify(t.Context(), harness.Target{
			Profile: target.Reference("http://target", ""), Dial: network.DialContext, Virtual: true, Fresh: true,
		}, harness.Policy{RunID: "chart", Version: "test", Endpoints: []string{harness.Ingest, harness.Lookup}})
		if err != nil {
			t.Fatal(err)
		}
		seconds := 0
		for _, limit := range verdict.Limits {
			for _, picture := range chart.Of(limit, verdict.Peak) {
				for _, p := range picture.Points {
					if p.Least == nil {
						continue
					}
					seconds++
					// A limiter's own seconds don't begin where the picture's do: a request or two lie in the next.
					if admitted := float64(p.Admitted); admitted < *p.Least-2 || admitted > *p.Most+2 {
						t.Errorf("%s, %s, %s at %.2f s: %d admitted of %d, between %g and %g is right", limit.Endpoint, picture.Key,
							picture.Phases[p.Phase].Name, p.AtS, p.Admitted, p.Sent, *p.Least, *p.Most)
					}
				}
			}
		}
		if seconds < 100 {
			t.Errorf("only %d seconds have curves", seconds)
		}
	})
}

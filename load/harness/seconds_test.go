package harness

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"leadconform/load/internal/trace"
)

func TestSecondsCountBySendingAndKeepRoundTrips(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	sample := func(intended, sent, trip int, kind trace.Kind) trace.Sample {
		return trace.Sample{Intended: ms(intended), Sent: ms(sent), Received: ms(sent + trip), Kind: kind}
	}
	got := seconds([]trace.Sample{
		sample(5000, 5000, 3, trace.Admitted),
		sample(5500, 5501, 1, trace.Limited),
		sample(5990, 6010, 2, trace.Admitted), // due in the first second, sent in the next
		sample(8000, 8000, 7, trace.Other),
	}, ms(5000))
	want := []Second{
		{Offered: 3, Sent: 2, Admitted: 1, Limited: 1, TripMS: 3, SlowestMS: 3},
		{Sent: 1, Admitted: 1, TripMS: 2, SlowestMS: 2},
		{},
		{Offered: 1, Sent: 1, TripMS: 7, SlowestMS: 7},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("seconds (-want +got):\n%s", diff)
	}
}

package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"leadconform/load/internal/attack"
	"leadconform/load/internal/trace"
)

func TestReadSortsAnswers(t *testing.T) {
	const (
		accepted  = `{"id":"l-1","status":"ACCEPTED","buyer_id":"b-1"}`
		inserted  = `{"ok":true,"status":"inserted","lead":{"id":"u","user_id":"u","campaign_id":301}}`
		refused   = `{"error":"rate_limited","retry_after":1}`
		inRefused = `{"ok":false,"error":"rate_limited"}`
	)
	for _, c := range []struct {
		endpoint string
		status   int
		body     string
		want     trace.Kind
		fault    trace.Fault
	}{
		{Ingest, 201, accepted, trace.Admitted, 0},
		{Ingest, 201, `{"data":` + accepted + `}`, trace.Admitted, 0},
		{Ingest, 200, `{"id":"l-1","status":"UNMATCHED"}`, trace.Admitted, 0},
		{Ingest, 200, accepted, trace.Other, trace.BadBody},
		{Ingest, 201, `{"id":"l-1","status":"UNMATCHED"}`, trace.Other, trace.BadBody},
		{Ingest, 201, `{"status":"ACCEPTED","buyer_id":"b-1"}`, trace.Other, trace.BadBody},
		{Ingest, 201, `{"id":7,"status":"ACCEPTED","buyer_id":"b-1"}`, trace.Other, trace.BadBody},
		{Ingest, 201, `{"id":"l-1","status":"ACCEPTED"}`, trace.Other, trace.BadBody},
		{Ingest, 201, ``, trace.Other, trace.BadBody},
		{Ingest, 201, `<html>`, trace.Other, trace.BadBody},
		{Ingest, 201, `null`, trace.Other, trace.BadBody},
		{Ingest, 202, accepted, trace.Other, trace.BadStatus},
		{Ingest, 500, `{"error":"oops"}`, trace.Other, trace.BadStatus},
		{Ingest, 302, ``, trace.Other, trace.BadStatus},
		{Ingest, 429, refused, trace.Limited, 0},
		{Ingest, 429, `{"error":""}`, trace.Other, trace.BadBody},
		{Ingest, 429, `slow down`, trace.Other, trace.BadBody},
		{Ingest, 429, ``, trace.Other, trace.BadBody},
		{Ping, 200, `{"accepted":true,"ping_id":"p"}`, trace.Admitted, 0},
		{Ping, 200, `{"ping_id":"p"}`, trace.Admitted, 0},
		{Ping, 200, `{"accepted":false,"reason":"filtered"}`, trace.Other, trace.BadBody},
		{Ping, 200, `{"error":"oops"}`, trace.Other, trace.BadBody},
		{Ping, 200, `[]`, trace.Other, trace.BadBody},
		{Ping, 200, `null`, trace.Other, trace.BadBody},
		{Ping, 429, refused, trace.Limited, 0},
		{Lookup, 200, accepted, trace.Admitted, 0},
		{Lookup, 200, `{"id":"l-1","error":null}`, trace.Admitted, 0},
		{Lookup, 404, `{"error":"not_found"}`, trace.Other, trace.BadStatus},
		{Leads, 201, inserted, trace.Admitted, 0},
		{Leads, 200, strings.Replace(inserted, "inserted", "deduped", 1), trace.Admitted, 0},
		{Leads, 201, strings.Replace(inserted, "true", "false", 1), trace.Other, trace.BadBody},
		{Leads, 201, `{"ok":true}`, trace.Other, trace.BadBody},
		{Leads, 401, `{"ok":false,"error":"missing_auth"}`, trace.Other, trace.BadStatus},
		{Leads, 429, inRefused, trace.Limited, 0},
		{Internal, 429, inRefused, trace.Limited, 0},
		{Leads, 429, `{"ok":false,"error":"too_many"}`, trace.Other, trace.BadBody},
		{Leads, 429, `{"error":"rate_limited"}`, trace.Other, trace.BadBody},
		{Leads, 429, `{"ok":true,"error":"rate_limited"}`, trace.Other, trace.BadBody},
	} {
		t.Run(fmt.Sprintf("%s %d %s", c.endpoint, c.status, c.body), func(t *testing.T) {
			got := Read(c.endpoint, attack.Answer{Status: c.status, Header: http.Header{"Retry-After": {"3"}}, Body: []byte(c.body)})
			if got.Kind != c.want || got.Fault != c.fault {
				t.Errorf("kind %d, %v; want %d, %v", got.Kind, got.Fault, c.want, c.fault)
			}
			if said := got.Refusal != nil; said != (c.status == 429) {
				t.Errorf("a refusal was read: %t, of a %d", said, c.status)
			}
		})
	}
}

func TestReadSortsMissingAnswers(t *testing.T) {
	for _, c := range []struct {
		err  error
		want trace.Fault
	}{
		{attack.ErrTimeout, trace.Timeout},
		{attack.ErrStopped, trace.Stopped},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, trace.Refused},
		{&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, trace.Refused},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, trace.Reset},
		{io.ErrUnexpectedEOF, trace.Reset},
		{io.EOF, trace.Reset},
		{errors.New(`malformed HTTP response "\x00"`), trace.BadAnswer},
	} {
		for _, endpoint := range []string{Ingest, Leads} {
			for _, status := range []int{0, 201} { // 201: the header came, the body didn't
				got := Read(endpoint, attack.Answer{Status: status, Err: c.err})
				if got.Kind != trace.Other || got.Fault != c.want {
					t.Errorf("%s, status %d, %v: %v, want %v", endpoint, status, c.err, got.Fault, c.want)
				}
			}
		}
	}
}

func TestPeopleDiffer(t *testing.T) {
	people := NewPeople("run", "555###", 1)
	phones, emails := map[string]bool{}, map[string]bool{}
	for range 1000 {
		p := people.Next()
		if len(p.Phone) != 6 || !strings.HasPrefix(p.Phone, "555") {
			t.Fatalf("phone %q doesn't fit the pattern 555###", p.Phone)
		}
		phones[p.Phone], emails[p.Email] = true, true
	}
	if len(phones) != 1000 || len(emails) != 1000 {
		t.Errorf("%d phones and %d emails, want 1000 of each", len(phones), len(emails))
	}
}

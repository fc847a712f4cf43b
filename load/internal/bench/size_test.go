package bench

import (
	"net/http"
	"net/http/httputil"
	"testing"

	"leadconform/load/internal/endpoint"
)

// What one request and its answer weigh, without TCP and IP.
func TestSizes(t *testing.T) {
	needsBench(t)
	server := start(t, "reference")
	c := caller(server.base)
	say("endpoint | request | answer")
	say("--- | --- | ---")
	for _, name := range []string{endpoint.Ingest, endpoint.Ping, endpoint.Leads} {
		out, err := httputil.DumpRequestOut(request(t, c, name), true)
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.DefaultClient.Do(request(t, c, name))
		if err != nil {
			t.Fatal(err)
		}
		in, err := httputil.DumpResponse(got, true)
		if err != nil {
			t.Fatal(err)
		}
		_ = got.Body.Close()
		say("%s | %d B | %d B", name, len(out), len(in))
	}
}

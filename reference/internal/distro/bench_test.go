package distro

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkIngest is to be read beside BenchmarkDrain, a handler that only reads the body.
func BenchmarkIngest(b *testing.B) {
	s := newServiceWith(b, `
    - {id: c, suppliers: [sup], distribution: round_robin, buyers: [{id: a}, {id: b}]}`)
	benchmark(b, s.api)
}

func BenchmarkDrain(b *testing.B) {
	benchmark(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for buffer := make([]byte, 512); ; {
			if _, err := r.Body.Read(buffer); err != nil {
				break
			}
		}
		w.WriteHeader(http.StatusCreated)
	}))
}

func benchmark(b *testing.B, handler http.Handler) {
	body := `{"flo_campaign_id":"c","flo_supplier_id":"sup","first_name":"Ada","last_name":"Test","phone":"5550100100","email":"ada@example.com","state":"CA","case_type":"injury"}`
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/api/v1/ingest", strings.NewReader(body))
		r.Header.Set("X-Api-Key", "k")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusCreated {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

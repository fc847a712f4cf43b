package server

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"leadconform/reference/internal/faults"
	"leadconform/reference/internal/ratelimit"
)

// metrics are what /metrics shows. Each server has a registry of its own, so that several can run in one process. No
// label takes its value from what a client sends, so their number is bounded.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec   // by api, endpoint and status
	latency   *prometheus.HistogramVec // by api and endpoint, in seconds
	decisions *prometheus.CounterVec   // by scope and outcome
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "reference_requests_total",
			Help: "Requests answered. Endpoint none: a path or method that is no endpoint. Status 0: the connection was cut without an answer.",
		}, []string{"api", "endpoint", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "reference_request_duration_seconds",
			Help:    "Time from a request's arrival until its answer was handed on to be sent.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"api", "endpoint"}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "reference_limiter_decisions_total",
			Help: "Decisions of the rate limiter. Outcome: allowed, refused, or error if it could not decide.",
		}, []string{"scope", "outcome"}),
	}
	m.registry.MustRegister(m.requests, m.latency, m.decisions,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) observe(e faults.Entry) {
	endpoint := cmp.Or(e.Endpoint, "none")
	m.requests.WithLabelValues(e.API, endpoint, strconv.Itoa(e.Status)).Inc()
	m.latency.WithLabelValues(e.API, endpoint).Observe(time.Duration(e.Took).Seconds())
}

// counted is the limiter, with each of its decisions counted.
func (m *metrics) counted(l ratelimit.Limiter) ratelimit.Limiter {
	return countedLimiter{l, m.decisions}
}

type countedLimiter struct {
	ratelimit.Limiter
	decisions *prometheus.CounterVec
}

func (l countedLimiter) TwoRate(ctx context.Context, key ratelimit.Key, p ratelimit.TwoRate) (ratelimit.Decision, error) {
	d, err := l.Limiter.TwoRate(ctx, key, p)
	l.count(key, d, err)
	return d, err
}

func (l countedLimiter) FixedWindow(ctx context.Context, key ratelimit.Key, p ratelimit.FixedWindow) (ratelimit.Decision, error) {
	d, err := l.Limiter.FixedWindow(ctx, key, p)
	l.count(key, d, err)
	return d, err
}

func (l countedLimiter) count(key ratelimit.Key, d ratelimit.Decision, err error) {
	outcome := "refused"
	switch {
	case err != nil:
		outcome = "error"
	case d.Allowed:
		outcome = "allowed"
	}
	l.decisions.WithLabelValues(key.Scope, outcome).Inc()
}

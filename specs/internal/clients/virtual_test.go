package clients_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"leadconform/fixtures"
	"leadconform/fixtures/clients/integrator"
	"leadconform/fixtures/pipenet"
	"leadconform/reference/server"
	"leadconform/specs/internal/clients"
	"leadconform/specs/internal/spec"
)

// try runs a client through all scenarios of a recipe, in virtual time and over pipes: at real speed, and at once.
func try(t *testing.T, recipe string, speed float64, client func(context.Context, integrator.Job, *http.Client) error) map[string]spec.Outcome {
	t.Helper()
	var outcomes map[string]spec.Outcome
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		h := &http.Client{Transport: &http.Transport{DialContext: n.dial}}
		trial := clients.Trial{Book: book(t, recipe), Speed: speed, Start: n.start, Caller: inProcess(client, h)}
		began := time.Now()
		journals, err := trial.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 90*time.Second || (speed >= 10 && took > 15*time.Second) {
			t.Errorf("the trial took %v", took)
		}
		outcomes = trial.Judge(t.Context(), journals)
		h.CloseIdleConnections()
		synctest.Wait()
	})
	return outcomes
}

func book(t *testing.T, recipe string) *clients.Book {
	t.Helper()
	b, err := clients.Read(fixtures.FS, recipe)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// inProcess calls a client without a process.
func inProcess(client func(context.Context, integrator.Job, *http.Client) error, h *http.Client) clients.Caller {
	return func(ctx context.Context, c clients.Call) clients.Ended {
		began := time.Now()
		job, err := integrator.ReadJob(func(name string) string {
			for _, pair := range c.Environ {
				if key, value, _ := strings.Cut(pair, "="); key == name {
					return value
				}
			}
			return ""
		})
		if err != nil {
			return clients.Ended{Err: err}
		}
		if string(job.Payload) != string(c.Stdin) {
			return clients.Ended{Err: errors.New("standard input and the environment differ")}
		}
		ended := clients.Ended{}
		if err := client(ctx, job, h); err != nil {
			ended.Status, ended.Output = 1, err.Error()
		}
		ended.Overtime, ended.Took = ctx.Err() != nil, time.Since(began)
		return ended
	}
}

// network is hosts that are reached by pipes.
type network struct {
	mu    sync.Mutex
	hosts map[string]*pipenet.Network
}

func newNetwork() *network { return &network{hosts: map[string]*pipenet.Network{}} }

func (n *network) start(_ context.Context, _ string, wrap func(http.Handler) http.Handler) (string, func(), error) {
	s, err := server.New(server.Config{Assemble: func(p *server.Parts) { p.Handler = wrap }})
	if err != nil {
		return "", nil, err
	}
	n.mu.Lock()
	host := "host-" + strconv.Itoa(len(n.hosts))
	l := pipenet.New()
	n.hosts[host+":80"] = l
	n.mu.Unlock()
	front := &http.Server{Handler: s.Handler()}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = front.Serve(l)
	}()
	return "http://" + host, func() {
		_ = front.Close()
		<-ended
		_ = s.Close(context.Background())
	}, nil
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	host := n.hosts[address]
	n.mu.Unlock()
	if host == nil {
		return nil, errors.New("there is no " + address + " in this network")
	}
	return host.DialContext(ctx, "", "")
}

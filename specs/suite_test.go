package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"leadconform/fixtures/target"
	"leadconform/load/harness"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/command"
	"leadconform/specs/internal/limits"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/suite"
)

// TestConformance runs the specs the ecosystem's way: with `ginkgo ./specs` or `go test ./specs`, in one process or
// several (ginkgo -p), against the target of a profile or, without one, against the embedded reference server. Labels
// select: --label-filter='core && distro'. The environment says the rest:
//
//	LEAD_PROFILE     a profile's file
//	LEAD_LEVEL       core (the default), limits or full
//	LEAD_ALLOW_LOAD  hosts, other than this machine, that rows of tier limits may send load to; comma-separated
//	LEAD_ALLOW_EXEC  1 lets hooks run commands
func TestConformance(t *testing.T) {
	RegisterFailHandler(Fail)
	var r run
	specs, err := r.plan()
	if err != nil {
		t.Fatal(err)
	}
	suite.Register(suite.Plan{Specs: specs, Runner: func() *spec.Runner { return r.runner }})

	_ = SynchronizedBeforeSuite(r.start, r.join)
	RunSpecs(t, "leadconform")
}

// run is one run of the suite, in one of its processes.
type run struct {
	profile *target.Profile // nil: the embedded reference server
	runner  *spec.Runner
	limits  *limits.Experiment
}

// plan reads the environment and returns the specs that it asks for.
func (r *run) plan() ([]spec.Spec, error) {
	level, err := command.ReadLevel(cmp.Or(os.Getenv("LEAD_LEVEL"), string(catalogue.Core)))
	if err != nil {
		return nil, fmt.Errorf("LEAD_LEVEL: %w", err)
	}
	apis := []string{target.APIDistro, target.APIInsertion}
	if file := os.Getenv("LEAD_PROFILE"); file != "" {
		if r.profile, err = target.Load(file, os.LookupEnv); err != nil {
			return nil, fmt.Errorf("LEAD_PROFILE: %w", err)
		}
		apis = r.profile.APIs()
		if os.Getenv("LEAD_ALLOW_EXEC") != "1" {
			r.profile.WithoutHooks(func(h target.Hook) bool { return len(h.Command) > 0 })
		}
		allowed := strings.Split(os.Getenv("LEAD_ALLOW_LOAD"), ",")
		if host := r.profile.ForbiddenHost(apis, allowed); host != "" && level != catalogue.Core {
			return nil, fmt.Errorf("LEAD_LEVEL %s sends load to %s: if you may do that, set LEAD_ALLOW_LOAD=%s", level, host, host)
		}
	}
	specs, err := suite.Specs(apis, func() (*limits.Experiment, string) { return r.limits, "" })
	return slices.DeleteFunc(specs, func(s spec.Spec) bool {
		row, _ := catalogue.Lookup(s.ID)
		return !level.Holds(row.Tier)
	}), err
}

// started is what the first process tells the others.
type started struct {
	RunID, BaseURL, ControlURL string
	Seed                       uint64
}

// start is called in the first process alone: it starts the embedded server if no profile is named.
func (r *run) start(ctx SpecContext) []byte {
	config, _ := GinkgoConfiguration()
	s := started{RunID: target.NewRunID(), Seed: uint64(config.RandomSeed)}
	if r.profile == nil {
		base, control, stop, err := embedded(ctx)
		Expect(err).NotTo(HaveOccurred(), "start the embedded reference server")
		DeferCleanup(stop)
		s.BaseURL, s.ControlURL = base, control
	}
	text, err := json.Marshal(s)
	Expect(err).NotTo(HaveOccurred())
	return text
}

// join is called in every process: it makes the process's own client, which keeps to its share of the limits.
func (r *run) join(_ SpecContext, text []byte) {
	var s started
	Expect(json.Unmarshal(text, &s)).To(Succeed())
	if r.profile == nil {
		r.profile = target.Reference(s.BaseURL, s.ControlURL)
	}
	config, _ := GinkgoConfiguration()
	client := target.NewClient(r.profile, target.Options{RunID: s.RunID, Version: command.Version, Processes: config.ParallelTotal})
	DeferCleanup(client.Close)
	r.runner = spec.NewRunner(r.profile, client, spec.NewData(s.RunID, s.Seed, r.profile.Phones, config.ParallelProcess))
	r.limits = &limits.Experiment{ // its rows are serial, so that one process runs it
		Target: harness.Target{Profile: r.profile, Fresh: s.BaseURL != ""},
		Policy: harness.Policy{RunID: s.RunID, Version: command.Version, Seed: s.Seed},
	}
}

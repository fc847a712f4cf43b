package command

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"leadconform/fixtures/target"
)

// targetFlags say what is tested.
type targetFlags struct {
	Target    string   `help:"Base URL of the target. On this machine it means a reference server; elsewhere it needs --profile." placeholder:"URL"`
	Profile   string   `help:"How to speak to the target (specs init prints a template)." placeholder:"FILE" predictor:"file"`
	Control   string   `help:"Base URL of a reference server's control listener." placeholder:"URL"`
	API       []string `name:"api" help:"The APIs to test: distro, insertion. Default: all that the profile describes." placeholder:"API" predictor:"api"`
	AllowExec bool     `help:"Let hooks of the profile run commands."`
}

// defaultControl is where a reference server started by hand has its control listener.
const defaultControl = "http://127.0.0.1:8081"

// chosen is a target, ready to be spoken to.
type chosen struct {
	profile *target.Profile
	apis    []string
	remarks []string // what the reader should know of the choice
	stop    func()
}

// choose finds the target that the flags name, and starts the embedded one if they name none.
func (f targetFlags) choose(ctx context.Context, w *World) (*chosen, error) {
	c := &chosen{stop: func() {}}
	for flag, value := range map[string]string{"--target": f.Target, "--control": f.Control} {
		if value == "" {
			continue
		}
		if err := target.CheckBaseURL(value); err != nil {
			return nil, usage("%s %w", flag, err)
		}
	}
	switch {
	case f.Profile != "":
		if err := c.load(f, w); err != nil {
			return nil, err
		}
	case f.Target != "":
		if !target.OnThisMachine(f.Target) {
			return nil, usage("--target %s is not on this machine: add --profile FILE, which says how to speak to it (specs init prints a template)", f.Target)
		}
		c.byHand(ctx, f)
	default:
		base, control, stop, err := w.Start(ctx)
		if err != nil {
			return nil, unreachable("start the embedded reference server: %w", err)
		}
		c.profile, c.stop = target.Reference(base, control), stop
	}
	if err := c.narrow(f); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// load reads the profile. A target given besides overrides the profile's base URLs.
func (c *chosen) load(f targetFlags, w *World) error {
	profile, err := target.Load(f.Profile, w.Getenv)
	if err != nil {
		return usage("%w", err)
	}
	if f.Target != "" {
		profile.SetBaseURL(f.Target)
	}
	if f.Control != "" {
		profile.Control = strings.TrimRight(f.Control, "/")
	}
	isCommand := func(h target.Hook) bool { return len(h.Command) > 0 }
	if !f.AllowExec && profile.HasHook(isCommand) {
		profile.WithoutHooks(isCommand)
		c.remarks = append(c.remarks, "hooks that run commands are left out: --allow-exec lets them run")
	}
	c.profile = profile
	return nil
}

// byHand makes the profile of a reference server that somebody started on this machine.
func (c *chosen) byHand(ctx context.Context, f targetFlags) {
	control := f.Control
	if control == "" {
		control = defaultControl
	}
	if err := answers(ctx, control+"/healthz"); err != nil {
		c.remarks = append(c.remarks, "no control listener at "+control+": rows that need hooks can't be assessed (--control URL)")
		control = ""
	}
	c.profile = target.Reference(f.Target, control)
}

func (c *chosen) narrow(f targetFlags) error {
	c.apis = c.profile.APIs()
	if len(f.API) == 0 {
		return nil
	}
	described := strings.Join(c.apis, ", ")
	c.apis = nil
	for _, api := range f.API {
		if api != target.APIDistro && api != target.APIInsertion {
			return usage("--api %s: the APIs are distro and insertion", api)
		}
		if c.profile.BaseURL(api) == "" {
			return usage("--api %s: the profile doesn't describe it, only %s", api, described)
		}
	}
	for _, api := range []string{target.APIDistro, target.APIInsertion} { // in the contract's order
		for _, asked := range f.API {
			if asked == api {
				c.apis = append(c.apis, api)
				break
			}
		}
	}
	return nil
}

// answers reports whether a GET is answered with 200 within two seconds.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

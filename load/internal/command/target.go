package command

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"leadconform/fixtures/target"
)

// targetFlags say what is attacked.
type targetFlags struct {
	Target    string   `help:"Base URL of the target. On this machine it means a reference server; elsewhere it needs --profile." placeholder:"URL"`
	Profile   string   `help:"How to speak to the target (specs init prints a template)." placeholder:"FILE"`
	Control   string   `help:"Base URL of a reference server's control listener: its limits are reset first, so that its keys need no rest." placeholder:"URL"`
	AllowLoad []string `help:"Hosts, other than this machine, that load may be sent to." placeholder:"HOST"`
}

// chosen is a target, ready to be attacked.
type chosen struct {
	profile *target.Profile
	fresh   bool     // nobody has used its keys lately
	remarks []string // what the reader should know of the choice
	stop    func()
}

// choose finds the target that the flags name, and starts the embedded one if they name none.
func (f targetFlags) choose(ctx context.Context, w *World) (*chosen, error) {
	return f.chooseIn(ctx, w, nil)
}

// chooseIn does the same; the embedded target has the world that is given.
func (f targetFlags) chooseIn(ctx context.Context, w *World, world []byte) (*chosen, error) {
	for flag, value := range map[string]string{"--target": f.Target, "--control": f.Control} {
		if value == "" {
			continue
		}
		if err := target.CheckBaseURL(value); err != nil {
			return nil, usage("%s %w", flag, err)
		}
	}
	c := &chosen{stop: func() {}}
	switch {
	case f.Profile != "":
		profile, err := target.Load(f.Profile, w.Getenv)
		if err != nil {
			return nil, usage("%w", err)
		}
		if f.Target != "" {
			profile.SetBaseURL(f.Target)
		}
		c.profile = profile
	case f.Target == "":
		base, stop, err := w.Start(ctx, world)
		if err != nil {
			return nil, unreachable("start the embedded reference server: %w", err)
		}
		c.profile, c.stop, c.fresh = target.Reference(base, ""), stop, true
	case !target.OnThisMachine(f.Target):
		return nil, usage("--target %s is not on this machine: add --profile FILE, which says how to speak to it (specs init prints a template)", f.Target)
	default:
		c.profile = target.Reference(f.Target, "")
	}
	if host := c.profile.ForbiddenHost(c.profile.APIs(), f.AllowLoad); host != "" {
		c.stop()
		return nil, usage("this sends load to %s: if you may do that, add --allow-load %s", host, host)
	}
	if f.Control != "" && !c.fresh {
		c.reset(ctx, strings.TrimRight(f.Control, "/"))
	}
	return c, nil
}

// reset asks a reference server to forget what was counted, so that its keys need no rest.
func (c *chosen) reset(ctx context.Context, control string) {
	if err := post(ctx, control+"/control/reset?scope=limits"); err != nil {
		c.remarks = append(c.remarks, "the limits could not be reset at "+control+", so the keys are left to rest first: "+err.Error())
		return
	}
	c.fresh = true
}

func post(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return errors.New(answer.Status)
	}
	return nil
}

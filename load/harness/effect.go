package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"leadconform/fixtures/target"
	"leadconform/load/internal/attack"
	"leadconform/load/internal/endpoint"
	"leadconform/load/internal/plan"
	"leadconform/load/internal/trace"
)

// The rows on what a refused request leaves behind: nothing. Each has a key of its own, which is driven over its limit
// by an attack; from there on single requests ask what became of a request that was answered 429.
const (
	rowLeadUntaken   = "LD-429-08"
	rowNothingStored = "IN-429-07"
)

const (
	overflowAtLeast = 3 * time.Second        // for how long a key is driven over its limit, where its window is shorter
	afterWait       = 100 * time.Millisecond // how long after a Retry-After the next request comes
)

// untilRefused is the script that drives a key over its limit: a constant rate until the first refusal.
type untilRefused struct {
	phase int
	rate  float64       // requests per second
	most  time.Duration // for how long

	sent    int
	begun   time.Duration
	drained bool
	refused bool
}

// Next returns the next request (plan.Script).
func (u *untilRefused) Next(now time.Duration) plan.Move {
	if u.sent == 0 {
		u.begun = max(now, 0)
	}
	at := u.begun + time.Duration(float64(u.sent)/u.rate*float64(time.Second))
	switch {
	case !u.refused && at-u.begun < u.most:
		u.sent++
		return plan.Move{Kind: plan.Send, At: at, Phase: u.phase}
	case !u.drained:
		u.drained = true
		return plan.Move{Kind: plan.Drain}
	}
	return plan.Move{Kind: plan.Done}
}

// Observe takes in an answer (plan.Script).
func (u *untilRefused) Observe(a plan.Answer) { u.refused = u.refused || a.Outcome == plan.Limited }

// effectStream drives a key over its limit, and then asks.
func (r *run) effectStream(phases []plan.Phase, index int) *stream {
	s := &stream{api: target.APIDistro, then: r.leadUntaken}
	script := &untilRefused{phase: index}
	if phases[index].Endpoint == Ingest {
		policy := r.policyOf(Ingest)
		script.rate, script.most = policy.PeakLoad(), max(overflowAtLeast, policy.Window)
	} else {
		window := r.fixedWindow()
		script.rate, script.most = window.MaxRate, window.Window
		s.api, s.then = target.APIInsertion, r.nothingStored
	}
	s.follow(attack.Slide(script))
	return s
}

// probe asks single requests on behalf of one row.
type probe struct {
	run *run
	row Row
}

func (r *run) newProbe(id string) *probe {
	return &probe{run: r, row: Row{ID: id, Outcome: NotAssessed}}
}

// conclude files the row.
func (p *probe) conclude(outcome Outcome, format string, args ...any) {
	p.row.Outcome = outcome
	if format != "" {
		p.row.Reason = fmt.Sprintf(format, args...)
	}
	p.run.mu.Lock()
	defer p.run.mu.Unlock()
	p.run.effects[p.row.ID] = p.row
}

// send sends a request that was made, unless it could not be, and keeps the exchange. It returns nil if there was no
// answer, and then has concluded the row.
func (p *probe) send(ctx context.Context, request target.Request, err error) *target.Response {
	if err != nil {
		p.conclude(NotAssessed, "%v", err)
		return nil
	}
	request.Row = p.row.ID
	x, err := p.run.client.Send(ctx, request)
	switch {
	case err != nil:
		p.conclude(NotAssessed, "nothing was sent: %v", err)
		return nil
	case x.Err != nil:
		p.row.Exchanges = append(p.row.Exchanges, x)
		p.conclude(NotAssessed, "no answer: %v", x.Err)
		return nil
	}
	p.row.Exchanges = append(p.row.Exchanges, x)
	return x.Response
}

// wait waits for as long as a 429 asks. It reports whether it may be gone on, and has concluded the row if not.
func (p *probe) wait(ctx context.Context, refused *target.Response) bool {
	refusal := trace.ReadRefusal(refused.Header, refused.Body, time.Now())
	wait := refusal.Wait()
	if wait <= 0 || wait > plan.MaxWait {
		p.conclude(NotAssessed, "the 429 asks for a wait of %v: nobody waited for it", wait)
		return false
	}
	timer := time.NewTimer(wait + afterWait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		p.conclude(NotAssessed, "the run was stopped early")
		return false
	}
}

// leadUntaken asks whether a lead that was answered 429 was taken in all the same (LD-429-08): sent again to a campaign
// that refuses what it has seen, it has to be accepted. The control is that the campaign refuses it the next time.
func (r *run) leadUntaken(ctx context.Context) {
	p := r.newProbe(rowLeadUntaken)
	p.row.Expected = "a lead that was answered 429 is accepted when it is sent again (200 or 201), and refused as a duplicate after that (422)"
	refused := r.book.sight(sight{Ingest, overflow, streamOverflow, trace.Limited})
	if refused == nil {
		p.conclude(NotAssessed, "%s met no limit", r.keys[streamOverflow])
		return
	}
	p.row.Exchanges = append(p.row.Exchanges, refused)
	if !p.wait(ctx, refused.Response) {
		return
	}
	again := p.send(ctx, refused.Request, nil)
	if again == nil {
		return
	}
	p.row.Actual = fmt.Sprintf("sent again, the lead was answered %d %s", again.Status, excerpt(again.Body))
	switch again.Status {
	case http.StatusOK, http.StatusCreated:
	case http.StatusTooManyRequests:
		p.conclude(NotAssessed, "sent again after the wait, the lead was answered 429 once more")
		return
	default:
		p.conclude(Fail, "a lead that had been answered 429 was not accepted when it was sent again: %d", again.Status)
		return
	}
	control := p.send(ctx, refused.Request, nil)
	switch {
	case control == nil:
	case control.Status != http.StatusUnprocessableEntity:
		p.conclude(NotAssessed, "the positive control failed: the campaign took the same lead twice, so it shows nothing")
	default:
		p.row.Actual += "; once more, 422"
		p.conclude(Pass, "")
	}
}

// nothingStored asks whether a POST that was answered 429 has stored, or a PATCH changed, anything (IN-429-07).
func (r *run) nothingStored(ctx context.Context) {
	p := r.newProbe(rowNothingStored)
	p.row.Expected = "the lead of a refused POST can't be found, and that of a refused PATCH reads back unchanged; both requests, sent again, take effect"
	refused := r.book.sight(sight{endpoint.Leads, overflow, streamSpill, trace.Limited})
	taken := r.book.sight(sight{endpoint.Leads, overflow, streamSpill, trace.Admitted})
	if refused == nil || taken == nil {
		p.conclude(NotAssessed, "%s met no limit", r.keys[streamSpill])
		return
	}
	p.row.Exchanges = append(p.row.Exchanges, taken, refused)
	var posted, stored struct {
		External string `json:"external_lead_id"`
		Name     string `json:"first_name"`
		Lead     struct {
			ID string `json:"id"`
		} `json:"lead"`
	}
	if json.Unmarshal(refused.Request.Body, &posted) != nil || json.Unmarshal(taken.Request.Body, &stored) != nil ||
		json.Unmarshal(taken.Response.Body, &stored) != nil {
		p.conclude(NotAssessed, "the lead that was taken in has no id to read it by")
		return
	}
	e := effects{probe: p, role: r.keys[streamSpill], refused: refused, external: posted.External, lead: stored.Lead.ID, name: stored.Name}
	e.ask(ctx)
}

// effects are the steps of IN-429-07.
type effects struct {
	*probe
	role     string
	refused  *target.Exchange // the POST
	external string           // its lead's external id
	lead     string           // the id of a lead that was taken in
	name     string           // its first name
}

// patched is the first name that the PATCH writes.
const patched = "Changed"

func (e effects) ask(ctx context.Context) {
	patch := e.request(ctx, http.MethodPatch, endpoint.OneLead(e.lead), map[string]any{"first_name": patched})
	switch {
	case patch == nil:
		return
	case patch.Status != http.StatusTooManyRequests:
		e.conclude(NotAssessed, "the PATCH came when the key was not over its limit any more: it was answered %d", patch.Status)
		return
	case !e.wait(ctx, patch):
		return
	}
	found := e.request(ctx, http.MethodGet, endpoint.OneLead(e.external), nil)
	if found == nil {
		return
	}
	name, ok := e.read(ctx)
	if !ok {
		return
	}
	e.row.Actual = fmt.Sprintf("the lead of the refused POST was answered %d; that of the refused PATCH has first_name %q, before it had %q", found.Status, name, e.name)
	switch {
	case found.Status == http.StatusOK:
		e.conclude(Fail, "the POST that was answered 429 stored its lead all the same")
	case found.Status != http.StatusNotFound:
		e.conclude(NotAssessed, "the lead of the refused POST could not be looked for: answered %d", found.Status)
	case name != e.name:
		e.conclude(Fail, "the PATCH that was answered 429 changed its lead all the same")
	default:
		e.control(ctx)
	}
}

// control sends both requests again: they have to take effect, or that they had none shows nothing.
func (e effects) control(ctx context.Context) {
	var lead map[string]any
	if err := json.Unmarshal(e.refused.Request.Body, &lead); err != nil {
		e.conclude(NotAssessed, "%v", err)
		return
	}
	post := e.request(ctx, http.MethodPost, e.refused.Request.Path, lead)
	if post == nil {
		return
	}
	var answer struct {
		Status string `json:"status"`
	}
	_ = json.Unmarshal(post.Body, &answer)
	switch {
	case post.Status == http.StatusOK:
		e.conclude(Fail, "sent again, the refused POST was answered 200 %s: its lead had been stored", answer.Status)
		return
	case post.Status != http.StatusCreated:
		e.conclude(NotAssessed, "the positive control failed: sent again, the POST was answered %d", post.Status)
		return
	}
	patch := e.request(ctx, http.MethodPatch, endpoint.OneLead(e.lead), map[string]any{"first_name": patched})
	if patch == nil {
		return
	}
	name, ok := e.read(ctx)
	switch {
	case !ok:
	case patch.Status != http.StatusOK || name != patched:
		e.conclude(NotAssessed, "the positive control failed: sent again, the PATCH was answered %d and the lead has first_name %q", patch.Status, name)
	default:
		e.row.Actual += "; sent again, both take effect"
		e.conclude(Pass, "")
	}
}

// read reads the first name of the lead that was taken in.
func (e effects) read(ctx context.Context) (name string, ok bool) {
	got := e.request(ctx, http.MethodGet, endpoint.OneLead(e.lead), nil)
	if got == nil {
		return "", false
	}
	var answer struct {
		Lead struct {
			Name string `json:"first_name"`
		} `json:"lead"`
	}
	if got.Status != http.StatusOK || json.Unmarshal(got.Body, &answer) != nil {
		e.conclude(NotAssessed, "the lead could not be read: answered %d %s", got.Status, excerpt(got.Body))
		return "", false
	}
	return answer.Lead.Name, true
}

func (e effects) request(ctx context.Context, method, path string, body map[string]any) *target.Response {
	request, err := e.run.caller.Signed(method, path, e.role, body)
	return e.send(ctx, request, err)
}

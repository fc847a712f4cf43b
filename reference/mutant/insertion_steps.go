package mutant

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"leadconform/reference/internal/insertion"
	"leadconform/reference/internal/wire"
	"leadconform/reference/server"
)

// serve is a handler of the API.
type serve = func(ctx context.Context, call *insertion.Call) (wire.Answer, error)

// creating makes a mutant that has something to say when a POST was answered.
func creating(then func(a *insertion.API, call *insertion.Call, answer wire.Answer, err error) (wire.Answer, error)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.Create
		a.Create = func(ctx context.Context, call *insertion.Call) (wire.Answer, error) {
			answer, err := next(ctx, call)
			return then(a, call, answer, err)
		}
	})
}

// patching makes a mutant that wraps the handler of PATCH.
func patching(wrap func(a *insertion.API, call *insertion.Call, next serve) (wire.Answer, error)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.Patch
		a.Patch = func(_ context.Context, call *insertion.Call) (wire.Answer, error) { return wrap(a, call, next) }
	})
}

// decoding makes a mutant that changes the members of a body.
func decoding(change func(call *insertion.Call, members []wire.Member, err error) ([]wire.Member, error)) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.Decode
		a.Decode = func(call *insertion.Call) ([]wire.Member, error) {
			members, err := next(call)
			return change(call, members, err)
		}
	})
}

// decodingAs makes a mutant that reads a body as something else.
func decodingAs(as func(body []byte) []byte) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.Decode
		a.Decode = func(call *insertion.Call) ([]wire.Member, error) {
			read := *call
			read.Body = as(call.Body)
			return next(&read)
		}
	})
}

// completing makes a mutant that gives a POST a member that it lacks.
func completing(member string, value func(call *insertion.Call) string) func(*server.Parts) {
	return decoding(func(call *insertion.Call, members []wire.Member, err error) ([]wire.Member, error) {
		has := slices.ContainsFunc(members, func(m wire.Member) bool { return m.Name == member })
		if err == nil && !has && call.Request.Method == http.MethodPost {
			members = append(members, wire.Member{Name: member, Value: jsontext.Value(value(call))})
		}
		return members, err
	})
}

// droppingUnknown makes a mutant in which an endpoint drops the members that it doesn't know.
func droppingUnknown(endpoint insertion.Endpoint) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		next := a.Decode
		a.Decode = func(call *insertion.Call) ([]wire.Member, error) {
			members, err := next(call)
			if call.Route.Endpoint == endpoint {
				members = slices.DeleteFunc(members, func(m wire.Member) bool { return a.Schema.Find(m.Name) == nil })
			}
			return members, err
		}
	})
}

// patchingIdentity makes a mutant in which PATCH drops a member of the tuple.
func patchingIdentity(member string) func(*server.Parts) {
	return decoding(func(call *insertion.Call, members []wire.Member, err error) ([]wire.Member, error) {
		if call.Route.Endpoint == insertion.EndpointPatch {
			members = slices.DeleteFunc(members, func(m wire.Member) bool { return m.Name == member })
		}
		return members, err
	})
}

// faulting makes a mutant that changes what is found to be wrong with a body.
func faulting(change func(faults insertion.Faults) insertion.Faults) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) {
		create, patch := a.CheckCreate, a.CheckPatch
		a.CheckCreate = func(members []wire.Member) insertion.Faults { return change(create(members)) }
		a.CheckPatch = func(members []wire.Member) insertion.Faults { return change(patch(members)) }
	})
}

// forgiving makes a mutant that doesn't mind some faults.
func forgiving(which func(f insertion.Fault) bool) func(*server.Parts) {
	return faulting(func(faults insertion.Faults) insertion.Faults { return slices.DeleteFunc(faults, which) })
}

// checking makes a mutant that checks a field in another way.
func checking(field string, check insertion.Check) func(*server.Parts) {
	return insertionAPI(func(a *insertion.API) { a.Schema.Find(field).Check = check })
}

// lengths checks that a value is a string, and how many bytes it has.
func lengths(least, most int) insertion.Check {
	return func(value jsontext.Value) []string {
		text, err := strconv.Unquote(string(value))
		switch {
		case err != nil:
			return []string{"must be a string"}
		case len(text) < least || len(text) > most:
			return []string{"must have another length"}
		}
		return nil
	}
}

// asFaults are the faults that an error consists of.
func asFaults(err error) insertion.Faults {
	var faults insertion.Faults
	_ = errors.As(err, &faults)
	return faults
}

// valid are the members of a call's body in which no fault was found.
func valid(a *insertion.API, call *insertion.Call, faults insertion.Faults) []wire.Member {
	members, err := a.Decode(call)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(members, func(m wire.Member) bool {
		return slices.ContainsFunc(faults, func(f insertion.Fault) bool { return f.Field == m.Name })
	})
}

// insertValid stores what is valid of a POST, if that makes a tuple.
func insertValid(a *insertion.API, call *insertion.Call, faults insertion.Faults) {
	draft, err := a.Compose(call, valid(a, call, faults))
	if err == nil && draft.CampaignID != 0 && draft.ExternalLeadID != uuid.Nil {
		_, _, _ = a.Upsert(call.Request.Context(), call, draft)
	}
}

// patchValid makes the changes of a PATCH that are valid, unless one of them is of the tuple.
func patchValid(a *insertion.API, call *insertion.Call, faults insertion.Faults) {
	ctx := call.Request.Context()
	changes, err := a.Changes(valid(a, call, faults))
	ofTuple := slices.ContainsFunc(faults, func(f insertion.Fault) bool { return f.Problem == "must not be changed" })
	if err != nil || ofTuple || len(changes) == 0 {
		return
	}
	if lead, err := a.Find(ctx, call); err == nil {
		_, _, _ = a.Write(ctx, call, lead, changes)
	}
}

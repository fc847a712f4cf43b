package mutant

import (
	"context"
	"slices"

	"leadconform/reference/internal/distro"
	"leadconform/reference/internal/wire"
)

// do is what a step of a chain does.
type do = func(context.Context, *distro.Call) *wire.Answer

// replace puts another step in the place of one, which it is given.
func replace(chain *distro.Chain, name string, with func(original do) do) {
	*chain = slices.Clone(*chain)
	i := index(*chain, name)
	(*chain)[i].Do = with((*chain)[i].Do)
}

// leaveOut takes a step out of a chain.
func leaveOut(chain *distro.Chain, name string) {
	*chain = slices.Clone(*chain)
	i := index(*chain, name)
	*chain = slices.Delete(*chain, i, i+1)
}

// insertBefore puts a new step in front of another.
func insertBefore(chain *distro.Chain, name string, step do) {
	*chain = slices.Clone(*chain)
	*chain = slices.Insert(*chain, index(*chain, name), distro.Step{Name: "mutant", Do: step})
}

// moveBefore moves a step in front of another.
func moveBefore(chain *distro.Chain, name, other string) {
	step := (*chain)[index(*chain, name)]
	leaveOut(chain, name)
	*chain = slices.Insert(*chain, index(*chain, other), step)
}

func index(chain distro.Chain, name string) int {
	i := slices.IndexFunc(chain, func(s distro.Step) bool { return s.Name == name })
	if i < 0 {
		panic("mutant: the chain has no step " + name)
	}
	return i
}

// field changes the rule of a system field, on ingest alone.
func field(a *distro.API, name string, change func(*distro.FieldRule)) {
	a.IngestFields = slices.Clone(a.IngestFields)
	i := slices.IndexFunc(a.IngestFields, func(f distro.FieldRule) bool { return f.Name == name })
	if i < 0 {
		panic("mutant: there is no field " + name)
	}
	change(&a.IngestFields[i])
}

// faults changes what the validation of an ingest's system fields finds.
func faults(a *distro.API, change func(distro.Lead, []distro.FieldError) []distro.FieldError) {
	validate := a.Validate
	a.Validate = func(lead distro.Lead, rules []distro.FieldRule) []distro.FieldError {
		found := validate(lead, rules)
		if ofPing := !rules[len(rules)/2].Required; ofPing { // a ping must hold only the first two
			return found
		}
		return change(lead, found)
	}
}

// forgive drops the faults that a condition picks.
func forgive(a *distro.API, which func(distro.Lead, distro.FieldError) bool) {
	faults(a, func(lead distro.Lead, found []distro.FieldError) []distro.FieldError {
		return slices.DeleteFunc(found, func(f distro.FieldError) bool { return which(lead, f) })
	})
}

// rule changes what a business rule catches, given what it did catch.
func rule(a *distro.API, name string, change func(c *distro.Call, caught []distro.FilterError) []distro.FilterError) {
	a.Rules = slices.Clone(a.Rules)
	i := slices.IndexFunc(a.Rules, func(r distro.Rule) bool { return r.Name == name })
	if i < 0 {
		panic("mutant: there is no rule " + name)
	}
	original := a.Rules[i].Catch
	a.Rules[i].Catch = func(ctx context.Context, c *distro.Call) ([]distro.FilterError, error) {
		caught, err := original(ctx, c)
		if err != nil {
			return nil, err
		}
		return change(c, caught), nil
	}
}

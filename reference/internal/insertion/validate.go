package insertion

import (
	"slices"
	"strconv"

	"leadconform/reference/internal/wire"
)

// checkCreate finds every fault of a POST: of each member, in the order they came, then what is missing.
func (a *API) checkCreate(members []wire.Member) Faults {
	faults := a.checkMembers(members, func(p *Property, m wire.Member) []string { return p.Check(m.Value) })
	for _, p := range a.Schema {
		if p.Tuple && !has(members, p.Name) {
			faults = append(faults, Fault{p.Name, "required"})
		}
	}
	if !has(members, fieldPhone) && !has(members, fieldEmail) {
		faults = append(faults, Fault{fieldPhone, "required where email is missing"})
	}
	return faults
}

// checkPatch finds every fault of a PATCH. The tuple is what the lead is known by, and stays (IN-400-10); no member
// can be removed, so a lead never loses both phone and email.
func (a *API) checkPatch(members []wire.Member) Faults {
	return a.checkMembers(members, func(p *Property, m wire.Member) []string {
		if p.Tuple {
			return []string{"must not be changed"}
		}
		return p.Check(m.Value)
	})
}

func (a *API) checkMembers(members []wire.Member, check func(*Property, wire.Member) []string) Faults {
	var faults Faults
	for _, m := range members {
		p := a.Schema.Find(m.Name)
		if p == nil {
			faults = append(faults, Fault{shown(m.Name), "unknown member"})
			continue
		}
		for _, problem := range check(p, m) {
			faults = append(faults, Fault{m.Name, problem})
		}
	}
	return faults
}

func has(members []wire.Member, name string) bool {
	return slices.ContainsFunc(members, func(m wire.Member) bool { return m.Name == name })
}

// shown is a client's own name for a member, safe to show: bare if it is a plain name, else quoted and cut.
func shown(name string) string {
	const most = 64 // characters
	if runes := []rune(name); len(runes) > most {
		name = string(runes[:most]) + "…"
	}
	if quoted := strconv.Quote(name); name == "" || quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

package mutant

import (
	"slices"
	"sync"

	"leadconform/reference/internal/distro"
)

// memory remembers texts.
type memory struct {
	mu    sync.Mutex
	texts map[string]bool
}

// has reports whether a text was remembered.
func (m *memory) has(text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.texts[text]
}

// any reports whether a condition picks one of the texts.
func (m *memory) any(which func(text string) bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for text := range m.texts {
		if which(text) {
			return true
		}
	}
	return false
}

func (m *memory) remember(texts ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.texts == nil {
		m.texts = map[string]bool{}
	}
	for _, text := range texts {
		m.texts[text] = true
	}
}

// people are the marks that a lead leaves on a campaign that looks for duplicates: one for its phone, one for its email.
func people(a *distro.API, lead distro.Lead) []string {
	campaign := lead.Text("flo_campaign_id")
	var marks []string
	if phone := a.NormalPhone(lead.Text("phone")); phone != "" {
		marks = append(marks, campaign+" "+phone)
	}
	if email := a.NormalEmail(lead.Text("email")); email != "" {
		marks = append(marks, campaign+" "+email)
	}
	return marks
}

// remembering makes the rule on duplicates also catch whom a memory holds.
func remembering(a *distro.API, m *memory) {
	rule(a, "duplicate", func(c *distro.Call, caught []distro.FilterError) []distro.FilterError {
		if len(caught) == 0 && c.Campaign.DuplicateCheck && slices.ContainsFunc(people(a, c.Lead), m.has) {
			caught = append(caught, distro.FilterError{Rule: "duplicate", Message: "This lead has been seen"})
		}
		return caught
	})
}

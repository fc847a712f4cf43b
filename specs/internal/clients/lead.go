package clients

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"leadconform/fixtures/target"
)

// lead is a lead to be sent: its payload, and the marks by which it is known again.
type lead struct {
	payload []byte
	marks   []string // a request that holds one of them, in its path or its body, is about this lead
	id      string   // of an update: the lead's id
}

// leads makes the lead of a scenario and the second one. Names, addresses and numbers belong to nobody.
func leads(p *target.Profile, recipe string, s Scenario) (trial, control lead, err error) {
	made := [2]lead{}
	for i := range made {
		phone := phone()
		email := "lead." + phone + "@example.com"
		if recipe == Distro {
			made[i], err = distroLead(p, s, phone, email)
		} else {
			made[i], err = insertionLead(p, phone, email)
		}
		if err != nil {
			return trial, control, err
		}
	}
	return made[0], made[1], nil
}

// phone is ten digits that no other run is likely to draw.
func phone() string {
	var raw [8]byte
	_, _ = rand.Read(raw[:]) // never fails
	return fmt.Sprintf("999%07d", binary.BigEndian.Uint64(raw[:])%10_000_000)
}

func distroLead(p *target.Profile, s Scenario, phone, email string) (lead, error) {
	payload, err := json.Marshal(map[string]string{
		"flo_campaign_id": p.Distro.Campaigns[s.Campaign].ID, "flo_supplier_id": p.Distro.Credentials["primary"].Supplier,
		"first_name": "Ada", "last_name": "Lovelace", "phone": phone, "email": email, "state": "CA",
	})
	return lead{payload: payload, marks: []string{phone, email}}, err
}

func insertionLead(p *target.Profile, phone, email string) (lead, error) {
	id := uuid.NewString()
	payload, err := json.Marshal(map[string]any{
		"campaign_id": p.Insertion.Campaigns["first"], "external_lead_id": id,
		"first_name": "Ada", "last_name": "Lovelace", "phone": phone, "email": email, "custom_fields": map[string]any{"plan": "gold"},
	})
	return lead{payload: payload, marks: []string{phone, email, id}, id: id}, err
}

// change is what a client is asked to set by an update of the lead.
func change() map[string]any {
	return map[string]any{"custom_fields": map[string]any{"contacted": "yes"}}
}

// is says whether a request with this path and body is about the lead.
func (l lead) is(path string, body []byte) bool {
	for _, mark := range l.marks {
		if strings.Contains(path, mark) || strings.Contains(string(body), mark) {
			return true
		}
	}
	return false
}

// marksOf are the marks of a lead that a client of somebody else's sends: what the APIs know a lead by.
func marksOf(body []byte) []string {
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return nil
	}
	var marks []string
	for _, name := range []string{"external_lead_id", "phone", "email"} {
		if text, ok := members[name].(string); ok && text != "" {
			marks = append(marks, text)
		}
	}
	return marks
}

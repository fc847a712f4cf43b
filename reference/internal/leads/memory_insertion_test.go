package leads_test

import (
	"testing"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/leads/storetest"
)

func TestMemoryInsertion(t *testing.T) {
	storetest.Insertion(t, func(*testing.T) leads.Store { return leads.NewMemory() })
}

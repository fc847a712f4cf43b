package leads_test

import (
	"testing"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/leads/storetest"
)

func TestMemoryDistro(t *testing.T) {
	storetest.Distro(t, func(*testing.T) leads.Store { return leads.NewMemory() })
}

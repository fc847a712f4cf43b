package soak

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/goccy/go-yaml"

	"leadconform/load/internal/plan"
)

// Supplier is who sends leads, and with which key.
type Supplier struct {
	ID  string
	Key string
}

// Generated returns the i-th supplier of a generated world, from 0. It is the same in every process, so that workers that
// share nothing agree.
func Generated(i int) Supplier {
	digest := sha256.Sum256(fmt.Appendf(nil, "leadconform soak %d", i))
	return Supplier{ID: fmt.Sprintf("sup-soak-%05d", i), Key: fmt.Sprintf("ldk_soak_%05d_%s", i, hex.EncodeToString(digest[:5]))}
}

// Campaign is the campaign of a generated world that all its suppliers send to.
const Campaign = "cmp-soak"

// World describes a world for the reference server: suppliers who all have one policy, but for those that are wrong on
// purpose.
type World struct {
	Suppliers int
	Policy    plan.Policy
	Wrong     map[int]float64 // by supplier: by what its rate and its burst rate are multiplied
}

// YAML is the world as the reference server reads it (--world).
func (w World) YAML() ([]byte, error) {
	type mapping = map[string]any
	limits := func(factor float64) mapping {
		rate := mapping{"rate": w.Policy.Rate * factor, "burst": w.Policy.Burst * factor, "window": w.Policy.Window.String()}
		return mapping{"ingest": rate, "ping": rate, "lookup": rate}
	}
	ids, suppliers := make([]string, w.Suppliers), make([]mapping, w.Suppliers)
	for i := range w.Suppliers {
		s := Generated(i)
		ids[i] = s.ID
		suppliers[i] = mapping{"id": s.ID, "keys": []string{s.Key}}
		if factor, ok := w.Wrong[i]; ok {
			suppliers[i]["limits"] = limits(factor)
		}
	}
	text, err := yaml.Marshal(mapping{
		"distro": mapping{
			"limits":     limits(1),
			"ping_token": mapping{"lifetime": "30m", "secret": "generated-ping-token-secret"},
			"suppliers":  suppliers,
			"campaigns": []mapping{{
				"id": Campaign, "suppliers": ids, "distribution": "round_robin", "buyers": []mapping{{"id": "buyer-north"}, {"id": "buyer-south"}},
			}},
		},
		"insertion": mapping{"limit": mapping{"requests": 600, "window": "60s"}, "signature_window": "5m", "accounts": []mapping{}},
	})
	if err != nil {
		return nil, fmt.Errorf("write the world: %w", err)
	}
	return text, nil
}

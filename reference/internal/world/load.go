package world

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// Load reads a world from YAML, fills in what it leaves to defaults, and checks that it holds together. An error names
// every problem found, one a line: the file (world.yaml), the line, the place and what to do.
func Load(data []byte) (*World, error) { return LoadNamed("world.yaml", data) }

// LoadNamed is Load for a file that errors call by this name.
func LoadNamed(file string, data []byte) (*World, error) {
	doc, err := parseDocument(file, data)
	if err != nil {
		return nil, err
	}
	var w World
	if err := doc.decode(&w); err != nil {
		return nil, err
	}
	if problems := check(&w); len(problems) > 0 {
		return nil, doc.report(problems)
	}
	w.fill()
	w.index()
	return &w, nil
}

// report puts the problems into the order of the file.
func (d *document) report(problems []problem) error {
	slices.SortStableFunc(problems, func(a, b problem) int { return cmp.Compare(d.line(a.at), d.line(b.at)) })
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = fmt.Errorf("%s:%d: %s: %s", d.file, d.line(p.at), p.at, p.what)
	}
	return errors.Join(errs...)
}

// fill puts the defaults where the file is silent. Limits are copied, so that no two owners share theirs through a YAML
// alias.
func (w *World) fill() {
	for _, s := range w.Distro.Suppliers {
		s.Limits = s.Limits.over(w.Distro.Limits)
	}
	for _, c := range w.Distro.Campaigns {
		for _, b := range c.Buyers {
			b.Weight = cmp.Or(b.Weight, 1)
		}
	}
	for _, a := range w.Insertion.Accounts {
		for _, k := range a.Keys {
			limit := w.Insertion.Limit
			if k.Limit != nil {
				limit = *k.Limit
			}
			k.Limit, k.Account = &limit, a
		}
	}
}

// over returns the limits, with the default for each endpoint that they leave out.
func (l *DistroLimits) over(byDefault DistroLimits) *DistroLimits {
	if l == nil {
		return &byDefault
	}
	return &DistroLimits{
		Ingest: cmp.Or(l.Ingest, byDefault.Ingest),
		Ping:   cmp.Or(l.Ping, byDefault.Ping),
		Lookup: cmp.Or(l.Lookup, byDefault.Lookup),
	}
}

// index builds what the lookups need.
func (w *World) index() {
	d, i := &w.Distro, &w.Insertion
	d.byKey = map[[sha256.Size]byte]*Supplier{}
	for _, s := range d.Suppliers {
		for _, key := range s.Keys {
			d.byKey[sha256.Sum256([]byte(key))] = s
		}
	}
	d.byCampaign = map[string]*Campaign{}
	for _, c := range d.Campaigns {
		d.byCampaign[c.ID] = c
	}
	i.byPublicKey = map[string]*Key{}
	i.bySecret = map[[sha256.Size]byte]*Key{}
	for _, a := range i.Accounts {
		for _, k := range a.Keys {
			i.byPublicKey[k.PublicKey] = k
			i.bySecret[sha256.Sum256([]byte(k.Secret))] = k
		}
	}
}

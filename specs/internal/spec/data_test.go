package spec

import (
	"regexp"
	"testing"
)

func TestPhonesAreAllDifferentAndFitThePattern(t *testing.T) {
	for _, pattern := range []string{"555#######", "999#########", "1555#####", "###############"} {
		shape := regexp.MustCompile("^" + regexp.MustCompile("#").ReplaceAllString(pattern, `\d`) + "$")
		seen := map[string]bool{}
		for process := range 3 {
			d := NewData("r1", 1, pattern, process)
			for range 5000 {
				phone := d.of("LD-201-01").Person().Phone
				if !shape.MatchString(phone) {
					t.Fatalf("%s doesn't fit %s", phone, pattern)
				}
				if seen[phone] {
					t.Fatalf("%s: %s twice, among %d", pattern, phone, len(seen))
				}
				seen[phone] = true
			}
		}
	}
}

func TestSeedFixesNamesAndRunMakesIdentifiersNew(t *testing.T) {
	draw := func(run string, seed uint64) (Person, Person) {
		d := NewData(run, seed, "555#######", 0).of("LD-201-01")
		return d.Person(), d.Person()
	}
	a, b := draw("r1", 7)
	c, d := draw("r2", 7)
	if a.FirstName != c.FirstName || b.LastName != d.LastName {
		t.Error("the same seed gives other names")
	}
	if a.Phone == c.Phone || a.Email == c.Email || a.Phone == b.Phone {
		t.Error("two runs, or two people, share an identifier")
	}
	others := 0
	for seed := range uint64(20) {
		if x, _ := draw("r1", seed); x.FirstName != a.FirstName {
			others++
		}
	}
	if others == 0 {
		t.Error("no seed gives another name")
	}
}

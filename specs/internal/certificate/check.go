package certificate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/report"
)

// Checked is a certificate that was found right.
type Checked struct {
	Claim   Claim
	Report  *report.Report
	Profile []byte    // its public form, which target.Parse reads
	Key     PublicKey // that the signature was checked by
	Trusted bool      // the key is the caller's; else it is the one that the certificate carries: integrity only
	Digests map[string]string
}

// Faults are all that is wrong with a certificate or its report, a line each.
type Faults []string

func (f Faults) Error() string { return strings.Join(f, "\n") }

// Check checks a certificate and the report that it is about: the signature, by the caller's key or, without one, by
// the key that the certificate carries; the digests; that the report holds every row of the catalogue as it stands
// there; that verdicts, counts and levels follow from its rows; and that the certificate says what follows from all that.
// Its error is Faults.
func Check(ctx context.Context, certificate, text []byte, key *PublicKey) (*Checked, error) {
	e, payload, err := open(certificate)
	if err != nil {
		return nil, Faults{"the certificate can't be read: " + err.Error()}
	}
	if key != nil { // before anything is believed
		if err := verify(ctx, e, *key); err != nil {
			return nil, Faults{"the certificate: " + err.Error()}
		}
	}
	said, err := parseStatement(payload)
	if err != nil {
		return nil, Faults{"the certificate can't be read: " + err.Error()}
	}
	carried, err := ParsePublicKey([]byte(said.claim.Key))
	if err != nil {
		return nil, Faults{"the certificate carries no public key: " + err.Error()}
	}
	checked := &Checked{Claim: said.claim, Profile: said.profile, Key: carried, Trusted: key != nil}
	if key == nil {
		if err := verify(ctx, e, carried); err != nil {
			return nil, Faults{"the certificate: " + err.Error()}
		}
	}
	faults := checked.hold(payload, text)
	if len(faults) > 0 {
		return nil, faults
	}
	return checked, nil
}

// hold compares what was signed with what the report bears out.
func (c *Checked) hold(payload, text []byte) Faults {
	signed := digestsOf(payload)
	c.Digests = map[string]string{nameReport: sha256Of(text)["sha256"], nameCatalogue: catalogue.Digest(), nameProfile: sha256Of(c.Profile)["sha256"]}
	var faults Faults
	for _, name := range []string{nameReport, nameCatalogue, nameProfile} {
		if signed[name] != c.Digests[name] {
			faults = append(faults, otherwise[name]+fmt.Sprintf(" (signed %s, found %s)", signed[name], c.Digests[name]))
		}
	}
	r, err := report.Read(text)
	if err != nil {
		return append(faults, "the report can't be read: "+oneLine(err.Error()))
	}
	c.Report = r
	faults = append(faults, audit(r)...)
	if r.Target.ProfileSHA256 != c.Digests[nameProfile] {
		faults = append(faults, "the report was made with another profile than the certificate holds")
	}
	if reason := Refusal(r); reason != "" {
		faults = append(faults, "the report bears no certificate out: "+reason)
	}
	if len(faults) > 0 {
		return faults
	}
	follows, err := evidence{r, text, c.Profile, c.Claim.Implementation, c.Key}.statement()
	if err != nil {
		return Faults{err.Error()}
	}
	if !bytes.Equal(follows, payload) {
		return differences(payload, follows)
	}
	return nil
}

// otherwise says what it means that a digest is another one.
var otherwise = map[string]string{
	nameReport:    "the report is not the one that was certified: it was changed, or it is another run's",
	nameCatalogue: "the catalogue is not the one that was certified by: check with the version of the suite that wrote the certificate",
	nameProfile:   "the profile that the certificate holds is not the one that it names",
}

// digestsOf returns the SHA-256 that a statement names, by what it is of.
func digestsOf(payload []byte) map[string]string {
	type descriptor struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	}
	var s struct {
		Subject   []descriptor `json:"subject"`
		Predicate struct {
			Configuration []descriptor `json:"configuration"`
		} `json:"predicate"`
	}
	_ = json.Unmarshal(payload, &s) // parseStatement has read it
	digests := map[string]string{}
	for _, d := range append(s.Subject, s.Predicate.Configuration...) {
		digests[d.Name] = d.Digest["sha256"]
	}
	return digests
}

// differences says where a statement departs from the one that follows from the report.
func differences(signed, follows []byte) Faults {
	var is, should any
	if json.Unmarshal(signed, &is) != nil || json.Unmarshal(follows, &should) != nil {
		return Faults{"the certificate's statement can't be read"}
	}
	var faults Faults
	compare("", is, should, &faults)
	if len(faults) == 0 {
		faults = Faults{"the certificate's statement is spelled in another way than specs certify does"}
	}
	return faults
}

func compare(at string, is, should any, faults *Faults) {
	switch should := should.(type) {
	case map[string]any:
		if is, ok := is.(map[string]any); ok {
			names := slices.Concat(slices.Collect(maps.Keys(is)), slices.Collect(maps.Keys(should)))
			slices.Sort(names)
			for _, name := range slices.Compact(names) {
				compare(strings.TrimPrefix(at+"."+name, "."), is[name], should[name], faults)
			}
			return
		}
	case []any:
		if is, ok := is.([]any); ok && len(is) == len(should) {
			for i := range should {
				compare(fmt.Sprintf("%s[%d]", at, i), is[i], should[i], faults)
			}
			return
		}
	default:
		if is == should {
			return
		}
	}
	*faults = append(*faults, fmt.Sprintf("the certificate's %s is %s, and the report gives %s", at, brief(is), brief(should)))
}

// brief is a value on one line, cut.
func brief(value any) string {
	const most = 200
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	if runes := []rune(string(text)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(text)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Package certificate writes and checks certificates: signed statements that a target conforms, at which level of which
// API, bound to the report that shows it.
//
// A certificate is an in-toto Statement v1 with the predicate test-result v0.1 in a DSSE envelope, signed with Ed25519.
// It holds the digests of the report, of the catalogue of requirements and of the profile without its secrets, and
// the suite's version and commit. Whoever checks one needs the report: every verdict and level is worked out
// anew from its rows, and the statement that follows must be the one that was signed, to the byte.
package certificate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"
	testresult "github.com/in-toto/attestation/go/predicates/test_result/v0"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/report"
	"leadconform/specs/internal/verdict"
)

// The names that the in-toto attestation framework gives to what is in a certificate.
const (
	payloadType   = "application/vnd.in-toto+json"
	predicateType = "https://in-toto.io/attestation/test-result/v0.1"
)

// extension is the member of the predicate that holds the Claim: the framework lets a producer add members of its own.
const extension = "leadconform"

// The names of what a statement refers to.
const (
	nameReport    = "report.json"
	nameCatalogue = "catalogue"
	nameProfile   = "profile"
)

// evidence is all that a statement is made of.
type evidence struct {
	report         *report.Report
	text           []byte // of report.json
	profile        []byte // its public form
	implementation Implementation
	key            PublicKey
}

// statement writes the statement that the evidence bears out, as canonical JSON (RFC 8785).
func (e evidence) statement() ([]byte, error) {
	predicate, err := e.predicate()
	if err != nil {
		return nil, fmt.Errorf("make the statement: %w", err)
	}
	s := &intoto.Statement{
		Type:          intoto.StatementTypeUri,
		Subject:       []*intoto.ResourceDescriptor{{Name: nameReport, MediaType: "application/json", Digest: sha256Of(e.text)}},
		PredicateType: predicateType,
		Predicate:     predicate,
	}
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("make the statement: %w", err)
	}
	return canonical(s)
}

// predicate is the test result, with the claim as a member of the suite's own.
func (e evidence) predicate() (*structpb.Struct, error) {
	configuration := []*intoto.ResourceDescriptor{
		{Name: nameCatalogue, MediaType: "application/json", Digest: map[string]string{"sha256": catalogue.Digest()}},
		{Name: nameProfile, MediaType: "application/json", Digest: sha256Of(e.profile), Content: e.profile},
		suiteOf(e.report.Suite),
	}
	for _, c := range configuration {
		if err := c.Validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", c.GetName(), err)
		}
	}
	text, err := canonical(&testresult.TestResult{
		Result:        result(e.report),
		Configuration: configuration,
		PassedTests:   rowsThatAre(e.report, verdict.Pass),
		WarnedTests:   rowsThatAre(e.report, verdict.Warn),
		FailedTests:   rowsThatAre(e.report, verdict.Fail),
	})
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	claim, err := json.Marshal(newClaim(e.report, e.implementation, e.key))
	if err != nil {
		return nil, err
	}
	own := map[string]any{}
	if err := json.Unmarshal(claim, &own); err != nil {
		return nil, err
	}
	members[extension] = own
	return structpb.NewStruct(members)
}

var fullCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// suiteOf describes the program. A commit is a digest only in full.
func suiteOf(s report.Suite) *intoto.ResourceDescriptor {
	d := &intoto.ResourceDescriptor{Name: s.Name, Annotations: &structpb.Struct{Fields: map[string]*structpb.Value{
		"version": structpb.NewStringValue(s.Version), "commit": structpb.NewStringValue(s.Commit),
	}}}
	if fullCommit.MatchString(s.Commit) {
		d.Digest = map[string]string{string(intoto.AlgorithmGitCommit): s.Commit}
	}
	return d
}

func rowsThatAre(r *report.Report, v verdict.Verdict) []string {
	var ids []string
	for _, row := range r.Rows {
		if row.Verdict == v {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

func sha256Of(text []byte) map[string]string {
	digest := sha256.Sum256(text)
	return map[string]string{"sha256": hex.EncodeToString(digest[:])}
}

// canonical writes a message as canonical JSON: what protojson writes differs from build to build.
func canonical(m proto.Message) ([]byte, error) {
	text, err := protojson.Marshal(m)
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(text)
	if err := value.Canonicalize(); err != nil {
		return nil, err
	}
	return value, nil
}

// told is what a statement says of itself, as far as it can't be worked out from the report.
type told struct {
	claim   Claim
	profile []byte
}

// parseStatement reads what a statement says. That it is borne out by a report is not looked at here.
func parseStatement(payload []byte) (told, error) {
	var s intoto.Statement
	if err := protojson.Unmarshal(payload, &s); err != nil {
		return told{}, fmt.Errorf("the payload is no in-toto statement: %w", err)
	}
	if err := s.Validate(); err != nil {
		return told{}, fmt.Errorf("the payload is no in-toto statement: %w", err)
	}
	if s.GetPredicateType() != predicateType {
		return told{}, fmt.Errorf("the predicate is %q, want %q", s.GetPredicateType(), predicateType)
	}
	text, err := protojson.Marshal(s.GetPredicate())
	if err != nil {
		return told{}, fmt.Errorf("read the predicate: %w", err)
	}
	var predicate struct {
		Configuration []struct {
			Name    string `json:"name"`
			Content []byte `json:"content"`
		} `json:"configuration"`
		Claim *Claim `json:"leadconform"`
	}
	if err := json.Unmarshal(text, &predicate); err != nil {
		return told{}, fmt.Errorf("read the predicate: %w", err)
	}
	if predicate.Claim == nil {
		return told{}, fmt.Errorf("the predicate has no member %s: another program wrote it", extension)
	}
	found := told{claim: *predicate.Claim}
	for _, c := range predicate.Configuration {
		if c.Name == nameProfile {
			found.profile = c.Content
		}
	}
	if found.profile == nil {
		return told{}, fmt.Errorf("the configuration holds no profile")
	}
	return found, nil
}

package suite_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"

	"leadconform/fixtures"
	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
	"leadconform/specs/internal/spec"
	"leadconform/specs/internal/spectest"
	"leadconform/specs/internal/suite"
)

// TestOpenAPIDocumentsReferenceAndSuiteAgree runs every row of tiers core and full against the reference server, and holds
// each request and each answer against the OpenAPI documents. Which requests a row means to be valid follows from the
// answer of the server that conforms: one that is answered 400 is not well formed, and the document must say so too; one
// that lacks its credentials (401) or asks for a method that isn't there (405) means nothing here; every other is well
// formed, whatever else is against it, and the document must allow it.
func TestOpenAPIDocumentsReferenceAndSuiteAgree(t *testing.T) {
	documents := map[string]*document{catalogue.Distro: readDocument(t, catalogue.Distro), catalogue.Insertion: readDocument(t, catalogue.Insertion)}
	public, control := spectest.Handlers(t)
	wire := &recorder{Handler: public}
	server := http.NewServeMux()
	server.Handle("/control/", control)
	server.Handle("/", wire)

	specs, err := suite.Specs([]string{catalogue.Distro, catalogue.Insertion}, nil)
	if err != nil {
		t.Fatal(err)
	}
	specs = slices.DeleteFunc(specs, func(s spec.Spec) bool { return s.Measure != nil }) // tier limits
	for id, outcome := range spectest.Run(t.Context(), spectest.Serve(t, server), specs) {
		if outcome.Result != spec.Passed {
			t.Errorf("%s: %s, %s: what it sends and gets may not be all that it should be", id, outcome.Result, outcome.Reason)
		}
	}
	provokeTheRest(server)

	seen := map[string]bool{}
	for _, x := range wire.exchanges {
		d := documents[apiOf(x.path())]
		for _, problem := range slices.Concat(d.answerFaults(x), d.requestFaults(x)) {
			t.Errorf("%s: %s %s, answered %d: %s\nrequest: %s\nanswer: %s", x.row, x.method, x.url, x.status, problem, x.body, x.answer)
		}
		maps.Copy(seen, d.covers(x))
	}
	for _, d := range documents {
		for documented := range d.documented {
			if reason := neverAnswered[documented]; !seen[documented] && reason == "" {
				t.Errorf("%s documents %s, and nothing was answered so", d.name, documented)
			} else if seen[documented] && reason != "" {
				t.Errorf("%s was answered, and yet %s", documented, reason)
			}
		}
	}
}

// neverAnswered are answers that the documents have and the reference never gives.
var neverAnswered = map[string]string{
	"POST /api/v1/insertion/leads 409": "the reference never loses the race of two POSTs; another target may (IN-409-04)",
	"POST /api/leads/ingest 409":       "the reference never loses the race of two POSTs; another target may (IN-409-04)",
}

// document is one API's OpenAPI document and what validates by it.
type document struct {
	name       string
	requests   validator.Validator
	responses  validator.Validator // strict: a member that it doesn't name may not be there
	documented map[string]bool     // the answers of each operation, such as "POST /api/v1/ingest 201"
	methods    map[string][]string // by path
}

func readDocument(t *testing.T, api string) *document {
	t.Helper()
	d := &document{name: "openapi/" + api + ".yaml", documented: map[string]bool{}, methods: map[string][]string{}}
	text, err := fixtures.FS.ReadFile(d.name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatalf("%s: %v", d.name, err)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		t.Fatalf("%s: %v", d.name, err)
	}
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		for method, operation := range item.GetOperations().FromOldest() {
			d.methods[path] = append(d.methods[path], strings.ToUpper(method))
			for status := range operation.Responses.Codes.KeysFromOldest() {
				d.documented[strings.ToUpper(method)+" "+path+" "+status] = true
			}
		}
	}
	var faults, strictFaults []error
	d.requests, faults = validator.NewValidator(doc, config.WithFormatAssertions())
	d.responses, strictFaults = validator.NewValidator(doc, config.WithFormatAssertions(), config.WithStrictMode(),
		config.WithStrictIgnorePaths("$.body.lead.custom_fields", "$.body.leads[*].custom_fields")) // whatever a client puts there
	if all := slices.Concat(faults, strictFaults); len(all) > 0 {
		t.Fatalf("%s: %v", d.name, all)
	}
	if doc.GetVersion() != "3.1.0" {
		t.Errorf("%s is of OpenAPI %s", d.name, doc.GetVersion())
	}
	if ok, faults := d.requests.ValidateDocument(); !ok {
		t.Errorf("%s is no OpenAPI document: %s", d.name, words(faults))
	}
	return d
}

func apiOf(path string) string {
	if strings.HasPrefix(path, "/api/v1/insertion/") || path == "/api/leads/ingest" {
		return catalogue.Insertion
	}
	return catalogue.Distro
}

// covers returns the documented answers that an exchange is an example of. A 405 is that of every operation of its path.
func (d *document) covers(x exchange) map[string]bool {
	path := template(x.path())
	covered := map[string]bool{x.method + " " + path + " " + strconv.Itoa(x.status): true}
	if x.status == http.StatusMethodNotAllowed {
		for _, method := range d.methods[path] {
			covered[method+" "+path+" 405"] = true
		}
	}
	return covered
}

func template(path string) string {
	if strings.HasPrefix(path, "/api/v1/insertion/leads/") {
		return "/api/v1/insertion/leads/{id}"
	}
	return path
}

// answerFaults returns where an answer departs from the document: a status or a member that it doesn't have, or a header or
// a body that isn't as it says.
func (d *document) answerFaults(x exchange) []string {
	request := x.request()
	if methods := d.methods[template(x.path())]; x.status == http.StatusMethodNotAllowed && !slices.Contains(methods, x.method) && len(methods) > 0 {
		request.Method = methods[0] // OpenAPI has no place for the methods that a path doesn't know
	}
	answer := &http.Response{StatusCode: x.status, Header: x.answered, Body: io.NopCloser(bytes.NewReader(x.answer))}
	if ok, faults := d.responses.ValidateHttpResponse(request, answer); !ok {
		return []string{"the answer is not as documented: " + words(faults)}
	}
	return nil
}

// requestFaults returns where document and server disagree on whether a request is well formed.
func (d *document) requestFaults(x exchange) []string {
	valid, faults := d.requests.ValidateHttpRequestSync(x.request())
	switch {
	case x.status == http.StatusUnauthorized || x.status == http.StatusMethodNotAllowed:
	case x.status == http.StatusBadRequest && valid && !beyondADocument(x):
		return []string{"the request is refused, and the document allows it"}
	case x.status != http.StatusBadRequest && !valid:
		return []string{"the request is meant to be valid, and the document doesn't allow it: " + words(faults)}
	}
	return nil
}

// beyondADocument reports whether a request is refused for what OpenAPI can't say: that a lookup takes exactly one of three
// parameters (LD-LOOK-03), and that a campaign of its own asks for a custom field (LD-400-07).
func beyondADocument(x exchange) bool {
	if x.path() == "/api/v1/leads/lookup" {
		return len(x.request().URL.Query()) != 1
	}
	required := target.Reference("http://127.0.0.1:1", "").Distro.Campaigns["required"]
	var lead map[string]any
	if json.Unmarshal(x.body, &lead) != nil || lead["flo_campaign_id"] != required.ID {
		return false
	}
	for field := range required.Requires {
		if _, sent := lead[field]; sent {
			return false
		}
	}
	return true
}

func words(faults []*errors.ValidationError) string {
	var all []string
	for _, f := range faults {
		text := f.Message + ": " + f.Reason
		for _, s := range f.SchemaValidationErrors {
			text += fmt.Sprintf(" [%s: %s]", s.FieldPath, s.Reason)
		}
		all = append(all, strings.Join(strings.Fields(text), " "))
	}
	return strings.Join(all, "; ")
}

// What the test above would see: each of these is a drift between document and server.
func TestDriftIsSeen(t *testing.T) {
	distro, insertion := readDocument(t, catalogue.Distro), readDocument(t, catalogue.Insertion)
	const lead = `{"flo_campaign_id":"c","flo_supplier_id":"s","first_name":"A","last_name":"B","phone":"5550100142","email":"a@example.com"}`
	ingest := exchange{method: "POST", url: "/api/v1/ingest", header: http.Header{"X-Api-Key": {"k"}, "Content-Type": {"application/json"}}, body: []byte(lead),
		status: 201, answered: http.Header{"Content-Type": {"application/json"}}, answer: []byte(`{"id":"1","status":"ACCEPTED","buyer_id":"b"}`)}
	deleted := exchange{method: "DELETE", url: "/api/v1/insertion/leads", header: http.Header{}, status: 405,
		answered: http.Header{"Content-Type": {"application/json"}, "Allow": {"GET, POST"}}, answer: []byte(`{"ok":false,"error":"method_not_allowed"}`)}
	for name, c := range map[string]struct {
		document *document
		of       exchange
		change   func(*exchange)
		faulty   bool
	}{
		"nothing":                       {distro, ingest, func(*exchange) {}, false},
		"a member is missing":           {distro, ingest, func(x *exchange) { x.answer = []byte(`{"id":"1","status":"ACCEPTED"}`) }, true},
		"a member is new":               {distro, ingest, func(x *exchange) { x.answer = []byte(`{"id":"1","status":"ACCEPTED","buyer_id":"b","colour":"red"}`) }, true},
		"a status is another":           {distro, ingest, func(x *exchange) { x.answer = []byte(`{"id":"1","status":"TAKEN","buyer_id":"b"}`) }, true},
		"an answer is not documented":   {distro, ingest, func(x *exchange) { x.status = 202 }, true},
		"the answer is no JSON":         {distro, ingest, func(x *exchange) { x.answer = []byte(`taken`) }, true},
		"the content type is another":   {distro, ingest, func(x *exchange) { x.answered = http.Header{"Content-Type": {"text/html"}} }, true},
		"an endpoint is new":            {distro, ingest, func(x *exchange) { x.url = "/api/v1/pong" }, true},
		"a valid request is disallowed": {distro, ingest, func(x *exchange) { x.body = []byte(strings.Replace(lead, "5550100142", "555-CALL-ME", 1)) }, true},
		"a refused request is allowed": {distro, ingest, func(x *exchange) {
			x.status, x.answer = 400, []byte(`{"error":"validation_failed","message":"m","field_errors":[]}`)
		}, true},
		"Retry-After is missing": {distro, ingest, func(x *exchange) {
			x.status, x.answer = 429, []byte(`{"error":"rate_limit_exceeded","message":"m","retry_after":1}`)
		}, true},
		"a 405":                   {insertion, deleted, func(*exchange) {}, false},
		"a 405 without Allow":     {insertion, deleted, func(x *exchange) { x.answered = http.Header{"Content-Type": {"application/json"}} }, true},
		"a 405 of a known method": {insertion, deleted, func(x *exchange) { x.method = "GET" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			x := c.of
			c.change(&x)
			if faults := slices.Concat(c.document.answerFaults(x), c.document.requestFaults(x)); (len(faults) > 0) != c.faulty {
				t.Errorf("faults: %q", faults)
			}
		})
	}
}

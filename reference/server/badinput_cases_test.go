package server_test

import (
	"fmt"
	"regexp"
	"strings"
)

// envelope says what is wrong with a failure's body, or nothing.
type envelope func(status int, body map[string]any) string

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// distroEnvelope holds a failure against LD-ENV-01…03, LD-ENV-06 and LD-400-13.
func distroEnvelope(status int, body map[string]any) string {
	code, _ := body["error"].(string)
	message, _ := body["message"].(string)
	_, list := body["field_errors"].([]any)
	switch {
	case !identifier.MatchString(code):
		return "error is no identifier"
	case message == "":
		return "there is no message"
	case status == 400 && !list:
		return "there is no list of field_errors"
	}
	return ""
}

// insertionEnvelope holds a failure against IN-ENV-01.
func insertionEnvelope(_ int, body map[string]any) string {
	code, _ := body["error"].(string)
	switch {
	case body["ok"] != false:
		return "ok is not false"
	case code == "":
		return "there is no error"
	}
	return ""
}

const (
	ingestHead = "POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + primaryKey + "\r\n"
	pingHead   = "POST /api/v1/ping HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + primaryKey + "\r\n"
	createHead = "POST " + leadsPath + " HTTP/1.1\r\nHost: x\r\n" + bearer
	innerHead  = "POST /api/leads/ingest HTTP/1.1\r\nHost: x\r\n" + bearer
	patchHead  = "PATCH " + leadsPath + "/" + externalID + " HTTP/1.1\r\nHost: x\r\n" + bearer
	bearer     = "Authorization: Bearer " + acmeSecret + "\r\n"
	apiKey     = "X-Api-Key: " + primaryKey + "\r\n"
)

// badBodies are no lead in any API.
func badBodies() map[string]string {
	const mib = 1 << 20
	return map[string]string{
		"empty":                              "",
		"blank":                              " \r\n",
		"a megabyte and a byte":              `{"a":"` + strings.Repeat("x", mib-7) + `"}`,
		"three megabytes of blanks":          strings.Repeat(" ", 3*mib),
		"a megabyte of braces":               strings.Repeat(`{"a":`, mib/5),
		"a megabyte of brackets":             strings.Repeat("[", mib),
		"nested too deep":                    `{"custom_fields":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}",
		"a member twice":                     `{"phone":"5550100001","phone":"5550100002"}`,
		"a member twice, one escaped":        `{"phone":"5550100001","\u0070hone":"5550100002"}`,
		"a hundred thousand members":         manyMembers(100_000),
		"not UTF-8":                          "{\"first_name\":\"\xff\xfe\"}",
		"half a surrogate pair":              `{"first_name":"\ud800"}`,
		"overlong UTF-8":                     "{\"first_name\":\"\xc0\xaf\"}",
		"a byte order mark":                  "\xef\xbb\xbf{}",
		"UTF-16":                             "{\x00}\x00",
		"a bare NUL":                         "{\"first_name\":\"a\x00b\"}",
		"only NULs":                          strings.Repeat("\x00", 1000),
		"an array":                           `[{"phone":"5550100001"}]`,
		"null":                               `null`,
		"a number":                           `1e309`,
		"a huge number":                      `{"campaign_id":1e999999999,"flo_campaign_id":1e999999999}`,
		"a number of a hundred thousand 9s":  `{"campaign_id":` + strings.Repeat("9", 100_000) + `,"flo_campaign_id":1}`,
		"a negative number":                  `{"campaign_id":-9223372036854775809,"phone":-0}`,
		"NaN":                                `{"campaign_id":NaN}`,
		"objects for texts":                  `{"phone":{},"email":[],"first_name":null,"flo_campaign_id":{"$ne":null}}`,
		"a prototype":                        `{"__proto__":{"phone":"5550100001"},"constructor":1}`,
		"a very long phone":                  `{"phone":"` + strings.Repeat("5", 900_000) + `"}`,
		"a very long member name":            `{"` + strings.Repeat("n", 900_000) + `":1}`,
		"a very long member name, twice":     `{"` + strings.Repeat("n", 400_000) + `":1,"` + strings.Repeat("n", 400_000) + `":1}`,
		"SQL":                                `{"flo_campaign_id":"'; DROP TABLE leads; --","external_lead_id":"' OR 1=1"}`,
		"a form":                             "phone=5550100001&email=a%40example.com",
		"XML":                                `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`,
		"an escaped NUL in an id":            `{"external_lead_id":"\u0000","campaign_id":101,"flo_campaign_id":"\u0000","phone":"5550100001"}`,
		"line breaks in what goes to a log":  "{\"flo_campaign_id\":\"a\\nlevel=ERROR\",\"external_lead_id\":\"a\\r\\nb\"}",
		"a ping token that is none":          `{"flo_ping_id":"` + strings.Repeat("A", 100_000) + `"}`,
		"direction marks and private glyphs": `{"first_name":"\u202e\ufeff\ue000","flo_supplier_id":"\ud83d\ude00"}`,
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%x":1`, i)
	}
	return "{" + b.String()[1:] + "}"
}

// badInput is a request, as bytes, that deserves a 4xx.
type badInput struct {
	name    string
	request string
	want    envelope
	status  int  // 0: any 4xx
	http    bool // net/http itself refuses it, in its own words, before any API sees it
}

func badInputs() (all []badInput) {
	for name, body := range badBodies() {
		for _, to := range []struct {
			head string
			want envelope
		}{{ingestHead, distroEnvelope}, {pingHead, distroEnvelope}, {createHead, insertionEnvelope}, {innerHead, insertionEnvelope}, {patchHead, insertionEnvelope}} {
			line, _, _ := strings.Cut(to.head, " HTTP")
			all = append(all,
				badInput{name: line + ": " + name, want: to.want, status: 400, request: fmt.Sprintf("%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", to.head, len(body), body)},
				badInput{name: line + " in chunks: " + name, want: to.want, status: 400, request: fmt.Sprintf("%sContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%s", to.head, chunked(body))},
			)
		}
	}
	all = append(all, spoiltLeads()...)
	all = append(all, badTypes()...)
	all = append(all, badHeads()...)
	all = append(all, badPaths()...)
	return append(all, badQueries()...)
}

func chunked(body string) string {
	if body == "" {
		return "0\r\n\r\n"
	}
	return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
}

// spoiltLeads would be leads but for one thing.
func spoiltLeads() (all []badInput) {
	for name, member := range map[string]string{
		"a megabyte":            `"x": "` + strings.Repeat("x", 1<<20) + `"`,
		"nesting":               `"x": ` + strings.Repeat("[", 32) + strings.Repeat("]", 32),
		"a member twice":        `"x": 1, "x": 1`,
		"a member twice, below": `"x": [{"y": 1, "y": 1}]`,
		"not UTF-8":             "\"x\": \"\xff\"",
		"a bare NUL":            "\"x\": \"\x00\"",
		"a comma too many":      `"x": 1,`,
		"NaN":                   `"x": NaN`,
	} {
		all = append(all,
			badInput{name: "a lead but for " + name, request: leadWith(member), want: distroEnvelope, status: 400},
			badInput{name: "a lead of the other API but for " + name, request: insertionWith(member), want: insertionEnvelope, status: 400},
		)
	}
	return all
}

// leadWith and insertionWith are good requests that hold one member more, where the API leaves its name to the client.
func leadWith(member string) string {
	return post(ingestHead, strings.TrimSuffix(aLead, "}")+", "+member+"}")
}

func insertionWith(member string) string {
	return post(createHead, strings.TrimSuffix(insertLead, "}")+`, "custom_fields": {`+member+"}}")
}

func post(head, body string) string {
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// badTypes label a body that would be a lead as something that is none.
func badTypes() (all []badInput) {
	for _, contentType := range []string{
		"text/plain", "text/html", "application/xml", "multipart/form-data; boundary=x", "application/octet-stream", "application",
		"application/json/x", ";;;", ",", "\xff\xfe", "application/json; charset", strings.Repeat("a", 20_000), "application/json, text/plain",
	} {
		for _, to := range []struct {
			head, body string
			want       envelope
		}{{ingestHead, aLead, distroEnvelope}, {createHead, insertLead, insertionEnvelope}} {
			all = append(all, badInput{
				name: fmt.Sprintf("labelled %.30q", contentType), want: to.want, status: 400,
				request: fmt.Sprintf("%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", to.head, contentType, len(to.body), to.body),
			})
		}
	}
	return all
}

const aLead = `{"flo_campaign_id": "cmp-open", "flo_supplier_id": "sup-primary", "first_name": "Ada", "last_name": "Byron", ` +
	`"phone": "5550100001", "email": "ada@example.com"}`

// badHeads are requests whose method or headers are odd.
func badHeads() []badInput {
	long := strings.Repeat("x", 20_000)
	return []badInput{
		{name: "unknown method", request: "BREW /api/v1/ingest HTTP/1.1\r\nHost: x\r\n" + apiKey + "\r\n", want: distroEnvelope, status: 405},
		{name: "unknown method", request: "BREW " + leadsPath + " HTTP/1.1\r\nHost: x\r\n" + bearer + "\r\n", want: insertionEnvelope, status: 405},
		{name: "lower-case method", request: "post /api/v1/ingest HTTP/1.1\r\nHost: x\r\n" + apiKey + "Content-Length: 2\r\n\r\n{}", want: distroEnvelope, status: 405},
		{name: "lower-case method", request: "get " + leadsPath + " HTTP/1.1\r\nHost: x\r\n" + bearer + "\r\n", want: insertionEnvelope, status: 405},
		{name: "very long method", request: strings.Repeat("M", 8000) + " /api/v1/ingest HTTP/1.1\r\nHost: x\r\n\r\n", want: distroEnvelope, status: 405},
		{name: "TRACE", request: "TRACE /api/v1/ping HTTP/1.1\r\nHost: x\r\n" + apiKey + "\r\n", want: distroEnvelope, status: 405},
		{name: "OPTIONS", request: "OPTIONS " + leadsPath + " HTTP/1.1\r\nHost: x\r\n\r\n", want: insertionEnvelope, status: 405},
		{name: "OPTIONS of everything", request: "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", want: distroEnvelope, status: 404},
		{name: "CONNECT", request: "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", want: distroEnvelope},
		{name: "no such version", request: "POST /api/v1/ingest HTTP/one\r\nHost: x\r\n\r\n", http: true},
		{name: "no host", request: "POST /api/v1/ingest HTTP/1.1\r\n\r\n", http: true},
		{name: "no HTTP at all", request: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", http: true},
		{name: "headers without end", request: ingestHead + strings.Repeat("A: "+long+"\r\n", 3) + "\r\n", http: true, status: 431},
		{name: "NUL in a header", request: "POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nX-Api-Key: a\x00b\r\n\r\n", http: true},
		{name: "two lengths", request: ingestHead + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", http: true},
		{name: "a negative length", request: ingestHead + "Content-Length: -1\r\n\r\n", http: true},
		{name: "a length and chunks", request: createHead + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", want: insertionEnvelope, status: 400},
		{name: "a chunk that is none", request: ingestHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", want: distroEnvelope, status: 400},
		{name: "a chunk that is none", request: innerHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", want: insertionEnvelope, status: 400},
		{name: "an encoding that nobody knows", request: ingestHead + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", want: distroEnvelope, status: 400},
		{name: "a very long key", request: "POST /api/v1/ingest HTTP/1.1\r\nHost: x\r\nX-Api-Key: " + long + "\r\n\r\n", want: distroEnvelope, status: 401},
		{name: "a key that is not ASCII", request: "POST /api/v1/ping HTTP/1.1\r\nHost: x\r\nX-Api-Key: \xff\xc3\xa9\r\n\r\n", want: distroEnvelope, status: 401},
		{name: "a key that is another's too", request: "GET /api/v1/leads/lookup?phone=1 HTTP/1.1\r\nHost: x\r\n" + apiKey + apiKey + "\r\n", want: distroEnvelope, status: 401},
		{name: "a very long token", request: "GET " + leadsPath + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + long + "\r\n\r\n", want: insertionEnvelope, status: 401},
		{name: "a scheme that nobody knows", request: "GET " + leadsPath + " HTTP/1.1\r\nHost: x\r\nAuthorization: \xff\r\n\r\n", want: insertionEnvelope, status: 401},
		{name: "a timestamp beyond all time", request: signed("99999999999999999999", strings.Repeat("a", 64)), want: insertionEnvelope, status: 401},
		{name: "a timestamp before all time", request: signed("-9223372036854775808", strings.Repeat("a", 64)), want: insertionEnvelope, status: 401},
		{name: "a timestamp that is no number", request: signed("0x10", strings.Repeat("a", 64)), want: insertionEnvelope, status: 401},
		{name: "a signature that is no hex", request: signed("1700000000", "\xff\xff"), want: insertionEnvelope, status: 401},
		{name: "a very long signature", request: signed("1700000000", long), want: insertionEnvelope, status: 401},
		{name: "a thousand headers", request: "GET " + leadsPath + " HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 1000) + "\r\n", want: insertionEnvelope, status: 401},
	}
}

func signed(timestamp, signature string) string {
	return "GET " + leadsPath + " HTTP/1.1\r\nHost: x\r\nX-AdBuy-Public-Key: adp_acme_primary\r\nX-AdBuy-Timestamp: " + timestamp +
		"\r\nX-AdBuy-Signature: " + signature + "\r\n\r\n"
}

// badPaths lead nowhere. Each is asked with a body that would do elsewhere and with valid credentials.
func badPaths() (all []badInput) {
	for _, path := range []string{
		"/", "//", "/api/v1/ingest/", "/api/v1//ingest", "//api/v1/ingest", "/api/v1/./ingest", "/api/v1/x/../ingest", "/api/v1/%2e%2e/v1/ingest",
		"/api%2fv1%2fingest", "/api/v1/inges%74", "/API/V1/INGEST", "/api/v1/ingest;x=1", "/api/v1/ingest%00", "/api/v1/ingest%0d%0a", "/%ff%fe",
		"/api/v1/ingest%20", "/api/v1/" + strings.Repeat("a/", 4000), "/..%5c..%5cetc%5cpasswd", "/api/v2/ingest", "/api/v1/leads", "/api/v1/leads/lookup/x",
		"http://example.com", "/control/faults", "/.git/config",
	} {
		all = append(all, badInput{
			name: fmt.Sprintf("path %.40s", path), want: distroEnvelope, status: 404,
			request: fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", path, apiKey, len(aLead), aLead),
		})
	}
	for _, path := range []string{
		leadsPath + "/", leadsPath + "//", leadsPath + "/%2e%2e/leads", "/api/v1/insertion/../insertion/leads", "/api/v1/insertion//leads", "/api/v1/insertion/leads%2f",
		"/api/v1/insertion/LEADS", "/api/v1/insertion/lead%73", "/api/v1/insertion", "/api/leads/ingest/", "/api/leads/ingest/x", "/api/v1/insertion/leads/a/b",
	} {
		for _, method := range []string{"POST", "GET", "PATCH"} {
			all = append(all, badInput{
				name: method + " " + path, want: insertionEnvelope, status: 404,
				request: fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", method, path, bearer, len(insertLead), insertLead),
			})
		}
	}
	for _, id := range []string{"x", "%00", "%ff", "%2f", "..", "%2e%2e", "{id}", "null", "*", strings.Repeat("7", 16_000), externalID + "%20", "7F1A3C52-7A56-4A0E-9A40-0A4A54B6A0FF", "'%20OR%201=1"} {
		for _, method := range []string{"GET", "PATCH"} {
			body := `{"first_name": "Grace"}`
			all = append(all, badInput{
				name: fmt.Sprintf("%s of the lead %.40s", method, id), want: insertionEnvelope, status: 404,
				request: fmt.Sprintf("%s %s/%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", method, leadsPath, id, bearer, len(body), body),
			})
		}
	}
	return append(all,
		badInput{name: "a path that is no URL", request: "GET /api/v1/leads/lookup%zz HTTP/1.1\r\nHost: x\r\n" + apiKey + "\r\n", http: true},
		badInput{name: "a path with a blank", request: "GET /api/v1/leads/lookup x HTTP/1.1\r\nHost: x\r\n" + apiKey + "\r\n", http: true},
		badInput{name: "a path without a slash", request: "GET api/v1/leads/lookup HTTP/1.1\r\nHost: x\r\n" + apiKey + "\r\n", http: true},
	)
}

// badQueries ask for nothing that there could be.
func badQueries() (all []badInput) {
	long := strings.Repeat("1", 16_000)
	for _, query := range []string{
		"", "?", "?phone=", "?phone", "?phone=%zz", "?phone=%", "?phone=1;email=2", "?phone=5550100001&phone=5550100002", "?phone=%ff%00",
		"?phone=5550100001&email=a@example.com", "?" + strings.Repeat("a=b&", 4000), "?email=" + long, "?PHONE=5550100001", "?phone[]=5550100001",
	} {
		all = append(all, badInput{
			name: fmt.Sprintf("lookup %.40s", query), want: distroEnvelope, status: 400,
			request: "GET /api/v1/leads/lookup" + query + " HTTP/1.1\r\nHost: x\r\n" + apiKey + "\r\n",
		})
	}
	for _, id := range []string{"x", "%00", "%ff", long, externalID} {
		all = append(all, badInput{
			name: fmt.Sprintf("lookup ?id=%.40s", id), want: distroEnvelope, status: 404,
			request: "GET /api/v1/leads/lookup?id=" + id + " HTTP/1.1\r\nHost: x\r\n" + apiKey + "\r\n",
		})
	}
	for _, query := range []string{
		"limit=0", "limit=-1", "limit=abc", "limit=", "limit=1e1", "limit=9999999999999999999999x", "limit=%00", "limit=1&limit=2", "limit=%zz",
		"cursor=x", "cursor=%00", "cursor=" + long, "cursor=2026-13-45T00:00:00Z", "campaign_id=x", "campaign_id=1.5", "campaign_id=99999999999999999999",
		"external_lead_id=x", "external_lead_id=%ff", "external_lead_id=" + long,
	} {
		all = append(all, badInput{
			name: fmt.Sprintf("list ?%.40s", query), want: insertionEnvelope, status: 400,
			request: "GET " + leadsPath + "?" + query + " HTTP/1.1\r\nHost: x\r\n" + bearer + "\r\n",
		})
	}
	return all
}

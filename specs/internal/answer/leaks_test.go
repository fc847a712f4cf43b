package answer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/answer"
)

func leaksIn(text string) []string {
	body, err := json.Marshal(map[string]any{"error": "internal_error", "detail": map[string]any{"message": text}})
	if err != nil {
		panic(err)
	}
	return answer.LeakingNothing()(answer.New(&target.Exchange{Response: &target.Response{Status: 500, Body: body}}))
}

func TestLeaksAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"panic: x\n\ngoroutine 1 [running]:\nmain.main()":                                               "a stack trace",
		"Error: no\n    at Pool.query (/srv/app/index.js:45:11)":                                        "a stack trace",
		"Traceback (most recent call last):\n  File \"x.py\", line 3":                                   "a stack trace",
		"System.NullReferenceException: Object reference not set\n   at Acme.Leads.Save(Lead l)":        "a stack trace",
		"java.lang.NullPointerException":                                                                "a stack trace",
		"could not execute statement; nested exception is org.hibernate.exception.GenericJDBCException": "a stack trace",
		"runtime error: invalid memory address or nil pointer dereference":                              "a stack trace",
		"Cannot read properties of undefined (reading 'campaign_id')":                                   "a stack trace",
		"undefined method `id' for nil:NilClass":                                                        "a stack trace",
		"app/models/lead.rb:12:in `save!'":                                                              "a source file",
		"open /var/app/templates/500.html: no such file or directory":                                   "a file path",
		`SELECT id, phone FROM leads WHERE id = $1`:                                                     "SQL",
		"Duplicate entry '5550100142' for key 'leads.phone'":                                            "SQL",
		"Table 'leads.ingest' doesn't exist":                                                            "SQL",
		"UNIQUE constraint failed: leads.phone":                                                         "SQL",
		`null value in column "buyer_id" of relation "leads" violates not-null constraint`:              "SQL",
		"Violation of PRIMARY KEY constraint 'PK_leads'":                                                "SQL",
		"Lock wait timeout exceeded; try restarting transaction":                                        "SQL",
		"E11000 duplicate key error collection: leads.leads index: phone_1":                             "a driver's error",
		"SQLITE_BUSY: database is locked":                                                               "a driver's error",
		"read ECONNRESET":                                                                               "a driver's error",
		"Access denied for user 'leads'@'10.0.0.7'":                                                     "a driver's error",
		`password authentication failed for user "leads"`:                                               "a driver's error",
	} {
		if found := strings.Join(leaksIn(text), "; "); !strings.Contains(found, "what looks like "+want) {
			t.Errorf("%q: found %q, expected %s", text, found, want)
		}
	}
}

func TestGenericMessagesAreNoLeaks(t *testing.T) {
	for _, text := range []string{
		"Something went wrong on our side; please try again",
		"Internal Server Error",
		"InternalError: please contact support@example.com and name incident 7f3a-11",
		"An unexpected error occurred. See https://status.example.com/incidents or https://docs.example.com/api/errors#500",
		"We are down for maintenance until 14:30 UTC. Please select another time, or retry later.",
		"Service unavailable: the lead was not stored, duplicate requests are safe",
		"The column is closed; no such lead will be lost",
		"com.example.support can help", "Error: timeout. Please retry.",
	} {
		if found := leaksIn(text); found != nil {
			t.Errorf("%q: %q", text, found)
		}
	}
}

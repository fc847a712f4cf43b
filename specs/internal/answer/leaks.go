package answer

import (
	"fmt"
	"regexp"
)

// leaks are signs of a server's inside in an answer meant for a client. Each is narrow enough that ordinary prose and
// identifiers don't match it.
var leaks = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"a stack trace", regexp.MustCompile(`(?m)goroutine \d+ \[|^\s+at [\w$.<>\[\] ]+ ?\(.*:\d+(:\d+)?\)|Traceback \(most recent call last\)|\bpanic: |Exception in thread|\w+(Exception|Error): .*\n\s+at |\b(java|javax|org|com|net|System|Microsoft)(\.\w+)+(Exception|Error)\b|\bpython\d?(\.\w+)*Error: |nil pointer dereference|\bundefined method .{1,80} for (nil|#<|an instance of)|Cannot read propert(y|ies) of (undefined|null)`)},
	{"a source file", regexp.MustCompile(`[\w./\\-]+\.(go|js|ts|mjs|cjs|tsx|py|rb|php|java|cs|rs|scala|kt|ex|erl):\d+|File "[^"]+", line \d+`)},
	{"a file path", regexp.MustCompile(`(^|[\s"'(=:])/(usr|var|home|app|srv|opt|etc|root|tmp|node_modules|workspace|src)/[\w./-]+|[A-Za-z]:\\\\?(Users|inetpub|app|src)\\`)},
	{"SQL", regexp.MustCompile(`(?i)\b(select\s+.+\s+from\s+\w|insert\s+into\s+\w|update\s+"?\w+"?\s+set\s|delete\s+from\s+\w|duplicate key value violates|violates (unique|foreign key|not-null|check) constraint|syntax error at or near|relation "[^"]+" does not exist|column "[^"]+" does not exist|null value in column "[^"]+"|Duplicate entry '[^']*' for key|You have an error in your SQL syntax|Table '[^']+' doesn't exist|Unknown column '[^']+' in|(UNIQUE|NOT NULL|FOREIGN KEY|CHECK) constraint failed|no such (table|column): |Violation of (PRIMARY|UNIQUE) KEY constraint|Incorrect syntax near '|Deadlock found when trying to get lock|Lock wait timeout exceeded)`)},
	{"a driver's error", regexp.MustCompile(`(?i)\b(SQLSTATE|pq: |pgx|ORA-\d{5}|SQLITE_[A-Z]+|E11000 duplicate key|Access denied for user '|password authentication failed for user "|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|connection refused|dial tcp|no such host|broken pipe|i/o timeout|deadlock detected|PrismaClient\w*|SequelizeDatabaseError|MongoServerError|redis: |WRONGTYPE|psycopg2?|sqlalchemy|java\.sql\.|JDBC)`)},
}

// LeakingNothing asks that the body doesn't look like a stack trace, a source file, a path, SQL or a driver's error:
// neither as it was sent nor in any string of its JSON.
func LeakingNothing() Check {
	return func(a *Answer) []string {
		texts := append([]string{string(a.Body)}, stringsIn(a.value)...)
		var found []string
		for _, leak := range leaks {
			for _, text := range texts {
				if sign := leak.pattern.FindString(text); sign != "" {
					found = append(found, fmt.Sprintf("the body holds what looks like %s: %q", leak.what, sign))
					break
				}
			}
		}
		return found
	}
}

// stringsIn returns every string of a JSON value.
func stringsIn(value any) []string {
	var found []string
	switch v := value.(type) {
	case string:
		found = append(found, v)
	case []any:
		for _, element := range v {
			found = append(found, stringsIn(element)...)
		}
	case map[string]any:
		for _, member := range v {
			found = append(found, stringsIn(member)...)
		}
	}
	return found
}

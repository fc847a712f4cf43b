package spectest

import (
	"io"
	"log"
	"net/http"
	"slices"

	"leadconform/specs/internal/matrix"
)

// Null is a server that implements nothing. No row may pass on it.
type Null struct {
	Name    string
	Handler http.Handler
}

// Nulls are those servers of the kill matrix that implement nothing, answer at once, and on which no row at all may pass.
func Nulls() []Null {
	var nulls []Null
	for _, n := range matrix.Nulls() {
		if len(n.Excused) == 0 && !slices.Contains([]string{"null-silence", "null-503"}, n.ID) { // on these every row waits
			nulls = append(nulls, Null{n.Title, n.Handler})
		}
	}
	return nulls
}

// quiet is a log that keeps nothing.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

package clients

import (
	"net/http"
	"strconv"
)

// answer is an answer in memory: the API writes into it, or a step makes it.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// Header is part of http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader is part of http.ResponseWriter. An answer that was begun keeps its status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 { // 1xx announce an answer, they are none
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, p...)
	return len(p), nil
}

// write sends the answer. A client that is gone doesn't get it, and that is all.
func (a *answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(max(a.status, http.StatusOK))
	_, _ = w.Write(a.body)
}

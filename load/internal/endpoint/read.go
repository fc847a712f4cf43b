package endpoint

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"

	"leadconform/load/internal/attack"
	"leadconform/load/internal/trace"
)

func body(b []byte) io.Reader {
	if b == nil {
		return http.NoBody
	}
	return bytes.NewReader(b)
}

// readFailure reads what is no whole answer, and reports whether that was so.
func readFailure(a attack.Answer) (attack.Reading, bool) {
	if a.Err == nil && a.Status != 0 {
		return attack.Reading{}, false
	}
	return other(fault(a.Err)), true
}

// fault sorts the reasons for which there is no whole answer.
func fault(err error) trace.Fault {
	var dial *net.OpError
	switch {
	case errors.Is(err, attack.ErrStopped):
		return trace.Stopped
	case errors.Is(err, attack.ErrTimeout):
		return trace.Timeout
	case errors.As(err, &dial) && dial.Op == "dial", errors.Is(err, syscall.ECONNREFUSED):
		return trace.Refused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return trace.Reset
	}
	return trace.BadAnswer
}

func other(f trace.Fault) attack.Reading { return attack.Reading{Kind: trace.Other, Fault: f} }

// limited reads a 429. One outside its API's envelope is no well-formed refusal; what it says of waiting is kept.
func limited(r trace.Refusal, envelope bool) attack.Reading {
	if !envelope {
		return attack.Reading{Kind: trace.Other, Fault: trace.BadBody, Refusal: &r}
	}
	return attack.Reading{Kind: trace.Limited, Refusal: &r}
}

// success reads an answer that is no 429: admitted if status and body are those of the endpoint's success.
func success(status, body bool) attack.Reading {
	switch {
	case !status:
		return other(trace.BadStatus)
	case !body:
		return other(trace.BadBody)
	}
	return attack.Reading{Kind: trace.Admitted}
}

// isObject reports whether a body begins as a JSON object does.
func isObject(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
}

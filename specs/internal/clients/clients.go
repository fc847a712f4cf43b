// Package clients judges an integrator's client by the rows CL-*. Each scenario is a script in front of the real API: it
// answers the requests that carry one lead as its data says (fixtures/clients/scenarios), lets everything else through,
// and journals what arrives and when. The rows are judged by the journals alone, so that verdicts about time are tested
// without waiting.
//
// # What a client under test is given
//
// The client is a command. It is called with the lead that the script is about, and then, where a row judges that
// something doesn't happen, with a second lead, which shows that the client works at all. Each call is for one lead and ends when the client has done with it:
// when it was accepted, refused, or given up on. The environment holds
//
//	LEAD_RECIPE      distro or insertion
//	LEAD_BASE_URL    where the API is: http://127.0.0.1:PORT
//	LEAD_ACTION      create; or update, of the Insertion API: change the lead LEAD_ID by PATCH
//	LEAD_JSON        the payload to send as it is; for an update, the members to set, those of custom_fields to be merged
//	                 into the ones that the lead has. The same text is on standard input
//	LEAD_ID          the lead to update
//	LEAD_API_KEY     the key of the Lead Distro API
//	LEAD_PUBLIC_KEY  and
//	LEAD_SECRET      the key of the Insertion API
//	LEAD_STATE_DIR   a folder of this scenario's own, where a client may keep what a later call is to take up: a lead
//	                 that was given up on is expected to be sent again in the next call (CL-LD-11)
//	LEAD_SPEED       a number, 1 unless --speed is given: divide your own backoff by it. Retry-After is divided already
//
// The exit status of the command has no bearing on any verdict.
package clients

import (
	"context"
	"net/http"
	"time"
)

// The recipes: which API a client speaks.
const (
	Distro    = "distro"
	Insertion = "insertion"
)

// Start starts the reference API behind a wrap, on addr, and returns its base URL. stop ends it; requests under way are
// cut off.
type Start func(ctx context.Context, addr string, wrap func(http.Handler) http.Handler) (baseURL string, stop func(), err error)

// Call is one call of the client under test.
type Call struct {
	Environ []string // NAME=value, without those of the caller's own process
	Stdin   []byte
}

// Ended is how a call ended.
type Ended struct {
	Status   int           // the exit status; -1 if a signal ended it
	Err      error         // why it could not be started; then the rest says nothing
	Overtime bool          // it had not ended when its time was up, and was killed
	Left     bool          // processes that it had started were still running when it ended, and were killed
	Printed  int64         // bytes on standard output and standard error
	Output   string        // their beginning
	Took     time.Duration // from start to end
}

// cutShort says that the call, or processes that it left, had to be killed: what they were about to do is not known.
func (e Ended) cutShort() bool { return e.Overtime || e.Left }

// Caller calls the client. It returns when the client has ended, or ctx is done and the client was killed. A call
// that ctx ended with the cause context.DeadlineExceeded is Overtime.
type Caller func(ctx context.Context, c Call) Ended

package insertion

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"leadconform/reference/internal/leads"
	"leadconform/reference/internal/wire"
)

// How many leads a page has (IN-LIST-01).
const (
	defaultLimit = 25
	maxLimit     = 100
)

// list serves GET of the collection.
func (a *API) list(ctx context.Context, call *Call) (wire.Answer, error) {
	query, err := a.ReadQuery(call)
	if err != nil {
		return wire.Answer{}, err
	}
	page, more, err := a.Page(ctx, call, query)
	if err != nil {
		return wire.Answer{}, err
	}
	var next *string
	if more && len(page) > 0 {
		cursor := a.FormatCursor(page[len(page)-1].CreatedAt)
		next = &cursor
	}
	return a.ListAnswer(page, next), nil
}

// readQuery reads limit, cursor, campaign_id and external_lead_id, and ignores other parameters. A parameter that can't
// be read, is empty or is repeated is a fault; a limit above the highest is taken as the highest.
func (a *API) readQuery(call *Call) (leads.Query, error) {
	values, err := url.ParseQuery(call.Request.URL.RawQuery)
	if err != nil {
		return leads.Query{}, badRequest(CodeMalformedQuery)
	}
	query := leads.Query{Limit: defaultLimit}
	var faults Faults
	read := func(name, problem string, parse func(text string) (ok bool)) {
		switch given := values[name]; {
		case len(given) > 1:
			faults = append(faults, Fault{name, "must be given once"})
		case len(given) == 1 && !parse(given[0]):
			faults = append(faults, Fault{name, problem})
		}
	}
	read("limit", "must be an integer from 1 on", func(text string) bool {
		digits := strings.Trim(text, "0123456789") == ""
		n, err := strconv.ParseUint(text, 10, 63) // the largest there is, where it is out of range
		query.Limit = int(min(n, maxLimit))
		return digits && n > 0 && (err == nil || errors.Is(err, strconv.ErrRange))
	})
	read("cursor", "must be a nextCursor of this list", func(text string) bool {
		before, err := a.ParseCursor(text)
		query.Before = before
		return err == nil
	})
	read(fieldCampaignID, "must be a positive integer", func(text string) bool {
		n, ok := parsePositive(text)
		query.CampaignID = &n
		return ok
	})
	read(fieldExternalLeadID, "must be a UUID", func(text string) bool {
		id, err := uuid.Parse(text)
		query.ExternalLeadID = &id
		return err == nil && isUUID(text)
	})
	return query, faults.orNil()
}

// parsePositive reads decimal digits that make an int64 above zero.
func parsePositive(text string) (int64, bool) {
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err == nil && n > 0
}

func (a *API) page(ctx context.Context, call *Call, q leads.Query) ([]leads.InsertionLead, bool, error) {
	page, more, err := a.Store.List(ctx, call.Key.Account.ID, q)
	if err != nil {
		return nil, false, fmt.Errorf("list leads: %w", err)
	}
	return page, more, nil
}

// parseCursor reads a cursor back: the time of creation of the last lead of a page. Pages go on strictly before it.
func parseCursor(cursor string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, cursor)
	if err != nil {
		return time.Time{}, fmt.Errorf("read a cursor: %w", err)
	}
	if at.IsZero() {
		return time.Time{}, errors.New("read a cursor: it is the zero time, which stands for none")
	}
	return at, nil
}

func (a *API) listAnswer(page []leads.InsertionLead, nextCursor *string) wire.Answer {
	views := make([]Object, len(page))
	for i, lead := range page {
		views[i] = a.View(lead)
	}
	return success(http.StatusOK, Object{"leads": views, "nextCursor": nextCursor})
}

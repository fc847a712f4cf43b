package insertion_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// fill posts n leads, campaign by campaign in turn, two in every second, and returns their ids, newest first.
func (b *bench) fill(t *testing.T, n int) (ids []string) {
	t.Helper()
	for i := range n {
		ids = append(ids, b.post(t, newLead().with("campaign_id", 101+i%3)).expectUpsert(t, "inserted"))
		b.clock.advance(time.Duration(i%2) * time.Second)
	}
	slices.Reverse(ids)
	return ids
}

// page lists once, and returns the ids in order and the next cursor, "" for null.
func (b *bench) page(t *testing.T, query url.Values) (ids []string, next string) {
	t.Helper()
	a := b.as(t, acme, http.MethodGet, collection+"?"+query.Encode(), "").expect(t, http.StatusOK, "")
	list, ok := a.body["leads"].([]any)
	cursor, has := a.body["nextCursor"]
	if !ok || !has || len(a.body) != 3 {
		t.Fatalf("not a list: %s", a.raw)
	}
	for _, lead := range list {
		ids = append(ids, lead.(map[string]any)["id"].(string))
	}
	if cursor != nil {
		next = cursor.(string)
	}
	return ids, next
}

// walk follows the cursor to its end.
func (b *bench) walk(t *testing.T, query url.Values) (ids []string) {
	t.Helper()
	for {
		page, next := b.page(t, query)
		ids = append(ids, page...)
		if next == "" {
			return ids
		}
		if len(page) == 0 || len(ids) > 1000 {
			t.Fatalf("the cursor leads nowhere after %d leads", len(ids))
		}
		query.Set("cursor", next)
	}
}

// IN-LIST-01: newest first, 25 unless asked otherwise, never more than 100.
func TestListLimit(t *testing.T) {
	b := newBench(t)
	if ids, next := b.page(t, nil); len(ids) != 0 || next != "" {
		t.Errorf("an empty account lists %v, next %q", ids, next)
	}
	ids := b.fill(t, 130)
	for query, want := range map[string]int{"": 25, "limit=1": 1, "limit=99": 99, "limit=100": 100, "limit=101": 100,
		"limit=9223372036854775807": 100, "limit=" + strings.Repeat("9", 40): 100, "limit=007": 7, "nonsense=1": 25} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		got, next := b.page(t, values)
		if !slices.Equal(got, ids[:want]) || next == "" {
			t.Errorf("%q: %d leads, next %q; want the newest %d", query, len(got), next, want)
		}
	}
}

// IN-LIST-01: the cursor walks every lead once, whatever the page size, and ends in null.
func TestListWalk(t *testing.T) {
	b := newBench(t)
	ids := b.fill(t, 30)
	for _, limit := range []int{1, 7, 10, 29, 30, 31} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			if got := b.walk(t, url.Values{"limit": {fmt.Sprint(limit)}}); !slices.Equal(got, ids) {
				t.Errorf("walked %v, want %v", got, ids)
			}
		})
	}
	// A lead that comes in during a walk doesn't disturb it.
	page, next := b.page(t, url.Values{"limit": {"10"}})
	b.fill(t, 3)
	rest := b.walk(t, url.Values{"limit": {"10"}, "cursor": {next}})
	if got := slices.Concat(page, rest); !slices.Equal(got, ids) {
		t.Errorf("walked %v, want %v", got, ids)
	}
}

// The cursor is the time of creation of the page's last lead.
func TestCursorIsCreatedAt(t *testing.T) {
	b := newBench(t)
	ids := b.fill(t, 3)
	_, next := b.page(t, url.Values{"limit": {"2"}})
	if created := b.read(t, ids[1])["created_at"]; created != next {
		t.Errorf("the cursor is %q, the lead was created at %q", next, created)
	}
	for _, cursor := range []string{next, "2026-03-01T13:00:00.700001+01:00"} {
		if got, _ := b.page(t, url.Values{"cursor": {cursor}}); !slices.Equal(got, ids[2:]) {
			t.Errorf("after %s: %v, want %v", cursor, got, ids[2:])
		}
	}
	if got, _ := b.page(t, url.Values{"cursor": {"2000-01-01T00:00:00Z"}}); len(got) != 0 {
		t.Errorf("before all leads: %v", got)
	}
}

// IN-LIST-02: filters, alone and together, with and without a cursor.
func TestListFilters(t *testing.T) {
	b := newBench(t)
	b.fill(t, 12)
	lead := newLead()
	first := b.post(t, lead).expectUpsert(t, "inserted")
	second := b.post(t, lead.with("campaign_id", 102)).expectUpsert(t, "inserted")
	b.fill(t, 3)

	if got := b.walk(t, url.Values{"external_lead_id": {lead.external()}, "limit": {"1"}}); !slices.Equal(got, []string{second, first}) {
		t.Errorf("by external id: %v", got)
	}
	if got := b.walk(t, url.Values{"external_lead_id": {lead.external()}, "campaign_id": {"101"}}); !slices.Equal(got, []string{first}) {
		t.Errorf("by both: %v", got)
	}
	if got := b.walk(t, url.Values{"campaign_id": {"102"}, "limit": {"2"}}); len(got) != 6 || !slices.Contains(got, second) || slices.Contains(got, first) {
		t.Errorf("by campaign: %v", got)
	}
	for name, value := range map[string]string{"campaign_id": "201", "external_lead_id": uuid.NewString()} {
		if got, next := b.page(t, url.Values{name: {value}}); len(got) != 0 || next != "" {
			t.Errorf("%s=%s: %v, next %q", name, value, got, next)
		}
	}
}

func TestBadQuery(t *testing.T) {
	b := newBench(t)
	const (
		limit    = "limit: must be an integer from 1 on"
		cursor   = "cursor: must be a nextCursor of this list"
		campaign = "campaign_id: must be a positive integer"
		external = "external_lead_id: must be a UUID"
	)
	for query, want := range map[string]string{
		"limit=0":                                limit,
		"limit=-1":                               limit,
		"limit=":                                 limit,
		"limit=ten":                              limit,
		"limit=1.5":                              limit,
		"limit=%2B5":                             limit,
		"limit=" + strings.Repeat("9", 40) + "x": limit,
		"limit=5&limit=5":                        "limit: must be given once",
		"cursor=":                                cursor,
		"cursor=abc":                             cursor,
		"cursor=1772366400":                      cursor,
		"cursor=0001-01-01T00:00:00Z":            cursor,
		"campaign_id=0":                          campaign,
		"campaign_id=x":                          campaign,
		"campaign_id=":                           campaign,
		"external_lead_id=17":                    external,
		"external_lead_id=9b2f7c1a5d3e4f608a71c2d3e4f50617":       external,
		"external_lead_id={9b2f7c1a-5d3e-4f60-8a71-c2d3e4f50617}": external,
		"external_lead_id=":             external,
		"limit=x&cursor=y&campaign_id=": limit + ", " + cursor + ", " + campaign,
		"limit=%zz":                     "malformed_query",
		"limit=1;cursor=2":              "malformed_query",
	} {
		t.Run(query, func(t *testing.T) {
			b.as(t, acme, http.MethodGet, collection+"?"+query, "").expect(t, http.StatusBadRequest, want)
		})
	}
}

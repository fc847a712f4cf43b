package report_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"leadconform/specs/internal/report"
)

// browsers are the names under which Chromium may be installed.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "headless_shell"}

// browserPath is where Chromium is. Without one the test is skipped, or fails where REQUIRE_BROWSER says that there is one.
func browserPath(t *testing.T) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("REQUIRE_BROWSER") != "" {
		t.Fatalf("REQUIRE_BROWSER is set, but none of %v is installed", browsers)
	}
	t.Skipf("none of %v is installed: the page is not looked at in a browser", browsers)
	return ""
}

// browser is a Chromium whose tabs tests look at.
type browser struct{ ctx context.Context }

// startBrowser starts one that ends with the test.
func startBrowser(t *testing.T) browser {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(browserPath(t)), chromedp.NoSandbox)
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return browser{ctx}
}

// tab is a page in the browser, with what the browser had to say of it.
type tab struct {
	context.Context
	t *testing.T

	mu       sync.Mutex
	said     []string // on the console, and what was thrown
	requests []string // other than for the page itself
}

// screen is how the page is looked at.
type screen struct {
	width, height int64
	scheme        string // light or dark
}

// The screens of the tests.
var (
	desk     = screen{1280, 900, "light"}
	deskDark = screen{1280, 900, "dark"}
	phone    = screen{390, 844, "light"}
)

// open opens a report's page from a file and waits until it is there.
func (b browser) open(t *testing.T, r *report.Report, s screen) *tab {
	t.Helper()
	dir := t.TempDir()
	if err := r.WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	return b.openFile(t, filepath.Join(dir, "index.html"), s)
}

func (b browser) openFile(t *testing.T, path string, s screen) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	opened := &tab{Context: ctx, t: t}
	chromedp.ListenTarget(ctx, opened.listen)
	opened.run(
		network.Enable(), log.Enable(),
		emulation.SetDeviceMetricsOverride(s.width, s.height, 1, s.width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}}),
		emulation.SetFocusEmulationEnabled(true), page.BringToFront(),
		chromedp.Navigate("file://"+path),
	)
	return opened
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		for _, arg := range e.Args {
			b.said = append(b.said, string(arg.Value)+arg.Description)
		}
	case *runtime.EventExceptionThrown:
		b.said = append(b.said, e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		b.said = append(b.said, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if e.Type != network.ResourceTypeDocument {
			b.requests = append(b.requests, e.Request.URL)
		}
	}
}

// run runs actions, all of which must succeed.
func (b *tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b, actions...); err != nil {
		b.t.Fatalf("%v; the browser said %q", err, b.said)
	}
}

// eval evaluates an expression, a promise's value if it is one.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	var value T
	b.run(chromedp.Evaluate(expression, &value, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
		return p.WithAwaitPromise(true)
	}))
	return value
}

// await waits until an expression is true.
func (b *tab) await(expression string) {
	b.t.Helper()
	b.run(chromedp.Poll(expression, nil, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(30*time.Second)))
}

// quiet fails the test if the browser complained or asked for anything but the page.
func (b *tab) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.said) > 0 {
		b.t.Errorf("the browser said:\n%s", strings.Join(b.said, "\n"))
	}
	if len(b.requests) > 0 {
		b.t.Errorf("the page asked for %v", b.requests)
	}
}

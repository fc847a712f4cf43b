package report_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// isAccessible opens everything on the page and holds it to what readers with other eyes, hands and programs need: in
// both colour schemes, the rules of WCAG 2.2 level AA that a program can check.
func isAccessible(t *testing.T, b browser) {
	for _, s := range []screen{desk, deskDark, phone} {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			p := b.open(t, withLimits(sample(t, false)), s)
			p.openEverything()
			for name, check := range map[string]string{
				"contrast of text (1.4.3)":                 contrastScript,
				"contrast of the pictures' lines (1.4.11)": linesScript,
				"headings in order (1.3.1)":                headingsScript,
				"IDs are unique":                           idsScript,
				"size of targets (2.5.8)":                  targetsScript,
				"nothing by colour alone (1.4.1)":          colourScript,
				"tables have heads (1.3.1)":                tablesScript,
				"what scrolls can be reached (2.1.1)":      scrollsScript,
			} {
				if problems := eval[[]string](p, check); len(problems) > 0 {
					t.Errorf("%s: %d problems, such as\n%s", name, len(problems), strings.Join(problems[:min(8, len(problems))], "\n"))
				}
			}
			p.named()
			if lang := eval[string](p, `document.documentElement.lang`); lang != "en" {
				t.Errorf("the page's language is %q", lang)
			}
			if title := eval[string](p, `document.title`); !strings.HasPrefix(title, "non-conformant: t") {
				t.Errorf("the page's title is %q: it should say what came out, and of what", title)
			}
		})
	}
}

// named fails the test if a screen reader meets something to use, or a picture, without a name.
func (p *tab) named() {
	p.t.Helper()
	var nodes []*accessibility.Node
	p.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		nodes, err = accessibility.GetFullAXTree().Do(ctx)
		return err
	}))
	counted := map[string]int{}
	for _, node := range nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		role := strings.Trim(string(node.Role.Value), `"`)
		counted[role]++
		needs := []string{"button", "link", "combobox", "searchbox", "textbox", "checkbox", "slider", "region", "search", "navigation", "image", "DisclosureTriangle"}
		if slices.Contains(needs, role) && (node.Name == nil || strings.Trim(string(node.Name.Value), `" `) == "") {
			p.t.Errorf("a %s has no name", role)
		}
	}
	for role, least := range map[string]int{"button": 10, "link": 5, "combobox": 3, "searchbox": 1, "slider": 3, "main": 1, "banner": 1, "contentinfo": 1, "search": 1, "navigation": 1} {
		if counted[role] < least {
			p.t.Errorf("a screen reader finds %d of role %s, want at least %d", counted[role], role, least)
		}
	}
}

func fitsAPhone(t *testing.T, b browser) {
	r := withLimits(sample(t, false))
	r.Rows[1].Reason, r.Rows[1].Actual = strings.Repeat("long", 200), strings.Repeat("x", 500)
	r.Target.Name, r.Target.BaseURLs["distro"] = strings.Repeat("target", 30), "http://"+strings.Repeat("host", 60)+".example"
	for i := range r.Exchanges {
		r.Exchanges[i].Request.Body, r.Exchanges[i].Curl = strings.Repeat("body", 200), strings.Repeat("curl", 200)
	}
	p := b.open(t, r, phone)
	p.openEverything()
	wide := eval[[]string](p, fmt.Sprintf(`[...document.querySelectorAll("body *")].filter(e => e.checkVisibility() && !e.closest(".scroll, .unseen, .skip")
		&& e.getBoundingClientRect().right > %d + 1).map(e => e.tagName + "." + e.className + " " + e.textContent.slice(0, 40))`, phone.width))
	if len(wide) > 0 {
		t.Errorf("%d elements are wider than the screen, such as\n%s", len(wide), strings.Join(wide[:min(8, len(wide))], "\n"))
	}
	if width := eval[int64](p, `document.documentElement.scrollWidth`); width > phone.width {
		t.Errorf("the page is %d pixels wide and scrolls sideways", width)
	}
}

// colours are functions that the scripts share: how a colour stands on another.
const colours = `
	const parse = text => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
	const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
	const luminance = colour => colour.slice(0, 3).map(v => v / 255).map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((x, y) => y - x); return (x + 0.05) / (y + 0.05); };
	const ground = element => {
		const layers = [];
		for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
		return layers.reduceRight((below, layer) => over(layer, below), parse(getComputedStyle(document.body).backgroundColor));
	};`

const contrastScript = `(() => {` + colours + `
	const problems = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let seen = 0;
	while (walker.nextNode()) {
		const element = walker.currentNode.parentElement;
		if (!walker.currentNode.textContent.trim() || !element.checkVisibility() || element.closest("script, style, noscript")) continue;
		seen++;
		const style = getComputedStyle(element);
		const size = parseFloat(style.fontSize);
		const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
		const under = ground(element);
		const ratio = contrast(over(parse(style.color), under), under);
		if (ratio < (large ? 3 : 4.5)) problems.add(ratio.toFixed(2) + " " + element.tagName + "." + element.className + ": " + element.textContent.trim().slice(0, 40));
	}
	if (seen < 200) problems.add("only " + seen + " texts were looked at");
	for (const field of document.querySelectorAll("input, select, button")) {
		const under = ground(field.parentElement);
		const edge = contrast(over(parse(getComputedStyle(field).borderTopColor), under), under);
		if (field.checkVisibility() && field.type !== "checkbox" && edge < 3) problems.add(edge.toFixed(2) + " edge of " + (field.name || field.textContent));
	}
	return [...problems];
})()`

const linesScript = `(() => {` + colours + `
	const problems = [];
	const under = ground(document.querySelector(".panels"));
	const probe = document.body.appendChild(document.createElement("i"));
	for (const series of panels.flatMap(panel => panel.series)) {
		probe.style.color = colour(series.key);
		const ratio = contrast(parse(getComputedStyle(probe).color), under);
		if (ratio < 3) problems.push(ratio.toFixed(2) + " " + series.label);
	}
	probe.remove();
	return problems;
})()`

const headingsScript = `(() => {
	const problems = [];
	let above = 0;
	for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
		const level = Number(heading.tagName[1]);
		if (level > above + 1) problems.push("h" + level + " after h" + above + ": " + heading.textContent);
		if (!heading.textContent.trim()) problems.push("an empty heading");
		above = level;
	}
	if (document.querySelectorAll("h1").length !== 1) problems.push("not one h1");
	return problems;
})()`

const idsScript = `(() => {
	const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
	const problems = ids.filter((id, i) => ids.indexOf(id) !== i);
	for (const e of document.querySelectorAll("[aria-labelledby]")) if (!document.getElementById(e.getAttribute("aria-labelledby"))) problems.push("no " + e.getAttribute("aria-labelledby"));
	for (const e of document.querySelectorAll("a[href^='#']")) if (!document.getElementById(e.hash.slice(1))) problems.push("a link to nothing: " + e.hash);
	return problems;
})()`

// Links within a sentence or a list of words are exempt.
const targetsScript = `[...document.querySelectorAll("button, select, input, summary")].filter(e => e.checkVisibility())
	.map(e => [e, e.getBoundingClientRect()]).filter(([, box]) => box.height < 24 && box.width > 0 || box.width < 24)
	.filter(([e]) => e.type !== "checkbox")
	.map(([e, box]) => e.tagName + " " + e.textContent.trim().slice(0, 30) + " " + box.width + "×" + box.height)`

const colourScript = `(() => {
	const problems = [];
	const marks = { pass: "✓", fail: "✗", warn: "!", observed: "○", "not-assessed": "–" };
	for (const badge of document.querySelectorAll(".verdict")) {
		const verdict = badge.classList[1];
		const [mark, ...word] = badge.textContent.trim().split(" ");
		if (marks[verdict] !== mark || word.join("").length < 4) problems.push("a verdict that only its colour tells: " + badge.outerHTML);
	}
	for (const panel of panels) {
		const dashes = panel.series.map(series => JSON.stringify([series.dash, series.width, series.filled]));
		if (new Set(dashes).size !== dashes.length) problems.push("lines that only their colour tells apart: " + panel.title);
	}
	for (const link of document.querySelectorAll("a")) {
		if (!getComputedStyle(link).textDecorationLine.includes("underline")) problems.push("a link that only its colour tells: " + link.textContent);
	}
	return problems;
})()`

const tablesScript = `[...document.querySelectorAll("table")].filter(table => !table.querySelector("th[scope=col]")).map(table => table.textContent.slice(0, 40))`

const scrollsScript = `[...document.querySelectorAll("body *")].filter(e => e.checkVisibility()
	&& ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.tabIndex < 0).map(e => e.outerHTML.slice(0, 80))`

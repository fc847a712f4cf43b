"use strict";
// The pictures of the limits are drawn when they come into view, and again when the colours change.
{
  const all = embedded("pictures");
  const views = [];

  const swatch = series => {
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    for (const [name, value] of Object.entries({ width: 26, height: 10, "aria-hidden": "true", class: `swatch ${series.key}` })) svg.setAttribute(name, value);
    const line = document.createElementNS(ns, "line");
    const attributes = { x1: 0, x2: 26, y1: 5, y2: 5, "stroke-width": series.filled ? 4 : 2, "stroke-dasharray": series.dash.join(" ") };
    for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
    svg.append(line);
    return svg;
  };

  const phaseOf = (picture, point) => nameOf(picture.phases[point.phase]);

  const stretch = point => `${point.at_s.toFixed(1)}–${(point.at_s + point.length_s).toFixed(1)} s`;

  // View is one picture on the page: its readout, its panels, its table.
  class View {
    constructor(details, picture, span, name) {
      this.details = details;
      this.picture = picture;
      this.span = span;
      this.name = name;
      this.series = panels.flatMap(panel => panel.series).filter(series => drawn(picture, series));
      this.index = null;
      this.charts = null;
      this.values = new Map(this.series.map(series => [series.key, make("dd")]));
      this.when = make("dd");
      this.readout = make("dl", { class: "readout" }, make("div", { class: "when" }, make("dt", { class: "unseen" }, "time"), this.when),
        ...this.series.map(series => make("div", { "data-series": series.key }, make("dt", {}, swatch(series), series.label), this.values.get(series.key))));
      this.slider = make("div", {
        class: "panels", role: "slider", tabindex: "0", "aria-label": `${name}, second by second: arrow keys read the values`,
        "aria-valuemin": "0", "aria-valuemax": String(picture.points.length), "aria-orientation": "horizontal",
      });
      this.table = make("details", { class: "numbers" }, make("summary", {}, "The numbers, second by second"));
      details.append(make("div", { class: "body" }, this.readout, this.slider, this.table));
      this.slider.addEventListener("keydown", event => this.key(event));
      this.slider.addEventListener("blur", () => this.move(null));
      this.table.addEventListener("toggle", () => { if (this.table.open && this.table.children.length === 1) this.table.append(this.numbers()); });
      this.read(null);
    }

    draw(width = this.slider.clientWidth) {
      this.charts?.forEach(chart => chart.destroy());
      this.slider.replaceChildren();
      this.charts = drawPicture(this.picture, this.span, this.slider, width, this.name, index => this.read(index));
    }

    fit() {
      const width = this.slider.clientWidth;
      this.charts?.forEach(chart => { if (width && chart.width !== width) chart.setSize({ width, height: chart.height }); });
    }

    // read shows the values of one second, or, of none, what the whole run sums up to.
    read(index) {
      this.index = index;
      const point = index === null ? null : this.picture.points[index];
      this.when.textContent = point ? `${stretch(point)}, ${phaseOf(this.picture, point)}` : "whole run";
      for (const series of this.series) {
        const value = point ? point[series.key] : this.picture.totals[series.key];
        this.values.get(series.key).textContent = figures(value) + (point && series.unit && value !== null ? ` ${series.unit}` : "");
      }
      this.slider.setAttribute("aria-valuenow", String(index === null ? 0 : index + 1));
      this.slider.setAttribute("aria-valuetext", [...this.readout.children].map(each => each.textContent).join(", "));
    }

    key(event) {
      const end = this.picture.points.length - 1;
      const at = this.index ?? -1;
      const next = { ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, PageUp: at + 10, PageDown: at - 10, Home: 0, End: end }[event.key];
      if (event.key === "Escape") this.move(null);
      if (next === undefined) return;
      event.preventDefault();
      this.move(Math.min(end, Math.max(0, next)));
    }

    // move puts the cursor of all panels on one second.
    move(index) {
      const [chart] = this.charts ?? [];
      if (!chart) return;
      const point = index === null ? null : this.picture.points[index];
      const left = point ? chart.valToPos(point.at_s + point.length_s / 2, "x") : -10;
      this.charts.forEach(each => each.setCursor({ left, top: point ? 1 : -10 }, false, false));
      this.read(index);
    }

    numbers() {
      const columns = [["from", point => point.at_s.toFixed(2)], ["phase", point => phaseOf(this.picture, point)],
        ...[...this.series, { key: "sent", label: "sent" }].map(series => [series.label, point => figures(point[series.key])])];
      return make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `Numbers of ${this.name}` },
        make("table", {},
          make("thead", {}, make("tr", {}, ...columns.map(([title]) => make("th", { scope: "col" }, title)))),
          make("tbody", {}, ...this.picture.points.map(point => make("tr", {}, ...columns.map(([, value]) => make("td", {}, value(point))))))));
    }
  }

  const show = details => {
    if (details.view || !details.open) return;
    const { limit, picture: place } = details.dataset;
    const picture = all[limit][place];
    if (picture.points.length === 0) return;
    details.view = new View(details, picture, spanOf(all[limit]), details.dataset.name);
    details.view.draw();
    views.push(details.view);
    resized.observe(details.view.slider);
  };

  const resized = new ResizeObserver(entries => entries.forEach(({ target }) => target.parentElement.parentElement.view.fit()));
  const seen = new IntersectionObserver(entries => entries.forEach(entry => { if (entry.isIntersecting) show(entry.target); }), { rootMargin: "400px" });
  const pictures = [...document.querySelectorAll("details.picture")];
  pictures.forEach(details => {
    seen.observe(details);
    details.addEventListener("toggle", () => show(details));
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => views.forEach(view => view.draw()));

  // On paper the page is light and narrow, so the pictures must be, too. Lists that are folded away for want of room are
  // opened meanwhile.
  const paperWidth = 430;
  let unfolded = [];
  window.addEventListener("beforeprint", () => {
    document.documentElement.classList.add("paper");
    unfolded = [...document.querySelectorAll(".reasons details:not([open]), .aside:not([open])")];
    unfolded.forEach(details => { details.open = true; });
    pictures.forEach(show);
    views.forEach(view => view.draw(paperWidth));
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("paper");
    unfolded.forEach(details => { details.open = false; });
    views.forEach(view => view.draw());
  });
}

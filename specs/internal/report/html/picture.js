"use strict";
// One picture: three panels over one time axis, drawn by uPlot. The data is a chart.Picture, one point a second.

// panels are the series of each panel. Each differs by its dashes, too: nothing is said by colour alone.
const panels = [
  {
    title: "Requests in each second", height: 220, named: true,
    series: [
      { key: "offered", label: "offered", dash: [], width: 1 },
      { key: "admitted", label: "admitted", dash: [], width: 2, filled: true },
      { key: "limited", label: "limited", dash: [2, 3], width: 2 },
      { key: "most", label: "most", dash: [9, 4], width: 1.5 },
      { key: "least", label: "least", dash: [9, 3, 2, 3], width: 1.5 },
    ],
  },
  { title: "Burst credit still promised, requests", height: 100, series: [{ key: "credit", label: "burst credit", dash: [5, 3], width: 1.5 }] },
  {
    title: "Round trip, milliseconds", height: 100,
    series: [
      { key: "trip_ms", label: "median round trip", unit: "ms", dash: [], width: 1.5 },
      { key: "slowest_ms", label: "slowest", unit: "ms", dash: [2, 3], width: 1.5 },
    ],
  },
];

// drawn reports whether a picture has any value of a series.
const drawn = (picture, series) => picture.points.some(point => point[series.key] !== null);

// figures is a number as the picture's readout shows it: requests as they are, the rest with as many digits as matter.
const figures = value => (value === null || value === undefined ? "–" : Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4))));

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// nameOf is a phase's name, and whether it is a repetition.
const nameOf = phase => printable(phase.name) + (phase.attempt ? " again" : "");

// spanOf is the stretch of time, in seconds, that the pictures of one limit cover together. All are drawn over the whole of
// it, so that what happened at once stands one below the other.
const spanOf = pictures => {
  const points = pictures.flatMap(picture => picture.points);
  return [Math.min(...points.map(point => point.at_s)), Math.max(...points.map(point => point.at_s + point.length_s))];
};

// drawPicture draws the panels over a stretch of time into an element, so many pixels wide, and returns their charts. moved is
// called with the index of the point under the cursor, or null.
const drawPicture = (picture, [from, to], holder, width, syncKey, moved) => {
  const { points, phases } = picture;

  // steps draws each second as a level stretch. Seconds that touch are joined; a silence is a gap.
  const steps = filled => (u, index, first, end) => {
    const stroke = new Path2D();
    const fill = filled ? new Path2D() : null;
    const base = u.valToPos(0, "y", true);
    let reached = null;
    for (let i = first; i <= end; i++) {
      const value = u.data[index][i];
      if (value === null) { reached = null; continue; }
      const { at_s: at, length_s: length } = points[i];
      const [x, until, y] = [u.valToPos(at, "x", true), u.valToPos(at + length, "x", true), u.valToPos(value, "y", true)];
      if (reached !== null && Math.abs(reached - at) < 0.02) stroke.lineTo(x, y); else stroke.moveTo(x, y);
      stroke.lineTo(until, y);
      fill?.rect(x, y, until - x, base - y);
      reached = at + length;
    }
    return { stroke, fill };
  };

  // shade paints the phases, names those that have room for it, and so must come before the series.
  const shade = named => u => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `600 ${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textBaseline = "top";
    for (const phase of phases) {
      const x = u.valToPos(phase.start_s, "x", true);
      const width = Math.max(u.valToPos(phase.end_s, "x", true) - x, devicePixelRatio);
      ctx.fillStyle = colour("band");
      ctx.fillRect(x, bbox.top, width, bbox.height);
      ctx.fillStyle = colour("muted");
      ctx.fillRect(x, bbox.top, devicePixelRatio, bbox.height);
      const name = [nameOf(phase), printable(phase.name)].find(each => ctx.measureText(each).width + 10 * devicePixelRatio < width);
      if (named && name) ctx.fillText(name, x + 5 * devicePixelRatio, bbox.top + 4 * devicePixelRatio);
    }
    ctx.restore();
  };

  const axis = (size, values) => ({
    size, values, stroke: colour("muted"), font: "12px system-ui, sans-serif",
    grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid"), width: 1 },
  });

  // under is the second in which the cursor stands: the one that began last.
  const under = (u, _, nearest, x) => {
    const next = points.findIndex(point => point.at_s > x);
    return next < 0 ? points.length - 1 : Math.max(0, next - 1);
  };

  return panels.filter(panel => panel.series.some(series => drawn(picture, series))).map((panel, row, shown) => {
    const bottom = row === shown.length - 1;
    // The last is drawn on top: what was measured over what the contract says.
    const series = panel.series.filter(each => drawn(picture, each)).reverse();
    holder.append(make("p", { class: "panel" }, panel.title));
    return new uPlot({
      width, height: panel.height + (bottom ? 30 : 0),
      legend: { show: false }, padding: [8, 12, bottom ? 0 : 6, 0],
      cursor: { dataIdx: under, points: { show: false }, y: false, drag: { x: false, y: false }, sync: { key: syncKey } },
      scales: { x: { time: false, range: () => [from, to] }, y: { range: (u, low, high) => [0, (high || 1) * (panel.named ? 1.18 : 1.08)] } },
      axes: [{ ...axis(bottom ? 30 : 0, (u, ticks) => ticks.map(tick => `${tick} s`)), show: true }, { ...axis(52), space: 26 }],
      series: [{}, ...series.map(each => ({
        label: each.label, stroke: colour(each.key), width: each.width, dash: each.dash, points: { show: false },
        fill: each.filled ? colour("area") : undefined, paths: steps(each.filled),
      }))],
      hooks: {
        drawClear: [shade(panel.named)],
        setCursor: row ? [] : [u => moved(u.cursor.left >= 0 ? u.cursor.idxs.at(-1) : null)],
      },
    }, [points.map(point => point.at_s), ...series.map(each => points.map(point => point[each.key]))], holder);
  });
};

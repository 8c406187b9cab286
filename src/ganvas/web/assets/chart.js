// A chart of curves over images or hours: bands behind them, events on them, a cross that follows the pointer.

import { h, replace, svg } from "./dom.js";
import { count, precise, short, t } from "./words.js";

const COLOURS = { g: "var(--c0)", d: "var(--c1)" };
const OTHERS = ["var(--c2)", "var(--c3)", "var(--c4)", "var(--c6)"];
const LEFT = 46, RIGHT = 8, TOP = 8, BOTTOM = 34;

export const nameOf = { g: "G", d: "D" };
export const colourOf = (one, index) => COLOURS[one.player] ?? OTHERS[index % OTHERS.length];
const QUIET = ["healthy", "early"]; // verdicts that are no news
export const isNews = (band) => !QUIET.includes(band.verdict);

function ticks(low, high, wanted) {
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9; tick += step) found.push(tick);
  return found;
}

// An exponential mean that begins without a bias; the weight is that of what was before.
function smoothed(points, weight) {
  if (!weight) return points;
  let sum = 0, total = 0;
  return points.map((point) => {
    sum = weight * sum + (1 - weight) * point[2];
    total = weight * total + (1 - weight);
    return [point[0], point[1], sum / total, ...point.slice(3)];
  });
}

function range(series, log) {
  const values = series.flatMap((one) => one.points.flatMap((p) => [p[2], p[3] ?? p[2], p[4] ?? p[2]])).filter((v) => Number.isFinite(v) && (!log || v > 0));
  let low = Math.min(...values.length ? values : [0]), high = Math.max(...values.length ? values : [1]);
  if (low === high) [low, high] = [low - Math.abs(low || 1) * 0.1, high + Math.abs(high || 1) * 0.1];
  return [low, high];
}

// spec: {title, dots, series: [{name, player, points: [[images, hours, value, low, high]]}]}
// view: {by: "i" or "h", log, smooth}; around: {verdicts, events, images, hours}; onPick(images)
export function chart(box, spec, view, around, onPick) {
  const width = box.clientWidth || 320, height = width < 420 ? 190 : 230;
  const at = (point) => (view.by === "h" ? point[1] : point[0]);
  const series = spec.series.map((one, index) => ({ ...one, colour: colourOf(one, index), points: spec.dots ? one.points : smoothed(one.points, view.smooth) }));
  const log = view.log && series.some((one) => one.points.some((p) => p[2] > 0));
  const [low, high] = range(series, log);
  const f = log ? (v) => Math.log10(Math.max(v, low)) : (v) => v;
  const pad = (f(high) - f(low)) * 0.05, y0 = f(low) - pad, y1 = f(high) + pad;
  const end = (view.by === "h" ? around.hours : around.images) || 1;
  const X = (x) => LEFT + (x / end) * (width - LEFT - RIGHT);
  const Y = (y) => TOP + (1 - (f(y) - y0) / (y1 - y0)) * (height - TOP - BOTTOM);
  const shown = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": described(spec.title, series) });
  for (const band of around.verdicts.filter(isNews)) {
    const from = X(band[`${view.by}0`]), to = X(band[`${view.by}1`]);
    shown.append(svg("rect", { class: "band", x: from, y: TOP, width: Math.max(0, to - from), height: height - TOP - BOTTOM, "--v": `var(--v-${band.verdict})` }));
  }
  const decades = log ? ticks(y0, y1, 4).filter(Number.isInteger).map((e) => 10 ** e) : [];
  for (const y of log && decades.length > 1 ? decades : log ? [low, Math.sqrt(low * high), high] : ticks(y0, y1, 4)) {
    shown.append(svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: Y(y), y2: Y(y) }), svg("text", { x: LEFT - 7, y: Y(y) + 4, "text-anchor": "end" }, short(y)));
  }
  for (const x of ticks(0, end, width < 420 ? 3 : 6)) shown.append(svg("text", { x: X(x), y: height - BOTTOM + 16, "text-anchor": "middle" }, short(x)));
  shown.append(svg("text", { x: width - RIGHT, y: height - 4, "text-anchor": "end" }, t(view.by === "h" ? "hours of training" : "real images seen")));
  for (const event of around.events) shown.append(svg("line", { class: "event", x1: X(event[view.by]), x2: X(event[view.by]), y1: TOP, y2: height - BOTTOM }, svg("title", {}, `${event.event}: ${event.said}`)));
  for (const one of series) {
    const points = one.points.filter((p) => !log || p[2] > 0);
    shown.append(svg("polyline", { class: "line", "--c": one.colour, points: points.map((p) => `${X(at(p)).toFixed(1)},${Y(p[2]).toFixed(1)}`).join(" ") }));
    if (!spec.dots) continue;
    for (const p of points) {
      if (p[3] !== null && p[3] !== undefined) shown.append(svg("line", { class: "error", "--c": one.colour, x1: X(at(p)), x2: X(at(p)), y1: Y(p[3]), y2: Y(p[4]) }));
      shown.append(svg("circle", { class: "mark", "--c": one.colour, cx: X(at(p)), cy: Y(p[2]), r: 2.4 }));
    }
  }
  const cross = svg("line", { class: "cross", y1: TOP, y2: height - BOTTOM, visibility: "hidden" });
  const tip = h("div", { class: "tip", hidden: true });
  shown.append(cross);
  replace(box, shown, tip);
  const pointed = (event) => ((event.clientX - box.getBoundingClientRect().left - LEFT) / (width - LEFT - RIGHT)) * end;
  const leave = () => { tip.hidden = true; cross.setAttribute("visibility", "hidden"); };
  box.onpointerleave = leave;
  box.onpointermove = (event) => {
    const x = pointed(event);
    if (x < 0 || x > end) return leave();
    replace(tip, h("b", {}, view.by === "h" ? `${precise(x)} h` : t("{n} images", { n: count(x) })), series.map((one) => {
      const near = nearest(one.points, x, at);
      return near && h("div", {}, h("span", { class: "dot", "--c": one.colour }), `${nameOf[one.player] ?? one.name} `, h("b", {}, precise(near[2])));
    }));
    const band = around.verdicts.findLast((one) => one[`${view.by}0`] <= x);
    if (band) tip.append(h("div", {}, t(band.verdict)));
    tip.hidden = false;
    const place = X(x) + 12 + tip.offsetWidth > width ? X(x) - 12 - tip.offsetWidth : X(x) + 12;
    tip.style.setProperty("left", `${Math.max(0, Math.min(place, width - tip.offsetWidth))}px`);
    for (const side of ["x1", "x2"]) cross.setAttribute(side, X(x));
    cross.setAttribute("visibility", "visible");
  };
  box.onclick = (event) => {
    const x = pointed(event);
    if (x < 0 || x > end) return;
    onPick(view.by === "h" ? nearest(series.flatMap((one) => one.points), x, at)?.[0] ?? 0 : x);
  };
}

function nearest(points, x, at) {
  let low = 0, high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at(points[middle]) < x) low = middle; else high = middle;
  }
  return points[Math.abs(at(points[low] ?? [0, 0]) - x) < Math.abs(at(points[high] ?? [0, 0]) - x) ? low : high];
}

function described(title, series) {
  const last = series.map((one) => one.points.length && `${nameOf[one.player] ?? one.name} ${precise(one.points[one.points.length - 1][2])}`);
  return `${title}: ${last.filter(Boolean).join(", ")}`;
}

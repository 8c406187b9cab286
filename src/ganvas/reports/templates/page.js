"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const state = { by: data.by, focus: null, z: 0, moment: 1 };
const colour = (run) => `var(--c${data.runs[run].variant % 8})`;
const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const at = (point) => (state.by === "hours" ? point.h : point.i);
const of = (run) => `data-variant="${data.runs[run].variant}"`;

function fade() {
  document.querySelectorAll("main [data-variant]").forEach((element) => {
    element.classList.toggle("faded", state.focus !== null && Number(element.dataset.variant) !== state.focus);
  });
}

function formatted(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e4) return Math.round(value).toLocaleString("en");
  return size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

function short(value) {
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (Math.abs(value) >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

const longest = Math.max(...data.runs.map((run) => run.hours));
const [unit, perUnit] = longest < 1 / 20 ? ["s", 1 / 3600] : longest < 3 ? ["min", 1 / 60] : ["h", 1];
const place = (x) => (state.by === "hours" ? `${formatted(x / perUnit)} ${unit}` : `${Math.round(x).toLocaleString("en")} images`);
const axis = () => (state.by === "hours" ? `training time (${unit})` : "real images seen");

function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9; tick += step) found.push(tick);
  return found;
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.round(share * (sorted.length - 1)))];
}

// A chart of {title, dots, series: [{run, points: [{i, h, y, low, high}]}]}.
function draw(box, chart) {
  const width = box.clientWidth, height = width < 420 ? 190 : 240;
  const left = 46, right = 8, top = 8, bottom = 34;
  const all = chart.series.flatMap((s) => s.points);
  const values = all.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]).sort((a, b) => a - b);
  let low = values[0], high = values[values.length - 1];
  // A few outliers must not flatten the rest.
  const inner = [quantile(values, 0.01), quantile(values, 0.99)], room = (inner[1] - inner[0]) * 0.5;
  if (!chart.dots && values.length > 40) [low, high] = [Math.max(low, inner[0] - room), Math.min(high, inner[1] + room)];
  const log = low > 0 && high / low > 30;
  const f = log ? Math.log10 : (v) => v;
  if (high === low) [low, high] = [low - Math.abs(low || 1) * 0.1, high + Math.abs(high || 1) * 0.1];
  const pad = (f(high) - f(low)) * 0.05, y0 = f(low) - pad, y1 = f(high) + pad;
  const x1 = Math.max(...all.map(at)) || 1, scale = state.by === "hours" ? perUnit : 1;
  const X = (x) => left + (x / x1) * (width - left - right);
  const Y = (y) => top + (1 - (f(Math.min(Math.max(y, low), high)) - y0) / (y1 - y0)) * (height - top - bottom);
  const rows = log ? ticks(y0, y1, 4).filter(Number.isInteger).map((e) => 10 ** e) : ticks(y0, y1, 4);
  const marks = log && rows.length < 2 ? [low, Math.sqrt(low * high), high] : rows;
  let svg = `<svg viewBox="0 0 ${width} ${height}" height="${height}" role="img" aria-label="${escaped(chart.title)}">`;
  for (const y of marks) {
    svg += `<line class="grid" x1="${left}" x2="${width - right}" y1="${Y(y)}" y2="${Y(y)}"/>`;
    svg += `<text x="${left - 7}" y="${Y(y) + 4}" text-anchor="end">${short(y)}</text>`;
  }
  for (const x of ticks(0, x1 / scale, width < 420 ? 3 : 6)) {
    svg += `<text x="${X(x * scale)}" y="${height - bottom + 16}" text-anchor="middle">${short(x)}</text>`;
  }
  svg += `<text x="${width - right}" y="${height - 4}" text-anchor="end">${axis()}</text>`;
  for (const s of chart.series) {
    const xy = s.points.map((p) => `${X(at(p)).toFixed(1)},${Y(p.y).toFixed(1)}`).join(" ");
    const dash = data.runs[s.run].dash ? ` stroke-dasharray="${data.runs[s.run].dash}"` : "";
    svg += `<g ${of(s.run)} style="--c:${colour(s.run)}"><polyline class="line" points="${xy}"${dash}/>`;
    if (chart.dots) {
      for (const p of s.points) {
        const x = X(at(p)).toFixed(1);
        if (p.low != null) svg += `<line class="error" x1="${x}" x2="${x}" y1="${Y(p.low)}" y2="${Y(p.high)}"/>`;
        svg += `<circle class="mark" cx="${x}" cy="${Y(p.y)}" r="2.6"/>`;
      }
    }
    svg += "</g>";
  }
  box.innerHTML = `${svg}<line class="cross" y1="${top}" y2="${height - bottom}" visibility="hidden"/></svg><div class="tip" hidden></div>`;
  const cross = box.querySelector(".cross"), tip = box.querySelector(".tip");
  box.onpointermove = box.onpointerdown = (event) => {
    const x = ((event.clientX - box.getBoundingClientRect().left - left) / (width - left - right)) * x1;
    if (x < 0 || x > x1) return box.onpointerleave();
    const lines = chart.series.filter((s) => state.focus === null || data.runs[s.run].variant === state.focus).map((s) => {
      const near = s.points.reduce((a, b) => (Math.abs(at(b) - x) < Math.abs(at(a) - x) ? b : a));
      const name = escaped(data.runs[s.run].name);
      return [near.y, `<span class="dot" style="--c:${colour(s.run)}"></span>${name} <b>${formatted(near.y)}</b>`];
    });
    lines.sort((a, b) => b[0] - a[0]);
    tip.innerHTML = [`<b>${place(x)}</b>`, ...lines.slice(0, 10).map((l) => l[1]), ...(lines.length > 10 ? [`and ${lines.length - 10} more`] : [])].join("<br>");
    tip.hidden = false;
    const put = X(x) + 12 + tip.offsetWidth > width ? X(x) - 12 - tip.offsetWidth : X(x) + 12;
    tip.style.left = `${Math.max(0, Math.min(put, width - tip.offsetWidth))}px`;
    cross.setAttribute("x1", X(x));
    cross.setAttribute("x2", X(x));
    cross.setAttribute("visibility", "visible");
  };
  box.onpointerleave = () => {
    tip.hidden = true;
    cross.setAttribute("visibility", "hidden");
  };
}

function timelines() {
  const box = document.getElementById("verdicts");
  if (!box) return;
  const end = Math.max(...data.runs.map((run) => (state.by === "hours" ? run.hours : run.images))) || 1;
  const share = (x) => `${((100 * x) / end).toFixed(2)}%`;
  let html = '<div class="timeline">';
  data.runs.forEach((run, index) => {
    html += `<div class="label" ${of(index)}><span class="dot" style="--c:${colour(index)}"></span>${escaped(run.name)}</div>`;
    html += `<div class="track" ${of(index)}>`;
    for (const v of run.verdicts) {
      const [from, to] = state.by === "hours" ? [v.h0, v.h1] : [v.i0, v.i1];
      const label = `${run.name}: ${v.verdict}, ${place(from)} to ${place(to)}`;
      html += `<button type="button" style="--v:var(--v-${escaped(v.verdict)});left:${share(from)};width:${share(to - from)}" title="${escaped(label)}" aria-label="${escaped(label)}" data-text="${escaped(`${label}. ${v.sentence}`)}"></button>`;
    }
    html += run.verdicts.length ? "</div>" : '<span class="none">no verdict recorded</span></div>';
  });
  const seen = [...new Set(data.runs.flatMap((run) => run.verdicts.map((v) => v.verdict)))];
  html += `</div><div class="keys">${seen.map((v) => `<span><i style="--v:var(--v-${escaped(v)})"></i>${escaped(v)}</span>`).join("")}</div>`;
  box.innerHTML = `${html}${seen.length ? '<p class="text" aria-live="polite"></p>' : ""}`;
  box.onclick = (event) => {
    if (event.target.dataset.text) box.querySelector(".text").textContent = event.target.dataset.text;
  };
}

const strips = data.strips;
// The newest image at or before a moment; none for a run that has no image so early.
const shownAt = (frames, x) => frames.filter((frame) => at(frame) <= x * (1 + 1e-9)).pop();

function moments() {
  const every = strips.runs.flatMap((strip) => strip.frames.map(at)).sort((a, b) => a - b);
  const gap = (every[every.length - 1] || 1) / 60;
  return every.filter((x, index) => index === every.length - 1 || every[index + 1] - x > gap);
}

function drawStrips() {
  const steps = moments(), slider = document.getElementById("moment");
  slider.max = steps.length - 1;
  const index = Math.round(state.moment * (steps.length - 1)), x = steps[index];
  slider.value = index;
  document.getElementById("moment-text").textContent = place(x);
  const [column, row] = [state.z % strips.columns, Math.floor(state.z / strips.columns)];
  const ring = `left:${(100 * column) / strips.columns}%;top:${(100 * row) / strips.rows}%;width:${100 / strips.columns}%;height:${100 / strips.rows}%`;
  const tiles = (run, frame) => frame ? `<div class="tiles"><img src="${frame.source}" alt="fakes of ${escaped(data.runs[run].name)}"><span class="ring" style="${ring}"></span></div>` : "";
  const part = (run, frame) => `<figure ${of(run)}>${tiles(run, frame)}<figcaption><span class="dot" style="--c:${colour(run)}"></span><span>${escaped(data.runs[run].name)}, ${frame ? `at ${place(at(frame))}` : "no image so early"}</span></figcaption></figure>`;
  const real = strips.reals ? `<figure><div class="tiles real"><img src="${strips.reals}" alt="real images"></div><figcaption><span>real images</span></figcaption></figure>` : "";
  const size = `${strips.columns * 100}% ${strips.rows * 100}%`;
  const where = `${strips.columns > 1 ? (100 * column) / (strips.columns - 1) : 0}% ${strips.rows > 1 ? (100 * row) / (strips.rows - 1) : 0}%`;
  const heads = steps.filter((_, i) => i % Math.ceil(steps.length / 16) === (steps.length - 1) % Math.ceil(steps.length / 16));
  document.querySelectorAll(".group").forEach((group, number) => {
    const members = strips.runs.filter((strip) => strip.group === number);
    group.querySelector(".tile-grids").innerHTML = real + members.map((strip) => part(strip.run, shownAt(strip.frames, x))).join("");
    const cell = (frame) => frame ? `<td title="at ${place(at(frame))}"><div class="one" style="background-image:url('${frame.source}');background-size:${size};background-position:${where}"></div></td>` : "<td></td>";
    const cells = (strip) => heads.map((head) => cell(shownAt(strip.frames, head))).join("");
    group.querySelector(".strip").innerHTML = `<table><thead><tr><th></th>${heads.map((head) => `<th>${short(state.by === "hours" ? head / perUnit : head)}</th>`).join("")}</tr></thead><tbody>${members.map((strip) => `<tr ${of(strip.run)}><th><span class="dot" style="--c:${colour(strip.run)}"></span>${escaped(data.runs[strip.run].name)}</th>${cells(strip)}</tr>`).join("")}</tbody></table>`;
  });
  fade();
}

function refresh() {
  document.querySelectorAll("[data-chart]").forEach((box) => draw(box, data.charts[box.dataset.chart]));
  timelines();
  if (strips.runs.length) drawStrips();
  document.querySelectorAll("[data-by]").forEach((b) => b.setAttribute("aria-pressed", b.dataset.by === state.by));
  fade();
}

document.querySelectorAll("[data-by]").forEach((button) => {
  button.onclick = () => { state.by = button.dataset.by; refresh(); };
});
let chosen = null;
document.querySelectorAll("#chips button").forEach((button) => {
  const variant = Number(button.dataset.variant);
  button.onclick = () => {
    state.focus = chosen = chosen === variant ? null : variant;
    document.querySelectorAll("#chips button").forEach((b) => b.setAttribute("aria-pressed", Number(b.dataset.variant) === chosen));
    fade();
  };
  if (matchMedia("(hover: hover)").matches) {
    button.onpointerenter = () => { state.focus = variant; fade(); };
    button.onpointerleave = () => { state.focus = chosen; fade(); };
  }
});
if (strips.runs.length) {
  document.getElementById("moment").oninput = (event) => { state.moment = event.target.value / (event.target.max || 1); drawStrips(); };
  document.getElementById("strips").onclick = (event) => {
    const tiles = event.target.closest(".tiles:not(.real)");
    if (!tiles) return;
    const box = tiles.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * strips.columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * strips.rows);
    state.z = Math.max(0, Math.min(strips.columns * strips.rows - 1, row * strips.columns + column));
    drawStrips();
  };
}
let seenWidth = 0;
new ResizeObserver(() => {
  if (document.body.clientWidth !== seenWidth) { seenWidth = document.body.clientWidth; refresh(); }
}).observe(document.body);
refresh();

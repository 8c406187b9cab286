// Planes of {title, x, y, names, whole, reference: {name, x, y}, series: [{variant, name, dashed, points: [{x, y, xl, xh, yl, yh, message, knee, end}]}]}.
function extent(values) {
  const low = Math.min(...values), high = Math.max(...values), pad = (high - low || Math.abs(high) || 1) * 0.07;
  return [low - pad, high + pad];
}

function drawPlane(box, plane) {
  const width = box.clientWidth, height = width < 420 ? 260 : 330;
  const left = 46, right = 12, top = 24, bottom = 34;
  const all = plane.series.flatMap((s) => s.points), marks = plane.reference ? [...all, plane.reference] : all;
  // Neither a run's first points, far from all others, nor a wide interval over two seeds may flatten the rest.
  const ends = [...plane.series.map((s) => s.points[s.points.length - 1]), ...(plane.reference ? [plane.reference] : [])];
  const range = (key, low, high, least) => {
    const values = ends.map((p) => p[key]), [from, to] = [Math.min(...values), Math.max(...values)];
    const room = Math.max(least, 1.2 * (to - from));
    const wanted = marks.flatMap((p) => [p[key], p[low] ?? p[key], p[high] ?? p[key]]);
    if (plane.whole) return extent(marks.map((p) => p[key]));
    return extent([Math.max(from - room, Math.min(...wanted)), Math.min(to + room, Math.max(...wanted))]);
  };
  const [x0, x1] = range("x", "xl", "xh", 1), [y0, y1] = range("y", "yl", "yh", 0.02);
  const X = (x) => left + ((x - x0) / (x1 - x0)) * (width - left - right);
  const Y = (y) => top + (1 - (y - y0) / (y1 - y0)) * (height - top - bottom);
  const inside = (p) => p.x >= x0 && p.x <= x1 && p.y >= y0 && p.y <= y1;
  const clamped = (value, low, high) => Math.min(Math.max(value, low), high);
  const at = (value) => value.toFixed(1);
  let svg = `<svg viewBox="0 0 ${width} ${height}" height="${height}" role="img" aria-label="${escaped(plane.title)}">`;
  for (const y of ticks(y0, y1, 5)) {
    svg += `<line class="grid" x1="${left}" x2="${width - right}" y1="${at(Y(y))}" y2="${at(Y(y))}"/>`;
    svg += `<text x="${left - 7}" y="${at(Y(y) + 4)}" text-anchor="end">${short(y)}</text>`;
  }
  for (const x of ticks(x0, x1, width < 420 ? 4 : 7)) {
    svg += `<line class="grid" x1="${at(X(x))}" x2="${at(X(x))}" y1="${top}" y2="${height - bottom}"/>`;
    svg += `<text x="${at(X(x))}" y="${height - bottom + 15}" text-anchor="middle">${short(x)}</text>`;
  }
  svg += `<text x="${width - right}" y="${height - 3}" text-anchor="end">${escaped(plane.x)}</text>`;
  svg += `<text x="4" y="12">${escaped(plane.y)}</text>`;
  if (plane.reference) {
    const { name, x, y } = plane.reference, side = X(x) > width - 90 ? "end" : "start";
    svg += `<path class="plain" d="M${at(X(x) - 6)} ${at(Y(y))}h12M${at(X(x))} ${at(Y(y) - 6)}v12"/>`;
    svg += `<text x="${at(X(x) + (side === "end" ? -9 : 9))}" y="${at(Y(y) - 5)}" text-anchor="${side}">${escaped(name)}</text>`;
  }
  const drawn = [];
  for (const s of plane.series) {
    const points = s.points.filter(inside), last = points[points.length - 1];
    svg += `<g data-variant="${s.variant}" style="--c:var(--c${s.variant % 8})">`;
    svg += `<polyline class="line way"${s.dashed ? ' stroke-dasharray="4 4"' : ""} points="${points.map((p) => `${at(X(p.x))},${at(Y(p.y))}`).join(" ")}"/>`;
    for (const p of points) {
      const [x, y] = [X(p.x), Y(p.y)];
      drawn.push({ x, y, p, s });
      if (p.xl != null) svg += `<line class="error" x1="${at(X(clamped(p.xl, x0, x1)))}" x2="${at(X(clamped(p.xh, x0, x1)))}" y1="${at(y)}" y2="${at(y)}"/>`;
      if (p.yl != null) svg += `<line class="error" x1="${at(x)}" x2="${at(x)}" y1="${at(Y(clamped(p.yl, y0, y1)))}" y2="${at(Y(clamped(p.yh, y0, y1)))}"/>`;
      svg += `<circle class="mark" cx="${at(x)}" cy="${at(y)}" r="${(p.end ?? p === last) ? 6 : 2}"/>`;
      if (p.knee) svg += `<circle class="knee" cx="${at(x)}" cy="${at(y)}" r="9"/>`;
    }
    svg += "</g>";
  }
  const left_out = all.length - drawn.length;
  box.innerHTML = `${svg}</svg><div class="tip" hidden></div>${left_out ? `<p class="hint">${left_out} points lie outside the plot.</p>` : ""}`;
  const tip = box.querySelector(".tip");
  box.onpointermove = box.onpointerdown = (event) => {
    const frame = box.getBoundingClientRect(), [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const near = drawn.filter(({ s }) => state.focus === null || s.variant === state.focus).map((one) => [Math.hypot(one.x - x, one.y - y), one]).sort((a, b) => a[0] - b[0])[0];
    tip.hidden = !near || near[0] > 40;
    if (tip.hidden) return;
    const { p, s } = near[1];
    tip.innerHTML = `<span class="dot" style="--c:var(--c${s.variant % 8})"></span><b>${escaped(s.name)}</b><br>${escaped(p.message)}${p.knee ? ", knee" : ""}<br>${escaped(plane.names[0])} <b>${formatted(p.x)}</b>, ${escaped(plane.names[1])} <b>${formatted(p.y)}</b>`;
    tip.style.left = `${Math.max(0, Math.min(near[1].x + 12, width - tip.offsetWidth))}px`;
    tip.style.top = `${Math.max(0, near[1].y - tip.offsetHeight - 10)}px`;
  };
  box.onpointerleave = () => { tip.hidden = true; };
}

{
  let seen = 0;
  new ResizeObserver(() => {
    if (document.body.clientWidth === seen) return;
    seen = document.body.clientWidth;
    document.querySelectorAll("[data-plane]").forEach((box) => drawPlane(box, data.planes[box.dataset.plane]));
    fade();
  }).observe(document.body);
}

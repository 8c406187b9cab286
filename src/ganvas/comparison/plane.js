// Planes of {title, x, y, reference: {name, x, y}, series: [{setting, name, points: [{x, y, xl, xh, yl, yh, told, knee}]}]}.
function extent(values) {
  const low = Math.min(...values), high = Math.max(...values), pad = (high - low || Math.abs(high) || 1) * 0.07;
  return [low - pad, high + pad];
}

function drawPlane(box, plane) {
  const width = box.clientWidth, height = width < 420 ? 260 : 330;
  const left = 46, right = 12, top = 8, bottom = 34;
  const all = plane.series.flatMap((s) => s.points), marks = plane.reference ? [...all, plane.reference] : all;
  const numbers = (...keys) => marks.flatMap((p) => keys.map((key) => p[key])).filter((value) => value != null);
  // The first steps of a run lie so far away that nothing else would be seen.
  const inner = (sorted, low) => Math.max(sorted[0], low);
  const xs = numbers("x", "xl", "xh").sort((a, b) => a - b), ys = numbers("y", "yl", "yh").sort((a, b) => a - b);
  const ends = [...plane.series.map((s) => s.points[s.points.length - 1]), ...(plane.reference ? [plane.reference] : [])];
  const spanX = Math.max(2, ...ends.map((p) => p.x)) - Math.min(...ends.map((p) => p.x));
  const spanY = Math.max(...ends.map((p) => p.y)) - Math.min(...ends.map((p) => p.y));
  const floor = Math.min(...ends.map((p) => p.xl ?? p.x)) - Math.max(1, 1.5 * spanX);
  const ceiling = Math.max(...ends.map((p) => p.yh ?? p.y)) + Math.max(0.02, 1.5 * spanY);
  const [x0, x1] = extent([inner(xs, floor), xs[xs.length - 1]]);
  const [y0, y1] = extent([ys[0], Math.min(ys[ys.length - 1], ceiling)]);
  const X = (x) => left + ((x - x0) / (x1 - x0)) * (width - left - right);
  const Y = (y) => top + (1 - (y - y0) / (y1 - y0)) * (height - top - bottom);
  const inside = (p) => p.x >= x0 && p.y <= y1;
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
  svg += `<text x="${left + 4}" y="${top + 10}">${escaped(plane.y)}, less looks more alike</text>`;
  if (plane.reference) {
    const { name, x, y } = plane.reference, side = X(x) > width - 90 ? "end" : "start";
    svg += `<path class="plain" d="M${at(X(x) - 6)} ${at(Y(y))}h12M${at(X(x))} ${at(Y(y) - 6)}v12"/>`;
    svg += `<text x="${at(X(x) + (side === "end" ? -9 : 9))}" y="${at(Y(y) - 5)}" text-anchor="${side}">${escaped(name)}</text>`;
  }
  const shown = [];
  for (const s of plane.series) {
    const points = s.points.filter(inside), last = points[points.length - 1];
    svg += `<g data-setting="${s.setting}" style="--c:var(--c${s.setting % 8})">`;
    svg += `<polyline class="line way" points="${points.map((p) => `${at(X(p.x))},${at(Y(p.y))}`).join(" ")}"/>`;
    for (const p of points) {
      const [x, y] = [X(p.x), Y(p.y)];
      shown.push({ x, y, p, s });
      if (p.xl != null) svg += `<line class="error" x1="${at(X(Math.max(p.xl, x0)))}" x2="${at(X(p.xh))}" y1="${at(y)}" y2="${at(y)}"/>`;
      if (p.yl != null) svg += `<line class="error" x1="${at(x)}" x2="${at(x)}" y1="${at(Y(p.yl))}" y2="${at(Y(Math.min(p.yh, y1)))}"/>`;
      svg += `<circle class="mark" cx="${at(x)}" cy="${at(y)}" r="${p === last ? 6 : 2}"/>`;
      if (p.knee) svg += `<circle class="knee" cx="${at(x)}" cy="${at(y)}" r="9"/>`;
    }
    svg += "</g>";
  }
  const left_out = all.length - shown.length;
  box.innerHTML = `${svg}</svg><div class="tip" hidden></div>${left_out ? `<p class="hint">${left_out} early steps lie beyond the frame.</p>` : ""}`;
  const tip = box.querySelector(".tip");
  box.onpointermove = box.onpointerdown = (event) => {
    const frame = box.getBoundingClientRect(), [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    const near = shown.filter(({ s }) => state.focus === null || s.setting === state.focus).map((one) => [Math.hypot(one.x - x, one.y - y), one]).sort((a, b) => a[0] - b[0])[0];
    tip.hidden = !near || near[0] > 40;
    if (tip.hidden) return;
    const { p, s } = near[1];
    tip.innerHTML = `<span class="dot" style="--c:var(--c${s.setting % 8})"></span><b>${escaped(s.name)}</b><br>${escaped(p.told)}${p.knee ? ", the knee" : ""}<br>PSNR-Y <b>${said(p.x)}</b> dB, ${escaped(plane.y)} <b>${said(p.y)}</b>`;
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

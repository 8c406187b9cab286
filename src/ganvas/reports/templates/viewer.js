"use strict";
(() => {
  const choice = (name) => document.querySelector(`[data-choice="${name}"]`);
  const rows = [...document.querySelectorAll(".image-row")].map((row) => ({
    row,
    stage: row.querySelector(".stage"),
    range: row.querySelector(".divide"),
    images: [...row.querySelectorAll(".stage img")],
    loupes: [...row.querySelectorAll(".loupes figure")],
    x: Number(row.dataset.x), y: Number(row.dataset.y), held: false,
  }));

  // The side of a magnifier in image pixels: its side in CSS pixels divided by the magnification, at least two.
  function seen(one) {
    const side = one.loupes[0].querySelector("canvas").clientWidth || 160;
    return Math.max(2, Math.round(side / Number(choice("zoom").value)));
  }

  function look(one) {
    const { naturalWidth: w, naturalHeight: h } = one.images[0];
    if (!w) return;
    const side = seen(one), wide = Math.min(side, w), high = Math.min(side, h);
    const left = Math.round(Math.min(Math.max(one.x * w - wide / 2, 0), w - wide));
    const top = Math.round(Math.min(Math.max(one.y * h - high / 2, 0), h - high));
    const spot = one.stage.querySelector(".spot").style;
    [spot.left, spot.top, spot.width, spot.height] = [left / w, top / h, wide / w, high / h].map((part) => `${100 * part}%`);
    for (const figure of one.loupes) {
      const canvas = figure.querySelector("canvas"), image = one.images.find((i) => i.dataset.label === figure.dataset.label);
      canvas.width = canvas.height = side;
      canvas.getContext("2d").drawImage(image, left, top, wide, high, 0, 0, wide, high);
      canvas.dataset.at = `${left},${top}`;
    }
  }

  function divide(one, at) {
    one.range.value = Math.round(1000 * Math.min(1, Math.max(0, at)));
    one.stage.style.setProperty("--at", `${one.range.value / 10}%`);
    const [left, right] = ["left", "right"].map((side) => one.stage.querySelector(`.tag.${side}`).textContent);
    one.range.setAttribute("aria-valuetext", `${left} ${Math.round(one.range.value / 10)} %, ${right} the rest`);
  }

  function place(one, event) {
    const box = one.stage.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  function refresh() {
    const size = choice("size").value;
    for (const one of rows) {
      const labels = one.images.map((image) => image.dataset.label);
      const side = (name, other) => (labels.includes(choice(name).value) ? choice(name).value : other);
      const chosen = { left: side("left", labels[0]), right: side("right", labels[labels.length - 1]) };
      for (const name of ["left", "right"]) {
        one.images.forEach((image) => image.classList.toggle(name, image.dataset.label === chosen[name]));
        one.stage.querySelector(`.tag.${name}`).textContent = chosen[name];
      }
      const width = Number(one.stage.style.getPropertyValue("--w"));
      one.stage.style.width = size === "fit" ? "" : `${(width * Number(size)) / (size === "1" ? devicePixelRatio : 1)}px`;
      one.stage.classList.toggle("coarse", one.stage.clientWidth >= 2 * width);
      one.row.querySelector(".loupes").style.setProperty("--count", one.loupes.length);
      divide(one, one.range.value / 1000);
      look(one);
    }
  }

  for (const one of rows) {
    const { stage, range } = one;
    let pressed = null;
    const turn = (event) => { [one.x, one.y] = place(one, event); look(one); };
    stage.onpointerdown = (event) => { pressed = { x: event.clientX, moved: false }; };
    stage.onpointermove = (event) => {
      if (!one.held) turn(event);
      if (!pressed || !event.buttons) return;
      if (!pressed.moved && Math.abs(event.clientX - pressed.x) > 4) { pressed.moved = true; stage.setPointerCapture(event.pointerId); }
      if (pressed.moved) divide(one, place(one, event)[0]);
    };
    stage.onpointerup = (event) => {
      const click = pressed && !pressed.moved;
      pressed = null;
      if (!click) return;
      // A finger cannot hover, so each tap moves the magnifier. A mouse click pins or releases it.
      one.held = event.pointerType === "mouse" && !one.held;
      stage.classList.toggle("held", one.held);
      turn(event);
    };
    stage.onpointercancel = () => { pressed = null; };
    stage.onkeydown = (event) => {
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [0, 0];
      if (!dx && !dy) return;
      event.preventDefault();
      const { naturalWidth: w, naturalHeight: h } = one.images[0], step = event.shiftKey ? 16 : 4;
      one.x = Math.min(1, Math.max(0, one.x + (dx * step) / w));
      one.y = Math.min(1, Math.max(0, one.y + (dy * step) / h));
      look(one);
    };
    range.oninput = () => divide(one, range.value / 1000);
    Promise.all(one.images.map((image) => image.decode().catch(() => null))).then(() => look(one));
  }
  document.querySelectorAll("[data-choice]").forEach((select) => { select.onchange = refresh; });
  document.querySelector("[data-swap]").onclick = () => {
    [choice("left").value, choice("right").value] = [choice("right").value, choice("left").value];
    refresh();
  };
  let width = 0;
  new ResizeObserver(() => { if (document.body.clientWidth !== width) { width = document.body.clientWidth; refresh(); } }).observe(document.body);
  refresh();
})();

// All samples of a run under one slider: play, arrow keys, pixel by pixel or as wide as the page.

import { ask, h, json, replace } from "./dom.js";
import { count, t } from "./words.js";

const KEPT = 60, AHEAD = 6; // decoded pictures in memory, and how many are fetched before they are due

export function player(id, previews, onMoment) {
  const shown = previews.map((one, index) => ({ ...one, index }));
  const pictures = new Map(); // index -> promise of a bitmap, the latest used last
  let now = shown.length - 1, drawn = -1, clock = 0, follows = true, list = shown;

  const canvas = h("canvas", { class: "sheet", role: "img" });
  const lines = h("ol", { class: "sentences", tabindex: 0, "aria-label": t("sentences") });
  const range = h("input", { type: "range", min: 0, step: 1, "aria-label": t("moment") });
  const output = h("output", {});
  const button = (label, symbol, onclick) => h("button", { type: "button", title: label, "aria-label": label, onclick }, symbol);
  const playing = button(t("play"), "▶", () => play(!clock));
  const zoom = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    const exact = canvas.classList.toggle("exact");
    zoom.setAttribute("aria-pressed", exact);
  } }, "1:1");
  const note = h("p", { class: "warning", hidden: true });
  const scroller = h("div", { class: "scroller", tabindex: 0 }, canvas);
  const element = h("div", { class: "player" },
    h("div", { class: "moment" }, button(t("previous sample"), "◀", () => step(-1)), playing, button(t("next sample"), "▶|", () => step(1)), range, output, zoom),
    note, scroller, lines);

  function picture(index) {
    const found = pictures.get(index) ?? ask(`/api/runs/${id}/sheets/${index}?v=${list[index].version}`).then((response) => response.blob()).then(createImageBitmap);
    pictures.delete(index);
    pictures.set(index, found);
    while (pictures.size > KEPT) pictures.delete(pictures.keys().next().value);
    return found;
  }

  async function draw() {
    const one = list[now];
    range.max = list.length - 1;
    range.value = now;
    const told = t("{i} of {n}, {images} images", { i: now + 1, n: list.length, images: count(one.images) });
    range.setAttribute("aria-valuetext", told);
    output.textContent = told;
    onMoment(one.images);
    const isText = one.kind === "text";
    scroller.hidden = zoom.hidden = isText;
    lines.hidden = !isText;
    const asked = now;
    try {
      if (isText) {
        const found = await json(`/api/runs/${id}/texts/${asked}?v=${one.version}`);
        if (asked === now) replace(lines, found.lines.map((line) => h("li", {}, line || " ")));
      } else {
        const bitmap = await picture(asked);
        if (asked !== now && drawn >= 0 && !clock) return; // a newer one is on its way
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
        canvas.style.setProperty("--w", `${bitmap.width / devicePixelRatio}px`);
        canvas.getContext("2d").drawImage(bitmap, 0, 0);
        canvas.setAttribute("aria-label", told);
        for (let next = 1; next <= AHEAD && asked + next < list.length; next++) if (list[asked + next].kind !== "text") picture(asked + next).catch(() => {});
      }
      note.hidden = true;
      drawn = asked;
    } catch (error) {
      pictures.delete(asked);
      note.textContent = error.message;
      note.hidden = false;
    }
  }

  function go(index) {
    now = Math.max(0, Math.min(list.length - 1, index));
    follows = now === list.length - 1;
    return draw();
  }

  function step(by) { play(false); go(now + by); }

  function play(on) {
    clearTimeout(clock);
    clock = 0;
    if (on) {
      const pause = Math.max(1000 / 30, Math.min(250, 12000 / list.length));
      const next = async () => {
        const began = performance.now();
        await go(now + 1 < list.length ? now + 1 : 0);
        if (!clock) return;
        if (now === list.length - 1) return play(false);
        clock = setTimeout(next, Math.max(0, pause - (performance.now() - began)));
      };
      clock = setTimeout(next, 0);
    }
    playing.textContent = clock ? "❚❚" : "▶";
    const label = t(clock ? "pause" : "play");
    playing.title = label;
    playing.setAttribute("aria-label", label);
  }

  range.oninput = () => { play(false); go(Number(range.value)); };
  element.onkeydown = (event) => {
    if (event.target === range && event.key !== " ") return; // which has keys of its own
    const moved = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: list.length - 1 }[event.key];
    if (moved !== undefined && !canvas.classList.contains("exact")) { event.preventDefault(); play(false); go(moved); }
    if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); play(!clock); }
  };
  draw();
  return {
    element,
    // The samples as they are now; whoever looks at the newest goes on to do so.
    update(previews) {
      const same = previews.length === list.length && previews.every((one, index) => one.version === list[index].version);
      if (same) return;
      list.forEach((one, index) => { if (previews[index]?.version !== one.version) pictures.delete(index); });
      list = previews.map((one, index) => ({ ...one, index }));
      if (follows || now >= list.length) now = list.length - 1;
      if (!clock) draw();
    },
    // The last sample at or before a count of images.
    goTo(images) {
      const after = list.findIndex((one) => one.images > images);
      play(false);
      go(after < 0 ? list.length - 1 : after - 1);
      element.scrollIntoView({ block: "nearest" });
    },
    close: () => play(false),
  };
}

// Two pictures of one thing under a divider, moved by the pointer or by the keys of its slider.

import { h } from "./dom.js";
import { t } from "./words.js";

export function pair(before, after, name) {
  const range = h("input", { class: "divide", type: "range", min: 0, max: 100, value: 50, "aria-label": `${name}: ${t("position of the divider")}` });
  const stage = h("div", { class: "pair", "--at": "50%" },
    h("img", { src: before, alt: `${name}, ${t("before")}`, draggable: "false" }),
    h("img", { class: "over", src: after, alt: `${name}, ${t("after")}`, draggable: "false" }),
    h("span", { class: "tag left" }, t("before")), h("span", { class: "tag right" }, t("after")), h("span", { class: "divider" }));
  const set = (share) => {
    range.value = Math.max(0, Math.min(100, share));
    stage.style.setProperty("--at", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${t("before")} ${Math.round(range.value)} %`);
  };
  range.oninput = () => set(range.value);
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    set((100 * (event.clientX - box.left)) / box.width);
  };
  stage.onpointerdown = (event) => { stage.setPointerCapture(event.pointerId); follow(event); };
  stage.onpointermove = (event) => { if (event.buttons) follow(event); };
  return h("div", {}, stage, range);
}

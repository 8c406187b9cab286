// The list of all runs: search, sort, state, and the newest sample of each.

import { copyButton, h, replace } from "./dom.js";
import { runs } from "./live.js";
import { ago, count, duration, precise, t } from "./words.js";

const ORDERS = {
  "last update": (a, b) => b.changed - a.changed,
  "name": (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
  "progress": (a, b) => share(b) - share(a),
  "state": (a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || b.changed - a.changed,
};
const STATES = ["training", "diverged", "stopped", "finished", "broken"];
const kept = { words: "", order: "last update", state: "" };

export const share = (run) => (run.total ? Math.min(1, run.images / run.total) : 0);
export const address = (run) => `#/run/${run.id}/${encodeURIComponent(run.name)}`;

export function badge(run) {
  return h("span", { class: `badge ${run.state}` }, t(run.state));
}

export function verdictChip(verdict) {
  return verdict && h("span", { class: "chip" }, h("i", { "--v": `var(--v-${verdict})` }), t(verdict));
}

export function progress(run) {
  const percent = Math.round(100 * share(run));
  return h("div", { class: "progress", role: "progressbar", "aria-valuenow": percent, "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": run.name, "--done": `${percent}%` });
}

export function pace(run) {
  const parts = [t("{n} of {m} images", { n: count(run.images), m: count(run.total) })];
  if (run.state === "training" && run.rate) parts.push(t("{n} a second", { n: precise(run.rate) }));
  if (run.left !== null && run.left !== undefined) parts.push(t("{t} left", { t: duration(run.left) }));
  return parts.join(" · ");
}

function row(run) {
  if (run.state === "broken") {
    return h("li", { class: "run" }, h("span", { class: "thumb" }), h("div", { class: "what" }, h("b", {}, run.name), badge(run), h("p", {}, run.about)));
  }
  const picture = run.thumbnail
    ? h("img", { class: "thumb", src: `/api/runs/${run.id}/thumbnail?v=${run.thumbnail}`, alt: t("last sample of {name}", { name: run.name }), loading: "lazy", width: 72, height: 72 })
    : h("span", { class: "thumb" });
  return h("li", { class: "run" },
    picture,
    h("div", { class: "what" },
      h("p", {}, h("a", { href: address(run) }, run.name), badge(run), verdictChip(run.verdict)),
      h("p", { class: "soft" }, `${run.system} · ${run.data} · ${t("seed {n}", { n: run.seed })}`)),
    h("div", { class: "pace" }, progress(run), h("p", { class: "soft" }, `${pace(run)} · ${ago(run.changed)}`)));
}

function matches(run) {
  const text = [run.name, run.system, run.data, run.verdict, run.state, t(run.state), t(run.verdict ?? "")].join(" ").toLowerCase();
  return (!kept.state || run.state === kept.state) && kept.words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

export function runsPage(main, { root }) {
  const list = h("ul", { class: "runs" });
  const total = h("p", { class: "soft", role: "status" });
  const rows = new Map(); // id -> [what it shows, its element]

  function draw() {
    const all = [...runs.values()], found = all.filter(matches).sort(ORDERS[kept.order]);
    const made = found.map((run) => {
      const known = rows.get(run.id), key = `${run.version}`;
      if (known?.[0] === key) return known[1];
      const element = row(run);
      rows.set(run.id, [key, element]);
      return element;
    });
    const focused = document.activeElement;
    list.replaceChildren(...made);
    if (list.contains(focused)) focused.focus();
    total.textContent = found.length === all.length ? t("{n} runs", { n: all.length }) : t("{n} of {m} runs", { n: found.length, m: all.length });
    empty.hidden = all.length > 0;
    none.hidden = all.length === 0 || found.length > 0;
  }

  const command = "ganvas train dcgan-digits";
  const empty = h("div", { class: "card" }, h("p", {}, t("There is no run in {root} yet.", { root }), " ", t("Train a first one, and it appears here:")),
    h("p", {}, h("code", {}, command), " ", copyButton(command, t("copy"), t("copied"))));
  const none = h("p", {}, t("No run matches."));
  const option = (value, label, selected) => h("option", { value, selected: selected === value }, label);
  replace(main,
    h("h1", {}, t("Runs")),
    h("form", { class: "tools", role: "search", onsubmit: (event) => event.preventDefault() },
      h("label", {}, t("Search"), h("input", { type: "search", value: kept.words, placeholder: t("name, system, data, verdict"), oninput: (event) => { kept.words = event.target.value; draw(); } })),
      h("label", {}, t("State"), h("select", { onchange: (event) => { kept.state = event.target.value; draw(); } }, option("", t("all"), kept.state), STATES.map((one) => option(one, t(one), kept.state)))),
      h("label", {}, t("Sort by"), h("select", { onchange: (event) => { kept.order = event.target.value; draw(); } }, Object.keys(ORDERS).map((one) => option(one, t(one), kept.order)))),
      total),
    empty, none, list);
  document.title = `ganvas · ${t("Runs")}`;
  draw();
  const clock = setInterval(() => { if (!document.hidden) { rows.clear(); draw(); } }, 15000); // "3 min ago"
  return {
    changed: draw,
    close: () => clearInterval(clock),
  };
}

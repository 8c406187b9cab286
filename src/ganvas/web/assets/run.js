// The page of one run.

import { chart, colourOf, isNews, nameOf } from "./chart.js";
import { copyButton, h, json, replace } from "./dom.js";
import { runs } from "./live.js";
import { player } from "./player.js";
import { badge, pace, progress, verdictChip } from "./runs.js";
import { count, t } from "./words.js";

const view = { by: "i", log: false, smooth: 0 };

function section(title, ...content) {
  return h("section", {}, h("h2", {}, t(title)), content);
}

function table(heads, rows, classes = []) {
  return h("div", { class: "wide", tabindex: 0 }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, t(head))))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, index) => h("td", { class: classes[index] ?? null }, cell)))))));
}

function figures(rows) {
  return table(["measure", "value [95 % interval]", "unit", "state", "images seen", "protocol"],
    rows.map((row) => [row.title, row.value, row.unit, row.state, row.images, row.protocol]), [null, "number", null, null, "number", "protocol"]);
}

function choice(label, options, value, onchange) {
  return h("div", { class: "switch", role: "group", "aria-label": t(label) }, options.map(([name, text]) =>
    h("button", { type: "button", "aria-pressed": String(name === value), onclick: () => onchange(name) }, t(text))));
}

export function runPage(main, id, name) {
  const named = [...runs.values()].find((run) => run.name === name); // numbers change when the server starts anew
  const number = named?.id ?? id;
  const head = h("div", {}), body = h("div", {}), notice = h("p", { class: "warning", role: "alert", hidden: true });
  replace(main, h("p", { class: "kicker" }, h("a", { href: "#/" }, `← ${t("Back to all runs")}`)), head, notice, body);
  let shown = null, around = null, samples = null, fresh = 0, asked = 0, closed = false, age = null;
  const charts = h("div", { class: "charts" }), controls = h("div", { class: "tools" }), keys = h("div", { class: "keys" });
  const verdicts = h("div", {}), log = h("pre", { class: "log", tabindex: 0 }), logTitle = h("p", { class: "soft" });
  const sampleBox = h("div", {}), rest = h("div", {});

  function say(text) {
    notice.textContent = text;
    notice.hidden = !text;
  }

  function header(run) {
    document.title = `ganvas · ${run.name}`;
    replace(head, h("h1", {}, run.name, " ", badge(run), " ", verdictChip(run.verdict)), h("p", { class: "lead" }, `${run.system} · ${run.data} · ${run.about}`), progress(run), h("p", { class: "soft" }, pace(run)));
  }

  function pick(images) {
    samples?.goTo(images);
  }

  function drawCharts() {
    if (!around) return;
    const set = (key) => (value) => { view[key] = value; drawCharts(); };
    replace(controls,
      choice("x axis", [["i", "images"], ["h", "hours"]], view.by, set("by")),
      choice("y axis", [[false, "linear"], [true, "logarithmic"]], view.log, set("log")),
      h("label", {}, t("smoothing"), h("input", { type: "range", min: 0, max: 0.98, step: 0.02, value: view.smooth, oninput: (event) => { view.smooth = Number(event.target.value); drawCurves(); } })));
    drawCurves();
  }

  function drawCurves() {
    if (charts.childElementCount !== around.charts.length) {
      replace(charts, around.charts.map((one) => h("div", {}, h("h3", {}, t(one.title), h("span", { class: "legend" })), h("div", { class: "chart" }))));
    }
    around.charts.forEach((one, index) => {
      const card = charts.children[index];
      card.querySelector("h3").firstChild.textContent = t(one.title);
      replace(card.querySelector(".legend"), one.series.length > 1 ? one.series.map((s, place) => h("span", {}, h("span", { class: "dot", "--c": colourOf(s, place) }), nameOf[s.player] ?? s.name)) : []);
      chart(card.querySelector(".chart"), one, view, around, pick);
    });
    const seen = [...new Set(around.verdicts.filter(isNews).map((one) => one.verdict))];
    replace(keys, seen.map((one) => h("span", {}, h("i", { "--v": `var(--v-${one})` }), t(one))));
  }

  function drawVerdicts() {
    const rows = around.verdicts.map((one) => [
      h("button", { type: "button", class: "small", onclick: () => pick(one.i0) }, `${count(one.i0)} – ${count(one.i1)}`), t(one.verdict), one.sentence]);
    replace(verdicts, rows.length ? table(["images seen", "verdict", "evidence"], rows, [null, null, "wrap"]) : h("p", { class: "hint" }, t("The run was not diagnosed.")));
  }

  function drawRest(run) {
    const found = h("tbody", {}), filter = (words) => replace(found, run.recipe.filter(([path]) => path.includes(words)).map(([path, value]) =>
      h("tr", {}, h("th", { scope: "row" }, h("code", {}, path)), h("td", { class: "wrap" }, value))));
    filter("");
    replace(rest,
      run.notes.length ? section("Events", h("ul", {}, run.notes.map((note) => h("li", {}, note)))) : null,
      section("Figures", run.figures.length ? figures(run.figures) : h("p", { class: "hint" }, t("The run has not been evaluated.")),
        run.logged.length ? [h("h3", {}, t("Logged during training")), h("p", { class: "hint" }, t("Rough, on few images; not for comparison with other work.")), figures(run.logged)] : null,
        h("p", { class: "hint" }, t("Figures are comparable only if every field of their protocol agrees."))),
      section("The run", h("div", { class: "wide", tabindex: 0 }, h("table", {}, h("tbody", {}, [...run.facts, ["folder", run.path]].map(([fact, value]) => h("tr", {}, h("th", { scope: "row" }, t(fact)), h("td", { class: "wrap" }, value))))))),
      h("p", {}, h("a", { href: `#/use/run-${number}` }, t("Use this model"))),
      section("Commands", h("ul", { class: "commands" }, run.commands.map(([what, line]) => h("li", {}, h("span", {}, t(what)), h("code", {}, line), copyButton(line, t("copy"), t("copied")))))),
      section("Recipe", h("details", {}, h("summary", {}, t("all {n} fields", { n: run.recipe.length })),
        h("div", { class: "tools" }, h("label", {}, t("Find a field"), h("input", { type: "search", oninput: (event) => filter(event.target.value) }))),
        h("div", { class: "wide", tabindex: 0 }, h("table", { class: "recipe" }, found)))));
  }

  function drawLog(found) {
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    log.textContent = found.lines.map(readable).join("\n");
    logTitle.textContent = found.total ? t("last {n} of {m} lines", { n: count(found.lines.length), m: count(found.total) }) : t("The log is empty.");
    if (atEnd) log.scrollTop = log.scrollHeight;
    if (age !== null && age !== found.age) say(t("The run was rewritten, as when it is resumed; everything was read again."));
    age = found.age;
  }

  async function load() {
    const mine = ++asked, began = performance.now();
    try {
      const [run, curves, lines] = await Promise.all(["", "/curves", "/log"].map((part) => json(`/api/runs/${number}${part}`)));
      if (closed || mine !== asked) return;
      fresh = run.version;
      around = curves;
      header(run);
      if (run.previews.length && !samples) {
        samples = player(number, run.previews, () => {});
        replace(sampleBox, h("p", { class: "hint" }, t("The same noise, or the same crops, at every moment; nothing is chosen by hand. Arrow keys move, the space bar plays.")), samples.element);
      } else if (run.previews.length) samples.update(run.previews);
      else replace(sampleBox, h("p", { class: "hint" }, t("There is no sample yet.")));
      if (!shown) {
        replace(body,
          section("Samples", sampleBox),
          section("Curves", h("p", { class: "hint" }, t("The colours behind the curves are the verdicts of the diagnosis. Click a curve to see the samples of that moment. A loss shows the state of the game, not the quality of the images.")), controls, charts, keys, curves.charts.length ? null : h("p", { class: "hint" }, t("The log is empty."))),
          section("Verdicts", verdicts), rest, section("Log", logTitle, log));
      }
      if (!shown || shown.version !== run.version) drawRest(run);
      shown = run;
      pause = Math.max(300, 2 * (performance.now() - began));
      drawCharts();
      drawVerdicts();
      drawLog(lines);
    } catch (error) {
      if (!closed) say(error.message);
    }
  }

  let waiting = 0, width = 0, pause = 300;
  const resized = new ResizeObserver(() => {
    if (around && body.clientWidth !== width) { width = body.clientWidth; drawCurves(); }
  });
  resized.observe(body);
  load();
  return {
    changed(changed, gone) {
      if (gone.includes(number)) load(); // whose answer says that it is gone
      const run = changed.find((one) => one.id === number);
      if (!run || run.version === fresh) return;
      if (shown) header({ ...shown, ...run });
      clearTimeout(waiting);
      waiting = setTimeout(load, shown ? pause : 0); // several lines at once, and the longer the log, the rarer
    },
    close() {
      closed = true;
      clearTimeout(waiting);
      resized.disconnect();
      samples?.close();
    },
  };
}

// A line of the log for people: its numbers, in their order.
function readable(text) {
  try {
    const { images, ...others } = JSON.parse(text);
    const parts = Object.entries(others).map(([name, value]) => {
      if (typeof value === "number") return `${name} ${Number(value.toPrecision(4))}`;
      if (name === "figures") return value.map((one) => `${one.measure} ${Number(one.value).toPrecision(4)}`).join("  ");
      return value && typeof value === "object" ? `${name} {${Object.keys(value).length}}` : `${name} ${value}`;
    });
    return `${String(count(images)).padStart(12)}  ${parts.join("  ")}`;
  } catch {
    return text;
  }
}

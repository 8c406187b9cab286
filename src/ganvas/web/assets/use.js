// Use a model: images, sentences and points from noise; photos upscaled and repaired, one after another.

import { ask, copyButton, h, json, replace } from "./dom.js";
import { pair } from "./pair.js";
import { t } from "./words.js";

const SHOWN = ["image/png", "image/jpeg", "image/webp", "image/avif"]; // formats that a browser shows

const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function commandLine(words) {
  const line = words.filter((word) => word !== "").map((word) => quoted(String(word))).join(" ");
  return h("p", { class: "command" }, h("span", {}, t("On the command line")), " ", h("code", {}, line), " ", copyButton(line, t("copy"), t("copied")));
}

function field(label, props) {
  return h("label", {}, t(label), h("input", props));
}

const number = (min, max, value, step = 1) => ({ type: "number", min, max, value, step });
const post = (model, what, query, options) => ask(`/v2/models/${model.name}/${what}?${new URLSearchParams(query)}`, { method: "POST", ...options });

function failure(error) {
  return h("p", { class: "warning", role: "alert" }, error.message);
}

function sampling(model, place, urls) {
  const isImages = model.task === "images", isText = model.task === "text";
  const seed = field("seed", number(0, 4294967295, 0));
  const many = field(isImages ? "number of images" : isText ? "number of sentences" : "number of points", number(1, isImages ? 64 : 1000, isImages ? 16 : isText ? 20 : 1000));
  const warmth = isText && field("temperature", number(0.1, 5, 1, 0.1));
  const classes = isImages && model.classes.length > 0 && h("label", {}, t("class"), h("select", {}, h("option", { value: "" }, t("all")), model.classes.map((name) => h("option", { value: name }, name))));
  const shown = h("div", { "aria-live": "polite" }), kept = h("div", {});
  const value = (label) => label.querySelector("input, select").value;

  async function images(query) {
    const cells = Array.from({ length: Number(value(many)) }, (_, index) => {
      const picture = h("img", { alt: t("image {i} of seed {n}", { i: index, n: query.seed }) });
      return [index, picture, h("button", { type: "button", class: "cell", title: picture.alt, disabled: true, onclick: () => keep(index, picture) }, picture)];
    });
    replace(shown, h("p", { class: "hint" }, t("Click a picture to keep it.")), h("div", { class: "cells", "--side": `${Math.max(64, Math.min(256, model.size[1] * 2))}px` }, cells.map(([, , button]) => button)),
      commandLine(["ganvas", "generate", place, "-n", value(many), "--seed", query.seed, ...(query.class ? ["--class", query.class] : []), "--out", "samples"]));
    const keep = (index, picture) => replace(kept, h("figure", { class: "kept" }, h("img", { src: picture.src, alt: picture.alt }), h("figcaption", {}, `${picture.alt} `,
      h("a", { href: picture.src, download: `${query.seed}-${String(index).padStart(6, "0")}.png` }, t("download")))));
    await Promise.all(cells.map(async ([index, picture, button]) => {
      const url = URL.createObjectURL(await (await post(model, "generate", { ...query, index }, { headers: { Accept: "image/png" } })).blob());
      urls.push(url);
      picture.src = url;
      button.disabled = false;
    }));
  }

  async function others(query) {
    const response = await post(model, "generate", { ...query, n: value(many) }, { headers: { Accept: isText ? "text/plain" : "image/png" } });
    const line = commandLine(["ganvas", "generate", place, "-n", value(many), "--seed", query.seed, ...(query.temperature ? ["--temperature", query.temperature] : [])]);
    if (isText) return replace(shown, h("ol", { class: "sentences" }, (await response.text()).trimEnd().split("\n").map((text) => h("li", {}, text || " "))), line);
    const url = URL.createObjectURL(await response.blob());
    urls.push(url);
    replace(shown, h("img", { class: "plot", src: url, alt: model.name }), line);
  }

  const form = h("form", { class: "tools", onsubmit: async (event) => {
    event.preventDefault();
    const query = { seed: value(seed) };
    if (classes && value(classes)) query.class = value(classes);
    if (warmth) query.temperature = value(warmth);
    button.disabled = true;
    try {
      await (isImages ? images(query) : others(query));
    } catch (error) {
      replace(shown, failure(error));
    }
    button.disabled = false;
  } }, seed, many, classes, warmth);
  const button = h("button", { class: "plain", type: "submit" }, t("Generate"));
  form.append(button);
  return h("div", {}, form, shown, kept);
}

function photos(model, place, what, limits, urls) {
  const results = h("div", { class: "results" });
  const strength = h("input", { type: "range", min: 0, max: 1, step: 0.05, value: 1 });
  const tone = h("input", { type: "checkbox", checked: true });
  const hasStart = what === "repair" || model.name === "srgan-x4";
  const controls = h("div", { class: "tools" },
    hasStart && h("label", {}, t(what === "repair" ? "strength: 0 only fill what is lost, 1 all" : "strength: 0 faithful, 1 sharp"), strength),
    what === "repair" && h("label", {}, tone, t("correct tone and colours")));
  const files = h("input", { type: "file", multiple: true, accept: "image/*", onchange: () => { take(files.files); files.value = ""; } });
  const drop = h("label", { class: "drop" }, h("b", {}, t("Drop photos here, or choose them")), files,
    h("span", {}, t("Up to {mb} MB and {mp} megapixels each; they stay on this server and are deleted at once.", { mb: limits.upload, mp: limits.limit })));
  drop.ondragover = (event) => { event.preventDefault(); drop.classList.add("over"); };
  drop.ondragleave = () => drop.classList.remove("over");
  drop.ondrop = (event) => { event.preventDefault(); drop.classList.remove("over"); take(event.dataTransfer.files); };
  let last = Promise.resolve(); // photos are sent one after another

  function take(list) {
    const query = what === "repair" ? { strength: strength.value, tone: tone.checked } : hasStart ? { strength: strength.value } : {};
    for (const file of list) {
      const body = h("div", {}, h("p", { class: "soft" }, t("waiting")));
      results.prepend(h("section", { class: "result" }, h("h3", {}, file.name), body));
      last = last.then(() => change(file, body, query));
    }
  }

  async function change(file, body, query) {
    const size = file.size / 2 ** 20;
    if (size > limits.upload) return replace(body, failure(new Error(t("{mb} MB are more than the limit of {limit} MB.", { mb: size.toFixed(1), limit: limits.upload }))));
    replace(body, h("p", { class: "soft" }, t("working"), " ", h("progress", { "aria-label": file.name })));
    try {
      const response = await post(model, what, query, { body: file, headers: { "Content-Type": "application/octet-stream" } });
      const kind = response.headers.get("Content-Type"), notes = response.headers.get("Ganvas-Notes");
      const [before, after] = [file, await response.blob()].map((one) => URL.createObjectURL(one));
      urls.push(before, after);
      const suffix = what === "repair" ? "_repaired" : model.scale > 1 ? `_x${model.scale}` : "_changed";
      const name = `${file.name.replace(/\.\w+$/, "")}${suffix}.${{ "image/jpeg": "jpg", "image/tiff": "tif" }[kind] ?? kind.split("/")[1]}`;
      const flags = Object.entries(query).flatMap(([flag, value]) => (flag === "tone" ? (value ? [] : ["--no-tone"]) : Number(value) === 1 ? [] : [`--${flag}`, value]));
      replace(body, SHOWN.includes(kind) && pair(before, after, file.name),
        h("p", {}, h("a", { href: after, download: name }, `${t("download")} ${name}`)), notes && h("p", { class: "soft" }, notes),
        commandLine(["ganvas", what, file.name, "--model", place, ...flags]));
    } catch (error) {
      replace(body, failure(error));
    }
  }

  return h("div", {}, controls, drop, results);
}

export function usePage(main, wanted) {
  const urls = [], body = h("div", {});
  let closed = false;
  const chooser = h("select", { onchange: () => { location.hash = `#/use/${chooser.value}`; } });
  replace(main, h("h1", {}, t("Use")), h("div", { class: "tools" }, h("label", {}, t("Model"), chooser)), body);
  document.title = `ganvas · ${t("Use")}`;

  async function load() {
    const limits = await json("/api/models");
    chooser.append(...limits.models.map((one) => h("option", { value: one.name }, one.label)));
    const chosen = limits.models.find((one) => one.name === wanted) ?? limits.models[0];
    chooser.value = chosen.name;
    replace(body, h("p", { class: "soft", role: "status" }, `${t("opening the model")} … `, h("progress", { "aria-label": chosen.label })));
    const model = await json(`/v2/models/${chosen.name}`);
    if (closed) return;
    const [what] = model.operations;
    const parts = { generate: () => sampling(model, chosen.place, urls), upscale: () => photos(model, chosen.place, what, limits, urls), repair: () => photos(model, chosen.place, what, limits, urls) };
    replace(body, parts[what]?.() ?? h("p", {}, t("This model does nothing that the page offers.")));
  }

  load().catch((error) => { if (!closed) replace(body, failure(error)); });
  return { close() { closed = true; urls.forEach((url) => URL.revokeObjectURL(url)); } };
}

// The page: which part is shown, the language, and the stream of changes.

import { h, replace } from "./dom.js";
import { follow } from "./live.js";
import { runPage } from "./run.js";
import { runsPage } from "./runs.js";
import { usePage } from "./use.js";
import { choose, chosen, t } from "./words.js";

const main = document.getElementById("main");
const status = document.getElementById("status");
const language = document.getElementById("language");
let found = { root: "", exists: true };
let page = null; // { changed(runs, gone), close() }
let state = "";

function told(what) {
  state = what;
  status.textContent = t(what);
  status.dataset.state = what;
}

function show() {
  page?.close?.();
  const [, kind, id, name] = location.hash.split("/");
  page = kind === "run" ? runPage(main, Number(id), decodeURIComponent(name ?? "")) : kind === "use" ? usePage(main, id) : runsPage(main, found);
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.getAttribute("href") === (kind === "use" ? "#/use" : "#/")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
}

function texts() {
  document.getElementById("skip").textContent = t("Skip to the content");
  language.setAttribute("aria-label", t("Language"));
  replace(document.getElementById("nav"), h("a", { href: "#/" }, t("Runs")), h("a", { href: "#/use" }, t("Use")));
  told(state);
  show();
}

document.getElementById("skip").onclick = (event) => { event.preventDefault(); main.focus(); };
language.onchange = () => { choose(language.value, true); texts(); };
choose(chosen());
language.value = chosen();
addEventListener("hashchange", () => { show(); main.focus(); });

try {
  found = await follow((changed, gone) => page?.changed?.(changed, gone), told);
  texts();
} catch (error) {
  replace(main, h("p", { class: "warning", role: "alert" }, error.message));
}

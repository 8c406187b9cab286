// The runs as they are now: by a stream that all tabs share where the browser can, else by one of this tab's own.

import { json } from "./dom.js";
import { source } from "./source.js";

export const runs = new Map();

export async function follow(heard, told) {
  const take = ({ runs: changed, gone, all }) => {
    const lost = all ? [...runs.keys()].filter((id) => !changed.some((run) => run.id === id)) : gone;
    for (const id of lost) runs.delete(id);
    for (const run of changed) runs.set(run.id, run);
    heard(changed, lost);
  };
  const found = await json("/api/runs");
  for (const run of found.runs) runs.set(run.id, run);
  const seen = globalThis.SharedWorker ? shared(take, told) : alone(take, told);
  document.addEventListener("visibilitychange", () => { seen(!document.hidden); if (document.hidden) told("paused while hidden"); });
  addEventListener("pageshow", () => seen(!document.hidden));
  seen(!document.hidden);
  return found;
}

function shared(take, told) {
  const { port } = new SharedWorker("/static/shared.js", { type: "module", name: "ganvas" });
  port.onmessage = ({ data: { state, change } }) => {
    if (state) told(state);
    if (change) take(change);
  };
  addEventListener("pagehide", () => port.postMessage("bye"));
  return (visible) => port.postMessage(visible ? "seen" : "hidden");
}

function alone(take, told) {
  const stream = source(take, (how) => (how === "again" ? stream.open() : told(how)));
  return (visible) => (visible ? stream.open() : stream.close());
}

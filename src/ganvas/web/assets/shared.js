// One stream for all tabs, since a browser allows six connections to a server; closed while no tab is seen.

import { source } from "./source.js";

const runs = new Map(), tabs = new Map(); // port -> whether its tab is seen
let state = "";
const tell = (message) => { for (const port of tabs.keys()) port.postMessage(message); };
const stream = source((change) => {
  if (change.all) runs.clear();
  for (const run of change.runs) runs.set(run.id, run);
  for (const id of change.gone) runs.delete(id);
  tell({ change });
}, (how) => {
  if (how === "again") return settle();
  state = how;
  tell({ state });
});

function settle() {
  if ([...tabs.values()].some(Boolean)) stream.open();
  else stream.close();
}

onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data === "bye") tabs.delete(port);
    else tabs.set(port, data === "seen");
    settle();
    if (data === "seen" && runs.size) port.postMessage({ state, change: { runs: [...runs.values()], gone: [], all: true } });
  };
};

// Elements, without a single line of HTML made of what a run or a file is called.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props, ...children) {
  return filled(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return filled(document.createElementNS(SVG, tag), props, children);
}

function filled(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name === "value" || name === "checked" || name === "max" || name === "min") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

const present = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "");

export function replace(parent, ...children) {
  parent.replaceChildren(...present(children));
}

// JSON of an address of this server; its sentence as the message of what is thrown.
export async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the server does not answer; start ganvas web again.");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => null);
  throw new Error(problem?.detail ?? `${response.status} ${response.statusText}`);
}

export async function json(path, options) {
  return (await ask(path, options)).json();
}

export function copyButton(text, label, done) {
  const button = h("button", { type: "button", class: "small", onclick: async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = done;
    setTimeout(() => { button.textContent = label; }, 1500);
  } }, label);
  return button;
}

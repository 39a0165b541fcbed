// Elements, made of names and text. Text is only ever text: nothing here reads HTML.

const $ = (id) => document.getElementById(id);

export function made(tag, properties, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children.flat().filter((child) => child !== null));
  return element;
}

export function code(text) {
  return made("code", {}, text);
}

export function link(name, text) {
  return made("a", { href: `#${name}` }, text);
}

export function section(title, ...children) {
  return made("section", {}, made("h2", {}, title), ...children);
}

// Text of several paragraphs, in which `code` and the numbers of decisions stand out, and names that have a view lead there.
export function prose(text, reference) {
  return text.split(/\n{2,}/).map((paragraph) => made("p", {}, ...words(paragraph, reference)));
}

export function words(text, reference) {
  return text.split(/(``.+?``|`.+?`|\bD\d+\b)/).map((part) => word(part, reference));
}

function word(part, reference) {
  const name = part.replace(/^`+|`+$/g, "");
  const isKnown = [reference.operations, reference.events].some((views) => views.has(name));
  if (name !== part) {
    return isKnown ? made("a", { href: `#${name}` }, code(name)) : code(name);
  }
  return /^D\d+$/.test(part) && part in reference.decisions ? link(part, part) : part;
}

// The words of a name in camel case.
export function spaced(name) {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

// What can be copied --------------------------------------------------------------------------------------------

export function copyable(text, what) {
  const shown = made("pre", {}, code(text));
  const button = made("button", { type: "button", className: "small", ariaLabel: `Copy ${what}` }, "Copy");
  button.addEventListener("click", () => copy(text, shown));
  return made("div", { className: text.includes("\n") ? "copyable long" : "copyable" }, shown, button);
}

async function copy(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    getSelection().selectAllChildren(shown);
    say("It is selected; copy it with your keyboard.");
  }
}

// For those who hear the page, and for those who look at it.
export function say(text) {
  $("said").textContent = text;
  clearTimeout(say.later);
  say.later = setTimeout(() => ($("said").textContent = ""), 4000);
}

// The contents beside the page, and the filter above them.

import { made } from "./elements.js";

const $ = (id) => document.getElementById(id);
const SOON = 300;

const entries = [];
let later;

export function fillContents(reference) {
  entries.length = 0;
  const start = family("", [
    { operationId: "", verb: "", path: "", title: "What this server answers" },
    { operationId: "any-call", verb: "", path: "", title: "Refusals of any call" },
    { operationId: "decisions", verb: "", path: "", title: "Decisions behind guesses" },
  ]);
  const apis = reference.apis.map(({ title, prefix, families }) =>
    group(`${title} ${prefix}`, ...families.map((each) => family(each.title, each.operations))),
  );
  $("contents").replaceChildren(start, ...apis, group("Webhook events", family("", [...reference.events.values()])));
  $("nav").hidden = false;
  narrow();
}

function group(title, ...families) {
  return made("section", { className: "group" }, made("h2", {}, title), ...families);
}

function family(title, views) {
  const heading = title === "" ? null : made("h3", {}, title);
  return made("div", { className: "family" }, heading, made("ul", {}, ...views.map(entry)));
}

function entry({ operationId, verb, path, title }) {
  const badge = made("span", { className: `verb ${verb.toLowerCase()}` }, verb);
  const call = path === "" ? null : made("span", { className: "call" }, badge, ` ${path}`);
  const item = made("li", {}, made("a", { href: `#${operationId}` }, made("span", {}, title), call));
  entries.push({ item, text: `${verb} ${path} ${title} ${operationId}`.toLowerCase() });
  return item;
}

export function markCurrent(name) {
  for (const link of $("contents").querySelectorAll("a")) {
    const isCurrent = link.getAttribute("href") === `#${name}`;
    link.ariaCurrent = isCurrent ? "page" : null;
    if (isCurrent) {
      link.scrollIntoView({ block: "nearest" });
    }
  }
}

// Filtering -----------------------------------------------------------------------------------------------------

function narrow() {
  const sought = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { item, text } of entries) {
    item.hidden = !sought.every((each) => text.includes(each));
    count += item.hidden ? 0 : 1;
  }
  for (const each of $("contents").querySelectorAll(".family, .group")) {
    each.hidden = each.querySelector("li:not([hidden])") === null;
  }
  clearTimeout(later);
  later = setTimeout(() => ($("found").textContent = tally(sought, count)), SOON);
}

function tally(sought, count) {
  if (sought.length === 0) {
    return "";
  }
  return count === 0 ? `Nothing matches “${$("filter").value.trim()}”.` : `${count} of ${entries.length} match.`;
}

function links() {
  return [...$("contents").querySelectorAll("li:not([hidden]) a")].filter((link) => link.checkVisibility());
}

function step(from, by) {
  const all = links();
  const next = all.indexOf(from) + by;
  (next < 0 ? $("filter") : all[Math.min(next, all.length - 1)])?.focus();
}

$("filter").addEventListener("input", () => {
  narrow();
  fold($("filter").value.trim() === "");
});

$("filter").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && $("filter").value.trim() !== "") {
    links()[0]?.click();
  } else if (event.key === "Escape") {
    $("filter").value = "";
    narrow();
  }
});

$("nav").addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by !== undefined && (event.target.id === "filter" ? by > 0 : event.target.localName === "a")) {
    event.preventDefault();
    step(event.target, by);
  }
});

// On a phone they are folded, unless they are asked for or filtered ----------------------------------------------

function fold(isFolded) {
  $("unfold").ariaExpanded = isFolded ? "false" : "true";
  $("nav").classList.toggle("unfolded", !isFolded);
}

$("unfold").addEventListener("click", () => fold($("unfold").ariaExpanded === "true"));

$("contents").addEventListener("click", (event) => {
  if (event.target.closest("a") !== null) {
    fold(true);
  }
});

// The page: it asks for what it shows, lets a control token be typed where there is one, and follows the address.

import { asked, Refusal } from "./asked.js";
import { fillContents, markCurrent } from "./contents.js";
import { curl } from "./curl.js";
import { code, copyable, made } from "./elements.js";
import { Reference } from "./reference.js";
import { anyCallView, decisionsView, eventView, mark, MARKS, operationView, unknownView } from "./views.js";

const TITLE = document.title;
const $ = (id) => document.getElementById(id);

let reference;

function show(id) {
  for (const each of $("main").children) {
    each.hidden = each.id !== id;
  }
  return $(id).querySelector("h1");
}

// Asking --------------------------------------------------------------------------------------------------------

// The token is a parameter and nothing else: neither the page's address nor the browser keeps it.
async function open(token) {
  let documents;
  show("opening");
  try {
    documents = await Promise.all(["openapi.json", "fidelity"].map((name) => asked(`/_sandbox/${name}`, token)));
  } catch (problem) {
    tell(problem, token);
    return;
  }
  reference = new Reference(...documents, token !== null);
  fillContents(reference);
  fillStart();
  if (location.hash === "") {
    follow();
  } else {
    move();
  }
}

function tell(problem, token) {
  if (problem.status === 401) {
    show("token");
    $("token-alert").textContent = token === null ? "" : "This is not its control token.";
    $("token-value").focus();
    return;
  }
  const isRefused = problem instanceof Refusal;
  $("problem-title").textContent = isRefused ? "The reference cannot be shown here" : "The sandbox does not answer";
  $("problem-message").textContent = isRefused
    ? problem.message
    : "It may have been stopped. Start it again, then try once more.";
  $("again").onclick = () => open(token);
  show("problem").focus();
}

$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = $("token-value").value;
  $("token-value").value = "";
  open(token);
});

// The first screen ----------------------------------------------------------------------------------------------

function fillStart() {
  const { origin } = location;
  const headers = Object.values(reference.document.components.securitySchemes);
  $("base").replaceChildren(copyable(`${origin}/v1`, "the base URL"));
  $("credentials").replaceChildren(...headers.map((each) => row(code(each.name), copyable(each["x-example"], each.name))));
  const call = curl(reference.operations.get("providers.list"), reference, origin);
  $("first-call").replaceChildren(copyable(call, "this call"));
  $("marks").replaceChildren(...Object.entries(MARKS).map(([source, [, meaning]]) => row(mark(source), meaning)));
  const events = row("Webhook events", `${reference.events.size} types.`);
  $("apis").replaceChildren(...reference.apis.map(apiRow), events);
}

function apiRow({ prefix, title, about, families }) {
  const count = families.reduce((sum, each) => sum + each.operations.length, 0);
  return row(made("span", {}, title, " ", code(prefix)), `${about} ${count} operations.`);
}

function row(name, ...told) {
  return made("div", {}, made("dt", {}, name), made("dd", {}, ...told));
}

// Following the address -----------------------------------------------------------------------------------------

function named() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return location.hash.slice(1);
  }
}

function isDecision(name) {
  return Object.hasOwn(reference.decisions, name);
}

function view(name) {
  const [operation, event] = [reference.operations.get(name), reference.events.get(name)];
  if (operation !== undefined) {
    return operationView(operation, reference, location.origin);
  }
  if (event !== undefined) {
    return eventView(event, reference);
  }
  if (name === "decisions" || isDecision(name)) {
    return decisionsView(reference);
  }
  return name === "any-call" ? anyCallView(reference) : unknownView(name);
}

function follow() {
  const name = named();
  if (name !== "") {
    $("view").replaceChildren(...view(name).filter((each) => each !== null));
  }
  const heading = show(name === "" ? "start" : "view");
  document.title = name === "" ? TITLE : `${heading.textContent} · ${TITLE}`;
  markCurrent(isDecision(name) ? "decisions" : name);
  return { name, heading };
}

function move() {
  if (reference === undefined) {
    return;
  }
  const { name, heading } = follow();
  scrollTo(0, 0);
  (isDecision(name) ? $(name) : heading).focus();
}

addEventListener("hashchange", move);

$("skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("main").querySelector(":scope > :not([hidden]) h1")?.focus();
});

open(null);

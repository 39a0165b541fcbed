// The steps of Link, one shown at a time: choose the EHR, sign in, one-time code, connected; or a problem that ends it.

import { close, connected, inLightbox, withToken } from "./opener.js";
import { opened, Refusal, signedIn } from "./session.js";

const TITLE = document.title;
const token = new URLSearchParams(location.search).get("token") ?? "";
const $ = (id) => document.getElementById(id);

let session;
let ehr;

function show(id) {
  for (const section of document.querySelectorAll("main > section")) {
    section.hidden = section.id !== id;
  }
  const heading = $(id).querySelector("h1");
  document.title = heading ? `${heading.textContent.trim()} · ${TITLE}` : TITLE;
  scrollTo(0, 0);
  heading?.focus();
}

function fill(attribute, text) {
  for (const each of document.querySelectorAll(`[data-${attribute}]`)) {
    each.textContent = text(each.dataset[attribute]);
  }
}

// Opening ---------------------------------------------------------------------------------------------------------

async function open() {
  show("opening");
  try {
    session = await opened(token);
  } catch (problem) {
    tellProblem(problem);
    return;
  }
  fill(session.is_update ? "update" : "new", (text) => text);
  fill("organization", (otherwise) => session.organization ?? otherwise);
  $("sample-username").textContent = session.sample.username;
  $("sample-password").textContent = session.sample.password;
  $("sample-code").textContent = session.sample.code;
  $("ehrs").replaceChildren(...session.ehrs.map(choice));
  $("magic-values").replaceChildren(...session.magic.map(magicValue));
  $("magic").hidden = session.magic.length === 0;
  if (session.ehr === null) {
    show("choose");
  } else {
    signInTo(session.ehr);
  }
}

function tellProblem(problem) {
  const isRefused = problem instanceof Refusal;
  $("problem-title").textContent = isRefused ? "This link cannot be used" : "The sandbox does not answer";
  $("problem-message").textContent = isRefused ? problem.message : "It may have been stopped. Start it again, then try once more.";
  $("problem-hint").textContent = isRefused
    ? "Please go back to the app you came from and start again. A link token works once, for 30 minutes; the app asks for a new one with POST /link/token/create."
    : "";
  $("again").hidden = isRefused;
  $("leave").hidden = !inLightbox;
  show("problem");
}

$("again").addEventListener("click", open);
$("leave").addEventListener("click", close);

// Choosing the EHR ------------------------------------------------------------------------------------------------

function choice(name) {
  const item = $("ehr-choice").content.cloneNode(true);
  const button = item.querySelector("button");
  button.textContent = name;
  button.addEventListener("click", () => signInTo(name));
  return item;
}

$("choose-again").addEventListener("click", () => show("choose"));

// Signing in ------------------------------------------------------------------------------------------------------

const credentials = $("credentials");
const oneTimeCode = $("one-time-code");

function signInTo(name) {
  ehr = name;
  fill("ehr", () => name);
  $("choose-again").hidden = session.ehr !== null;
  complain(credentials, "");
  credentials.reset();
  if (session.is_update) {
    credentials.username.value = session.sample.username;
  }
  show("sign-in");
}

function fillIn(values) {
  credentials.username.value = values.username ?? session.sample.username;
  credentials.password.value = values.password ?? session.sample.password;
  complain(credentials, "");
  credentials.querySelector(".main").focus();
}

function magicValue(values) {
  const item = $("magic-value").content.cloneNode(true);
  const [field] = ["username", "password"].filter((name) => name in values);
  const button = item.querySelector("button");
  item.querySelector("strong").textContent = values.plays.charAt(0).toUpperCase() + values.plays.slice(1);
  item.querySelector(".hint span").textContent = field;
  item.querySelector("code").textContent = values[field];
  button.setAttribute("aria-label", `Use: ${values.plays}`);
  button.addEventListener("click", () => fillIn(values));
  return item;
}

function complain(form, message) {
  $(`${form.id}-alert`).textContent = message;
  for (const input of form.querySelectorAll("input")) {
    input.ariaInvalid = message ? "true" : null;
  }
}

async function submit(form, code) {
  const button = form.querySelector(".main");
  if (button.ariaDisabled) {
    return;
  }
  const label = button.textContent;
  button.ariaDisabled = "true";
  button.textContent = button.dataset.busy;
  complain(form, "");
  try {
    const { username, password } = credentials;
    const sent = { ehr, username: username.value, password: password.value, ...code };
    follow(await signedIn(token, sent));
  } catch (problem) {
    await refuse(form, problem);
  } finally {
    button.ariaDisabled = null;
    button.textContent = label;
  }
}

function follow(reply) {
  if (reply.state === "connected") {
    finish(reply);
  } else {
    oneTimeCode.reset();
    complain(oneTimeCode, "");
    show("code");
  }
}

// What was typed may be wrong, or the session may have ended in the meantime: the server knows.
async function refuse(form, problem) {
  try {
    await opened(token);
  } catch (ended) {
    tellProblem(ended);
    return;
  }
  complain(form, problem instanceof Refusal ? problem.message : "There was no answer. Please try once more.");
  const last = [...form.querySelectorAll("input")].at(-1);
  last.focus();
  last.select();
}

credentials.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(credentials, {});
});

oneTimeCode.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(oneTimeCode, { code: oneTimeCode.code.value.trim() });
});

$("fill").addEventListener("click", () => fillIn({}));
$("back").addEventListener("click", () => signInTo(ehr));

// Connected -------------------------------------------------------------------------------------------------------

function finish({ public_token: publicToken, callback_url: callback }) {
  credentials.reset();
  if (inLightbox) {
    connected(publicToken);
    $("finish").addEventListener("click", close);
  } else if (callback !== null) {
    $("finish").addEventListener("click", () => location.assign(withToken(callback, publicToken)));
  }
  $("finish").hidden = !inLightbox && callback === null;
  $("by-hand").hidden = !$("finish").hidden;
  $("public-token").value = publicToken;
  show("connected");
}

$("copy").addEventListener("click", async () => {
  $("public-token").select();
  try {
    await navigator.clipboard.writeText($("public-token").value);
    $("copied").textContent = "Copied.";
  } catch {
    $("copied").textContent = "The token is selected; copy it with your keyboard.";
  }
});

open();

// What is shown of an operation, of an event, and of what they have in common.

import { curl, missing } from "./curl.js";
import { code, copyable, link, made, prose, section, spaced, words } from "./elements.js";
import { ASKED, fields, parameters, TOLD } from "./fields.js";

const KINDS = {
  operation: "tells how a call ended",
  sync: "tells what the clinic's staff did in the EHR",
  account: "tells of the EHR credentials that are stored for an account",
  live_fetch: "brings what was fetched from the EHR",
};
const REFUSAL = "#/components/schemas/Refusal";

// A word for each source, and what it means.
export const MARKS = {
  doc: ["documented", "A page of Cobalt's documentation has it."],
  older: ["older", "Only an earlier version of the documentation has it."],
  inferred: ["guess", "No page has it: it is this sandbox's own choice, for a reason."],
  own: ["sandbox only", "The real API has no such call."],
};

export function mark(source) {
  const [word, meaning] = MARKS[source === "seed" ? "doc" : source];
  return made("span", { className: `mark ${word.replace(" ", "-")}`, title: meaning }, word);
}

function heading(title) {
  return made("h1", { id: "view-title", tabIndex: -1 }, title);
}

function badge(verb) {
  return made("span", { className: `verb ${verb.toLowerCase()}` }, verb);
}

function hint(...children) {
  return made("p", { className: "hint" }, ...children);
}

function list(className, items) {
  return made("ul", { className }, ...items.map((each) => made("li", {}, each)));
}

function enumerated(items, separator) {
  return items.flatMap((each, index) => (index > 0 ? [separator, each] : [each]));
}

// An operation --------------------------------------------------------------------------------------------------

export function operationView(operation, reference, origin) {
  const line = curl(operation, reference, origin);
  return [
    heading(operation.title),
    made("p", { className: "call" }, badge(operation.verb), " ", code(operation.path), " ", mark(operation.source)),
    hint("Operation ", code(operation.operationId), page(operation)),
    ...about(operation, reference),
    section("Call it", copyable(line, "this call"), placeholders(line, operation, reference), ...callers(operation)),
    taken("In the path", "path", operation, reference),
    taken("Query parameters", "query", operation, reference),
    body(operation, reference),
    ...replies(operation, reference),
    refusals(operation, reference),
    emitted(operation, reference),
    guesses(operation, reference),
  ];
}

function page({ externalDocs }) {
  if (externalDocs === undefined) {
    return "";
  }
  return [" · ", made("a", { href: externalDocs.url, rel: "noreferrer" }, "its page of the documentation")];
}

function about({ summary, title, description = "", family, "x-ehrs": ehrs }, reference) {
  const told = [
    family === undefined || family.about === family.title ? "" : family.about,
    summary.replace(/\.$/, "") === title ? "" : summary,
    description,
    ehrs === undefined ? "" : `Supported with ${ehrs.join(", ")} only.`,
  ];
  return told.filter((text) => text !== "").flatMap((text) => prose(text, reference));
}

function placeholders(line, operation, reference) {
  const names = missing(line, operation, reference);
  return names.length === 0 ? null : hint("Put your own in the place of ", ...enumerated(names.map(code), ", "), ".");
}

function callers({ path, security }) {
  const known = new Set(security.flatMap(Object.keys));
  if (path.startsWith("/v1/")) {
    return [known.has("AccessToken") ? null : hint("It needs no ", code("access_token"), ".")];
  }
  if (known.has("ClientSecret")) {
    return [hint("The credentials are those of the world that is made.")];
  }
  return [
    known.has("ClientCredentials") ? named("client_id", "that world", "the one that the server started with") : null,
    known.has("AccessToken") ? named("access_token", "that practice", "the first of the world") : null,
  ];
}

function named(header, one, other) {
  return hint("With the header ", code(header), ` it is about ${one}, otherwise about ${other}.`);
}

function taken(title, place, operation, reference) {
  const found = operation.parameters.filter((each) => each.in === place);
  return found.length === 0 ? null : section(title, parameters(found, reference));
}

function body({ requestBody }, reference) {
  if (requestBody === undefined) {
    return null;
  }
  const [[media, { schema }]] = Object.entries(requestBody.content);
  const form = media === "application/json" ? null : hint("Sent as ", code(media), ".");
  return section("Body", form, ...fields(schema, ASKED, reference));
}

function emitted({ operationId }, reference) {
  const events = reference.eventsOf(operationId);
  const items = events.map(({ operationId: type, source }) => [link(type, type), " ", mark(source)]);
  return events.length === 0 ? null : section("Events", list("events", items));
}

// What comes back -----------------------------------------------------------------------------------------------

function content(holder) {
  return Object.values(holder.content ?? {})[0];
}

function isRefusal([, declared], reference) {
  return content(reference.response(declared))?.schema.$ref === REFUSAL;
}

function replies({ responses }, reference) {
  return Object.entries(responses)
    .filter((each) => !isRefusal(each, reference))
    .map(([status, declared]) => section(`Reply ${status}`, ...reply(declared, reference)));
}

function reply(declared, reference) {
  const { schema, examples } = content(declared) ?? {};
  const description = declared.description === "Done" ? [] : prose(declared.description, reference);
  const samples = Object.values(examples ?? {}).slice(0, 1).map(sample);
  return [...description, ...shape(schema, reference), ...samples];
}

function shape(schema, reference) {
  if (schema === undefined) {
    return [hint("Without a body.")];
  }
  return schema.format === "binary" ? [hint("A file.")] : fields(schema, TOLD, reference);
}

function sample({ value }) {
  return made("details", {}, made("summary", {}, "Sample"), copyable(JSON.stringify(value, null, 2), "this sample"));
}

function refusals({ responses }, reference) {
  const all = Object.entries(responses).filter((each) => isRefusal(each, reference));
  const own = all.filter(([status, { $ref }]) => $ref === undefined && status !== "default");
  const shared = all.filter(([, { $ref }]) => $ref !== undefined).map(([status]) => status);
  if (own.length + shared.length === 0) {
    const envelope = code('{"success": false, "message": …}');
    return section("Refusals", made("p", {}, "With ", envelope, ", which says what to do."));
  }
  const any = made("p", {}, `${shared.join(", ")}: as `, link("any-call", "any call"), ".");
  return section("Refusals", ...own.map(([status, each]) => refusal("h3", status, each, reference)), any);
}

function refusal(level, title, declared, reference) {
  const messages = Object.values(content(declared).examples).map((each) => message(each, reference));
  return made("div", {}, made(level, {}, title), ...prose(declared.description, reference), list("messages", messages));
}

function message({ summary, value, ...told }, reference) {
  const guess = told["x-source"] === "inferred" ? guessed(told, reference) : [];
  const when = made("span", { className: "hint" }, ...words(summary, reference), ...guess);
  return [made("code", {}, value.message), when];
}

function guessed({ "x-source": source, "x-decision": decisions = [], "x-reason": reason = "" }, reference) {
  const numbers = [decisions].flat().flatMap((number) => [" ", link(number, number)]);
  return [" ", mark(source), ...numbers, " ", ...words(reason, reference)];
}

// What is a guess -----------------------------------------------------------------------------------------------

function guesses({ source, guesses: found }, reference) {
  if (source === "own") {
    return null;
  }
  const none = made("p", {}, "None: all of it is documented.");
  return section("Guesses", found.length === 0 ? none : guessList(found, reference));
}

// Those that rest on the same reason are told together.
function guessList(found, reference) {
  const byReason = Map.groupBy(found, ({ decisions, reason }) => JSON.stringify([decisions, reason]));
  const items = [...byReason.values()].flatMap((alike) => [
    made("dt", {}, ...enumerated(alike.map(({ what }) => what), "; ")),
    made("dd", {}, ...reasons(alike[0], reference)),
  ]);
  return made("dl", { className: "guesses" }, ...items);
}

function reasons({ decisions, reason }, reference) {
  const told = decisions.map((number) => {
    const { title, why } = reference.decisions[number];
    return made("p", {}, link(number, number), " ", ...words(`${title}: ${why}`, reference));
  });
  return reason === null ? told : [...told, made("p", {}, ...words(reason, reference))];
}

// An event ------------------------------------------------------------------------------------------------------

export function eventView(event, reference) {
  const { schema } = content(event.requestBody);
  const [envelope] = schema.anyOf ?? [schema];
  const { data, ...around } = envelope.properties;
  const emitters = event["x-emitted-by"].map((name) => link(name, name));
  const kinds = event["x-kinds"].map((kind) => KINDS[kind]).join(", or ");
  return [
    heading(event.operationId),
    made("p", { className: "call" }, badge(event.verb), " ", mark(event.source)),
    hint(`It ${kinds}`, page(event)),
    ...about({ ...event, title: "" }, reference),
    emitters.length === 0 ? null : section("Emitted by", list("events", emitters)),
    section("Data", ...fields({ ...reference.whole(data), description: "" }, TOLD, reference)),
    section("Envelope", delivered(event), ...fields({ ...envelope, properties: around }, TOLD, reference)),
    guesses(event, reference),
  ];
}

function delivered({ "x-kinds": kinds }) {
  const exception = kinds.length > 1 ? " What staff did has no job_id." : "";
  return hint("As webhooks deliver it and ", link("webhook_events.list", "polling"), " finds it.", exception);
}

// What they have in common --------------------------------------------------------------------------------------

export function anyCallView(reference) {
  const all = Object.entries(reference.refusals).map(([name, each]) => {
    return refusal("h2", `${each["x-status"]} ${spaced(name)}`, each, reference);
  });
  return [heading("Refusals of any call"), ...all, section("Guesses", guessList(reference.guessedOfAnyCall, reference))];
}

export function decisionsView(reference) {
  const all = Object.entries(reference.decisions).flatMap(([number, { title, why }]) => [
    made("dt", { id: number, tabIndex: -1 }, `${number} `, ...words(title, reference)),
    made("dd", {}, ...words(why, reference)),
  ]);
  const lead = "Where the documentation is silent, or says two things, the sandbox has decided. What speaks for each:";
  return [heading("Decisions behind guesses"), made("p", {}, lead), made("dl", { className: "decisions" }, ...all)];
}

export function unknownView(name) {
  const told = ["No operation, event or decision is called ", code(name), ". The contents have all that there are."];
  return [heading("There is nothing of this name"), made("p", {}, ...told)];
}

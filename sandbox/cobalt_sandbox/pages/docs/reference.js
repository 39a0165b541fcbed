// The two documents as the page needs them: operations and events by name, in the order of the contents.

const APIS = [
  { prefix: "/v1", title: "Documented API", about: "What Cobalt's documentation describes." },
  { prefix: "/_sandbox", title: "Control API", about: "Time, outcomes and whole worlds, in the hands of whoever tests." },
  { prefix: "/link", title: "Link", about: "What the page of Link asks the server." },
];
const NAMES = { openapi: "OpenAPI" };

export class Reference {
  // Of /_sandbox/openapi.json and /_sandbox/fidelity; `needsToken` if they were had with a control token.
  constructor(document, fidelity, needsToken) {
    this.document = document;
    this.needsToken = needsToken;
    this.decisions = fidelity.decisions;
    const tags = new Map(document.tags.map(({ name, description }) => [name, { title: title(name), about: description }]));
    this.operations = byName(operations(document, fidelity, tags));
    this.events = byName(Object.values(document.webhooks).map(({ post }) => event(post, fidelity)));
    this.refusals = document.components.responses;
    this.guessedOfAnyCall = fidelity.any_call;
    this.apis = APIS.map((api) => ({ ...api, families: families(api, [...this.operations.values()], tags) }));
  }

  eventsOf(operation) {
    return [...this.events.values()].filter((each) => each["x-emitted-by"].includes(operation));
  }

  // A schema as it stands where it is pointed to; what stands beside the reference goes first.
  whole(schema) {
    const { $ref, ...own } = schema;
    return $ref === undefined ? schema : { ...this.whole(this.#target($ref)), ...own };
  }

  response(declared) {
    return declared.$ref === undefined ? declared : this.#target(declared.$ref);
  }

  #target(reference) {
    return reference.split("/").slice(1).reduce((node, key) => node[key], this.document);
  }
}

// Without the numbers of decisions and the marks of code, for a line that has no room for them.
function plain(text) {
  return text.replaceAll("`", "").replace(/ \((D\d+(, )?)+\)/g, "").replace(/\.$/, "");
}

function byName(all) {
  return new Map(all.map((each) => [each.operationId, each]));
}

function operations(document, fidelity, tags) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, declared]) => ({
      ...declared,
      verb: verb.toUpperCase(),
      path,
      title: plain(declared.summary),
      family: tags.get(declared.tags[0]),
      source: fidelity.operations[declared.operationId]?.source ?? "own",
      guesses: fidelity.operations[declared.operationId]?.inferred ?? [],
      security: declared.security ?? document.security,
    })),
  );
}

function event(declared, fidelity) {
  const { source, inferred } = fidelity.events[declared.operationId];
  return { ...declared, verb: "EVENT", path: "", title: declared.operationId, source, guesses: inferred };
}

function families({ prefix }, operations, tags) {
  const own = operations.filter(({ path }) => path.startsWith(`${prefix}/`));
  const all = [...tags.values()].map((family) => ({ ...family, operations: own.filter((each) => each.family === family) }));
  return all.filter((family) => family.operations.length > 0);
}

function title(tag) {
  const words = tag.replaceAll("_", " ");
  return NAMES[tag] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

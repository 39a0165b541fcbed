// A call as a line for a shell, with the sample credentials. What only the caller knows stands in it in capitals: JOB_ID.

const TOKEN = "Authorization: Bearer $COBALT_SANDBOX_CONTROL_TOKEN";

export function curl(operation, reference, origin) {
  const [media, body] = sent(operation, reference);
  const hasBody = body.length > 0;
  const verb = operation.verb === (hasBody ? "POST" : "GET") ? [] : [`-X ${operation.verb}`];
  const token = reference.needsToken && operation.path.startsWith("/_sandbox") ? [`-H "${TOKEN}"`] : [];
  const type = media === "application/json" && hasBody ? [`-H ${quoted("Content-Type: application/json")}`] : [];
  const parts = [...verb, ...headers(operation, reference), ...token, ...type, ...body];
  return `curl ${[quotedIfNeeded(address(operation, origin)), ...parts].join(" \\\n  ")}`;
}

// What stands in such a line in capitals.
export function missing(line, { parameters, requestBody }, reference) {
  const schemas = Object.values(requestBody?.content ?? {}).map(({ schema }) => reference.whole(schema));
  const names = [...parameters.map(({ name }) => name), ...schemas.flatMap(({ properties }) => Object.keys(properties))];
  return [...names.map(placeholder), "@body.json"].filter((each) => new RegExp(String.raw`["/= ]${each}(?!\w)`).test(line));
}

function address({ path, parameters }, origin) {
  const inPath = parameters.filter((each) => each.in === "path");
  const filled = inPath.reduce((soFar, each) => soFar.replace(`{${each.name}}`, encodeURIComponent(value(each))), path);
  const query = parameters.filter((each) => each.in === "query" && each.required);
  const asked = query.map((each) => `${each.name}=${encodeURIComponent(value(each))}`).join("&");
  return origin + filled + (asked && `?${asked}`);
}

function value({ name, example, schema }) {
  return example ?? schema.enum?.[0] ?? placeholder(name);
}

function placeholder(name) {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function headers({ security }, { document }) {
  const schemes = document.components.securitySchemes;
  const samples = Object.keys(security[0] ?? {}).map((name) => schemes[name]);
  return samples.map((each) => `-H ${quoted(`${each.name}: ${each["x-example"]}`)}`);
}

// Of the body ---------------------------------------------------------------------------------------------------

function sent({ requestBody }, reference) {
  if (requestBody === undefined) {
    return ["", []];
  }
  const [[media, content]] = Object.entries(requestBody.content);
  const schema = reference.whole(content.schema);
  const example = content.example ?? schema.examples?.[0] ?? leastOf(schema);
  return [media, media === "application/json" ? json(example) : form(example, schema)];
}

function json(example) {
  if (example === null) {
    return ["-d @body.json"];
  }
  const line = JSON.stringify(example);
  return line === "{}" ? [] : [`-d ${quoted(line.length > 72 ? JSON.stringify(example, null, 2) : line)}`];
}

function form(example, schema) {
  return Object.entries(example).map(([name, value]) => {
    const isFile = schema.properties[name].format === "binary";
    return `-F ${quoted(`${name}=${isFile ? "@" : ""}${value}`)}`;
  });
}

// What must be sent, or null where that is more than a line can say.
function leastOf(schema) {
  const required = (schema.required ?? []).map((name) => [name, schema.properties[name]]);
  const isShort = required.every(([, { type }]) => type === "string");
  return isShort ? Object.fromEntries(required.map(([name, each]) => [name, value({ name, schema: each })])) : null;
}

// Of the shell --------------------------------------------------------------------------------------------------

function quoted(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function quotedIfNeeded(text) {
  return /^[\w:/.%~-]+$/.test(text) ? text : quoted(text);
}

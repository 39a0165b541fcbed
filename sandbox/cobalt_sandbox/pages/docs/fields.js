// The fields of a schema: name, type, what it means, what must hold; those of nested objects are made when they are opened.

import { code, made, spaced, words } from "./elements.js";

const FEW = 8;
const TYPES = { "date-time": "date-time", date: "date", binary: "file" }; // instead of "string"

// What is said of a field that must be there, and of one that need not.
export const ASKED = { required: "required", optional: null };
export const TOLD = { required: null, optional: "may be absent" };

export function fields(schema, mode, reference, depth = 0) {
  const objects = alternatives(schema, reference).flatMap((each) => objectsIn(each, reference));
  const parts = objects.flatMap((each) => [
    objects.length > 1 ? made("p", { className: "alternative" }, spaced(each.title)) : null,
    each.description ? made("p", { className: "hint" }, ...words(each.description, reference)) : null,
    made("ul", { className: "fields" }, ...listed(each, mode, reference, depth)),
  ]);
  return parts.filter((each) => each !== null);
}

export function parameters(declared, reference) {
  const items = declared.map((each) => {
    const { description } = each;
    return field(each.name, { ...each.schema, description }, each.required ? ASKED.required : null, ASKED, reference, 0);
  });
  return made("ul", { className: "fields" }, ...items);
}

function listed(object, mode, reference, depth) {
  return Object.entries(object.properties).map(([name, schema]) => {
    return field(name, schema, presence(name, object, mode), mode, reference, depth);
  });
}

// Beside `properties`, `anyOf` says which of several fields is to be there.
function presence(name, { required = [], anyOf = [] }, mode) {
  const others = anyOf.flatMap((each) => each.required).filter((each) => each !== name);
  if (anyOf.some((each) => each.required.includes(name))) {
    return `${mode.required}, or ${others.join(" or ")}`;
  }
  return required.includes(name) ? mode.required : mode.optional;
}

function field(name, schema, said, mode, reference, depth) {
  const known = alternatives(schema, reference);
  const { description } = schema;
  return made(
    "li",
    {},
    made(
      "div",
      { className: "field" },
      made("code", { className: "name" }, name),
      made("span", { className: "type" }, types(known, reference)),
      said === null ? null : made("span", { className: mode === ASKED ? "must" : "may" }, said),
    ),
    description ? made("p", {}, ...words(description, reference)) : null,
    values(known, reference),
    limits(known, schema),
    nested(schema, known, mode, reference, depth),
  );
}

function nested(schema, known, mode, reference, depth) {
  const objects = known.flatMap((each) => objectsIn(each, reference));
  if (objects.length === 0) {
    return null;
  }
  const count = objects.reduce((sum, each) => sum + Object.keys(each.properties).length, 0);
  const few = count === 1 ? "1 field" : `${count} fields`;
  const details = made("details", {}, made("summary", {}, objects.length > 1 ? `One of ${objects.length} forms` : few));
  const fill = () => details.append(...fields(schema, mode, reference, depth + 1));
  if (depth === 0 && count <= FEW) {
    fill();
    details.open = true;
  } else {
    details.addEventListener("toggle", fill, { once: true });
  }
  return details;
}

// What a schema can be ------------------------------------------------------------------------------------------

function alternatives(schema, reference) {
  const whole = reference.whole(schema);
  return whole.anyOf && !whole.properties ? whole.anyOf.flatMap((each) => alternatives(each, reference)) : [whole];
}

// The objects of which there is one, or an array.
function objectsIn(schema, reference) {
  if (schema.items !== undefined) {
    return alternatives(schema.items, reference).flatMap((each) => objectsIn(each, reference));
  }
  return schema.properties === undefined ? [] : [schema];
}

// In words. Values that are no more than one of several alternatives stand in the place of their type.
function types(known, reference) {
  const all = known.flatMap((each) => {
    const inPlace = several(known) ? choices(each).map(String) : [];
    return inPlace.length > 0 ? inPlace : [type(each, reference)];
  });
  return [...new Set(all)].join(" or ");
}

function several(known) {
  return known.filter((each) => each.type !== "null").length > 1;
}

function type(schema, reference) {
  if (schema.type === "array") {
    return `array of ${types(alternatives(schema.items ?? {}, reference), reference)}`;
  }
  const [value] = choices(schema);
  return TYPES[schema.format] ?? schema.type ?? (value === undefined ? "anything" : typeof value);
}

function choices(schema) {
  return "const" in schema ? [schema.const] : (schema.enum ?? []);
}

function values(known, reference) {
  const items = known.flatMap((each) => (each.items === undefined ? [] : alternatives(each.items, reference)));
  const all = [known, items].filter((each) => !several(each)).flat().flatMap(choices);
  const listed = all.flatMap((value) => [code(String(value)), " "]);
  return all.length === 0 ? null : made("p", { className: "values" }, all.length === 1 ? "Always " : "One of ", ...listed);
}

function limits(known, { default: otherwise }) {
  const said = [...new Set(known.flatMap(bounds))].join("; ");
  const hasDefault = ["string", "number", "boolean"].includes(typeof otherwise);
  const parts = [said, said && hasDefault ? "; " : "", ...(hasDefault ? ["otherwise ", code(String(otherwise))] : [])];
  return said || hasDefault ? made("p", { className: "hint" }, ...parts) : null;
}

function bounds(schema) {
  return [
    ["at least ", schema.minimum, ""],
    ["more than ", schema.exclusiveMinimum, ""],
    ["at most ", schema.maximum, ""],
    ["less than ", schema.exclusiveMaximum, ""],
    ["at most ", schema.maxLength, " characters"],
    ["at least ", schema.minLength === 1 ? undefined : schema.minLength, " characters"],
    ["at least ", schema.minItems, " of them"],
  ].flatMap(([before, bound, after]) => (bound === undefined ? [] : [before + bound + after]));
}

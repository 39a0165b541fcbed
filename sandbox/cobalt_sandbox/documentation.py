"""The documentation's own words, put where they belong in the OpenAPI document that the code amounts to; never a shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cobalt_sandbox.contracts import Json, events, exchanges, of_any_call, operations, target
from cobalt_sandbox.fidelity import STATUS

#: Where the pages are that the contracts name by their paths.
SITE = "https://docs.usecobalt.com"


def explain(document: Json) -> None:
    """Add to ``document`` what the contracts know beside shapes: descriptions, pages, samples, and refusals with their marks.

    Refusals that any call can meet are said once, in ``components.responses``.
    """
    document["components"]["responses"] = {
        name: {**_refusals(each), "x-status": STATUS[name]} for name, each in of_any_call().items()
    }
    samples = _requests()
    for path, item in document["paths"].items():
        for declared in item.values():
            name = declared["operationId"]
            if name in operations():
                _explain_operation(path, declared, document, samples.get(name, {}))
    for type, told in events().items():
        declared = document["webhooks"][type]["post"]
        _introduce(declared, told)
        _explain_fields([_media(declared["requestBody"])["schema"]], [_media(told["requestBody"])["schema"]], document)


def _explain_operation(path: str, declared: Json, document: Json, sample: Json) -> None:
    told = operations()[declared["operationId"]].declared
    _introduce(declared, told)
    _explain_parameters(declared, told, {**_in_path(path, sample.get("path", "")), **sample.get("query", {})})
    holders = [(each, told["responses"][status]) for status, each in declared["responses"].items() if status < "4"]
    for reply, known in holders:
        reply["description"] = known["description"]
        _media(reply).update(_samples(_media(known)))
    if "requestBody" in declared:
        holders.append((declared["requestBody"], told["requestBody"]))
        _media(declared["requestBody"]).update(_sample(sample))
    for holder, known in holders:
        _explain_fields([_media(holder)["schema"]], [_media(known)["schema"]], document)
    declared["responses"] |= {status: _refusals(each) for status, each in told["responses"].items() if status >= "4"}


def _introduce(declared: Json, told: Json) -> None:
    said = [each["description"] for each in (told, declared) if "description" in each]
    if said:
        declared["description"] = "\n\n".join(said)
    declared["externalDocs"] = {"url": SITE + told["x-page"]}


# Requests --------------------------------------------------------------------------------------------------------


def _requests() -> dict[str, Json]:
    """The first documented one of each operation that succeeds without a call before it."""
    found: dict[str, Json] = {}
    for each in exchanges().values():
        if "operation" in each and "given" not in each and each["reply"]["status"] < 300:
            found.setdefault(each["operation"], each["request"])
    return found


def _explain_parameters(declared: Json, told: Json, values: Json) -> None:
    known = {(each["in"], each["name"]): each for each in told.get("parameters", ())}
    for each in declared["parameters"]:
        each["description"] = known[each["in"], each["name"]]["description"]
        if each["name"] in values:
            each["example"] = values[each["name"]]


def _in_path(template: str, path: str) -> Json:
    """What stands in a path for the names of its template."""
    parts = zip(template.split("/"), path.split("/"), strict=False)
    return {name[1:-1]: value for name, value in parts if name.startswith("{")}


def _sample(request: Json) -> Json:
    """A file of a form is its name."""
    form = {each["name"]: each.get("filename", each.get("value")) for each in request.get("form", ())}
    return {"example": request.get("json", form)} if request else {}


# Replies ---------------------------------------------------------------------------------------------------------


def _samples(media: Json) -> Json:
    return {"examples": media["examples"]} if "examples" in media else {}


def _refusals(told: Json) -> Json:
    for name, each in of_any_call().items():
        if each is not told and each == told:
            return {"$ref": f"#/components/responses/{name}"}
    schema = {"$ref": "#/components/schemas/Refusal"}
    content = {"application/json": {"schema": schema, **_samples(_media(told))}}
    return {"description": told["description"], "content": content}


# Fields ----------------------------------------------------------------------------------------------------------


def _explain_fields(declared: list[Json], told: list[Json], document: Json) -> None:
    """Describe the fields of a schema by those of the same names. Many replies share one; the first to come explains it."""
    known = list(_parts(told, document))
    for part in _parts(declared, document):
        for name, field in part.get("properties", {}).items():
            facts = [each["properties"][name] for each in known if name in each.get("properties", {})]
            for fact in facts:
                if "description" in fact:
                    field.setdefault("description", fact["description"])
            _explain_fields([field] if facts else [], facts, document)
        if "items" in part:
            items = [each["items"] for each in known if "items" in each]
            _explain_fields([part["items"]] if items else [], items, document)


def _parts(schemas: Iterable[Json], document: Json) -> Iterator[Json]:
    """Schemas with everything that they refer to or are made of."""
    for schema in schemas:
        yield schema
        yield from _parts([*schema.get("allOf", ()), *schema.get("anyOf", ())], document)
        if "$ref" in schema:
            yield from _parts([target(schema["$ref"], {"": document})], document)


def _media(holder: Json) -> Json:
    [media] = holder["content"].values()
    return media  # type: ignore[no-any-return]  # each is an object

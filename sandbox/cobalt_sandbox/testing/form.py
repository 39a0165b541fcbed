"""Whether a reply has the form that is documented for it, whatever its values are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cobalt_sandbox.contracts import operations
from cobalt_sandbox.testing.comparison import json_type

if TYPE_CHECKING:
    from jsonschema import ValidationError

Json = dict[str, Any]
#: Takes a document and its schema, and finds the mistakes of the document.
Check = Callable[[Any, Json], "Iterator[ValidationError]"]


class JSONSchemaNotInstalled(Exception):
    """What checks the form of replies is not installed; the text names the cure."""


def check() -> Check:
    """Raises JSONSchemaNotInstalled."""
    try:
        from jsonschema import Draft202012Validator  # an extra: a sandbox does without it
    except ImportError:
        raise JSONSchemaNotInstalled(
            "the form of replies is checked with jsonschema: pip install 'cobalt-sandbox[verify]'"
        ) from None
    return lambda document, schema: Draft202012Validator(schema).iter_errors(document)


def reply_schema(exchange: Json) -> Json | None:
    """That of the reply that the exchange is documented to have, ``None`` where that is no JSON."""
    responses = operations()[exchange["operation"]].declared["responses"]
    content = responses[str(exchange["reply"]["status"])]["content"]
    return content["application/json"]["schema"] if "application/json" in content else None


def misshapen(document: Any, schema: Json, check: Check) -> list[str]:
    """Each mistake once, its place with ``*`` for the items of an array. Of values only words of an enum are told."""
    return list(dict.fromkeys(told for mistake in check(document, schema) for told in _told(mistake)))


def _told(mistake: ValidationError) -> Iterator[str]:
    place = "".join("/*" if isinstance(part, int) else f"/{part}" for part in mistake.absolute_path)
    found: Any = mistake.instance
    wanted: Any = mistake.validator_value
    match mistake.validator:
        case "required":
            yield from (f"{place}/{name}: is missing" for name in wanted if name not in found)
        case "type":
            types = [wanted] if isinstance(wanted, str) else wanted
            yield f"{place}: {' or '.join(types)} != {json_type(found)}"
        case "enum" | "const":
            words = wanted if isinstance(wanted, list) else [wanted]
            yield f"{place}: {json.dumps(found)} is not documented, but {', '.join(map(json.dumps, words))}"
        case rule:
            yield f"{place}: is not as documented, {rule} {json.dumps(wanted)}"

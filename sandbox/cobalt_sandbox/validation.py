"""What may be sent: the models of bodies and queries, and the documentation's words for what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import parse_qsl

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError, from_json

from cobalt_sandbox.errors import CobaltError, Invalid, InvalidJSON, NotAnObject

if TYPE_CHECKING:
    from cobalt_sandbox.forms import Form

# The three wordings of the documentation for missing fields (Table 2).
ALL_FIELDS = "Missing required fields: {names}."
ALL_PARAMETERS = "Missing required parameters: {names}."
FIRST_FIELD = "Missing required field: {first}"


class Body(BaseModel):
    """A JSON body. Its fields stand in the page's order, which is the order in which missing ones are named.

    ``missing`` is the page's wording for missing fields; ``complains`` names fields that are checked before the others;
    ``unexpected=True`` refuses fields that are not declared. ``null`` counts as absent, as does ``""`` where required.
    """

    model_config = ConfigDict(strict=True, defer_build=True, frozen=True)
    wording: ClassVar[str] = ALL_FIELDS
    complains: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(
        cls, *, missing: str = ALL_FIELDS, complains: tuple[str, ...] = (), unexpected: bool = False, **config: Any
    ) -> None:
        super().__init_subclass__(**config)
        cls.wording, cls.complains = missing, complains

    @classmethod
    def read(cls, raw: bytes, context: object = None) -> Self:
        """The body, or a refusal. An empty one counts as ``{}`` (D11). ``context`` is at hand for validators."""
        try:
            body: Self = cls.__pydantic_validator__.validate_json(raw or b"{}", context=context)
        except ValidationError as error:
            raise refusal(cls, error.errors(include_url=False)) from None
        return body


class Query(BaseModel):
    """A query string. Names, wording and order as for :class:`Body`; an empty value counts as absent."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    wording: ClassVar[str] = ALL_PARAMETERS
    complains: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def read(cls, query_string: bytes, body: bytes = b"") -> Self:
        """The query, or a refusal. Keys of a JSON body fill in for absent parameters (D10)."""
        given = _parameters(query_string)
        if body:
            given = {**_object(body), **given}
        try:
            query: Self = cls.__pydantic_validator__.validate_python(given)
        except ValidationError as error:
            raise refusal(cls, error.errors(include_url=False)) from None
        return query


@lru_cache(maxsize=128)
def _parameters(query_string: bytes) -> dict[str, Any]:
    """By name; whoever polls sends the same again and again."""
    return dict(parse_qsl(query_string.decode("latin-1")))


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = from_json(body)
    except ValueError:
        return {}
    if not isinstance(value, dict):
        return {}
    texts = {name: str(each) if type(each) is int else each for name, each in value.items()}  # a query has text only
    return {name: each for name, each in texts.items() if each is not None}


# From findings to sentences --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Says:
    """The sentence of a field for anything that is wrong with its type, in place of the general one."""

    sentence: str


def complaint(sentence: str) -> PydanticCustomError:
    """What a validator raises to say ``sentence``, in which ``{place}`` is the field, as in ``documents[0].filename``."""
    return PydanticCustomError("complaint", "see context", {"sentence": sentence})


_MUST_BE = {
    "string_type": "a string",
    "int_type": "a number",
    "float_type": "a number",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
}


def refusal(model: type[Body | Query | Form], findings: Sequence[ErrorDetails]) -> CobaltError:
    """The one refusal for everything that was found: bad JSON, then what is missing, unexpected, wrong (D8)."""
    kinds = {finding["type"] for finding in findings if not finding["loc"]}
    if "json_invalid" in kinds:
        return InvalidJSON()
    if "model_type" in kinds:
        return NotAnObject()
    if "complaint" in kinds:
        return Invalid(complaint=findings[0]["ctx"]["sentence"])
    if missing := [str(finding["loc"][0]) for finding in findings if _is_missing(model, finding)]:
        return Invalid(complaint=model.wording.format(names=", ".join(missing), first=missing[0]))
    if unexpected := [_place(finding["loc"]) for finding in findings if finding["type"] == "extra_forbidden"]:
        return Invalid(complaint=f"Unexpected fields in request body: {', '.join(unexpected)}")  # D12
    first = min(findings, key=lambda finding: _rank(model, str(finding["loc"][0])))
    return Invalid(complaint=_sentence(model, first))


def _is_missing(model: type[BaseModel], finding: ErrorDetails) -> bool:
    if len(finding["loc"]) != 1 or finding["type"] == "extra_forbidden":
        return False
    return finding["type"] == "missing" or (
        finding["input"] in (None, "") and model.model_fields[str(finding["loc"][0])].is_required()
    )


def _rank(model: type[Body | Query | Form], field: str) -> int:
    return model.complains.index(field) if field in model.complains else len(model.complains)


def _sentence(model: type[BaseModel], finding: ErrorDetails) -> str:
    place, kind, context = _place(finding["loc"]), finding["type"], finding.get("ctx", {})
    if kind == "complaint":
        return str(context["sentence"]).replace("{place}", place)
    if said := _said(model, finding):
        return said
    if kind == "literal_error":
        words = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return must_be_one_of(words).replace("{place}", place)
    if kind == "missing" or finding["input"] in (None, ""):
        return f"{place} is required."  # D222
    if kind == "model_type":
        return f"{place} must be an object."
    if kind in _MUST_BE:
        return f"Invalid {place}. Must be {_MUST_BE[kind]}."  # D13
    return f"Invalid {place}. {finding['msg']}."


def _said(model: type[BaseModel], finding: ErrorDetails) -> str | None:
    """The field's own sentence: for the field itself, or for an item of an array of plain values."""
    field, *inside = finding["loc"]
    if (inside and finding["type"] == "model_type") or len(inside) > 1:
        return None
    says = (note.sentence for note in model.model_fields[str(field)].metadata if isinstance(note, Says))
    return next(says, None)


def _place(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")


def must_be_one_of(words: Sequence[str]) -> str:
    return f"Invalid {{place}}. Must be one of: {', '.join(words)}."  # D15

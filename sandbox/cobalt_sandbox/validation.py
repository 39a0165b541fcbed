"""What may be sent: the models of bodies and queries, and the documentation's words for what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self
from urllib.parse import parse_qsl

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError, core_schema, from_json

from cobalt_sandbox.clock import LATEST, Moment, moment_of
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
        given = {**_object(body), **dict(parse_qsl(query_string.decode("latin-1")))}
        try:
            query: Self = cls.__pydantic_validator__.validate_python(given)
        except ValidationError as error:
            raise refusal(cls, error.errors(include_url=False)) from None
        return query


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = from_json(body) if body else {}
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


# Fields ----------------------------------------------------------------------------------------------------------

Required = Annotated[str, Field(min_length=1)]


def _true_or_false(value: object) -> bool:
    words = {True: True, False: False, "true": True, "false": False}
    if not isinstance(value, bool | str) or value not in words:
        raise complaint(must_be_one_of(["true", "false"]))
    return words[value]


#: A boolean, or one of the documentation's strings "true" and "false" (D14).
TrueFalse = Annotated[
    bool,
    BeforeValidator(_true_or_false),
    WithJsonSchema({"anyOf": [{"type": "string", "enum": ["true", "false"]}, {"type": "boolean"}]}),
]


def _lower(value: object) -> str:
    if not isinstance(value, str):
        raise complaint("Invalid {place}. Must be a string.")  # D13
    return value.lower()


#: For a ``Literal`` of words in lower case, which may be sent in any (D15).
AnyCase = BeforeValidator(_lower)


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _calendar_date(value: str) -> str:
    if not (_DAY.fullmatch(value) and _is_time(value)):
        raise complaint("Invalid {place} format. Use ISO format (YYYY-MM-DD).")
    return value


#: ``YYYY-MM-DD``, a day that exists (D106).
CalendarDate = Annotated[str, AfterValidator(_calendar_date)]


def _dashed_number(value: str) -> str:
    if not re.fullmatch(r"[0-9]{3}-[0-9]{3}-[0-9]{4}", value):
        raise complaint("Invalid {place} format. Use XXX-XXX-XXXX.")
    return value


#: ``XXX-XXX-XXXX`` (D183).
DashedNumber = Annotated[str, AfterValidator(_dashed_number)]


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds, as digits or as a number; ``sentence`` refuses anything else."""

    lowest: int
    highest: int | None
    sentence: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self._read, core_schema.int_schema())

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        bounds = {"minimum": self.lowest, "maximum": self.highest}
        return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}

    def _read(self, value: object) -> int:
        digits = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        number = int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else -1
        if number < self.lowest or (self.highest is not None and number > self.highest):
            raise complaint(self.sentence)
        return number


#: The ``page`` of a list (D23).
PageNumber = Annotated[int, Whole(1, None, "Invalid page. Must be 1 or greater.")]


def up_to(most: int) -> Whole:
    """For the ``page_size`` of a list that gives at most so many (D23)."""
    return Whole(1, most, f"Invalid page_size. Must be between 1 and {most}.")


def is_day_or_time(value: str) -> bool:
    """An ISO 8601 date or date-time that begins with ``YYYY-MM-DD`` and exists."""
    return _DAY.match(value) is not None and _is_time(value)


def _range_edge(value: str) -> str:
    if not is_day_or_time(value):
        raise complaint("Invalid date format. Use ISO format (YYYY-MM-DD).")
    return value


#: ``start_date`` or ``end_date``: a day, or an ISO 8601 date-time (D21).
RangeEdge = Annotated[
    str,
    AfterValidator(_range_edge),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]


class EndBeforeStart(CobaltError):
    template = "end_date must be after start_date."


def _instant(value: object) -> Moment:
    try:
        moment = moment_of(_at(value, UTC)) if isinstance(value, str) else -1
    except ValueError:
        moment = -1
    if not 0 <= moment <= LATEST:
        raise complaint("Invalid {place}. Must be an ISO 8601 date-time from 1970 to 8999, as in 2026-03-10T10:30:00Z.")
    return moment


#: An ISO 8601 date-time, read as a moment; UTC unless it says otherwise.
Instant = Annotated[int, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]


#: The rate of a clock: 0 is frozen, 1 real time, 60 a minute a second.
Pace = Annotated[float, Field(ge=0, le=1_000_000)]


def span(start: str | None, end: str | None, zone: tzinfo = UTC) -> tuple[Moment | None, Moment | None]:
    """The moments from which and before which. A day is meant whole, the last one included (D22); equal edges pass (D21)."""
    begin = None if start is None else moment_of(_at(start, zone))
    finish = None if end is None else _after(end, zone)
    if begin is not None and finish is not None and finish <= begin:
        raise EndBeforeStart
    return begin, finish


#: A day, in a reply whose page types it ``string<date>``.
Date = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]
#: A time of ours, as ``iso`` writes it.
DateTime = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


def _after(edge: str, zone: tzinfo) -> Moment | None:
    """The first moment that is past an edge, if time goes on so long."""
    try:
        return (
            moment_of(_at(edge, zone) + timedelta(days=1)) if _DAY.fullmatch(edge) else moment_of(_at(edge, zone)) + 1
        )
    except OverflowError:
        return None


def _at(edge: str, zone: tzinfo) -> datetime:
    when = datetime.fromisoformat(edge)
    return when if when.tzinfo is not None else when.replace(tzinfo=zone)


def digits(number: str) -> str:
    """The digits of a phone number, for comparing numbers that are written differently."""
    return re.sub(r"[^0-9]", "", number)

"""A practice to start from: what a fixture file says, checked once and then shared by every world that begins with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from cobalt_sandbox.chance import Stream
from cobalt_sandbox.clock import Moment
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.redating import redated_all, weeks_since
from cobalt_sandbox.table import Record, Table

ECLINICALWORKS = "eClinicalWorks"


class InvalidFixture(CobaltError):
    template = "Fixture {name!r}: {complaint}"


class UnknownFixture(CobaltError):
    template = (
        "There is no fixture {name!r}. Bundled fixtures: {known}. A whole practice can be given instead of a name."
    )


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no relative path, a folder of zones
        told = {"zone": repr(name)}
        raise PydanticCustomError(
            "time_zone", "Input should be an IANA time zone like 'America/New_York', not {zone}", told
        ) from None
    return name


#: The name of an IANA time zone.
TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Code(BaseModel):
    """One visit type or visit status of a practice."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    code: str
    description: str


class Options(BaseModel):
    """What Cobalt's representative would configure for one practice (Table 6 of the decisions)."""

    model_config = ConfigDict(extra="forbid", defer_build=True, frozen=True)
    older_fields: bool = False
    accept_24h_time: bool = False
    muted_events: tuple[str, ...] = ()


class Profile(BaseModel):
    """What is known of a practice besides its records.

    ``as_of`` is the day that is today in its records: a world that begins on another moves them by whole weeks.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True, frozen=True)
    name: Annotated[str, Field(min_length=1)]
    access_token: Annotated[str, Field(min_length=1)] = "493JKLHIU98789hLKH9HHJH"
    access_token_reference_id: str = "at_ref_123456789"
    ehr: str = ECLINICALWORKS
    emr_instance_domain: str = "https://ehr.example"
    timezone: TimeZone = "America/New_York"
    as_of: date | None = None
    settings: Literal[False] | None = None
    required_patient_fields: tuple[str, ...] = ("first_name", "last_name", "dob", "sex")
    visit_types: tuple[Code, ...] = ()
    visit_statuses: tuple[Code, ...] = ()
    options: Options = Options()

    keys: ClassVar[frozenset[str]]


Profile.keys = frozenset(Profile.model_fields)


@dataclass(frozen=True, slots=True)
class Fixture:
    """A checked fixture."""

    profile: Profile
    tables: Mapping[str, Table[Any]]
    tables_by_weeks: dict[int, Mapping[str, Table[Any]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.profile.name

    def tables_at(self, now: Moment) -> Mapping[str, Table[Any]]:
        """Its tables, as they are when a world begins now. They are templates: take copies."""
        if self.profile.as_of is None:
            return self.tables
        zone = ZoneInfo(self.profile.timezone)
        weeks = weeks_since(self.profile.as_of, now, zone)
        if weeks not in self.tables_by_weeks:
            self.tables_by_weeks.clear()
            self.tables_by_weeks[weeks] = redated_all(self.tables, weeks, zone)
        return self.tables_by_weeks[weeks]


def read(document: Mapping[str, Any], kinds: Iterable[type[Record]]) -> Fixture:
    """Check a fixture document. Rows without an ``id`` get one that follows from their place. Raises InvalidFixture."""
    by_table = {kind.table: kind for kind in kinds}
    name = document.get("name", "(unnamed)")
    unknown = document.keys() - by_table.keys() - Profile.keys
    if unknown:
        known = ", ".join(sorted(by_table.keys() | Profile.keys))
        raise InvalidFixture(name=name, complaint=f"unknown key {min(unknown)!r}. Known keys: {known}.")
    try:
        profile = Profile.model_validate({key: value for key, value in document.items() if key in Profile.keys})
        tables = {
            table: Table.of(kind, _checked(kind, _with_ids(document.get(table, []), name, table)))
            for table, kind in by_table.items()
        }
    except ValidationError as error:
        raise InvalidFixture(name=name, complaint=_first_complaint(error)) from error
    except ValueError as error:
        raise InvalidFixture(name=name, complaint=f"{error}.") from error
    return Fixture(profile, tables)


def _with_ids(rows: Any, *names: str) -> Any:
    if not isinstance(rows, list | tuple):
        return rows
    ids = Stream(0, "fixture", *names)
    return ({"id": ids.hex(), **row} if isinstance(row, dict) else row for row in rows)


_adapters: dict[type[Record], TypeAdapter[list[Any]]] = {}


def _checked(kind: type[Record], rows: Any) -> list[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(list[kind])  # type: ignore[valid-type]  # a type made at run time
    try:
        return _adapters[kind].validate_python(rows)
    except ValidationError as error:
        raise ValueError(_first_complaint(error, kind.table).removesuffix(".")) from error


def _first_complaint(error: ValidationError, *place: str) -> str:
    first = error.errors(include_url=False)[0]
    return f"{first['msg']} at {'.'.join(str(part) for part in (*place, *first['loc']))}."

"""A practice to start from: what a fixture file says, checked once and then shared by every world that begins with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from cobalt_sandbox.chance import Stream
from cobalt_sandbox.clock import Moment, iso, moment_of
from cobalt_sandbox.config import ACCESS_TOKEN
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.redating import redated, weeks_since
from cobalt_sandbox.table import Record, Table

ECLINICALWORKS = "eClinicalWorks"

R = TypeVar("R", bound=Record)


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


#: A practice whose schedule is synced again and again, as time goes by.
BY_THE_CLOCK = "by the clock"


def _sync_time(value: str) -> str:
    if value == BY_THE_CLOCK:
        return value
    try:
        return iso(moment_of(datetime.fromisoformat(value)))
    except (ValueError, TypeError, OverflowError):  # no date-time, none with an offset, none that UTC can say
        told = {"value": repr(value)}
        raise PydanticCustomError(
            "sync_time",
            "Input should be an ISO 8601 date-time with an offset, 'by the clock', or null for never, not {value}",
            told,
        ) from None


#: When the schedule was last synced.
SyncTime = Annotated[str, AfterValidator(_sync_time)]


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
    #: What a task must have besides description and patient; one of two pairs if it is not said (D204).
    task_required_fields: tuple[str, ...] | None = None
    note_event_names: Literal["created", "uploaded"] = "created"
    document_event_names: Literal["uploaded", "created"] = "uploaded"


class Profile(BaseModel):
    """What is known of a practice besides its records.

    ``as_of`` is the day that is today in its records: a world that begins on another moves them by whole weeks.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True, frozen=True)
    name: Annotated[str, Field(min_length=1)]
    access_token: Annotated[str, Field(min_length=1)] = ACCESS_TOKEN
    access_token_reference_id: str = "at_ref_123456789"
    ehr: str = ECLINICALWORKS
    emr_instance_domain: str = "https://ehr.example"
    timezone: TimeZone = "America/New_York"
    as_of: date | None = None
    last_schedule_sync: SyncTime | None = BY_THE_CLOCK
    settings: Literal[False] | None = None
    required_patient_fields: tuple[str, ...] = ("first_name", "last_name", "dob", "sex")
    visit_types: tuple[Code, ...] = ()
    visit_statuses: tuple[Code, ...] = ()
    payment_methods: tuple[str, ...] = ()
    options: Options = Options()

    keys: ClassVar[frozenset[str]]


Profile.keys = frozenset(Profile.model_fields)


class Fixture:
    """A practice to start from, as it is written down. What a table holds is read when it is first asked for."""

    def __init__(
        self, document: Mapping[str, Any], *, bundled_as: str | None = None, tables: Iterable[Table[Any]] = ()
    ) -> None:
        """``bundled_as`` is the name under which it comes with the package; ``tables`` are those that have been read already.

        Raises InvalidFixture where the profile is wrong.
        """
        self.bundled_as = bundled_as
        name: str = document.get("name", "(unnamed)")
        self.written_as = name
        try:
            known = {key: value for key, value in document.items() if key in Profile.keys}
            self.profile = Profile.model_validate(known)
        except ValidationError as error:
            raise InvalidFixture(name=name, complaint=f"{first_complaint(error)}.") from error
        self._unread = {key: rows for key, rows in document.items() if key not in Profile.keys}
        self._tables: dict[str, Table[Any]] = {table.kind.table: table for table in tables}
        self._moved: dict[str, tuple[int, Table[Any]]] = {}

    @property
    def name(self) -> str:
        return self.profile.name

    def under(self, changes: Mapping[str, Any]) -> Fixture:
        """The same records, read once for both, under a profile that differs in these."""
        twin = copy(self)
        twin.profile = self.profile.model_copy(update=changes)
        return twin

    def table(self, kind: type[R]) -> Table[R]:
        """The records of one kind. Raises InvalidFixture."""
        if kind.table not in self._tables:
            try:
                self._tables[kind.table] = Table.of(
                    kind, _checked(kind, self._unread.pop(kind.table, []), self.written_as)
                )
            except ValueError as error:
                raise InvalidFixture(name=self.name, complaint=f"{error}.") from error
        return self._tables[kind.table]

    def table_at(self, kind: type[R], now: Moment) -> Table[R]:
        """The same, as they are when a world begins now. It is a template: take a copy."""
        table = self.table(kind)
        if self.profile.as_of is None or not kind.dated:
            return table
        zone = ZoneInfo(self.profile.timezone)
        weeks = weeks_since(self.profile.as_of, now, zone)
        if self._moved.get(kind.table, (None,))[0] != weeks:
            self._moved[kind.table] = weeks, redated(table, weeks, zone)
        return self._moved[kind.table][1]


def read(document: Mapping[str, Any], kinds: Iterable[type[Record]]) -> Fixture:
    """Check a whole fixture document. Rows without an ``id`` get one that follows from their place. Raises InvalidFixture."""
    fixture, by_table = Fixture(document), {kind.table: kind for kind in kinds}
    if unknown := document.keys() - by_table.keys() - Profile.keys:
        known = ", ".join(sorted(by_table.keys() | Profile.keys))
        raise InvalidFixture(name=fixture.name, complaint=f"unknown key {min(unknown)!r}. Known keys: {known}.")
    for kind in by_table.values():
        fixture.table(kind)
    return fixture


_adapters: dict[type[Record], TypeAdapter[Any]] = {}


def _checked(kind: type[R], rows: Any, name: str) -> Iterator[R]:
    """One by one, so that no more is in memory than must be. Raises ValueError."""
    if not isinstance(rows, list):
        raise ValueError(f"Input should be a valid list at {kind.table}")  # noqa: TRY004  # it is a value that was sent
    if rows and kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    ids = Stream(0, "fixture", name, kind.table)
    for place, row in enumerate(rows):
        given = {"id": ids.hex(), **row} if isinstance(row, dict) else row
        try:
            checked = _adapters[kind].validate_python(given)
        except ValidationError as error:
            raise ValueError(first_complaint(error, kind.table, place)) from error
        # What its own constructor makes shares the names of its fields with the others, and takes half the memory.
        yield kind(**vars(checked))


def first_complaint(error: ValidationError, *place: str | int) -> str:
    first = error.errors(include_url=False)[0]
    return f"{first['msg']} at {'.'.join(str(part) for part in (*place, *first['loc']))}"

"""Providers: https://docs.usecobalt.com/api-reference/providers/get, …/update and …/update-by-ehr"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema, model_validator

from cobalt_sandbox.clock import SECOND
from cobalt_sandbox.ehr import people
from cobalt_sandbox.ehr.people import CLOCK_TIME, Activity, Provider, Weekday, WorkingDay
from cobalt_sandbox.ehr.places import Location
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fields import AnyCase, TrueFalse, Whole, is_day_or_time
from cobalt_sandbox.validation import ALL_FIELDS, Body, complaint, must_be_one_of
from cobalt_sandbox.world import Practice

# List Providers --------------------------------------------------------------------------------------------------


class Recurrence(Row):
    rec_start_date: str
    recur_interval_type: str
    recur_interval_amount: str
    recur_interval_description: str


class VisitTypeRule(Row):
    end_time: str
    start_time: str
    total_visits: int
    visit_type_id: str
    visit_type_desc: str


class Shift(Row):
    """What is optional is left out when absent (D25)."""

    end: str
    start: str
    facility_id: str = ""
    recurrence: Recurrence | None = None
    set_end_date: str = ""
    facility_name: str = ""
    set_start_date: str | None
    set_description: str
    visit_type_rules: list[VisitTypeRule] | None = None


class Day(Row):
    day: str
    shifts: list[Shift]


class ProviderRow(Row):
    id: str
    ehr_id: str
    timezone: str
    npi: str | None
    name: str
    status: Activity
    hide_in_availability: bool
    hours: list[Day]


class ProviderList(Reply):
    providers: list[ProviderRow]


@endpoint("GET /providers")
def list_(practice: Practice) -> ProviderList:
    """Get Providers"""
    return ProviderList.of(providers=practice.table(Provider)[:])


# Update Provider -------------------------------------------------------------------------------------------------
# The sentences about a shift name the field alone, wherever in the hours it stands (D155).


def _weekday(value: object) -> object:
    if value not in (days := get_args(Weekday)):
        raise complaint(must_be_one_of(days).replace("{place}", "day"))
    return value


def _clock_time(field: str) -> AfterValidator:
    def read(value: str) -> str:
        if not CLOCK_TIME.fullmatch(value):
            raise complaint(f"Invalid {field} format. Use THH:MM:SS.")
        return value

    return AfterValidator(read)


def _day(field: str) -> AfterValidator:
    def read(value: str) -> str:
        if not is_day_or_time(value):
            raise complaint(f"Invalid {field} format. Use ISO format.")
        return value

    return AfterValidator(read)


def _complete(model: type[BaseModel]) -> BeforeValidator:
    """Refuse an object that lacks a field which the model requires."""
    required = [name for name, field in model.model_fields.items() if field.is_required()]

    def read(sent: object) -> object:
        if isinstance(sent, dict) and (missing := [name for name in required if sent.get(name) in (None, "")]):
            raise complaint(ALL_FIELDS.format(names=", ".join(missing)))
        return sent

    return BeforeValidator(read)


#: An integer here, a string in the list; so that what was listed can be sent back, both are taken (D157).
Weeks = Annotated[
    int,
    Whole(1, None, "Invalid recur_interval_amount. Must be 1 or greater."),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}),
]


class NewRecurrence(BaseModel):
    """``rec_end_date`` is kept and applied, but not listed (D157)."""

    model_config = ConfigDict(strict=True, defer_build=True, frozen=True)
    rec_start_date: Annotated[str, _day("rec_start_date")] | None = None
    rec_end_date: Annotated[str, _day("rec_end_date")] | None = None
    recur_interval_type: str | None = None
    recur_interval_amount: Weeks | None = None
    recur_interval_description: str | None = None


class NewShift(BaseModel):
    """``recurrence`` is the list's name for ``set_recur`` (D157)."""

    model_config = ConfigDict(strict=True, defer_build=True, frozen=True)
    start: Annotated[str, _clock_time("start")]
    end: Annotated[str, _clock_time("end")]
    facility_id: str
    set_start_date: Annotated[str, _day("set_start_date")] | None = None
    set_end_date: Annotated[str, _day("set_end_date")] | None = None
    set_recur: NewRecurrence | None = None
    recurrence: NewRecurrence | None = None

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if self.end <= self.start:
            raise complaint("end must be after start.")
        return self


class NewDay(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True, frozen=True)
    day: Annotated[Weekday, BeforeValidator(_weekday)]
    shifts: list[Annotated[NewShift, _complete(NewShift)]]


class UpdateProvider(Body):
    status: Annotated[Activity, AnyCase] | None = None
    hours: list[Annotated[NewDay, _complete(NewDay)]] | None = None
    hide_in_availability: TrueFalse | None = None

    @model_validator(mode="after")
    def _something_to_update(self) -> Self:
        if self.status is None and self.hours is None and self.hide_in_availability is None:
            names = ", ".join(UpdateProvider.model_fields)
            raise complaint(f"At least one of the following fields must be provided: {names}.")  # D156
        return self


class ProviderUpdated(Reply):
    message: str
    provider_id: str


class ProviderNotFound(CobaltError):
    template = "Provider not found."  # D17
    status = 404


class UnknownFacility(CobaltError):
    template = "Location with ID '{id}' not found."  # D152
    status = 404


@endpoint("PATCH /providers/{id}")
def update(practice: Practice, id: str, body: UpdateProvider) -> ProviderUpdated:
    """Update Provider"""
    return _updated(practice, practice.table(Provider).get(id), body)


# Update Provider by EMR ID ---------------------------------------------------------------------------------------


@endpoint("PATCH /providers/ehr/{ehr_id}")
def update_by_ehr_id(practice: Practice, ehr_id: str, body: UpdateProvider) -> ProviderUpdated:
    """Update Provider by EMR ID"""
    return _updated(practice, practice.table(Provider).first("ehr_id", ehr_id), body)


# What both do ----------------------------------------------------------------------------------------------------


def _updated(practice: Practice, provider: Provider | None, body: UpdateProvider) -> ProviderUpdated:
    """Hours replace the whole schedule (D154); fields that are not sent stay."""
    if provider is None:
        raise ProviderNotFound
    sent = {
        "status": body.status,
        "hours": None if body.hours is None else tuple(_working_day(practice, day) for day in body.hours),
        "hide_in_availability": body.hide_in_availability,
    }
    changes = {field: value for field, value in sent.items() if value is not None}
    practice.table(Provider).replace(provider, **changes)
    return ProviderUpdated(message=_message([SAID_AS[field] for field in changes]), provider_id=provider.id)


SAID_AS = {"status": "status", "hours": "hours", "hide_in_availability": "availability visibility"}


def _message(changed: list[str]) -> str:
    """``status``, ``status and hours``, ``status, hours and availability visibility`` (D153)."""
    *others, last = changed
    return f"Provider {' and '.join([', '.join(others), last] if others else [last])} updated successfully."


def _working_day(practice: Practice, sent: NewDay) -> WorkingDay:
    return WorkingDay(day=sent.day, shifts=[_shift(practice, shift) for shift in sent.shifts])


def _shift(practice: Practice, sent: NewShift) -> people.Shift:
    """In the form in which it is listed, at the location's ``ehr_id`` and with its name (D152)."""
    location = _facility(practice, sent.facility_id)
    shift = people.Shift(
        start=sent.start,
        end=sent.end,
        facility_id=location.ehr_id,
        facility_name=location.name,
        set_start_date=sent.set_start_date,
        set_description="",
    )
    if sent.set_end_date is not None:
        shift["set_end_date"] = sent.set_end_date
    if recurrence := sent.set_recur or sent.recurrence:
        shift["recurrence"] = _recurrence(recurrence, sent.set_start_date or _today(practice))
    return shift


def _facility(practice: Practice, id: str) -> Location:
    locations = practice.table(Location)
    location = locations.first("ehr_id", id) or locations.get(id)
    if location is None:
        raise UnknownFacility(id=id)
    return location


def _recurrence(sent: NewRecurrence, since: str) -> people.Recurrence:
    """No part of it is required. What is not sent follows from the rest, so that weeks can be counted (D158)."""
    weeks = sent.recur_interval_amount or 1
    recurrence = people.Recurrence(
        rec_start_date=sent.rec_start_date or since,
        recur_interval_type=sent.recur_interval_type or "days",
        recur_interval_amount=str(weeks),
        recur_interval_description=sent.recur_interval_description or f"Every {weeks} week{'s' * (weeks > 1)}.",
    )
    if sent.rec_end_date is not None:
        recurrence["rec_end_date"] = sent.rec_end_date
    return recurrence


def _today(practice: Practice) -> str:
    now = datetime.fromtimestamp(practice.now // SECOND, ZoneInfo(practice.profile.timezone))
    return f"{now.date()}T00:00:00"

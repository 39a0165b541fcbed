"""What may be sent about appointments, and the documentation's words for what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import model_validator

from cobalt_sandbox.ehr.attendance import named
from cobalt_sandbox.ehr.bookings import Appointment, Mode
from cobalt_sandbox.ehr.live_fetch import ASKED, SearchBy
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fields import PageNumber, RangeEdge, Required, TrueFalse, span, up_to
from cobalt_sandbox.resources.live_fetches import ProviderIds, check_days
from cobalt_sandbox.resources.visit_times import (
    Minutes,
    VisitDate,
    VisitDateTime,
    VisitTime,
    has_time,
    missing_half,
    start_of,
    without_blanks,
)
from cobalt_sandbox.validation import ALL_FIELDS, ALL_PARAMETERS, Body, Query, complaint
from cobalt_sandbox.world import Practice


class NewAppointment(Body):
    mrn: Required
    location: Required
    provider: Required
    type: Required
    datetime: VisitDateTime | None = None
    date: VisitDate | None = None
    time: VisitTime | None = None
    secondary_provider: str | None = None
    note: str | None = None
    reason: str | None = None
    new_patient: TrueFalse | None = None
    prevent_double_booking: TrueFalse | None = None
    duration: Minutes | None = None

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        given = without_blanks(sent)
        required = (name for name in ("mrn", "location", "provider", "type") if given.get(name, "") == "")
        if missing := [*required, *(missing_half(given) if has_time(given) else ["datetime"])]:
            raise complaint(ALL_FIELDS.format(names=", ".join(missing)))
        return given


class AppointmentQuery(Query):
    start_date: RangeEdge
    end_date: RangeEdge
    patient_mrn: str | None = None
    patient_name: str | None = None
    patient_phone: str | None = None
    include_note: TrueFalse = False
    appointment_mode: Mode | None = None
    page: PageNumber | None = None
    page_size: Annotated[int, up_to(100)] | None = None


class AppointmentChanges(Body):
    """All that Create Appointment takes, by its older name for the time, too (D77), and ``status``."""

    mrn: str | None = None
    location: str | None = None
    datetime: VisitDateTime | None = None
    provider: str | None = None
    type: str | None = None
    note: str | None = None
    reason: str | None = None
    status: str | None = None
    appointment_datetime: VisitDateTime | None = None
    date: VisitDate | None = None
    time: VisitTime | None = None
    secondary_provider: str | None = None
    new_patient: TrueFalse | None = None
    prevent_double_booking: TrueFalse | None = None
    duration: Minutes | None = None

    @model_validator(mode="before")
    @classmethod
    def _something(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        given = without_blanks(sent)
        if not given.keys() & cls.model_fields.keys():
            raise complaint("No fields to update.")  # D86
        if missing := list(missing_half(given)):
            raise complaint(ALL_FIELDS.format(names=", ".join(missing)))
        return given


#: What the bodies call otherwise than the record.
_FIELDS = {"secondary_provider": "secondary_provider_ehr_id", "status": "status_once_booked"}
_KEPT = ("location", "note", "reason", "new_patient", "prevent_double_booking", "duration", *_FIELDS)


def asked_for(practice: Practice, given: dict[str, Any], before: Appointment | None = None) -> dict[str, Any]:
    """The fields of an appointment that is not in the EHR yet, from a body; what it leaves out is as it was before."""
    people = (
        given.get("mrn") or (before.patient_mrn if before else ""),
        given.get("provider") or (before.provider_ehr_id if before else ""),
        given.get("type") or (before.appointment_type if before else ""),
    )
    start = start_of(practice, given)
    return {
        **{_FIELDS.get(name, name): given[name] for name in _KEPT if name in given},
        **({"datetime": start} if start else {}),
        **named(practice, *people),
    }


class AppointmentSearch(Body, missing=ALL_PARAMETERS):
    """What is required depends on ``search_by`` (D88)."""

    search_by: SearchBy = "date_range"
    start_date: RangeEdge | None = None
    end_date: RangeEdge | None = None
    mrn: str | None = None
    provider_ids: ProviderIds | None = None

    @model_validator(mode="before")
    @classmethod
    def _required_by_its_mode(cls, sent: Any) -> Any:
        if not isinstance(sent, dict):
            return sent
        given = {name: value for name, value in sent.items() if value is not None}
        if missing := [name for name in _required(given) if given.get(name, "") == ""]:
            raise complaint(ALL_PARAMETERS.format(names=", ".join(missing)))
        return given


def _required(given: Mapping[str, Any]) -> tuple[str, ...]:
    """An unknown mode requires nothing: it is refused itself."""
    mode = given.get("search_by", "date_range")
    return next((names for known, names in ASKED.items() if known == mode), ())


class TooLong(CobaltError):
    template = "Date range cannot exceed 7 days."  # D89


def check_range(zone: ZoneInfo, *, start_date: str, end_date: str, provider_ids: list[str] | None = None) -> None:
    """How many days may lie between the two dates, for a number of providers or, without them, for all."""
    span(start_date, end_date, zone)
    first, last = (date.fromisoformat(edge[:10]) for edge in (start_date, end_date))
    if provider_ids is not None:
        check_days(first, last, len(provider_ids))
    elif (last - first).days > 7:
        raise TooLong

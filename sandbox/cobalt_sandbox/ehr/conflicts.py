"""Double booking: whether a provider is free when an appointment is to begin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from cobalt_sandbox.clock import DAY, Moment
from cobalt_sandbox.ehr.bookings import Appointment, Period, ScheduleBlock, withdrawn
from cobalt_sandbox.ehr.people import Provider
from cobalt_sandbox.events import Reason
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.world import Practice

#: Only of these EHRs the schedule is looked at.
WATCHED_EHRS = (ECLINICALWORKS, "Practice Fusion")

ConflictType = Literal["appointment", "schedule_block"]
KINDS: dict[ConflictType, str] = {"appointment": "an existing appointment", "schedule_block": "a schedule block"}


class ConflictDetails(BaseModel):
    """What takes up the time. Keys are our own (D65)."""

    start: str
    end: str
    provider_id: str
    description: str


class DoubleBooking(Reason):
    """The reason of a failure that also tells with what the appointment collides."""

    conflict_type: ConflictType
    conflict_details: ConflictDetails


def double_booking(practice: Practice, wanted: Appointment) -> DoubleBooking | None:
    """The first visit, or else the first block of the schedule, that overlaps with an appointment of a known provider."""
    [provider, *_] = practice.table(Provider).find("ehr_id", wanted.provider_ehr_id)
    for conflict in (*_visits(practice, wanted), *_blocks(practice, wanted, provider)):
        zone = ZoneInfo(practice.profile.timezone)
        start, end = (datetime.fromtimestamp(edge // 1000, zone).isoformat() for edge in (conflict.start, conflict.end))
        return DoubleBooking(
            code="DOUBLE_BOOKING",  # Table 3
            description=f"The requested time overlaps {KINDS[conflict.type]} of {provider.name}.",
            conflict_type=conflict.type,
            conflict_details=ConflictDetails(
                start=start, end=end, provider_id=provider.ehr_id, description=conflict.description
            ),
        )
    return None


class _Conflict(NamedTuple):
    type: ConflictType
    start: Moment
    end: Moment
    description: str


def _visits(practice: Practice, wanted: Appointment) -> Iterator[_Conflict]:
    """Those in the EHR at that time. A visit lasts a day at most (D64), so none that begins earlier can matter."""
    over = withdrawn(practice)
    for visit in Period(practice.table(Appointment), wanted.start - DAY, wanted.end):
        whose = (visit.provider_ehr_id, visit.secondary_provider_ehr_id)
        if (
            visit.id != wanted.id
            and visit.is_booked
            and visit.status not in over
            and wanted.provider_ehr_id in whose
            and wanted.start < visit.end
        ):
            yield _Conflict("appointment", visit.start, visit.end, visit.appointment_type)


def _blocks(practice: Practice, wanted: Appointment, provider: Provider) -> Iterator[_Conflict]:
    for block in practice.table(ScheduleBlock).find("provider_ehr_id", provider.ehr_id):
        start, end = block.interval(ZoneInfo(practice.profile.timezone))
        if start < wanted.end and wanted.start < end:
            yield _Conflict("schedule_block", start, end, block.description)

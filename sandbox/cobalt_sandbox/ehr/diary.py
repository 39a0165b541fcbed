"""What takes up the providers' time: appointments that stand, and blocks of the schedule."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

from cobalt_sandbox.clock import DAY, Moment
from cobalt_sandbox.ehr.bookings import Appointment, Interval, Period, ScheduleBlock, withdrawn
from cobalt_sandbox.ehr.people import Provider
from cobalt_sandbox.world import Practice

#: No appointment lasts longer (D64).
LONGEST_VISIT: Final = DAY

Role = Literal["primary", "secondary"]


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment that stands, as far as it takes up time. The visit type is in lower case."""

    start: Moment
    end: Moment
    visit_type: str
    location: str


@dataclass(frozen=True, slots=True)
class Diary:
    """One provider's: bookings by their start, and the times in which the provider sees nobody."""

    bookings: Sequence[Booking] = ()
    blocks: Sequence[Interval] = ()

    def starting(self, since: Moment, until: Moment) -> Sequence[Booking]:
        """The bookings that start within a time, found by bisection."""
        return self.bookings[self._place(since) : self._place(until)]

    def _place(self, moment: Moment) -> int:
        return bisect_left(self.bookings, moment, key=_start)


def _start(booking: Booking) -> Moment:
    return booking.start


def diaries(practice: Practice, providers: Collection[Provider], within: Interval, role: Role) -> dict[str, Diary]:
    """By the providers' EHR ids: what they do in this role, of appointments that start within a time."""
    over = withdrawn(practice)
    bookings: dict[str | None, list[Booking]] = {each.ehr_id: [] for each in providers}
    for each in Period(practice.table(Appointment), *within)[:]:
        provider_id = each.provider_ehr_id if role == "primary" else each.secondary_provider_ehr_id
        if provider_id in bookings and each.status not in over:
            start, end = each.start, each.end
            bookings[provider_id].append(Booking(start, end, each.appointment_type.casefold(), each.location))
    return {each.ehr_id: Diary(bookings[each.ehr_id], _blocks(practice, each)) for each in providers}


def _blocks(practice: Practice, provider: Provider) -> list[Interval]:
    blocks = practice.table(ScheduleBlock).find("provider_ehr_id", provider.ehr_id)
    zone = ZoneInfo(practice.profile.timezone)
    return [each.interval(zone) for each in blocks]

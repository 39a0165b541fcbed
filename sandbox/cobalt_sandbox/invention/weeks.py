"""How the providers of an invented practice work: kinds of week, and their hours in the form of `GET /providers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True)
class Slot:
    """A part of a session kept for one type of visit."""

    start: str
    end: str
    visits: int
    code: str


@dataclass(frozen=True)
class Session:
    """The same hours on one or more weekdays; `place` counts from the provider's own location."""

    days: Sequence[str]
    start: str
    end: str
    place: int = 0
    begins: date = date(2025, 1, 6)
    ends: date | None = None
    every_weeks: int = 1
    slots: tuple[Slot, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Week:
    """How one kind of provider works."""

    sessions: tuple[Session, ...]
    status: str = "active"
    hidden: bool = False


NEW_YEAR: Final = date(2026, 1, 5)

EVERY_DAY: Final = Week(
    (Session(DAYS[:5], "T08:00:00", "T12:00:00"), Session(DAYS[:4], "T13:00:00", "T17:00:00")),
)

MORNINGS_BY_VISIT_TYPE: Final = Week(
    (
        Session(
            ("Monday", "Wednesday", "Friday"),
            "T09:00:00",
            "T12:00:00",
            slots=(Slot("T09:00:00", "T10:00:00", 2, "NP"), Slot("T10:00:00", "T12:00:00", 6, "FU")),
        ),
        Session(("Monday", "Wednesday"), "T13:00:00", "T16:30:00"),
        Session(("Saturday",), "T09:00:00", "T12:00:00", every_weeks=2, description="Saturday clinic"),
    )
)

TWO_PLACES: Final = Week(
    (
        Session(("Monday", "Thursday"), "T08:30:00", "T16:30:00"),
        Session(("Tuesday",), "T09:00:00", "T15:00:00", place=1, every_weeks=2, description="Outreach clinic"),
        Session(("Friday",), "T08:30:00", "T12:30:00", begins=NEW_YEAR, ends=date(2028, 12, 29)),
    )
)

CHANGED_AT_NEW_YEAR: Final = Week(
    (
        Session(("Tuesday", "Thursday"), "T08:00:00", "T14:00:00", ends=date(2025, 12, 31)),
        Session(
            ("Tuesday", "Thursday"),
            "T10:00:00",
            "T18:00:00",
            begins=NEW_YEAR,
            slots=(Slot("T10:00:00", "T18:00:00", 2, "NP"), Slot("T10:00:00", "T18:00:00", 8, "FU")),
        ),
        Session(
            ("Wednesday",),
            "T13:00:00",
            "T17:00:00",
            place=1,
            begins=NEW_YEAR,
            ends=date(2028, 6, 28),
            slots=(Slot("T13:00:00", "T17:00:00", 4, "WCC"),),
        ),
    )
)

LEFT: Final = Week((Session(DAYS[:4], "T08:00:00", "T12:00:00", ends=date(2025, 6, 30)),), status="inactive")

BOOKED_BY_TELEPHONE_ONLY: Final = Week(
    (
        Session(
            DAYS[:3],
            "T17:00:00",
            "T20:00:00",
            slots=(Slot("T17:00:00", "T20:00:00", 9, "TELE"),),
            description="Evening televisits",
        ),
        Session(("Friday",), "T13:00:00", "T17:00:00", every_weeks=2),
    ),
    hidden=True,
)

WEEKS: Final = (EVERY_DAY, MORNINGS_BY_VISIT_TYPE, TWO_PLACES, CHANGED_AT_NEW_YEAR, LEFT, BOOKED_BY_TELEPHONE_ONLY)


def hours(
    week: Week, locations: Sequence[Mapping[str, object]], visit_types: Mapping[str, str]
) -> list[dict[str, object]]:
    """The week day by day; the first location is the provider's own, and without one there are no hours."""
    if not locations:
        return []
    days = ((day, [session for session in week.sessions if day in session.days]) for day in DAYS)
    return [
        {
            "day": day,
            "shifts": [shift(one, day, locations[one.place % len(locations)], visit_types) for one in sessions],
        }
        for day, sessions in days
        if sessions
    ]


def shift(
    session: Session, day: str, location: Mapping[str, object], visit_types: Mapping[str, str]
) -> dict[str, object]:
    rules = [rule(slot, visit_types) for slot in session.slots]
    return {
        "start": session.start,
        "end": session.end,
        "facility_id": location["ehr_id"],
        "facility_name": location["name"],
        "set_start_date": midnight(session.begins),
        **({"set_end_date": midnight(session.ends)} if session.ends else {}),
        "set_description": session.description,
        **({"recurrence": recurrence(session, day)} if session.every_weeks > 1 else {}),
        **({"visit_type_rules": rules} if rules else {}),
    }


def recurrence(session: Session, day: str) -> dict[str, object]:
    first = session.begins + timedelta(days=(DAYS.index(day) - session.begins.weekday()) % 7)
    return {
        "rec_start_date": midnight(first),
        "recur_interval_type": "days",  # the documentation shows no other, and that beside "Every 1 week."
        "recur_interval_amount": str(session.every_weeks),
        "recur_interval_description": f"Every {session.every_weeks} weeks.",
    }


def rule(slot: Slot, visit_types: Mapping[str, str]) -> dict[str, object]:
    return {
        "start_time": slot.start,
        "end_time": slot.end,
        "total_visits": slot.visits,
        "visit_type_id": slot.code,
        "visit_type_desc": visit_types[slot.code],
    }


def midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"

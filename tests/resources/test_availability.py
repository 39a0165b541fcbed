"""Get and Fetch Availability: who is shown, what takes up time, the three methods, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Json = dict[str, Any]
#: A window as ``(range_start, range_end)`` of one day, ``"08:00"``.
Times = list[tuple[str, str]]

DAY = "2026-07-01"  # a Wednesday
ONE_DAY = {"start_date": DAY, "end_date": DAY}
QUEUED = "Live fetch request accepted. Results will be sent via webhook when ready."


def refused(reply: httpx2.Response, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, 400)


def rule(start: str, end: str, visits: int, visit_type: str = "NP") -> Json:
    times = {"start_time": f"T{start}:00", "end_time": f"T{end}:00"}
    return {**times, "total_visits": visits, "visit_type_id": visit_type, "visit_type_desc": ""}


def shift(start: str, end: str, *rules: Json, place: str | None = "1") -> Json:
    """Every Wednesday, from the first."""
    facility = {} if place is None else {"facility_id": place, "facility_name": f"Clinic {place}"}
    hours = {"start": f"T{start}:00", "end": f"T{end}:00", "set_start_date": None, "set_description": ""}
    return {**hours, **facility, **({"visit_type_rules": list(rules)} if rules else {})}


def provider(ehr_id: str, *shifts: Json, **others: Any) -> Json:
    hours = [{"day": "Wednesday", "shifts": list(shifts)}] if shifts else []
    return {"ehr_id": ehr_id, "name": "Owl, Nora", "hours": hours, **others}


def visit(at: str, minutes: int = 30, visit_type: str = "NP", **others: Any) -> Json:
    """An appointment of provider 700, on the day unless ``at`` is a whole date-time."""
    when = at if "T" in at else f"{DAY}T{at}:00-04:00"
    where = {"location": "1", "patient_mrn": "1", "provider_ehr_id": "700"}
    return {"datetime": when, "duration": minutes, "appointment_type": visit_type, **where, **others}


def practice(*visits: Json, providers: list[Json] | None = None, **others: Any) -> Json:
    """One provider, 700, who works from eight to five at location 1."""
    return {
        "name": "small",
        "visit_types": [{"code": "NP", "description": "New Patient"}, {"code": "FU", "description": "Follow-up"}],
        "visit_statuses": [{"code": "CANC", "description": "Cancelled in advance"}],
        "locations": [{"ehr_id": id, "name": f"Clinic {id}"} for id in ("1", "2")],
        "providers": [provider("700", shift("08:00", "17:00"))] if providers is None else providers,
        "appointments": list(visits),
        **others,
    }


Get = Callable[..., httpx2.Response]


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Get]:
    """``GET /availability`` of the day, in a world of its own with this practice."""
    worlds: list[World] = []

    def asked(fixture: Json, **query: Any) -> httpx2.Response:
        world = sandbox.world(fixtures=[fixture])
        worlds.append(world)
        url = f"{world.url}/v1/availability"
        return loopback.get(url, headers=world.headers, params={**ONE_DAY, **query})

    yield asked
    for world in worlds:
        world.delete()


def windows(reply: httpx2.Response) -> list[Json]:
    assert (reply.status_code, list(reply.json())) == (200, ["success", "results", "timezone"])
    found: list[Json] = reply.json()["results"]["availability"]
    return found


def times(reply: httpx2.Response) -> Times:
    return [(each["range_start"][11:16], each["range_end"][11:16]) for each in windows(reply)]


def slots(reply: httpx2.Response) -> list[tuple[str, str, str, int, int]]:
    return [
        (*time, each["visit_type"], each["available_appointments"], each["max_visits"])
        for time, each in zip(times(reply), windows(reply), strict=True)
    ]


# The window ------------------------------------------------------------------------------------------------------


def test_a_window_has_the_fields_of_the_page_in_its_order(get: Get) -> None:
    reply = get(practice())
    assert windows(reply) == [
        {
            "day_of_week": 3,
            "date": "2026-07-01",
            "duration_string": "9h",
            "range_start": "2026-07-01T08:00:00.000-04:00",
            "range_end": "2026-07-01T17:00:00.000-04:00",
            "provider_id": "700",
            "facility_id": "1",
            "facility_name": "Clinic 1",
        }
    ]
    assert reply.json()["timezone"] == "America/New_York"
    order = ["day_of_week", "date", "duration_string", "range_start", "range_end", "provider_id"]
    assert list(windows(reply)[0]) == [*order, "facility_id", "facility_name"]


def test_a_shift_that_is_bound_to_no_location_names_no_facility(get: Get) -> None:
    [window] = windows(get(practice(providers=[provider("700", shift("08:00", "17:00", place=None))])))
    assert not {"facility_id", "facility_name"} & window.keys()


def test_with_the_older_fields_a_window_has_the_older_names_too(get: Get) -> None:
    """D170: beside the newer ones; the name as `First Last`."""
    [window] = windows(get(practice(options={"older_fields": True})))
    assert (window["provider_name"], window["timezone_abbr"], window["provider_id"]) == ("Nora Owl", "EDT", "700")


def test_a_name_that_is_not_last_and_first_stays_as_it_is(get: Get) -> None:
    lab = provider("700", shift("08:00", "17:00"), name="Laboratory")
    [window] = windows(get(practice(providers=[lab], options={"older_fields": True})))
    assert window["provider_name"] == "Laboratory"


@pytest.mark.parametrize(
    ("end", "said"), [("08:45", "45min"), ("09:00", "1h"), ("09:30", "1h 30min"), ("12:20", "4h 20min")]
)
def test_a_duration_is_told_in_hours_and_minutes(get: Get, end: str, said: str) -> None:
    """D171."""
    assert windows(get(practice(providers=[provider("700", shift("08:00", end))])))[0]["duration_string"] == said


def test_a_window_of_seconds_has_no_minutes(get: Get) -> None:
    reply = get(practice(visit("2026-07-01T08:00:30-04:00", 600)))
    assert [each["duration_string"] for each in windows(reply)] == ["0min"]


def test_the_zone_is_the_accounts_and_that_of_the_provider_is_only_shown(get: Get) -> None:
    """D172: the shift is in it, whatever the offset of an appointment."""
    phoenix = provider("700", shift("08:00", "17:00"), timezone="America/Phoenix")
    reply = get(practice(visit("2026-07-01T08:00:00Z"), providers=[phoenix], timezone="Europe/Berlin"))
    assert [(each["range_start"], each["range_end"]) for each in windows(reply)] == [
        ("2026-07-01T08:00:00.000+02:00", "2026-07-01T10:00:00.000+02:00"),
        ("2026-07-01T10:30:00.000+02:00", "2026-07-01T17:00:00.000+02:00"),
    ]
    assert reply.json()["timezone"] == "Europe/Berlin"


def test_windows_are_sorted_by_start_and_then_by_provider(get: Get) -> None:
    """D173."""
    early, late = shift("08:00", "09:00"), shift("10:00", "11:00")
    reply = get(practice(providers=[provider("b", late, early), provider("a", early), provider("c", early)]))
    assert [each["provider_id"] for each in windows(reply)] == ["a", "b", "c", "b"]


# Days ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-07-01", "2026-07-15", ["2026-07-01", "2026-07-08", "2026-07-15"]),
        ("2026-07-02", "2026-07-07", []),
        ("2026-07-01T12:00:00-04:00", "2026-07-01T12:00:00-04:00", ["2026-07-01"]),
        ("2026-07-02T03:59:59Z", "2026-07-08T03:59:59Z", ["2026-07-01"]),
        ("2026-07-02T04:00:00Z", "2026-07-08T04:00:00Z", ["2026-07-08"]),
        ("2026-07-01T23:00:00", "2026-07-01T23:30:00", ["2026-07-01"]),
        ("1969-12-01", "1970-01-08", ["1970-01-07"]),
        ("8999-12-25", "9999-12-31", ["8999-12-25"]),
        ("0001-01-01", "0001-01-01", []),
        ("0001-01-01T00:00:00+14:00", "0001-01-01", []),
        ("9999-12-31T23:00:00-14:00", "9999-12-31T23:59:59-14:00", []),
        ("9999-12-31", "9999-12-31", []),
    ],
)
def test_a_day_is_meant_whole_and_a_time_stands_for_its_day(get: Get, start: str, end: str, found: list[str]) -> None:
    """D22: in the account's zone; nobody works before 1970 or after 8999."""
    assert [each["date"] for each in windows(get(practice(), start_date=start, end_date=end))] == found


def test_no_range_is_too_long_but_a_reply_has_an_end(get: Get) -> None:
    """D169."""
    years = {"start_date": "2026-01-01", "end_date": "2125-12-31"}
    assert len(windows(get(practice(), **years))) == 5217
    refused(
        get(practice(), max_slot_duration=5, **years),
        "Availability has more than 50000 windows, which is the most this sandbox lists. Ask for fewer days.",
    )
    assert windows(get(practice(), start_date="0001-01-01", end_date="9999-12-31", location_ids="2")) == []


# Who and where ---------------------------------------------------------------------------------------------------

MORNING = shift("08:00", "09:00")
SHOWN = practice(
    providers=[
        provider("active", MORNING),
        provider("inactive", MORNING, status="inactive"),
        provider("hidden", MORNING, hide_in_availability=True),
        provider("other", MORNING),
    ]
)


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (None, ["active", "other"]),
        ("", ["active", "other"]),
        ("active", ["active"]),
        ("other, active,other", ["active", "other"]),
        ("inactive,hidden,nobody", []),
        (",", []),
    ],
)
def test_only_active_providers_that_are_not_hidden_are_shown(get: Get, ids: str | None, found: list[str]) -> None:
    """D151; `provider_ids` are EHR ids, separated by commas, and one that matches nothing finds nothing."""
    query = {} if ids is None else {"provider_ids": ids}
    assert [each["provider_id"] for each in windows(get(SHOWN, **query))] == found


PLACES = [shift("08:00", "09:00"), shift("09:00", "10:00", place="2"), shift("10:00", "11:00", place=None)]


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (None, ["08:00", "09:00", "10:00"]),
        ("1", ["08:00"]),
        ("2 , 1", ["08:00", "09:00"]),
        ("3", []),
    ],
)
def test_windows_at_the_locations_asked_for(get: Get, ids: str | None, found: list[str]) -> None:
    """Those without a facility are dropped when locations are asked for."""
    query = {} if ids is None else {"location_ids": ids}
    assert [start for start, _ in times(get(practice(providers=[provider("700", *PLACES)]), **query))] == found


def test_windows_at_an_inactive_location_are_left_out(get: Get) -> None:
    """D175."""
    closed = [{"ehr_id": "1", "name": "Clinic 1", "status": "inactive"}, {"ehr_id": "2", "name": "Clinic 2"}]
    fixture = practice(providers=[provider("700", *PLACES)], locations=closed)
    assert [start for start, _ in times(get(fixture))] == ["09:00", "10:00"]
    assert times(get(fixture, location_ids="1")) == []


@pytest.mark.parametrize("hours", [[], [{"day": "Wednesday", "shifts": []}]])
def test_default_hours_are_for_a_provider_without_hours(get: Get, hours: list[Json]) -> None:
    """D162: Monday to Friday from nine to five, only if asked for."""
    fixture = practice(providers=[{"ehr_id": "700", "name": "Owl, Nora", "hours": hours}])
    week = {"start_date": "2026-06-29", "end_date": "2026-07-05"}
    assert windows(get(fixture, **week)) == []
    assert windows(get(fixture, **week, fallback_to_default_hours="false")) == []
    found = windows(get(fixture, **week, fallback_to_default_hours="true"))
    assert [(each["day_of_week"], each["duration_string"]) for each in found] == [(day, "8h") for day in range(1, 6)]
    assert windows(get(fixture, **week, fallback_to_default_hours="true", calculation_method="slots")) == []


def test_default_hours_do_not_replace_a_providers_own(get: Get) -> None:
    week = {"start_date": "2026-06-29", "end_date": "2026-07-05"}
    assert times(get(practice(), **week, fallback_to_default_hours="true")) == [("08:00", "17:00")]


# Free time -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visits", "free"),
    [
        ([visit("10:00")], [("08:00", "10:00"), ("10:30", "17:00")]),
        ([visit("08:00"), visit("16:30")], [("08:30", "16:30")]),
        ([visit("07:00", 90), visit("16:30", 60)], [("08:30", "16:30")]),
        ([visit("10:00", 60), visit("10:30", 60)], [("08:00", "10:00"), ("11:30", "17:00")]),
        ([visit("11:00"), visit("10:00"), visit("10:30")], [("08:00", "10:00"), ("11:30", "17:00")]),
        ([visit("08:00", 540)], []),
        ([visit("2026-06-30T10:00:00-04:00", 1440)], [("10:00", "17:00")]),
        ([visit("2026-07-01T14:00:00Z")], [("08:00", "10:00"), ("10:30", "17:00")]),
        ([visit("2026-07-02T00:00:00+10:00")], [("08:00", "10:00"), ("10:30", "17:00")]),
        ([visit("2026-07-08T10:00:00-04:00"), visit("2026-06-24T10:00:00-04:00")], [("08:00", "17:00")]),
        ([visit("10:00", provider_ehr_id="800")], [("08:00", "17:00")]),
        (
            [visit("10:00", location="2"), visit("12:00", visit_type="")],
            [("08:00", "10:00"), ("10:30", "12:00"), ("12:30", "17:00")],
        ),
    ],
)
def test_appointments_of_the_provider_take_up_time(get: Get, visits: list[Json], free: Times) -> None:
    assert times(get(practice(*visits))) == free


@pytest.mark.parametrize(
    ("status", "blocks"),
    [
        ("pending", True),
        ("scheduled", True),
        ("CONF", True),
        ("N/S", True),
        ("failed", False),
        ("CANC", False),
        ("R/S", False),
        ("cancelled", False),
        ("rescheduled", False),
        ("X9", False),
    ],
)
def test_what_failed_was_cancelled_or_rescheduled_takes_up_no_time(get: Get, status: str, blocks: bool) -> None:  # noqa: FBT001
    """D174: the practice's own codes are known by their descriptions."""
    codes = {"CANC": "Cancelled in advance", "R/S": "Rescheduled", "X9": "Late, cancelled", "N/S": "No show"}
    statuses = [{"code": code, "description": description} for code, description in codes.items()]
    whole = [("08:00", "17:00")]
    assert (times(get(practice(visit("10:00", status=status), visit_statuses=statuses))) != whole) is blocks


def test_blocks_of_the_schedule_take_up_time(get: Get) -> None:
    """Wherever the provider works, in either role; without an offset they are in the practice's zone (D172)."""
    lunch = {"provider_ehr_id": "700", "start": "2026-07-01T12:00:00", "end": "2026-07-01T13:00:00"}
    others = {"provider_ehr_id": "800", "start": "2026-07-01T08:00:00", "end": "2026-07-01T17:00:00"}
    busy = provider("700", shift("08:00", "17:00"), timezone="America/New_York")
    away = {"provider_ehr_id": "700", "start": "2026-07-01T21:00:00Z", "end": "2026-07-02T12:00:00+02:00"}
    fixture = practice(providers=[busy], schedule_blocks=[away, lunch, others], timezone="America/Chicago")
    free = [("08:00", "12:00"), ("13:00", "16:00")]
    assert times(get(fixture)) == free
    assert times(get(fixture, provider_type="secondary", facility_scoped_scheduling="true")) == free


def test_the_buffer_does_not_follow_a_block(get: Get) -> None:
    lunch = {"provider_ehr_id": "700", "start": "2026-07-01T12:00:00", "end": "2026-07-01T13:00:00"}
    assert times(get(practice(schedule_blocks=[lunch]), buffer=30)) == [("08:00", "12:00"), ("13:00", "17:00")]


BUFFERED = practice(visit("10:00"), visit("10:40", 20, "FU"), visit("16:30"))


@pytest.mark.parametrize(
    ("query", "free"),
    [
        ({}, [("08:00", "10:00"), ("10:30", "10:40"), ("11:00", "16:30")]),
        ({"buffer": "0"}, [("08:00", "10:00"), ("10:30", "10:40"), ("11:00", "16:30")]),
        ({"buffer": "5"}, [("08:00", "10:00"), ("10:35", "10:40"), ("11:05", "16:30")]),
        ({"buffer": "59"}, [("08:00", "10:00"), ("11:59", "16:30")]),
        ({"buffer": "59", "visit_type": "all"}, [("08:00", "10:00"), ("11:59", "16:30")]),
        ({"buffer": "15", "visit_type": "np"}, [("08:00", "10:00"), ("11:00", "16:30")]),
        ({"buffer": "15", "visit_type": "fu"}, [("08:00", "10:00"), ("10:30", "10:40"), ("11:15", "16:30")]),
        ({"visit_type": "fu"}, [("08:00", "10:00"), ("10:30", "10:40"), ("11:00", "16:30")]),
    ],
)
def test_the_buffer_follows_an_appointment_of_the_visit_type(get: Get, query: Json, free: Times) -> None:
    assert times(get(BUFFERED, **query)) == free


def test_the_buffer_after_an_earlier_visit_reaches_into_a_shift(get: Get) -> None:
    assert times(get(practice(visit("07:00", 60)), buffer=45)) == [("08:45", "17:00")]
    assert times(get(practice(visit("2026-06-30T08:30:00-04:00", 1440)), buffer=45)) == [("09:15", "17:00")]


def test_an_appointment_blocks_in_the_role_that_is_asked_for(get: Get) -> None:
    fixture = practice(visit("10:00", provider_ehr_id="800", secondary_provider_ehr_id="700"))
    assert times(get(fixture)) == times(get(fixture, provider_type="primary")) == [("08:00", "17:00")]
    assert times(get(fixture, provider_type="secondary")) == [("08:00", "10:00"), ("10:30", "17:00")]


@pytest.mark.parametrize(
    ("scoped", "place", "free"),
    [
        ("true", "1", [("08:00", "10:00"), ("10:30", "17:00")]),
        ("true", "2", [("08:00", "12:00"), ("12:30", "17:00")]),
        ("true", None, [("08:00", "10:00"), ("10:30", "12:00"), ("12:30", "17:00")]),
        ("false", "1", [("08:00", "10:00"), ("10:30", "12:00"), ("12:30", "17:00")]),
    ],
)
def test_with_scoping_only_appointments_at_the_same_facility_block(
    get: Get, scoped: str, place: str | None, free: Times
) -> None:
    """D168; a window that is bound to no facility is blocked by all."""
    fixture = practice(
        visit("10:00"),
        visit("12:00", location="2"),
        providers=[provider("700", shift("08:00", "17:00", place=place))],
    )
    assert times(get(fixture, facility_scoped_scheduling=scoped)) == free


@pytest.mark.parametrize(
    ("longest", "cut"),
    [
        ("60", [("08:00", "09:00"), ("09:00", "09:30"), ("10:00", "11:00")]),
        ("1", 150),
        ("90", [("08:00", "09:30"), ("10:00", "11:00")]),
        ("999999999", [("08:00", "09:30"), ("10:00", "11:00")]),
    ],
)
def test_longer_windows_are_cut(get: Get, longest: str, cut: Times | int) -> None:
    """D167."""
    fixture = practice(visit("09:30"), providers=[provider("700", shift("08:00", "11:00"))])
    found = times(get(fixture, max_slot_duration=longest))
    assert (len(found) if isinstance(cut, int) else found) == cut


# Slots -----------------------------------------------------------------------------------------------------------

RULES = [
    rule("09:00", "10:00", 1),
    rule("10:00", "12:00", 3),
    rule("10:00", "12:00", 2, "FU"),
    rule("13:00", "14:00", 0),
]


def clinic(*visits: Json, rules: list[Json] = RULES, **others: Any) -> Json:
    return practice(*visits, providers=[provider("700", shift("08:00", "17:00", *rules))], **others)


@pytest.mark.parametrize(
    ("visits", "query", "found"),
    [
        ([], {}, [("09:00", "10:00", "NP", 1, 1), ("10:00", "12:00", "NP", 3, 3), ("10:00", "12:00", "FU", 2, 2)]),
        ([visit("09:45")], {}, [("10:00", "12:00", "NP", 3, 3), ("10:00", "12:00", "FU", 2, 2)]),
        (
            [visit("10:00"), visit("11:59"), visit("12:00")],
            {},
            [("09:00", "10:00", "NP", 1, 1), ("10:00", "12:00", "NP", 1, 3), ("10:00", "12:00", "FU", 2, 2)],
        ),
        ([visit("10:00")] * 4, {"visit_type": "NP"}, [("09:00", "10:00", "NP", 1, 1)]),
        ([visit("10:00", visit_type="fu")], {"visit_type": "fu"}, [("10:00", "12:00", "FU", 1, 2)]),
        ([visit("10:00", visit_type="Other")], {"visit_type": "fu"}, [("10:00", "12:00", "FU", 2, 2)]),
        ([visit("10:00", status="failed")], {"visit_type": "fu"}, [("10:00", "12:00", "FU", 2, 2)]),
    ],
)
def test_slots_are_the_rules_with_what_is_left(get: Get, visits: list[Json], query: Json, found: list[Any]) -> None:
    """D163, D165: a visit takes room where it starts, and only from its own type."""
    assert slots(get(clinic(*visits), calculation_method="slots", **query)) == found


def test_a_shift_without_rules_has_no_slots(get: Get) -> None:
    """D163; of no type, and of none that is asked for."""
    assert windows(get(practice(), calculation_method="slots")) == []
    only = practice(providers=[provider("700", shift("08:00", "17:00", rule("08:00", "09:00", 1, "FU")))])
    assert windows(get(only, calculation_method="equal_slots", visit_type="NP")) == []


@pytest.mark.parametrize(
    ("visits", "found"),
    [
        ([], [("10:00", "10:40"), ("10:40", "11:20"), ("11:20", "12:00")]),
        ([visit("10:00", 60)], [("10:40", "11:20"), ("11:20", "12:00")]),
        ([visit("10:40", 10)] * 2, [("10:00", "10:40"), ("11:20", "12:00")]),
        ([visit("10:40", 10, "FU")], [("10:00", "10:40"), ("10:40", "11:20"), ("11:20", "12:00")]),
    ],
)
def test_equal_slots_are_the_parts_of_a_rule_that_nobody_has_booked(get: Get, visits: list[Json], found: Times) -> None:
    """D164."""
    reply = get(clinic(*visits, rules=[rule("10:00", "12:00", 3)]), calculation_method="equal_slots")
    assert slots(reply) == [(*time, "NP", 1, 1) for time in found]


def test_long_slots_are_cut_too(get: Get) -> None:
    """D167."""
    fixture = clinic(rules=[rule("10:00", "12:00", 3)])
    assert slots(get(fixture, calculation_method="slots", max_slot_duration=90)) == [
        ("10:00", "11:30", "NP", 3, 3),
        ("11:30", "12:00", "NP", 3, 3),
    ]


def test_with_scoping_only_appointments_at_the_same_facility_take_room(get: Get) -> None:
    """D168."""
    fixture = clinic(visit("10:00"), visit("10:30", location="2"), rules=[rule("10:00", "12:00", 3)])
    assert slots(get(fixture, calculation_method="slots"))[0][3] == 1
    assert slots(get(fixture, calculation_method="slots", facility_scoped_scheduling="true"))[0][3] == 2


@pytest.mark.parametrize(
    ("method", "start", "end", "found"),
    [
        ("slots", "10:00", "11:59", [("10:00", "12:00")]),
        ("slots", "10:00", "12:00", []),
        ("equal_slots", "10:30", "10:45", [("11:00", "12:00")]),
        ("equal_slots", "11:00", "12:00", [("10:00", "11:00")]),
        ("equal_slots", "09:00", "10:00", [("10:00", "11:00"), ("11:00", "12:00")]),
    ],
)
def test_slots_in_which_the_provider_sees_nobody_are_left_out(
    get: Get, method: str, start: str, end: str, found: Times
) -> None:
    """A rule as soon as a block takes all of it, a part as soon as one touches it."""
    block = {"provider_ehr_id": "700", "start": f"{DAY}T{start}:00", "end": f"{DAY}T{end}:00"}
    fixture = clinic(rules=[rule("10:00", "12:00", 2)], schedule_blocks=[block])
    assert times(get(fixture, calculation_method=method)) == found


def test_the_buffer_closes_the_part_after_a_visit(get: Get) -> None:
    """D165: it is steered by the visit type in these modes, too, and takes no room of a rule."""
    fixture = clinic(visit("10:10", 20), rules=[rule("10:00", "11:30", 3)])
    query = {"calculation_method": "equal_slots", "buffer": 15}
    assert times(get(fixture, **query)) == [("11:00", "11:30")]
    assert times(
        get(clinic(visit("10:10", 20, "FU"), rules=[rule("10:00", "11:30", 3)]), **query, visit_type="np")
    ) == [
        ("10:00", "10:30"),
        ("10:30", "11:00"),
        ("11:00", "11:30"),
    ]
    assert slots(get(fixture, calculation_method="slots", buffer=59)) == [("10:00", "11:30", "NP", 2, 3)]


# Daily limit -----------------------------------------------------------------------------------------------------

BUSY = clinic(
    visit("2026-07-01T00:00:00-04:00"),
    visit("10:00", visit_type="np"),
    visit("10:30", visit_type="FU"),
    visit("2026-07-02T00:00:00-04:00"),
    visit("11:00", status="CANC"),
    visit("11:00", provider_ehr_id="800"),
    rules=[rule("10:00", "12:00", 5), rule("10:00", "12:00", 5, "FU")],
)


@pytest.mark.parametrize(
    ("limit", "limited", "types"),
    [
        (3, "NP", ["NP", "FU"]),
        (2, "np", ["FU"]),
        (1, "NP", ["FU"]),
        (2, "FU", ["NP", "FU"]),
        (1, "fu", ["NP"]),
        (3, "all", []),
        (4, "ALL", ["NP", "FU"]),
    ],
)
def test_a_type_whose_limit_is_reached_has_no_further_slots(
    get: Get, limit: int, limited: str, types: list[str]
) -> None:
    """Per provider and day, of appointments that start on it."""
    query = {"daily_appointment_limit": limit, "daily_limit_type": limited}
    assert [each[2] for each in slots(get(BUSY, calculation_method="slots", **query))] == types


def test_a_limit_that_is_reached_ends_free_time_of_that_day(get: Get) -> None:
    """The windows of gaps have no type."""
    query = {"end_date": "2026-07-08", "daily_limit_type": "NP"}
    assert {each["date"] for each in windows(get(BUSY, daily_appointment_limit=3, **query))} == {DAY, "2026-07-08"}
    assert {each["date"] for each in windows(get(BUSY, daily_appointment_limit=2, **query))} == {"2026-07-08"}


def test_a_limit_counts_by_the_day_that_it_is_in_the_practice_whatever_offset_is_written(get: Get) -> None:
    limit = {"daily_appointment_limit": 1, "daily_limit_type": "NP"}
    assert times(get(practice(visit("2026-07-02T01:00:00+00:00")), **limit)) == []  # 21:00 of the day
    assert times(get(practice(visit("2026-07-01T01:00:00+00:00")), **limit)) == [("08:00", "17:00")]


# Refusals --------------------------------------------------------------------------------------------------------

WRONG_TYPE = "Must be 'all' or a configured visit type."


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"start_date": "", "end_date": ""}, "Missing required parameters: start_date, end_date."),
        ({"start_date": "", "buffer": "x"}, "Missing required parameters: start_date."),
        ({"end_date": "2026-7-1"}, "Invalid date format. Use ISO format (YYYY-MM-DD)."),
        ({"end_date": "2026-06-30"}, "end_date must be after start_date."),
        (
            {"start_date": "2026-07-01T12:00:00Z", "end_date": "2026-07-01T11:59:59Z"},
            "end_date must be after start_date.",
        ),
        ({"calculation_method": "Gaps"}, "Invalid calculation_method. Must be one of: gaps, slots, equal_slots."),
        ({"buffer": "60"}, "Invalid buffer. Must be an integer between 0 and 59."),
        ({"buffer": "-1"}, "Invalid buffer. Must be an integer between 0 and 59."),
        ({"buffer": "1.5"}, "Invalid buffer. Must be an integer between 0 and 59."),
        ({"visit_type": "XYZ"}, f"Invalid visit_type. {WRONG_TYPE}"),
        (
            {"daily_appointment_limit": "0", "daily_limit_type": "NP"},
            "Invalid daily_appointment_limit. Must be 1 or greater.",
        ),
        ({"daily_appointment_limit": "2"}, "daily_appointment_limit and daily_limit_type must be provided together."),
        ({"daily_limit_type": "NP"}, "daily_appointment_limit and daily_limit_type must be provided together."),
        ({"daily_appointment_limit": "2", "daily_limit_type": "XYZ"}, f"Invalid daily_limit_type. {WRONG_TYPE}"),
        ({"provider_type": "Primary"}, "Invalid provider_type. Must be one of: primary, secondary."),
        ({"fallback_to_default_hours": "1"}, "Invalid fallback_to_default_hours. Must be one of: true, false."),
        ({"facility_scoped_scheduling": "TRUE"}, "Invalid facility_scoped_scheduling. Must be one of: true, false."),
        ({"max_slot_duration": "0"}, "Invalid max_slot_duration. Must be 1 or greater."),
        ({"visit_type": "XYZ", "buffer": "60"}, "Invalid buffer. Must be an integer between 0 and 59."),
    ],
)
def test_wrong_parameters_are_refused(get: Get, query: Json, message: str) -> None:
    """D161, D21; formats before what is looked up (D8)."""
    refused(get(practice(), **query), message)


def test_the_older_slot_type_and_unknown_parameters_are_ignored(get: Get) -> None:
    """D166, D12."""
    assert times(get(practice(), slot_type="Open", page_size="0")) == [("08:00", "17:00")]


def test_a_visit_type_of_which_only_shifts_speak_is_configured(get: Get) -> None:
    """D2: the printed request has `np`, which the printed settings of the documentation's practice lack."""
    assert slots(get(clinic(visit_types=[]), calculation_method="slots", visit_type="fu")) == [
        ("10:00", "12:00", "FU", 2, 2)
    ]


def test_the_printed_request_works_with_the_documentations_practice(api: httpx2.Client) -> None:
    """D2."""
    printed = {
        "start_date": "2024-03-14T00:00:00-07:00",
        "end_date": "2024-04-14T23:59:59-07:00",
        "buffer": "30",
        "visit_type": "np",
        "calculation_method": "slots",
        "provider_ids": "3498234,9834521",
        "location_ids": "1",
    }
    found = windows(api.get("/availability", params=printed))
    assert {each["provider_id"] for each in found} == {"3498234", "9834521"}
    assert {each["visit_type"] for each in found} == {"np"}


# Fetch Availability ----------------------------------------------------------------------------------------------

FETCH: Json = {**ONE_DAY, "provider_ids": ["700"]}


@pytest.fixture
def small(sandbox: Sandbox) -> Iterator[World]:
    """A world with the small practice and one appointment."""
    world = sandbox.world(seed=1, fixtures=[practice(visit("10:00"))])
    yield world
    world.delete()


def fetch(world: World, body: Json) -> httpx2.Response:
    url = f"{world.url}/v1/availability/fetch"
    return loopback.post(url, headers=world.headers, json=body)


def fetched(world: World, body: Json) -> Json:
    """The data of the event in which a fetch ends."""
    job_id = fetch(world, body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    assert (event["type"], event["job_id"]) == ("availability.live_fetch_completed", job_id)
    data: Json = event["data"]
    return data


def test_a_fetch_is_accepted(small: World) -> None:
    """D27, D177: 202, and `job_id` is text."""
    reply = fetch(small, FETCH)
    assert reply.text == f'{{"success":true,"message":"{QUEUED}","job_id":"12345"}}'
    assert reply.status_code == 202


def test_a_fetch_ends_in_the_windows(small: World) -> None:
    """D178: dates and ids as sent."""
    body = {**FETCH, "start_date": f"{DAY}T12:00:00Z", "provider_ids": ["700", "700", "000"]}
    data = fetched(small, body)
    first = {
        "day_of_week": 3,
        "date": DAY,
        "duration_string": "2h",
        "range_start": f"{DAY}T08:00:00.000-04:00",
        "range_end": f"{DAY}T10:00:00.000-04:00",
        "provider_id": "700",
        "facility_id": "1",
        "facility_name": "Clinic 1",
    }
    times = {"range_start": f"{DAY}T10:30:00.000-04:00", "range_end": f"{DAY}T17:00:00.000-04:00"}
    assert data == {
        "success": True,
        "start_date": f"{DAY}T12:00:00Z",
        "end_date": DAY,
        "provider_ids": ["700", "700", "000"],
        "availability": [first, {**first, "duration_string": "6h 30min", **times}],
        "timezone": "America/New_York",
    }


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"buffer": 15},
        {"buffer": 15, "visit_type": "fu"},
        {"calculation_method": "slots"},
        {"daily_appointment_limit": 1, "daily_limit_type": "NP"},
        {"provider_type": "secondary"},
        {"fallback_to_default_hours": True},
        {"max_slot_duration": 45},
        {"facility_scoped_scheduling": True, "buffer": 5},
    ],
)
def test_the_options_of_a_fetch_are_those_of_get(small: World, options: Json) -> None:
    query = {**ONE_DAY, **{name: str(value).lower() if value is True else value for name, value in options.items()}}
    url = f"{small.url}/v1/availability"
    reply = loopback.get(url, headers=small.headers, params=query)
    assert fetched(small, {**FETCH, **options})["availability"] == windows(reply)
    assert fetched(small, {**FETCH, **options, "location_ids": ["2"]})["availability"] == []


def test_null_is_as_good_as_absent(small: World) -> None:
    names = [
        "buffer",
        "visit_type",
        "calculation_method",
        "daily_appointment_limit",
        "daily_limit_type",
        "provider_type",
    ]
    more = ["fallback_to_default_hours", "max_slot_duration", "facility_scoped_scheduling", "location_ids"]
    assert fetched(small, {**FETCH, **dict.fromkeys([*names, *more])}) == fetched(small, FETCH)


def test_a_fetch_reads_the_schedule_when_it_is_done(small: World) -> None:
    """What changes after the request counts."""
    job_id = fetch(small, FETCH).json()["job_id"]
    url = f"{small.url}/v1/providers/ehr/700"
    hidden = {"hide_in_availability": "true"}
    assert loopback.patch(url, headers=small.headers, json=hidden).status_code == 200
    small.settle()
    [event] = small.events(job_id=job_id)
    assert event["data"]["availability"] == []


def test_a_fetch_that_fails_says_why(small: World) -> None:
    """D94: the same type, without windows."""
    reasons = [
        {"code": "EHR_UNAVAILABLE", "description": "The EHR could not be reached."},
        {"code": "TIMEOUT", "description": "The operation did not finish in time."},
    ]
    small.fault("availability.live_fetch_completed", {"fail": reasons})
    assert fetched(small, FETCH) == {
        "success": False,
        "start_date": DAY,
        "end_date": DAY,
        "provider_ids": ["700"],
        "availability": [],
        "timezone": "America/New_York",
        "failure_reason": "The EHR could not be reached. The operation did not finish in time.",
        "reasons": reasons,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict.fromkeys(FETCH), "Missing required parameters: start_date, end_date, provider_ids."),
        ({"start_date": "", "buffer": 99}, "Missing required parameters: start_date."),
        ({"provider_ids": []}, "provider_ids must contain between 1 and 10 ids."),
        ({"provider_ids": ["700"] * 11}, "provider_ids must contain between 1 and 10 ids."),
        ({"provider_ids": "700"}, "Invalid provider_ids. Must be an array."),
        ({"provider_ids": [700]}, "Invalid provider_ids[0]. Must be a string."),
        ({"location_ids": "1"}, "Invalid location_ids. Must be an array."),
        ({"start_date": 20260701}, "Invalid start_date. Must be a string."),
        ({"end_date": "tomorrow"}, "Invalid date format. Use ISO format (YYYY-MM-DD)."),
        ({"end_date": "2026-06-30"}, "end_date must be after start_date."),
        ({"end_date": "2026-07-07"}, "Date range cannot exceed 5 days for a single provider."),
        (
            {"end_date": "2026-07-02", "provider_ids": ["1", "2"]},
            "start_date must equal end_date when more than one provider is requested.",
        ),
        ({"buffer": 60}, "Invalid buffer. Must be an integer between 0 and 59."),
        ({"buffer": "5"}, "Invalid buffer. Must be an integer between 0 and 59."),
        ({"daily_appointment_limit": 0}, "Invalid daily_appointment_limit. Must be 1 or greater."),
        ({"daily_appointment_limit": 1}, "daily_appointment_limit and daily_limit_type must be provided together."),
        ({"daily_appointment_limit": 1, "daily_limit_type": ""}, f"Invalid daily_limit_type. {WRONG_TYPE}"),
        ({"visit_type": ""}, f"Invalid visit_type. {WRONG_TYPE}"),
        ({"max_slot_duration": -1}, "Invalid max_slot_duration. Must be 1 or greater."),
        ({"fallback_to_default_hours": "yes"}, "Invalid fallback_to_default_hours. Must be one of: true, false."),
        ({"calculation_method": "blocks"}, "Invalid calculation_method. Must be one of: gaps, slots, equal_slots."),
    ],
)
def test_a_wrong_fetch_is_refused(small: World, changes: Json, message: str) -> None:
    """D176, D90, and the rules of Get Availability."""
    refused(fetch(small, {**FETCH, **changes}), message)
    assert small.state()["jobs"]["queued"] == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"end_date": "2026-07-06"},
        {"end_date": "2026-07-06T23:59:59-04:00"},
        {"provider_ids": ["700"] * 10},
        {"start_date": f"{DAY}T00:00:00-04:00", "end_date": f"{DAY}T23:59:59-04:00", "provider_ids": ["1", "2"]},
        {"start_date": "9999-12-31", "end_date": "9999-12-31", "provider_ids": ["1", "2"]},
    ],
)
def test_a_fetch_at_its_limits_is_accepted(small: World, changes: Json) -> None:
    """D176: five days between the dates of one provider, one day of several."""
    assert fetched(small, {**FETCH, **changes})["success"] is True


def test_a_live_fetch_is_for_eclinicalworks_alone(sandbox: Sandbox) -> None:
    """D30; availability from the cache is for all."""
    world = sandbox.world(fixtures=[practice(ehr="Practice Fusion")])
    what = "Live fetch for availability is not supported for Practice Fusion. Currently supported: eClinicalWorks."
    refused(fetch(world, FETCH), what)
    url = f"{world.url}/v1/availability"
    reply = loopback.get(url, headers=world.headers, params=ONE_DAY)
    world.delete()
    assert times(reply) == [("08:00", "17:00")]

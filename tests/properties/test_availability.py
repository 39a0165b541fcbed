"""Availability is what is free, minute by minute: held against an oracle that knows the documentation alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cobalt_sandbox import Sandbox
from contract.documents import exchanges
from properties.anything import Json, Request
from properties.effort import tries
from properties.free_time import availability
from properties.line import Line
from properties.schedules import Query, cases

FIXTURES = Path(__file__).parents[2] / "fixtures"


def demand_free_time(reply: Json, practice: Json, query: Query) -> None:
    """The same windows, sorted by start and provider (D173): what agrees in both may stand either way."""
    rows, expected = reply["results"]["availability"], availability(practice, query)
    assert rows == sorted(rows, key=_start_and_provider)
    assert sorted(rows, key=json.dumps) == sorted(expected["results"]["availability"], key=json.dumps)
    assert {**reply, "results": {}} == {**expected, "results": {}}


def _start_and_provider(row: Json) -> tuple[datetime, str]:
    return datetime.fromisoformat(row["range_start"]), row["provider_id"]


@pytest.mark.parametrize("method", ["gaps", "slots", "equal_slots"])
@settings(max_examples=tries(30))
@given(data=st.data())
def test_what_is_available_is_what_is_free_minute_by_minute(method: str, data: st.DataObject, sandbox: Sandbox) -> None:
    practice, queries = data.draw(cases(method))
    world = sandbox.world(seed=1, fixtures=[practice])
    try:
        with Line(world.url) as line:
            headers = tuple({"host": line.host, **world.headers}.items())
            for query in queries:
                answer = line.send(Request("GET", f"/v1/availability?{urlencode(query)}", headers, None))
                assert answer.status == 200, answer.body
                demand_free_time(answer.json, practice, query)
    finally:
        world.delete()


# The oracle keeps to the documented exchanges --------------------------------------------------------------------


def documented(exchange: Json) -> Any:
    """The windows and the zone that an exchange shows, in its reply or its event; refusals and failures show none."""
    told = [event["json"]["data"] for event in exchange.get("events", ())] or [exchange["reply"]["json"]]
    found = told[0].get("results", told[0])
    is_shown = "availability" in found and "faults" not in exchange.get("given", {})
    return (found["availability"], told[0]["timezone"]) if is_shown else None


EXCHANGES = {name: each for name, each in exchanges().items() if name.startswith("availability: ") and documented(each)}


def practice_of(exchange: Json) -> Json:
    """The one that is called, once the calls before have been made, as far as they concern its free time."""
    prepared = json.loads(json.dumps(exchange.get("given", {})))
    (named,) = prepared.get("fixtures", ["documentation"])
    practice: Json = json.loads((FIXTURES / f"{named}.json").read_text("utf-8")) if isinstance(named, str) else named
    practice.setdefault("appointments", [])
    for call in prepared.get("calls", ()):
        make(call["request"], practice)
    return practice


def make(request: Json, practice: Json) -> None:
    sent = request["json"]
    match request["method"], *request["path"].split("/")[2:]:
        case "POST", "appointments":
            practice["appointments"].append(booked(sent, practice))
        case "PATCH", "appointments", _:
            practice["appointments"][-1].update(sent)
        case "PATCH", "locations", id:
            next(each for each in practice["locations"] if each["id"] == id).update(sent)
        case "PATCH", "providers", "ehr", id:
            shown = {"hide_in_availability": sent.pop("hide_in_availability", "false") == "true"}
            for shift in (each for day in sent.get("hours", ()) for each in day["shifts"]):
                shift["recurrence"] = shift.pop("set_recur", None)
                places = (each["name"] for each in practice["locations"] if each["ehr_id"] == shift["facility_id"])
                shift["facility_name"] = next(places)
            next(each for each in practice["providers"] if each["ehr_id"] == id).update({**sent, **shown})
        case call:
            assert call == ("POST", "account", "deactivate")


def booked(sent: Json, practice: Json) -> Json:
    is_known = any(each["mrn"] == sent["mrn"] for each in practice["patients"])
    return {
        "datetime": sent["datetime"],
        "duration": int(sent.get("duration", 30)),
        "status": "scheduled" if is_known else "failed",
        "appointment_type": sent["type"],
        "location": sent["location"],
        "provider_ehr_id": sent["provider"],
    }


def query_of(exchange: Json) -> Query:
    """The parameters in the form of a query string, whichever way they were sent."""
    sent = {**exchange["request"].get("json", {}), **exchange["request"].get("query", {})}
    return {name: _as_text(value) for name, value in sent.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_oracle_says_what_is_documented(name: str) -> None:
    exchange = EXCHANGES[name]
    expected = availability(practice_of(exchange), query_of(exchange))
    assert (expected["results"]["availability"], expected["timezone"]) == documented(exchange)


# This law can fail ------------------------------------------------------------------------------------------------

DIVIDED = "availability: gaps: an appointment divides the day"
RULED = "availability: slots: the visit type rules, with what is left"


def change(**fields: Any) -> Callable[[list[Json]], list[Json]]:
    """Of the first window."""
    return lambda rows: [rows[0] | fields, *rows[1:]]


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        (DIVIDED, lambda rows: rows[1:]),
        (DIVIDED, lambda rows: [*rows, rows[1]]),
        (DIVIDED, lambda rows: rows[::-1]),
        (DIVIDED, change(range_start="2026-07-01T08:01:00.000-04:00")),
        (DIVIDED, change(range_end="2026-07-01T09:59:00.000-04:00")),
        (DIVIDED, change(range_end="2026-07-01T14:00:00.000Z")),
        (DIVIDED, change(duration_string="2h 0min")),
        (DIVIDED, change(day_of_week=2)),
        (DIVIDED, change(date="2026-06-30")),
        (DIVIDED, change(provider_id="PROV-002")),
        (DIVIDED, change(facility_id=None)),
        (DIVIDED, change(visit_type="NP")),
        (RULED, change(visit_type="FU")),
        (RULED, change(available_appointments=2)),
        (RULED, change(max_visits=1)),
    ],
)
def test_wrong_windows_are_noticed(name: str, spoil: Callable[[list[Json]], list[Json]]) -> None:
    exchange = EXCHANGES[name]
    right, practice, query = exchange["reply"]["json"], practice_of(exchange), query_of(exchange)
    demand_free_time(right, practice, query)
    wrong = {**right, "results": {"availability": spoil(right["results"]["availability"])}}
    with pytest.raises(AssertionError):
        demand_free_time(wrong, practice, query)


def test_a_wrong_zone_is_noticed() -> None:
    exchange = EXCHANGES[DIVIDED]
    wrong = {**exchange["reply"]["json"], "timezone": "America/Phoenix"}
    with pytest.raises(AssertionError):
        demand_free_time(wrong, practice_of(exchange), query_of(exchange))

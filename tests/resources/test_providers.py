"""Providers: every one is listed with the documented schedule, and what Cobalt keeps of one can be changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Refusal, Sandbox, World

Json = dict[str, Any]


def listed(world: World, **headers: str) -> list[Json]:
    reply = loopback.get(f"{world.url}/v1/providers", headers={**world.headers, **headers})
    assert (reply.status_code, list(reply.json())) == (200, ["success", "providers"])
    providers: list[Json] = reply.json()["providers"]
    return providers


DOE = "abc123def4567890abcdef1234567890"
SHIFT = {"start": "T08:00:00", "end": "T17:00:00", "facility_id": "1"}
DATED = {**SHIFT, "set_start_date": "2025-11-13T00:00:00", "set_end_date": "2026-11-13T00:00:00"}
RECUR = {
    "rec_start_date": "2025-11-17T00:00:00",
    "rec_end_date": "2026-11-13T00:00:00",
    "recur_interval_type": "days",
    "recur_interval_amount": 2,
    "recur_interval_description": "Every other week.",
}


def week(*shifts: Json, day: str = "Monday") -> list[Json]:
    return [{"day": day, "shifts": list(shifts)}]


def patched(api: httpx2.Client, body: object, path: str = f"/providers/{DOE}") -> tuple[int, str]:
    """Status and message of an update."""
    reply = api.patch(path, json=body)
    return reply.status_code, reply.json()["message"]


def doe(world: World) -> Json:
    return next(provider for provider in listed(world) if provider["id"] == DOE)


def only_shift(world: World) -> Json:
    """Of a provider whose schedule has no other."""
    [day] = doe(world)["hours"]
    [shift] = day["shifts"]
    return dict(shift)


@pytest.fixture
def made(sandbox: Sandbox) -> Iterator[World]:
    """A practice with two providers, of which one has nothing but a name."""
    shift = {"start": "T08:00:00", "end": "T12:00:00", "set_start_date": "2026-01-05T00:00:00", "set_description": ""}
    providers = [
        {
            "id": "b" * 32,
            "ehr_id": "2",
            "name": "Zimmer, Eva",
            "status": "inactive",
            "hide_in_availability": True,
            "hours": [{"day": "Friday", "shifts": [shift]}],
        },
        {"id": "a" * 32, "ehr_id": "1", "name": "abel, Tom"},
    ]
    world = sandbox.world(fixtures=[{"name": "small", "providers": providers}])
    yield world
    world.delete()


def test_the_documented_provider_is_listed_as_printed(world: World) -> None:
    """D152: facility_id is the location's ehr_id. D157: recur_interval_amount is text."""
    [printed] = [provider for provider in listed(world) if provider["ehr_id"] == "99999"]
    assert printed == {
        "id": "abc123def4567890abcdef1234567890",
        "ehr_id": "99999",
        "timezone": "America/Phoenix",
        "npi": "425345345",
        "name": "Doe, John",
        "status": "active",
        "hide_in_availability": False,
        "hours": [
            {
                "day": "Monday",
                "shifts": [
                    {
                        "end": "T12:00:00",
                        "start": "T08:00:00",
                        "facility_id": "1",
                        "recurrence": {
                            "rec_start_date": "2025-11-13T00:00:00",
                            "recur_interval_type": "days",
                            "recur_interval_amount": "1",
                            "recur_interval_description": "Every 1 week.",
                        },
                        "set_end_date": "2026-11-13T00:00:00",
                        "facility_name": "Main St Clinic",
                        "set_start_date": "2025-11-13T00:00:00",
                        "set_description": "",
                        "visit_type_rules": [
                            {
                                "end_time": "T10:00:00",
                                "start_time": "T09:00:00",
                                "total_visits": 2,
                                "visit_type_id": "NP",
                                "visit_type_desc": "New Patient",
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_the_keys_of_a_provider_stand_in_the_order_of_the_page(world: World) -> None:
    keys = ["id", "ehr_id", "timezone", "npi", "name", "status", "hide_in_availability", "hours"]
    assert all(list(provider) == keys for provider in listed(world))


def test_providers_are_listed_by_name(made: World, world: World) -> None:
    """D24."""
    assert [provider["name"] for provider in listed(made)] == ["abel, Tom", "Zimmer, Eva"]
    names = [provider["name"] for provider in listed(world)]
    assert names == sorted(names)


def test_inactive_and_hidden_providers_are_listed(made: World) -> None:
    """D150, D151: there is a status and no key `active`; D160: a boolean."""
    _, inactive = listed(made)
    assert (inactive["status"], inactive["hide_in_availability"]) == ("inactive", True)
    assert "active" not in inactive


def test_what_has_no_value_is_null_and_what_is_optional_left_out(made: World) -> None:
    """D25."""
    bare, scheduled = listed(made)
    assert bare == {
        "id": "a" * 32,
        "ehr_id": "1",
        "timezone": "America/New_York",
        "npi": None,
        "name": "abel, Tom",
        "status": "active",
        "hide_in_availability": False,
        "hours": [],
    }
    [shift] = scheduled["hours"][0]["shifts"]
    assert shift == {
        "end": "T12:00:00",
        "start": "T08:00:00",
        "set_start_date": "2026-01-05T00:00:00",
        "set_description": "",
    }


def test_each_access_token_lists_its_own_practice(world: World) -> None:
    own = {provider["ehr_id"] for provider in listed(world)}
    others = {provider["ehr_id"] for provider in listed(world, access_token="at_test_demo_clinic")}
    assert len(own) == 17
    assert len(others) == 6
    assert not own & others


def test_a_practice_without_providers_lists_none(sandbox: Sandbox) -> None:
    empty = sandbox.world(fixtures=["empty"])
    assert listed(empty) == []
    empty.delete()


@pytest.mark.parametrize("query", [{"page": "0"}, {"status": "inactive"}, {"page_size": "1"}])
def test_there_are_no_parameters_and_no_pages(api: httpx2.Client, query: dict[str, str]) -> None:
    """D12: what is not on the page is ignored."""
    reply = api.get("/providers", params=query).json()
    assert len(reply["providers"]) == 17
    assert "pagination" not in reply


def test_providers_need_an_access_token(world: World) -> None:
    """D6."""
    reply = loopback.get(f"{world.url}/v1/providers", headers={**world.headers, "access_token": ""})
    message = json.dumps({"success": False, "message": "User not found."}, separators=(",", ":"))
    assert (reply.text, reply.status_code) == (message, 404)


# Update Provider -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"status": "active", "hours": week(DATED)}, "status and hours"),
        ({"status": "active"}, "status"),
        ({"hours": week(DATED)}, "hours"),
        ({"hide_in_availability": "true"}, "availability visibility"),
        ({"status": "active", "hide_in_availability": "true"}, "status and availability visibility"),
        ({"hours": [], "hide_in_availability": "false"}, "hours and availability visibility"),
        (
            {"hide_in_availability": True, "hours": [], "status": "active"},
            "status, hours and availability visibility",
        ),
    ],
)
def test_the_message_of_an_update_names_what_was_sent(api: httpx2.Client, body: Json, what: str) -> None:
    """D153."""
    reply = api.patch(f"/providers/{DOE}", json=body)
    assert (reply.status_code, reply.text) == (
        200,
        f'{{"success":true,"message":"Provider {what} updated successfully.","provider_id":"{DOE}"}}',
    )


def test_what_is_not_sent_stays(api: httpx2.Client, world: World) -> None:
    before = doe(world)
    patched(api, {"hide_in_availability": "true"})
    assert doe(world) == {**before, "hide_in_availability": True}
    patched(api, {"status": "Inactive"})
    assert doe(world) == {**before, "hide_in_availability": True, "status": "inactive"}
    patched(api, {"hours": []})
    assert doe(world) == {**before, "hide_in_availability": True, "status": "inactive", "hours": []}


def test_an_update_changes_no_other_provider(api: httpx2.Client, world: World) -> None:
    others = [provider for provider in listed(world) if provider["id"] != DOE]
    patched(api, {"status": "inactive", "hours": week(DATED), "hide_in_availability": "true"})
    assert [provider for provider in listed(world) if provider["id"] != DOE] == others


@pytest.mark.parametrize("status", ["inactive", "Inactive", "INACTIVE"])
def test_the_status_is_taken_in_any_letter_case_and_shown_in_lower(
    api: httpx2.Client, world: World, status: str
) -> None:
    assert patched(api, {"status": status})[0] == 200
    assert doe(world)["status"] == "inactive"
    assert patched(api, {"status": "Active"})[0] == 200
    assert doe(world)["status"] == "active"


@pytest.mark.parametrize("hidden", ["true", True])
def test_visibility_is_a_string_or_a_boolean_and_listed_as_a_boolean(
    api: httpx2.Client, world: World, hidden: object
) -> None:
    """D160."""
    patched(api, {"hide_in_availability": hidden})
    assert doe(world)["hide_in_availability"] is True
    patched(api, {"hide_in_availability": "false"})
    assert doe(world)["hide_in_availability"] is False


def test_an_update_is_done_at_once_without_a_job_and_without_an_event(api: httpx2.Client, world: World) -> None:
    reply = api.patch(f"/providers/{DOE}", json={"status": "inactive"}).json()
    assert list(reply) == ["success", "message", "provider_id"]
    assert doe(world)["status"] == "inactive"
    world.settle()
    assert api.get("/webhook-events").json()["webhook_events"] == []


# Hours -----------------------------------------------------------------------------------------------------------


def test_hours_replace_the_whole_schedule(api: httpx2.Client, world: World) -> None:
    """D154."""
    patched(api, {"hours": week(DATED, day="Sunday") + week(DATED, day="Friday")})
    assert [day["day"] for day in doe(world)["hours"]] == ["Sunday", "Friday"]
    patched(api, {"hours": []})
    assert doe(world)["hours"] == []


def test_a_shift_is_listed_with_the_name_of_its_facility(api: httpx2.Client, world: World) -> None:
    patched(api, {"hours": week(DATED)})
    assert only_shift(world) == {**DATED, "facility_name": "Main St Clinic", "set_description": ""}


@pytest.mark.parametrize("facility", ["1", "0c0ea3dfb62f4833ba693284d073fd90", "0c0ea3df-b62f-4833-ba69-3284d073fd90"])
def test_a_facility_is_given_by_any_of_its_ids_and_listed_by_its_ehr_id(
    api: httpx2.Client, world: World, facility: str
) -> None:
    """D152."""
    patched(api, {"hours": week({**DATED, "facility_id": facility})})
    assert only_shift(world)["facility_id"] == "1"


def test_an_ehr_id_goes_before_a_cobalt_id(api: httpx2.Client, world: World) -> None:
    """The documented facility is found by its EMR's id, which has dashes."""
    patched(api, {"hours": week({**DATED, "facility_id": "095f8067-d3fc-4e13-b771-32f87cd0c3f2"})})
    shift = only_shift(world)
    assert (shift["facility_id"], shift["facility_name"]) == ("095f8067-d3fc-4e13-b771-32f87cd0c3f2", "Hill Clinic")


def test_an_unknown_facility_leaves_everything_as_it_was(api: httpx2.Client, world: World) -> None:
    """D152."""
    before = doe(world)
    hours = week(DATED, {**DATED, "start": "T17:00:00", "end": "T18:00:00", "facility_id": "999"})
    assert patched(api, {"status": "inactive", "hours": hours}) == (404, "Location with ID '999' not found.")
    assert doe(world) == before


def test_the_provider_is_looked_up_before_the_facility(api: httpx2.Client) -> None:
    body = {"hours": week({**SHIFT, "facility_id": "999"})}
    assert patched(api, body, f"/providers/{'0' * 32}") == (404, "Provider not found.")


def test_a_shift_needs_no_dates(api: httpx2.Client, world: World) -> None:
    """D25: the last one is documented as optional and left out, the first one is not and is null."""
    patched(api, {"hours": week(SHIFT)})
    shift = only_shift(world)
    assert shift["set_start_date"] is None
    assert "set_end_date" not in shift


@pytest.mark.parametrize("date", ["2025-11-13", "2025-11-13T00:00:00", "2025-11-13T00:00:00.000Z"])
def test_the_dates_of_a_shift_are_iso_dates_and_listed_as_sent(api: httpx2.Client, world: World, date: str) -> None:
    patched(api, {"hours": week({**SHIFT, "set_start_date": date, "set_end_date": date})})
    shift = only_shift(world)
    assert (shift["set_start_date"], shift["set_end_date"]) == (date, date)


def test_what_the_page_does_not_name_in_a_shift_is_ignored(api: httpx2.Client, world: World) -> None:
    """D12: the list's other keys, too."""
    rule = {"start_time": "T09:00:00", "end_time": "T10:00:00", "total_visits": 2}
    sent = {**DATED, "facility_name": "My Clinic", "set_description": "Mornings", "visit_type_rules": [rule]}
    assert patched(api, {"hours": week(sent)})[0] == 200
    assert only_shift(world) == {**DATED, "facility_name": "Main St Clinic", "set_description": ""}


# Recurrences -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["set_recur", "recurrence"])
def test_a_recurrence_has_either_name_and_is_listed_without_its_end(api: httpx2.Client, world: World, key: str) -> None:
    """D157: the amount is an integer there, a string here."""
    patched(api, {"hours": week({**DATED, key: RECUR})})
    assert only_shift(world)["recurrence"] == {
        "rec_start_date": "2025-11-17T00:00:00",
        "recur_interval_type": "days",
        "recur_interval_amount": "2",
        "recur_interval_description": "Every other week.",
    }


def test_of_two_recurrences_the_one_with_the_name_of_the_page_counts(api: httpx2.Client, world: World) -> None:
    sent = {**DATED, "recurrence": RECUR, "set_recur": {**RECUR, "recur_interval_amount": 3}}
    patched(api, {"hours": week(sent)})
    assert only_shift(world)["recurrence"]["recur_interval_amount"] == "3"


def test_what_was_listed_can_be_sent_back(api: httpx2.Client, world: World) -> None:
    """D157."""
    patched(api, {"hours": week({**DATED, "set_recur": RECUR}, {**SHIFT, "start": "T07:00:00"})})
    before = doe(world)
    assert patched(api, {"hours": before["hours"], "status": before["status"]})[0] == 200
    assert doe(world) == before


def test_the_end_of_a_recurrence_is_kept(api: httpx2.Client, world: World) -> None:
    """D157: it is applied, though it is not listed."""
    patched(api, {"hours": week({**DATED, "set_recur": RECUR})})
    snapshot = loopback.get(f"{world.url}/_sandbox/snapshot", headers=world.headers)
    providers = snapshot.json()["practices"][0]["tables"]["providers"]
    [kept] = [provider for provider in providers if provider["id"] == DOE]
    assert kept["hours"][0]["shifts"][0]["recurrence"]["rec_end_date"] == "2026-11-13T00:00:00"


@pytest.mark.parametrize(
    ("shift", "begins"), [(DATED, "2025-11-13T00:00:00"), (SHIFT, "2026-03-10T00:00:00")], ids=["shift", "today"]
)
def test_no_part_of_a_recurrence_is_required(api: httpx2.Client, world: World, shift: Json, begins: str) -> None:
    """It begins with the shift, or on the day of the update."""
    patched(api, {"hours": week({**shift, "set_recur": {}})})
    assert only_shift(world)["recurrence"] == {
        "rec_start_date": begins,
        "recur_interval_type": "days",
        "recur_interval_amount": "1",
        "recur_interval_description": "Every 1 week.",
    }
    patched(api, {"hours": week({**shift, "set_recur": {"recur_interval_amount": "2"}})})
    assert only_shift(world)["recurrence"]["recur_interval_description"] == "Every 2 weeks."


# Refusals --------------------------------------------------------------------------------------------------------

NOTHING = "At least one of the following fields must be provided: status, hours, hide_in_availability."
DAYS = "Invalid day. Must be one of: Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, NOTHING),
        ({"status": None, "hours": None, "hide_in_availability": None}, NOTHING),
        ({"name": "Roe, Jane"}, NOTHING),
        ({"status": "paused"}, "Invalid status. Must be one of: active, inactive."),
        ({"status": ""}, "Invalid status. Must be one of: active, inactive."),
        ({"status": True}, "Invalid status. Must be a string."),
        ({"hide_in_availability": "yes"}, "Invalid hide_in_availability. Must be one of: true, false."),
        ({"hide_in_availability": "True"}, "Invalid hide_in_availability. Must be one of: true, false."),
        ({"hours": {}}, "Invalid hours. Must be an array."),
        ({"hours": ["Monday"]}, "hours[0] must be an object."),
        ({"hours": [{}]}, "Missing required fields: day, shifts."),
        ({"hours": [{"day": "", "shifts": []}]}, "Missing required fields: day."),
        ({"hours": [{"day": "Monday", "shifts": "none"}]}, "Invalid hours[0].shifts. Must be an array."),
        ({"hours": week(day="monday")}, DAYS),
        ({"hours": [{"day": 1, "shifts": []}]}, DAYS),
        ({"hours": [{"day": ["Monday"], "shifts": []}]}, DAYS),
        ({"hours": [*week(SHIFT), {"day": "Friday", "shifts": [7]}]}, "hours[1].shifts[0] must be an object."),
        ({"hours": week({})}, "Missing required fields: start, end, facility_id."),
        ({"hours": week({**SHIFT, "facility_id": ""})}, "Missing required fields: facility_id."),
        ({"hours": week({**SHIFT, "facility_id": 1})}, "Invalid hours[0].shifts[0].facility_id. Must be a string."),
        ({"hours": week({**SHIFT, "start": "08:00:00"})}, "Invalid start format. Use THH:MM:SS."),
        ({"hours": week({**SHIFT, "start": "T08:00:00\n"})}, "Invalid start format. Use THH:MM:SS."),
        ({"hours": week({**SHIFT, "start": "T24:00:00"})}, "Invalid start format. Use THH:MM:SS."),
        ({"hours": week({**SHIFT, "end": "T17:00"})}, "Invalid end format. Use THH:MM:SS."),
        ({"hours": week({**SHIFT, "end": "T17:60:00"})}, "Invalid end format. Use THH:MM:SS."),
        ({"hours": week({**SHIFT, "end": "T07:00:00"})}, "end must be after start."),
        ({"hours": week({**SHIFT, "end": "T08:00:00"})}, "end must be after start."),
        ({"hours": week({**SHIFT, "set_start_date": "11/13/2025"})}, "Invalid set_start_date format. Use ISO format."),
        ({"hours": week({**SHIFT, "set_start_date": "2025-02-30"})}, "Invalid set_start_date format. Use ISO format."),
        ({"hours": week({**SHIFT, "set_end_date": "20251113"})}, "Invalid set_end_date format. Use ISO format."),
        (
            {"hours": week({**SHIFT, "set_recur": {"rec_start_date": "soon"}})},
            "Invalid rec_start_date format. Use ISO format.",
        ),
        (
            {"hours": week({**SHIFT, "recurrence": {"rec_end_date": "never"}})},
            "Invalid rec_end_date format. Use ISO format.",
        ),
        *(
            (
                {"hours": week({**SHIFT, "set_recur": {"recur_interval_amount": amount}})},
                "Invalid recur_interval_amount. Must be 1 or greater.",
            )
            for amount in (0, "0", -1, 1.5, "two", True)
        ),
        ({"hours": week({**SHIFT, "set_recur": "weekly"})}, "hours[0].shifts[0].set_recur must be an object."),
        ({"hours": "always", "status": "paused"}, "Invalid status. Must be one of: active, inactive."),
    ],
)
@pytest.mark.parametrize("path", [f"/providers/{DOE}", "/providers/ehr/99999"])
def test_an_update_that_breaks_a_rule_is_told_which(api: httpx2.Client, path: str, body: Json, message: str) -> None:
    """D155, D156, D13, D15; the same by either id."""
    assert patched(api, body, path) == (400, message)


def test_the_body_is_checked_before_the_provider_is_looked_up(api: httpx2.Client) -> None:
    """D8."""
    assert patched(api, {}, "/providers/nobody") == (400, NOTHING)


@pytest.mark.parametrize("id", ["0" * 32, "99999", "nobody"])
def test_an_unknown_provider_is_not_found(api: httpx2.Client, id: str) -> None:
    """D17: the EMR's id is no Cobalt id."""
    reply = api.patch(f"/providers/{id}", json={"status": "active"})
    assert (reply.status_code, reply.text) == (404, '{"success":false,"message":"Provider not found."}')


def test_a_provider_of_another_practice_is_not_found(world: World) -> None:
    reply = loopback.patch(
        f"{world.url}/v1/providers/{DOE}",
        headers={**world.headers, "access_token": "at_test_demo_clinic"},
        json={"status": "inactive"},
    )
    assert (reply.status_code, reply.json()["message"]) == (404, "Provider not found.")
    assert doe(world)["status"] == "active"


def test_the_id_is_taken_with_dashes_and_answered_without(api: httpx2.Client) -> None:
    """D29."""
    reply = api.patch("/providers/abc123de-f456-7890-abcd-ef1234567890", json={"status": "active"})
    assert reply.json()["provider_id"] == DOE


# Update Provider by EMR ID ---------------------------------------------------------------------------------------


def test_a_provider_is_updated_by_the_id_of_the_emr(api: httpx2.Client, world: World) -> None:
    """D159: the reply names the Cobalt id."""
    body = {"status": "INACTIVE", "hours": week({**DATED, "set_recur": RECUR}), "hide_in_availability": "true"}
    reply = api.patch("/providers/ehr/99999", json=body)
    assert (reply.status_code, reply.json()) == (
        200,
        {
            "success": True,
            "message": "Provider status, hours and availability visibility updated successfully.",
            "provider_id": DOE,
        },
    )
    changed = doe(world)
    assert (changed["status"], changed["hide_in_availability"]) == ("inactive", True)
    assert only_shift(world)["facility_name"] == "Main St Clinic"


@pytest.mark.parametrize("ehr_id", ["00000", DOE])
def test_an_unknown_id_of_the_emr_is_not_found(api: httpx2.Client, ehr_id: str) -> None:
    """D17: the Cobalt id is none."""
    assert patched(api, {"status": "active"}, f"/providers/ehr/{ehr_id}") == (404, "Provider not found.")


# What a fixture may say of a schedule ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"start": "8 am"}, "'8 am' is not of the form THH:MM:SS at providers.0.hours.0.shifts.0.start."),
        ({"set_start_date": "soon"}, "'soon' is no ISO date or date-time at providers.0.hours.0.shifts.0."),
        (
            {"recurrence": {**RECUR, "recur_interval_amount": "0"}},
            " at providers.0.hours.0.shifts.0.recurrence.recur_interval_amount.",
        ),
    ],
)
def test_a_schedule_that_cannot_be_kept_makes_no_practice(sandbox: Sandbox, changes: Json, complaint: str) -> None:
    shift = {**DATED, "set_description": "", **changes}
    provider = {"ehr_id": "1", "name": "Doe, Jane", "hours": week(shift)}
    with pytest.raises(Refusal, match=complaint.replace(".", r"\.")):
        sandbox.world(fixtures=[{"name": "own", "providers": [provider]}])

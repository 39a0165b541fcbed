"""Worlds: made with or without credentials of one's own, looked at, changed, reset and deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, Refusal, Sandbox, World
from cobalt_sandbox.testing.receiver import verifies

Body = dict[str, Any]

BUNDLED = "Bundled fixtures: demo-clinic, documentation, empty. A whole practice can be given instead of a name."
#: The options of a client, and of a practice, for which nothing was configured.
OF_A_CLIENT = {
    "rotation_signs_with": "new",
    "user_not_found_status": 404,
    "strict_orgs": False,
    "callback_url": None,
    "link_fixtures": {},
}
AS_COBALT_HAS_IT = {
    "older_fields": False,
    "accept_24h_time": False,
    "muted_events": [],
    "task_required_fields": None,
    "note_event_names": "created",
    "document_event_names": "uploaded",
}
NO_LATENCY = "latency {!r} is none of: instant, brisk, realistic, A..B (seconds, as in 0.5..2)."
PATIENT = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}
REFERRAL = {
    "patient_mrn": "1234567",
    "referring_from_provider_ehr_id": "PROV-001",
    "referring_to_provider_ehr_id": "PROV-002",
    "direction": "outgoing",
    "priority": "urgent",
    "reason": "Cardiology consultation",
    "documents": [{"filename": f"{name}.pdf", "content_base64": "aGVsbG8="} for name in "ab"],
}
REJECTED = {"fail": [{"code": "EHR_REJECTED", "description": "No."}]}


def control(
    sandbox: Sandbox | World, method: str, body: object = None, *, path: str = "/world", **headers: str
) -> httpx2.Response:
    return loopback.request(
        method,
        f"{sandbox.url}/_sandbox{path}",
        headers={"content-type": "application/json", **headers},
        content=None if body is None else json.dumps(body),
    )


def call(world: World, method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
    """The documented API."""
    url, all_headers = f"{world.url}/v1{path}", {**world.headers, **headers}
    return loopback.request(method, url, headers=all_headers, json=body)


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def remove(sandbox: Sandbox, state: Body) -> None:
    World(sandbox.url, state["client_id"], state["client_secret"]).delete()


@pytest.fixture
def made(sandbox: Sandbox) -> Iterator[Body]:
    """The state of a world made without a wish."""
    reply = control(sandbox, "POST", {})
    assert reply.status_code == 201
    yield reply.json()
    remove(sandbox, reply.json())


# Make ------------------------------------------------------------------------------------------------------------


def test_a_world_made_without_a_wish_is_as_the_server_was_started(made: Body) -> None:
    assert made == {
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
        "generation": 1,
        "seed": made["seed"],
        "latency": "brisk",
        "hold": False,
        "options": OF_A_CLIENT,
        "clock": {"now": "2026-03-10T10:30:00.000Z", "rate": 0.0},
        "practices": [
            {
                "name": "documentation",
                "access_token": "493JKLHIU98789hLKH9HHJH",
                "access_token_reference_id": "at_ref_123456789",
                "ehr": "eClinicalWorks",
                "options": AS_COBALT_HAS_IT,
            },
            {
                "name": "demo-clinic",
                "access_token": "at_test_demo_clinic",
                "access_token_reference_id": "demo_clinic",
                "ehr": "eClinicalWorks",
                "options": AS_COBALT_HAS_IT,
            },
        ],
        "jobs": {"queued": 0, "held": 0, "succeeded": 0, "failed": 0},
        "events": 0,
        "deliveries": {"pending": 0, "success": 0, "failed": 0},
        "webhooks": 0,
        "requests": 0,
        "trimmed": {"events": 0, "requests": 0},
    }


def test_credentials_are_made_up_by_the_server(made: Body) -> None:
    """D31."""
    assert re.fullmatch(r"ci_test_\w+", made["client_id"])
    assert re.fullmatch(r"cs_test_\w+", made["client_secret"])


def test_no_two_worlds_have_the_same_credentials(sandbox: Sandbox) -> None:
    worlds = [control(sandbox, "POST", {"seed": 7}).json() for _ in range(5)]
    assert len({world["client_id"] for world in worlds}) == 5
    assert len({world["client_secret"] for world in worlds}) == 5
    for world in worlds:
        remove(sandbox, world)


def test_worlds_without_a_seed_get_different_ones(sandbox: Sandbox) -> None:
    worlds = [control(sandbox, "POST").json() for _ in range(3)]
    assert len({world["seed"] for world in worlds}) == 3
    for world in worlds:
        remove(sandbox, world)


def test_a_world_is_made_as_wished(sandbox: Sandbox) -> None:
    wish = {
        "seed": 42,
        "fixtures": ["empty"],
        "latency": "0.5..2",
        "clock": {"now": "2026-01-02T03:04:05+01:00", "rate": 0},
        "hold": True,
        "options": {"user_not_found_status": 401, "rotation_signs_with": "old"},
    }
    state = control(sandbox, "POST", wish).json()
    assert (state["seed"], state["latency"], state["hold"]) == (42, "0.5..2", True)
    assert state["clock"] == {"now": "2026-01-02T02:04:05.000Z", "rate": 0.0}
    assert [practice["name"] for practice in state["practices"]] == ["empty"]
    world = World(sandbox.url, state["client_id"], state["client_secret"])
    refused(call(world, "GET", "/settings", access_token="nobody"), 401, "User not found.")
    world.delete()


def test_a_practice_can_be_given_whole(sandbox: Sandbox) -> None:
    practice = {
        "name": "inline",
        "access_token": "at_inline",
        "access_token_reference_id": "ref_inline",
        "ehr": "NextGen",
        "timezone": "Europe/Berlin",
        "patients": [{"mrn": "1", "ehr_id": "2", "first_name": "Ida", "last_name": "Vance"}],
    }
    world = sandbox.world(fixtures=[practice, "empty"])
    assert world.state()["practices"][0] == {
        "name": "inline",
        "access_token": "at_inline",
        "access_token_reference_id": "ref_inline",
        "ehr": "NextGen",
        "options": AS_COBALT_HAS_IT,
    }
    [patient] = call(world, "GET", "/patients").json()["patients"]
    assert (patient["mrn"], patient["last_name"], patient["status"]) == ("1", "Vance", "active")
    assert call(world, "GET", "/settings").json()["data"]["timezone"] == "Europe/Berlin"
    assert call(world, "GET", "/patients", access_token="at_test_empty").json()["patients"] == []
    world.delete()


def test_rows_without_an_id_get_the_same_one_in_every_world(sandbox: Sandbox) -> None:
    practice = {"name": "inline", "patients": [{"mrn": "1"}, {"mrn": "2"}]}
    worlds = [sandbox.world(fixtures=[practice]) for _ in range(2)]
    first, second = ([row["id"] for row in call(world, "GET", "/patients").json()["patients"]] for world in worlds)
    assert first == second
    assert len(set(first)) == 2
    for world in worlds:
        world.delete()


def test_worlds_of_the_same_seed_give_the_same_answers(sandbox: Sandbox) -> None:
    worlds = [sandbox.world(seed=5) for _ in range(2)]
    replies = [call(world, "POST", "/patients", PATIENT).text for world in worlds]
    walks = [world.settle() for world in worlds]
    assert replies[0] == replies[1]
    assert walks[0] == walks[1]
    for world in worlds:
        world.delete()


def test_two_worlds_never_see_each_other(sandbox: Sandbox, world: World) -> None:
    other = sandbox.world()
    call(other, "POST", "/patients", PATIENT)
    call(other, "POST", "/webhook", {"webhook_url": "https://api.example.com"})
    other.settle()
    assert world.events() == []
    assert (world.state()["jobs"]["succeeded"], world.state()["webhooks"]) == (0, 0)
    assert call(world, "GET", "/patients").json()["pagination"]["total_count"] == 10
    other.delete()


@pytest.mark.parametrize("latency", ["instant", "brisk", "realistic", "0..0", "0.5..2", "1..1"])
def test_every_latency_is_taken(sandbox: Sandbox, latency: str) -> None:
    world = sandbox.world(latency=latency, fixtures=["empty"])
    assert world.state()["latency"] == latency
    world.delete()


def test_a_world_with_hold_holds_its_jobs(sandbox: Sandbox) -> None:
    world = sandbox.world(hold=True)
    call(world, "POST", "/patients", PATIENT)
    world.advance(86_400)
    assert world.state()["jobs"] == {"queued": 0, "held": 1, "succeeded": 0, "failed": 0}
    assert world.clock()["pending"] == {"jobs": 1, "deliveries": 0}
    assert world.events() == []
    world.delete()


# What cannot be made ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"seed": "1"}, "Invalid seed. Must be a number."),
        ({"seed": 1.5}, "Invalid seed. Must be a number."),
        ({"seed": True}, "Invalid seed. Must be a number."),
        ({"latency": "slow"}, NO_LATENCY.format("slow")),
        ({"latency": "2..1"}, NO_LATENCY.format("2..1")),
        ({"latency": "-1..1"}, NO_LATENCY.format("-1..1")),
        ({"latency": "1"}, NO_LATENCY.format("1")),
        ({"latency": "a..b"}, NO_LATENCY.format("a..b")),
        ({"latency": "nan..1"}, NO_LATENCY.format("nan..1")),
        ({"latency": "0..inf"}, NO_LATENCY.format("0..inf")),
        ({"latency": ""}, NO_LATENCY.format("")),
        ({"latency": 1}, "Invalid latency. Must be a string."),
        ({"hold": "true"}, "Invalid hold. Must be a boolean."),
        ({"clock": 1}, "clock must be an object."),
        ({"clock": {"rate": -1}}, "Invalid clock.rate. Input should be greater than or equal to 0."),
        ({"clock": {"rate": "1"}}, "Invalid clock.rate. Must be a number."),
        ({"clock": {"pace": 1}}, "Unexpected fields in request body: clock.pace"),
        ({"options": {"colour": 1}}, "Unexpected fields in request body: options.colour"),
        (
            {"options": {"user_not_found_status": 403}},
            "Invalid options.user_not_found_status. Must be one of: 404, 401.",
        ),
        (
            {"options": {"rotation_signs_with": "both"}},
            "Invalid options.rotation_signs_with. Must be one of: new, old.",
        ),
        ({"colour": 1, "fixture": []}, "Unexpected fields in request body: colour, fixture"),
        ([], "Request body must be a JSON object."),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_wish_that_cannot_be_read_is_refused(sandbox: Sandbox, method: str, wish: object, message: str) -> None:
    refused(control(sandbox, method, wish, client_id="ci_wish", client_secret="cs_wish"), 400, message)


@pytest.mark.parametrize("now", ["tomorrow", "2026-13-01", 1, True, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_clock_starts_at_a_time_that_exists(sandbox: Sandbox, now: object) -> None:
    reply = control(sandbox, "POST", {"clock": {"now": now}})
    assert reply.status_code == 400
    assert reply.json()["message"].startswith("Invalid clock.now. Must be an ISO 8601 date-time")


@pytest.mark.parametrize(
    ("fixtures", "message"),
    [
        ("empty", "Invalid fixtures. Must be an array."),
        (["clinic"], f"There is no fixture 'clinic'. {BUNDLED}"),
        (["../pyproject"], f"There is no fixture '../pyproject'. {BUNDLED}"),
        ([1], "This world cannot be made: each of its fixtures is a name or a whole practice."),
        ([["empty"]], "This world cannot be made: each of its fixtures is a name or a whole practice."),
        ([], "This world cannot be made: a world has at least one practice."),
        (["empty", "empty"], "This world cannot be made: two practices have the same name: 'empty'."),
        (
            [{"name": "a", "access_token": "at_1"}, {"name": "b", "access_token": "at_1"}],
            "This world cannot be made: two practices have the same access_token: 'at_1'.",
        ),
    ],
)
def test_a_world_has_practices_that_can_be_told_apart(sandbox: Sandbox, fixtures: object, message: str) -> None:
    refused(control(sandbox, "POST", {"fixtures": fixtures}), 400, message)


@pytest.mark.parametrize(
    ("practice", "parts"),
    [
        ({}, ["Fixture '(unnamed)'", "name"]),
        ({"name": "a", "colour": 1}, ["Fixture 'a': unknown key 'colour'. Known keys: access_token,", "visit_types."]),
        ({"name": "a", "ehr": 1}, ["Fixture 'a'", "ehr"]),
        ({"name": "a", "options": {"colour": 1}}, ["Fixture 'a'", "options.colour"]),
        ({"name": "a", "patients": {"mrn": "1"}}, ["Fixture 'a'", "patients"]),
        ({"name": "a", "patients": [1]}, ["Fixture 'a'", "patients.0"]),
        ({"name": "a", "patients": [{}, {"mrn": 1}]}, ["Fixture 'a'", "patients.1.mrn"]),
        ({"name": "a", "patients": [{"frist_name": "Ida"}]}, ["Fixture 'a'", "frist_name"]),
        ({"name": "a", "patients": [{"status": "asleep"}]}, ["Fixture 'a'", "patients.0.status"]),
        ({"name": "a", "providers": [{"name": "Doe, John"}]}, ["Fixture 'a'", "providers.0.ehr_id"]),
        (
            {"name": "a", "providers": [{"ehr_id": "1", "name": "Doe, John", "hours": [{"x": 1}]}]},
            ["Fixture 'a'", "providers.0.hours"],
        ),
        (
            {"name": "a", "patients": [{"id": "1"}, {"id": "1"}]},
            ["Fixture 'a': patients: two rows have the id '1'."],
        ),
    ],
)
def test_a_practice_that_cannot_be_read_is_refused_with_the_place(
    sandbox: Sandbox, practice: Body, parts: list[str]
) -> None:
    reply = control(sandbox, "POST", {"fixtures": [practice]})
    assert reply.status_code == 400
    assert [part for part in parts if part not in reply.json()["message"]] == []


def test_a_practice_without_an_access_token_of_its_own_cannot_be_opened_by_none(sandbox: Sandbox) -> None:
    """D6."""
    reply = control(sandbox, "POST", {"fixtures": [{"name": "open", "access_token": ""}]})
    assert reply.status_code == 400
    assert "access_token" in reply.json()["message"]


def test_a_server_holds_so_many_worlds() -> None:
    with Sandbox(fixtures=["empty"]) as full, loopback.Client() as client:
        url = f"{full.url}/_sandbox/world"
        worlds = [client.post(url).json() for _ in range(999)]
        message = "This server holds 1000 worlds, which is the most. Delete one that is no longer used."
        refused(client.post(url), 503, message)
        unknown = {"client_id": "a", "client_secret": "b"}
        refused(client.put(url, headers=unknown), 503, message)
        snapshot = full.default_world.snapshot()
        refused(client.put(f"{full.url}/_sandbox/snapshot", headers=unknown, json=snapshot), 503, message)
        client.delete(url, headers={"client_id": worlds[0]["client_id"]})
        assert client.post(url).status_code == 201


# PUT -------------------------------------------------------------------------------------------------------------


def test_a_world_with_credentials_of_ones_own_is_made_once(sandbox: Sandbox) -> None:
    own = {"client_id": "ci_own", "client_secret": "cs_own"}
    first = control(sandbox, "PUT", {"seed": 3, "fixtures": ["empty"]}, **own)
    again = control(sandbox, "PUT", {"seed": 4}, **own)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json().items() >= {**own, "seed": 3, "generation": 1}.items()
    refused(
        control(sandbox, "PUT", {}, client_id="ci_own", client_secret="cs_other"),
        409,
        "The world of client_id 'ci_own' is there already, with another client_secret.",
    )
    remove(sandbox, own)
    assert control(sandbox, "PUT", {"fixtures": ["empty"]}, **own).status_code == 201
    remove(sandbox, own)


def test_a_world_made_twice_keeps_what_is_in_it(sandbox: Sandbox) -> None:
    own = {"client_id": "ci_kept", "client_secret": "cs_kept"}
    control(sandbox, "PUT", {}, **own)
    world = World(sandbox.url, **own)
    call(world, "POST", "/patients", PATIENT)
    assert control(sandbox, "PUT", {}, **own).json()["jobs"]["queued"] == 1
    world.delete()


@pytest.mark.parametrize(
    ("headers", "missing"),
    [
        ({}, "client_id, client_secret"),
        ({"client_id": "a"}, "client_secret"),
        ({"client_secret": "b"}, "client_id"),
        ({"client_id": "", "client_secret": "b"}, "client_id"),
    ],
)
def test_credentials_of_ones_own_are_in_the_headers(sandbox: Sandbox, headers: dict[str, str], missing: str) -> None:
    refused(control(sandbox, "PUT", {}, **headers), 401, f"Missing required headers: {missing}.")


def test_the_default_world_is_there_already(sandbox: Sandbox) -> None:
    default = sandbox.default_world
    own = {"client_id": default.client_id, "client_secret": default.client_secret}
    assert control(sandbox, "PUT", {}, **own).status_code == 200
    assert control(sandbox, "PUT", {}, **{**own, "client_secret": "guess"}).status_code == 409


# GET -------------------------------------------------------------------------------------------------------------


def test_what_is_in_a_world_is_counted(world: World) -> None:
    url = {"webhook_url": "http://127.0.0.1:9"}
    call(world, "POST", "/patients", PATIENT)
    call(world, "POST", "/webhook", url)
    call(world, "POST", "/patients", {})
    world.settle()
    world.fault("patient.created", REJECTED)
    call(world, "POST", "/patients", {**PATIENT, "dob": "1990-01-03"}, access_token="at_test_demo_clinic")
    world.settle()
    call(world, "POST", "/patients", {**PATIENT, "dob": "1990-01-04"})
    state = world.state()
    assert state["jobs"] == {"queued": 1, "held": 0, "succeeded": 1, "failed": 1}
    assert state["deliveries"] == {"pending": 0, "success": 0, "failed": 2}
    assert (state["events"], state["webhooks"], state["requests"]) == (2, 1, 5)
    assert state["trimmed"] == {"events": 0, "requests": 0}


def test_the_changed_reference_is_shown(world: World) -> None:
    call(world, "POST", "/settings", {"access_token_reference_id": "clinic_1"})
    assert world.state()["practices"][0]["access_token_reference_id"] == "clinic_1"


def test_without_a_client_id_it_is_the_default_world(sandbox: Sandbox) -> None:
    state = control(sandbox, "GET").json()
    assert state["client_id"] == sandbox.default_world.client_id == "ci_live_198908HJDKJSH98789OHKJL"
    assert state["client_secret"] == "cs_live_9827hofdsklOYYHJLJh"
    assert control(sandbox, "GET", client_id='"ci_live_198908HJDKJSH98789OHKJL"').json() == state


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/world"),
        ("PATCH", "/world"),
        ("DELETE", "/world"),
        ("POST", "/world/reset"),
        ("GET", "/clock"),
        ("PATCH", "/clock"),
        ("POST", "/clock/advance"),
        ("POST", "/clock/settle"),
        ("POST", "/faults"),
        ("GET", "/faults"),
        ("DELETE", "/faults"),
        ("DELETE", "/faults/1"),
        ("GET", "/events"),
        ("GET", "/snapshot"),
    ],
)
def test_an_unknown_world_is_refused_with_the_one_there_is(sandbox: Sandbox, method: str, path: str) -> None:
    reply = control(sandbox, method, path=path, client_id="nobody")
    refused(reply, 404, "Unknown client_id 'nobody'; this server's own is 'ci_live_198908HJDKJSH98789OHKJL'.")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/livez", 405)])
def test_what_is_not_there_is_refused_in_the_envelope(sandbox: Sandbox, method: str, path: str, status: int) -> None:
    """D16."""
    message = {404: "Not found.", 405: "Method not allowed."}[status]
    refused(control(sandbox, method, path=path), status, message)


# PATCH -----------------------------------------------------------------------------------------------------------


def changed(world: World, body: object, **headers: str) -> httpx2.Response:
    return control(world, "PATCH", body, client_id=world.client_id, **headers)


def submitted(world: World, day: int, **headers: str) -> Body:
    """The job of another patient, as it is told."""
    job_id = call(world, "POST", "/patients", {**PATIENT, "dob": f"1990-01-{day:02}"}, **headers).json()["job_id"]
    return next(job for job in world.jobs() if job["job_id"] == job_id)


def seconds(job: Body) -> float:
    """Until it is due, when it was submitted at the beginning."""
    return (datetime.fromisoformat(job["due"]) - datetime.fromisoformat("2026-03-10T10:30:00Z")).total_seconds()


def test_a_change_of_nothing_changes_nothing(world: World) -> None:
    state = world.state()
    assert changed(world, {}).json() == state
    assert changed(world, {"hold": None, "latency": None, "options": {}}).json() == state


def test_another_latency_is_that_of_jobs_to_come(world: World) -> None:
    before = submitted(world, 1)
    assert changed(world, {"latency": "50..50"}).json()["latency"] == "50..50"
    assert seconds(submitted(world, 2)) == 50
    assert world.jobs()[0] == before


def test_jobs_are_held_from_now_on_and_those_that_are_queued_are_not(world: World) -> None:
    submitted(world, 1)
    assert changed(world, {"hold": True}).json()["hold"] is True
    assert submitted(world, 2)["status"] == "held"
    world.settle()
    assert [job["status"] for job in world.jobs()] == ["succeeded", "held"]


def test_jobs_that_are_held_no_longer_are_as_if_they_had_just_been_submitted(sandbox: Sandbox) -> None:
    held, never_held = (sandbox.world(seed=1, latency="realistic", hold=hold) for hold in (True, False))
    for world in (held, never_held):
        for day in (1, 2):
            submitted(world, day)
        assert call(world, "POST", "/referrals", REFERRAL).status_code == 200
        submitted(world, 4, access_token="at_test_demo_clinic")
    state = changed(held, {"hold": False}).json()
    assert (state["hold"], state["jobs"]["held"], state["jobs"]["queued"]) == (False, 0, 4)
    assert held.jobs() == never_held.jobs()
    assert held.settle() == never_held.settle()
    for world in (held, never_held):
        world.delete()


def test_time_that_jobs_were_held_is_added_to_their_own(sandbox: Sandbox) -> None:
    world = sandbox.world(hold=True, latency="5..5")
    submitted(world, 1)
    world.advance(60)
    changed(world, {"hold": False, "latency": "7..7"})
    assert seconds(world.jobs()[0]) == 67
    world.delete()


def test_what_must_follow_something_still_does_when_it_is_released(sandbox: Sandbox) -> None:
    world = sandbox.world(seed=2, hold=True, latency="realistic")
    patient_id = call(world, "GET", "/patients").json()["patients"][0]["id"]
    for street in ("1 Elm St", "2 Elm St", "3 Elm St"):
        call(world, "PATCH", f"/patients/{patient_id}", {"address_street": street})
    world.change(hold=False)
    dues = [job["due"] for job in world.jobs()]
    assert (len(dues), dues) == (3, sorted(dues))
    world.delete()


def test_what_was_not_held_can_be_released_too(world: World) -> None:
    before = submitted(world, 1)
    assert world.change(hold=False)["jobs"]["queued"] == 1
    assert world.jobs() == [before]


def test_a_practice_can_be_put_behind_another_ehr(world: World) -> None:
    state = changed(world, {"ehr": "Athena"}, access_token="at_test_demo_clinic").json()
    assert [practice["ehr"] for practice in state["practices"]] == ["eClinicalWorks", "Athena"]
    referral = {"patient_mrn": "1", "direction": "outgoing"}
    said = call(world, "POST", "/referrals", referral, access_token="at_test_demo_clinic").json()["message"]
    assert said == "Creating referrals is not supported for Athena. Currently supported: eClinicalWorks."
    assert changed(world, {"ehr": "Athena"}).json()["practices"][0]["ehr"] == "Athena"


def test_options_are_changed_one_by_one(world: World) -> None:
    state = world.change(options={"user_not_found_status": 401}, practice_options={"older_fields": True})
    assert state["options"] == {**OF_A_CLIENT, "user_not_found_status": 401}
    refused(call(world, "GET", "/settings", access_token="nobody"), 401, "User not found.")
    state = world.change(options={"rotation_signs_with": "old"}, practice_options={"muted_events": ["patient.created"]})
    assert state["options"] == {**OF_A_CLIENT, "rotation_signs_with": "old", "user_not_found_status": 401}
    assert [practice["options"] for practice in state["practices"]] == [
        {**AS_COBALT_HAS_IT, "older_fields": True, "muted_events": ["patient.created"]},
        AS_COBALT_HAS_IT,
    ]


def test_webhooks_are_signed_as_the_changed_options_say(world: World) -> None:
    with Receiver() as receiver:
        former = call(world, "POST", "/webhook", {"webhook_url": receiver.url}).json()["webhook_secret"]
        call(world, "POST", "/webhook/rotate-secret")
        world.change(options={"rotation_signs_with": "old"})
        submitted(world, 1)
        world.settle()
        [received] = receiver.received
    assert verifies(former, received.body, received.signature)


def test_a_reset_takes_changes_back(world: World) -> None:
    new = world.state()
    world.change(
        latency="1..1",
        hold=True,
        ehr="Athena",
        options={"user_not_found_status": 401, "rotation_signs_with": "old"},
        practice_options={"older_fields": True},
    )
    world.reset()
    assert world.state() == {**new, "generation": 2}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"latency": "slow"}, NO_LATENCY.format("slow")),
        ({"hold": "yes"}, "Invalid hold. Must be a boolean."),
        ({"ehr": 1}, "Invalid ehr. Must be a string."),
        ({"ehr": ""}, "ehr is required."),
        ({"seed": 1}, "Unexpected fields in request body: seed"),
        ({"options": {"colour": 1}}, "Unexpected fields in request body: options.colour"),
        ({"practice_options": {"colour": 1}}, "Unexpected fields in request body: practice_options.colour"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(world: World, body: Body, message: str) -> None:
    before = world.snapshot()
    refused(changed(world, {"hold": True, **body}), 400, message)
    assert world.snapshot() == before


def test_the_practice_of_a_change_is_one_of_the_world(world: World) -> None:
    reply = changed(world, {"ehr": "Athena"}, access_token="nobody")
    assert (reply.status_code, reply.json()["message"].partition(".")[0]) == (
        404,
        "No practice of this world has this access_token",
    )


# Reset -----------------------------------------------------------------------------------------------------------


def lived_in(world: World) -> None:
    """Patients, faults, events, a webhook, a new reference, and an hour gone."""
    call(world, "POST", "/webhook", {"webhook_url": "http://127.0.0.1:9"})
    call(world, "POST", "/settings", {"access_token_reference_id": "clinic_1"})
    call(world, "POST", "/patients", PATIENT)
    world.advance(3600)
    world.fault("patient.created", REJECTED)
    call(world, "POST", "/patients", PATIENT)
    call(world, "POST", "/patients", PATIENT)


def test_after_a_reset_the_world_is_as_when_created(world: World) -> None:
    new = world.state()
    lived_in(world)
    reply = control(world, "POST", path="/world/reset", client_id=world.client_id)
    assert (reply.status_code, reply.json()) == (
        200,
        {"generation": 2, "dropped": {"jobs": 2, "deliveries": 0}, "kept": []},
    )
    assert world.state() == {**new, "generation": 2}
    assert world.faults() == []
    assert world.events() == []


def test_nothing_that_was_pending_ever_happens(world: World) -> None:
    lived_in(world)
    world.reset()
    assert world.settle() == {"now": "2026-03-10T10:30:00.000Z", "ran": [], "events": [], "attempts": [], "quiet": True}


def test_deliveries_that_wait_for_their_second_attempt_are_dropped(sandbox: Sandbox) -> None:
    world = sandbox.world(latency="1..1")
    call(world, "POST", "/webhook", {"webhook_url": "http://127.0.0.1:9"})
    call(world, "POST", "/patients", PATIENT)
    world.advance(1)
    assert world.clock()["pending"] == {"jobs": 0, "deliveries": 1}
    assert world.reset()["dropped"] == {"jobs": 0, "deliveries": 1}
    assert world.clock()["next_due"] is None
    world.delete()


def test_a_world_does_after_a_reset_what_it_did_before(world: World) -> None:
    before = call(world, "POST", "/patients", PATIENT).text, world.settle()
    world.reset()
    assert (call(world, "POST", "/patients", PATIENT).text, world.settle()) == before


def test_every_reset_is_a_generation_later(world: World) -> None:
    assert [world.reset()["generation"] for _ in range(3)] == [2, 3, 4]


def test_webhooks_can_be_kept(world: World) -> None:
    lived_in(world)
    call(world, "POST", "/webhook/rotate-secret")
    webhooks = call(world, "GET", "/webhook").json()
    assert world.reset(keep=["webhooks"])["kept"] == ["webhooks"]
    assert call(world, "GET", "/webhook").json() == webhooks
    assert call(world, "GET", "/settings").json()["data"]["access_token_reference_id"] == "at_ref_123456789"
    another = call(world, "POST", "/webhook", {"webhook_url": "http://127.0.0.1:10"}).json()
    assert another["webhook_id"] != webhooks["webhook_urls"][0]["id"]
    assert another["webhook_secret"] == webhooks["webhook_secret_key"]


def test_kept_webhooks_hear_of_what_happens_then(world: World) -> None:
    lived_in(world)
    world.reset(keep=["webhooks"])
    call(world, "POST", "/patients", PATIENT)
    assert [attempt["attempt"] for attempt in world.settle()["attempts"]] == [1, 2]


@pytest.mark.parametrize("body", [{}, {"keep": []}, {"keep": None}])
def test_unless_they_are_kept_webhooks_are_gone(world: World, body: Body) -> None:
    lived_in(world)
    control(world, "POST", body, path="/world/reset", client_id=world.client_id)
    assert call(world, "GET", "/webhook").json()["webhook_urls"] == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"keep": ["patients"]}, "Invalid keep[0]. Must be one of: webhooks."),
        ({"keep": "webhooks"}, "Invalid keep. Must be an array."),
        ({"drop": []}, "Unexpected fields in request body: drop"),
    ],
)
def test_nothing_else_can_be_kept(world: World, body: Body, message: str) -> None:
    refused(control(world, "POST", body, path="/world/reset", client_id=world.client_id), 400, message)
    assert world.state()["generation"] == 1


# Delete ----------------------------------------------------------------------------------------------------------


def test_a_deleted_world_is_gone(sandbox: Sandbox) -> None:
    world = sandbox.world(fixtures=["empty"])
    headers = world.headers
    reply = control(sandbox, "DELETE", client_id=world.client_id)
    assert (reply.status_code, reply.content) == (204, b"")
    with pytest.raises(Refusal, match="Unknown client_id"):
        world.state()
    gone = loopback.get(f"{world.url}/v1/settings", headers=headers)
    refused(gone, 401, "Invalid client_id or client_secret.")


@pytest.mark.parametrize("headers", [{}, {"client_id": "ci_live_198908HJDKJSH98789OHKJL"}])
def test_the_default_world_cannot_be_deleted(sandbox: Sandbox, headers: dict[str, str]) -> None:
    refused(
        control(sandbox, "DELETE", **headers),
        409,
        "The default world cannot be deleted. Reset it with POST /_sandbox/world/reset.",
    )

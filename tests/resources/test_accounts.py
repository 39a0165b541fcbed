"""Accounts: deactivated and activated again, and when their schedule was last synced."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Refusal, Sandbox, World
from cobalt_sandbox.app import DOCUMENTED
from cobalt_sandbox.endpoint import Endpoint
from cobalt_sandbox.errors import NotSupported
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.resources.account_events import ErrorType, login_required, password_change_warning
from cobalt_sandbox.spec import Spec
from cobalt_sandbox.world import Practice
from cobalt_sandbox.world import World as KernelWorld

PATIENT = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}
INACTIVE = '{"success":false,"error":"account_inactive","message":"Account is inactive."}'
WRITES = [each for each in DOCUMENTED.endpoints.values() if each.emits]


def done(reply: httpx2.Response, message: str) -> None:
    body = json.dumps({"success": True, "message": message}, separators=(",", ":"))
    assert (reply.text, reply.status_code) == (body, 200)


# Activate and deactivate -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, b"", b"{}", b"{", b'{"access_token": 5}'])
def test_an_account_is_deactivated_and_activated_whatever_is_sent(api: httpx2.Client, content: bytes | None) -> None:
    """D49: and as often as one likes."""
    for _ in range(2):
        done(api.post("/account/deactivate", content=content), "Account deactivated successfully.")
    for _ in range(2):
        done(api.post("/account/activate", content=content), "Account activated successfully.")
    assert api.post("/patients", json=PATIENT).status_code == 200


@pytest.mark.parametrize("endpoint", WRITES, ids=lambda endpoint: endpoint.name)
def test_whatever_writes_to_the_ehr_or_fetches_from_it_is_refused(api: httpx2.Client, endpoint: Endpoint) -> None:
    """Before anything is said of the body or the record (D8, D50)."""
    api.post("/account/deactivate")
    reply = api.request(endpoint.method, endpoint.path.replace("{", "a").replace("}", "a"), content=b"{")
    assert (reply.status_code, reply.text) == (403, INACTIVE)
    assert reply.headers["cobalt-sandbox-fidelity"] == "inferred"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/patients"),
        ("GET", "/visit-types"),
        ("GET", "/settings"),
        ("GET", "/webhook-events"),
        ("GET", "/webhook"),
        ("GET", "/last-schedule-sync"),
        ("GET", "/documents/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1"),
        ("POST", "/settings"),
        ("PATCH", "/providers/abc123def4567890abcdef1234567890"),
    ],
)
def test_what_cobalt_answers_by_itself_still_answers(api: httpx2.Client, method: str, path: str) -> None:
    body = {"PATCH": {"status": "active"}, "POST": {"access_token_reference_id": "clinic_1"}}.get(method)
    before = api.request(method, path, json=body)
    api.post("/account/deactivate")
    after = api.request(method, path, json=body)
    assert (after.status_code, after.text) == (before.status_code, before.text)
    assert after.status_code != 403


def test_who_has_no_access_is_told_that_first(world: World, api: httpx2.Client) -> None:
    api.post("/account/deactivate")
    for header, status in (("access_token", 404), ("client_secret", 401)):
        assert api.post("/patients", headers={header: "wrong"}).status_code == status


def test_a_job_that_is_under_way_finishes(world: World, api: httpx2.Client) -> None:
    api.post("/patients", json=PATIENT)
    api.post("/account/deactivate")
    [event] = world.settle()["events"]
    assert event["type"] == "patient.created"


def test_another_account_stays_active(world: World, api: httpx2.Client) -> None:
    api.post("/account/deactivate")
    other = {"access_token": "at_test_demo_clinic"}
    assert api.post("/patients", json=PATIENT, headers=other).status_code == 200


def test_a_reset_activates(world: World, api: httpx2.Client) -> None:
    api.post("/account/deactivate")
    world.reset()
    assert api.post("/patients", json=PATIENT).status_code == 200


def test_since_when_it_is_inactive_is_in_the_snapshot(world: World, api: httpx2.Client) -> None:
    api.post("/account/deactivate")
    world.advance(60)
    api.post("/account/deactivate")
    inactive, active = world._json("GET", "/snapshot")["practices"]
    assert (inactive["inactive_since"], active["inactive_since"]) == ("2026-03-10T10:30:00.000Z", None)


# Last schedule sync ----------------------------------------------------------------------------------------------


def last_sync(world: World, access_token: str) -> str | None:
    headers = {**world.headers, "access_token": access_token}
    reply = loopback.get(f"{world.url}/v1/last-schedule-sync", headers=headers)
    assert list(reply.json()) == ["success", "last_schedule_sync"]
    told: str | None = reply.json()["last_schedule_sync"]
    return told


def at_the_clinic(world: World) -> str | None:
    return last_sync(world, "at_test_demo_clinic")


def test_the_documented_practice_was_synced_at_the_documented_time(world: World) -> None:
    assert last_sync(world, world.access_token) == "2025-07-28T16:05:48.929Z"


def test_the_schedule_is_synced_every_quarter_of_an_hour(world: World) -> None:
    assert at_the_clinic(world) == "2026-03-10T10:30:00.000Z"
    world.advance(899.999)
    assert at_the_clinic(world) == "2026-03-10T10:30:00.000Z"
    world.advance(0.001)
    assert at_the_clinic(world) == "2026-03-10T10:45:00.000Z"


def test_an_account_that_was_just_linked_has_been_synced_since(world: World) -> None:
    world.advance(100)
    headers = {"client_id": world.client_id, "client_secret": world.client_secret}
    query = {"public_token": world.public_token("user_12345", "org_67890")}
    url = f"{world.url}/v1/link/token/exchange"
    token = loopback.get(url, params=query, headers=headers).json()["token"]
    assert last_sync(world, token) == "2026-03-10T10:31:40.000Z"


def test_an_inactive_account_is_not_synced(world: World, api: httpx2.Client) -> None:
    """D50."""
    other = {"access_token": "at_test_demo_clinic"}
    api.post("/account/deactivate", headers=other)
    world.advance(3_600)
    assert at_the_clinic(world) == "2026-03-10T10:30:00.000Z"
    api.post("/account/activate", headers=other)
    assert at_the_clinic(world) == "2026-03-10T11:30:00.000Z"


@pytest.mark.parametrize(
    ("told", "answered"),
    [
        (None, None),
        ("2026-01-01T10:00:00+01:00", "2026-01-01T09:00:00.000Z"),
        ("by the clock", "2026-03-10T10:30:00.000Z"),
    ],
)
def test_a_fixture_says_when_it_was_synced(sandbox: Sandbox, told: str | None, answered: str | None) -> None:
    world = sandbox.world(fixtures=[{"name": "own", "last_schedule_sync": told}])
    assert last_sync(world, world.access_token) == answered
    world.delete()


@pytest.mark.parametrize("told", ["yesterday", "2026-01-01T10:00:00", "0001-01-01T00:00:00+23:59", ""])
def test_any_other_time_is_refused(sandbox: Sandbox, told: str) -> None:
    with pytest.raises(Refusal, match="Input should be an ISO 8601 date-time with an offset, 'by the clock', or null"):
        sandbox.world(fixtures=[{"name": "own", "last_schedule_sync": told}])


# Account events --------------------------------------------------------------------------------------------------


async def nobody(*_: object) -> Any:
    raise AssertionError("no webhook is registered")  # pragma: no cover


def practice_of(ehr: str) -> Practice:
    document = {
        "name": "own",
        "access_token_reference_id": "clinic_1",
        "emr_instance_domain": "https://e.example",
        "ehr": ehr,
    }
    return KernelWorld(Spec("ci", "cs", 1, (Fixture(document),), rate=0), post=nobody).first_practice


def test_the_two_account_events_are_declared_though_no_operation_has_them() -> None:
    account = [type for type, event in DOCUMENTED.events.items() if event.kinds == ("account",)]
    assert account == ["access_token.login_required", "access_token.password_change_warning"]


@pytest.mark.parametrize(
    ("error_type", "says"),
    [
        ("password_expired", "The password of your eCW account has expired."),
        ("password_changed", "The password of your eCW account was changed."),
        ("account_locked", "Your eCW account is locked."),
    ],
)
def test_an_expired_login_says_why_and_what_to_do(error_type: ErrorType, says: str) -> None:
    """D266; it has no ``job_id``."""
    event = practice_of("eCW").record(login_required(practice_of("eCW"), error_type)).wire()
    assert list(event) == ["id", "access_token_reference_id", "object", "created", "type", "data"]
    assert (event["type"], event["access_token_reference_id"]) == ("access_token.login_required", "clinic_1")
    assert event["data"] == {
        "access_token_reference_id": "clinic_1",
        "emr_instance_domain": "https://e.example",
        "message": f"{says} Please go through the integration setup again.",
        "error_type": error_type,
    }


def test_a_password_warning_has_no_reason() -> None:
    """D265."""
    event = password_change_warning(practice_of("eClinicalWorks"))
    assert (event.type, event.emr_instance_domain) == ("access_token.password_change_warning", "https://e.example")
    assert set(event.model_dump(exclude_unset=True)) == {"access_token_reference_id", "emr_instance_domain", "message"}


def test_only_the_documented_ehr_warns() -> None:
    with pytest.raises(NotSupported, match="Currently supported: eClinicalWorks"):
        password_change_warning(practice_of("Practice Fusion"))

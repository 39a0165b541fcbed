"""The credentials of a practice: expired, about to be changed, and linked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, Refusal, Sandbox, World, bundled
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.spec import Spec
from cobalt_sandbox.world import World as KernelWorld

Body = dict[str, Any]

PATIENT = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}
EXPIRED = "Account link expired. Please go through the integration setup again."
REFUSAL = f'{{"success":false,"error":"login_required","message":"{EXPIRED}"}}'
ELSEWHERE = "at_test_demo_clinic"


def control(world: World, path: str, body: object = None, **headers: str) -> httpx2.Response:
    url, own = f"{world.url}/_sandbox{path}", {"client_id": world.client_id, **headers}
    return loopback.post(url, headers=own, json=body)


# Expired ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error_type", "says"),
    [
        (None, "The password of your eClinicalWorks account has expired."),
        ("password_expired", "The password of your eClinicalWorks account has expired."),
        ("password_changed", "The password of your eClinicalWorks account was changed."),
        ("account_locked", "Your eClinicalWorks account is locked."),
    ],
)
def test_an_expired_login_is_told_as_an_account_event(world: World, error_type: str | None, says: str) -> None:
    event = world.expire_login(error_type)
    assert world.events() == [event]
    assert event == {
        "id": event["id"],
        "access_token_reference_id": "at_ref_123456789",
        "object": "event",
        "created": "2026-03-10T10:30:00.000Z",
        "type": "access_token.login_required",
        "data": {
            "access_token_reference_id": "at_ref_123456789",
            "emr_instance_domain": "https://documentation.example",
            "message": f"{says} Please go through the integration setup again.",
            "error_type": error_type or "password_expired",
        },
    }


def test_it_is_delivered_and_signed_like_every_event(world: World, api: httpx2.Client) -> None:
    with Receiver() as receiver:
        secret = api.post("/webhook", json={"webhook_url": receiver.url}).json()["webhook_secret"]
        receiver.secret = secret
        event = world.expire_login()
        world.settle()
        [received] = receiver.received
    assert received.json == event
    assert world.state()["deliveries"] == {"pending": 0, "success": 1, "failed": 0}


def test_the_reference_id_is_the_one_that_the_client_has_set(world: World, api: httpx2.Client) -> None:
    api.post("/settings", json={"access_token_reference_id": "clinic_1"})
    event = world.expire_login()
    assert event["access_token_reference_id"] == event["data"]["access_token_reference_id"] == "clinic_1"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/appointments?start_date=2026-03-01&end_date=2026-03-31"),
        ("GET", "/patients"),
        ("GET", "/settings"),
        ("POST", "/settings"),
        ("PATCH", "/providers/none"),
        ("POST", "/patients"),
        ("POST", "/referrals"),
        ("POST", "/patients/fetch"),
    ],
)
def test_everything_that_needs_an_access_token_is_refused(
    world: World, api: httpx2.Client, method: str, path: str
) -> None:
    """Reads too, and before anything is said of the body (D7, D8)."""
    world.expire_login()
    reply = api.request(method, path, content=b"{" if method != "GET" else None)
    assert (reply.status_code, reply.text) == (403, REFUSAL)
    assert reply.headers["cobalt-sandbox-fidelity"] == "documented"


def test_webhooks_and_events_can_still_be_read_and_registered(world: World, api: httpx2.Client) -> None:
    event = world.expire_login()
    assert [row["event_id"] for row in api.get("/webhook-events").json()["webhook_events"]] == [event["id"]]
    assert api.get(f"/webhook-events/{event['id']}").json()["webhook_event"]["event_type"] == event["type"]
    webhook = api.post("/webhook", json={"webhook_url": "http://127.0.0.1:9"}).json()
    assert api.post(f"/webhook/{webhook['webhook_id']}/rotate-secret").status_code == 200
    assert api.get("/webhook").status_code == api.delete(f"/webhook/{webhook['webhook_id']}").status_code == 200


def test_who_has_no_access_is_told_that_first(world: World) -> None:
    world.expire_login()
    url = f"{world.url}/v1/patients"
    for header, status in (("access_token", 404), ("client_secret", 401)):
        headers = {**world.headers, header: "wrong"}
        assert loopback.get(url, headers=headers).status_code == status


def test_another_practice_notices_nothing(world: World, api: httpx2.Client) -> None:
    other = world.practice(ELSEWHERE)
    other.expire_login()
    assert api.get("/patients").status_code == 200
    refused = loopback.get(f"{world.url}/v1/patients", headers=other.headers)
    assert (refused.status_code, refused.text) == (403, REFUSAL)
    [event] = world.events()
    assert (event["access_token_reference_id"], other.access_token) == ("demo_clinic", ELSEWHERE)


def test_pending_jobs_end_at_once_in_the_order_submitted(world: World, api: httpx2.Client) -> None:
    jobs = [api.post("/patients", json={**PATIENT, "dob": f"1990-01-0{day}"}).json()["job_id"] for day in (1, 2, 3)]
    world.expire_login()
    [told, *failed] = world.events()
    assert told["type"] == "access_token.login_required"
    assert [event["job_id"] for event in failed] == [str(job) for job in jobs]
    reasons = [{"code": "LOGIN_REQUIRED", "description": EXPIRED}]
    for event in failed:
        assert event["type"] == "patient.failed"
        assert (event["data"]["failure_reason"], event["data"]["reasons"]) == (EXPIRED, reasons)
    assert (world.clock()["next_due"], world.clock()["pending"]["jobs"]) == (None, 0)
    assert world.settle()["ran"] == []
    assert world.state()["jobs"] == {"queued": 0, "held": 0, "succeeded": 0, "failed": 3}


def test_a_referral_fails_by_its_text_and_a_fetch_without_success(
    world: World, api: httpx2.Client, referral: Body
) -> None:
    api.post("/referrals", json=referral)
    api.post("/patients/fetch", json={"search_by": "mrn", "mrn": "414421"})
    world.expire_login()
    _, referred, fetched = (event["data"] for event in world.events())
    assert (referred["failure_reason"], "reasons" in referred) == (EXPIRED, False)
    assert (fetched["success"], fetched["failure_reason"]) == (False, EXPIRED)


def test_held_jobs_end_too_and_those_of_others_go_on(sandbox: Sandbox) -> None:
    world = sandbox.world(hold=True)
    for practice in (world, world.practice(ELSEWHERE)):
        loopback.post(f"{world.url}/v1/patients", headers=practice.headers, json=PATIENT)
    world.expire_login()
    assert world.state()["jobs"] == {"queued": 0, "held": 1, "succeeded": 0, "failed": 1}
    world.delete()


def test_jobs_of_others_are_done_when_they_were_due(world: World, api: httpx2.Client) -> None:
    other = world.practice(ELSEWHERE)
    loopback.post(f"{world.url}/v1/patients", headers=other.headers, json=PATIENT)
    due = world.clock()["next_due"]
    api.post("/patients", json=PATIENT)
    world.expire_login()
    assert world.clock()["next_due"] == due
    [event] = world.settle()["events"]
    assert (event["type"], event["created"]) == ("patient.created", due)


def test_a_failed_patient_can_be_created_after_a_reset(world: World, api: httpx2.Client) -> None:
    api.post("/patients", json=PATIENT)
    world.expire_login()
    world.reset()
    assert world.events() == []
    assert api.post("/patients", json=PATIENT).status_code == 200


def test_an_expired_login_can_expire_again(world: World) -> None:
    world.expire_login("account_locked")
    world.expire_login("password_changed")
    assert [event["data"]["error_type"] for event in world.events()] == ["account_locked", "password_changed"]


def test_time_does_not_heal_it(world: World, api: httpx2.Client) -> None:
    world.expire_login()
    world.advance(365 * 86_400)
    assert api.get("/patients").status_code == 403


def test_it_is_in_the_snapshot(world: World) -> None:
    world.practice(ELSEWHERE).expire_login()
    headers = {"client_id": world.client_id}
    document = loopback.get(f"{world.url}/_sandbox/snapshot", headers=headers).json()
    assert [practice["login_expired"] for practice in document["practices"]] == [False, True]


def test_an_unknown_reason_and_an_unknown_field_are_refused(world: World) -> None:
    with pytest.raises(Refusal, match="Must be one of: password_expired, password_changed, account_locked"):
        world.expire_login("bored")
    reply = control(world, "/practice/expire-login", {"error": "account_locked"})
    assert (reply.status_code, reply.json()["message"]) == (400, "Unexpected fields in request body: error")
    assert world.events() == []


# Linked again ----------------------------------------------------------------------------------------------------


async def nobody(*_: object) -> Any:
    raise AssertionError("no webhook is registered")  # pragma: no cover


def test_linked_again_a_practice_is_open_with_the_same_token() -> None:
    spec = Spec(client_id="ci", client_secret="cs", seed=1, fixtures=(Fixture(bundled.fixture_document("empty")),))
    practice = KernelWorld(spec, post=nobody).first_practice
    practice.expire_login()
    assert practice.login_expired
    practice.relink()
    assert not practice.login_expired


# Password warning ------------------------------------------------------------------------------------------------


def test_a_password_warning_is_told_and_nothing_else_happens(world: World, api: httpx2.Client) -> None:
    event = world.password_warning()
    assert world.events() == [event]
    assert (event["type"], "job_id" in event) == ("access_token.password_change_warning", False)
    assert event["data"] == {
        "access_token_reference_id": "at_ref_123456789",
        "emr_instance_domain": "https://documentation.example",
        "message": (
            "The password of your eClinicalWorks account expires soon. "
            "Please change it and go through the integration setup again."
        ),
    }
    assert api.get("/patients").status_code == 200


@pytest.mark.parametrize(
    "order", [lambda world: world.password_warning(), lambda world: world.fire("access_token.password_change_warning")]
)
def test_only_the_documented_ehr_warns(sandbox: Sandbox, order: Callable[[World], object]) -> None:
    world = sandbox.world(fixtures=[{"name": "other", "ehr": "athenahealth"}])
    says = (
        "The event access_token.password_change_warning is not supported for athenahealth. "
        "Currently supported: eClinicalWorks."
    )
    with pytest.raises(Refusal, match=says):
        order(world)
    world.delete()


# Which practice --------------------------------------------------------------------------------------------------


def test_the_access_token_names_the_practice(world: World) -> None:
    for headers, reference in (({}, "at_ref_123456789"), ({"access_token": f'"{ELSEWHERE}"'}, "demo_clinic")):
        reply = control(world, "/practice/password-warning", **headers)
        assert (reply.status_code, reply.json()["access_token_reference_id"]) == (200, reference)


def test_an_unknown_access_token_is_refused_with_the_practices_there_are(world: World) -> None:
    reply = control(world, "/practice/password-warning", access_token="at_nobody")
    says = (
        "No practice of this world has this access_token. Its practices: documentation, demo-clinic; "
        "GET /_sandbox/world shows their tokens. Without the header it is the first of them."
    )
    assert (reply.status_code, reply.json()) == (404, {"success": False, "message": says})


def test_an_unknown_world_is_refused_first(world: World) -> None:
    reply = control(world, "/practice/password-warning", client_id="ci_nobody", access_token="at_nobody")
    assert (reply.status_code, reply.json()["message"].partition(";")[0]) == (404, "Unknown client_id 'ci_nobody'")

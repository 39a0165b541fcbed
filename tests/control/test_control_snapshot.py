"""Snapshots: a world restored from its document does onwards, byte for byte, what the one that went on did."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from copy import deepcopy
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, Refusal, Sandbox, World
from cobalt_sandbox.testing.receiver import verifies

Json = dict[str, Any]

PATIENT = {"first_name": "Ida", "last_name": "Vance", "sex": "female"}
REFERRAL = {
    "patient_mrn": "1234567",
    "referring_from_provider_ehr_id": "PROV-001",
    "referring_to_provider_ehr_id": "PROV-002",
    "direction": "outgoing",
    "priority": "urgent",
    "reason": "Cardiology consultation",
    "documents": [{"filename": "a.pdf", "content_base64": "aGVsbG8="}],
}
REJECTED = {"fail": [{"code": "EHR_REJECTED", "description": "No."}]}
INLINE = {
    "name": "inline",
    "access_token": "at_inline",
    "as_of": "2026-01-01",
    "patients": [{"mrn": "7", "first_name": "Jo", "last_name": "Ash"}],
}


def without_what_is_its_own(state: Json) -> Json:
    """A world's credentials, and its journal, which begins anew."""
    own = ("client_id", "client_secret", "requests", "trimmed")
    tokenless = [{**practice, "access_token": ""} for practice in state["practices"]]
    return {**state, **dict.fromkeys(own), "practices": tokenless}


class Visitor:
    """Somebody who uses both APIs of one world, and writes down what they say."""

    def __init__(self, world: World, receivers: list[Receiver]) -> None:
        self.world = world
        self.receivers = receivers
        self.heard: list[tuple[int, bytes]] = []
        self._http = loopback.Client(base_url=world.url, headers=world.headers, timeout=30)

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: object = None, token: str | None = None) -> Json:
        headers = {} if token is None else {"access_token": token}
        answer = self._http.request(method, path, json=body, headers=headers)
        told: Json = answer.json()
        said = json.dumps(without_what_is_its_own(told)).encode() if path == "/_sandbox/world" else answer.content
        self.heard.append((answer.status_code, said))
        return told

    def snapshot(self) -> Json:
        return self.world.snapshot()


def let_arrive(visitor: Visitor) -> None:
    """What is delivered without a walk in time, before somebody counts it."""
    visitor.world.advance(0)


def register(visitor: Visitor) -> None:
    for receiver in visitor.receivers:
        visitor.call("POST", "/v1/webhook", {"webhook_url": receiver.url})
    visitor.call("POST", "/v1/webhook", {"webhook_url": f"{visitor.receivers[0].url}/gone"})


def admit(visitor: Visitor) -> None:
    for day in range(1, 7):
        visitor.call("POST", "/v1/patients", {**PATIENT, "dob": f"1990-01-0{day}"})
    visitor.call("POST", "/v1/patients", {**PATIENT, "dob": "1980-02-02"}, "at_test_demo_clinic")
    visitor.call("POST", "/v1/referrals", REFERRAL)


def order_faults(visitor: Visitor) -> None:
    for order in (
        {"on": "patient.created", "do": REJECTED, "times": 2, "after": 1},
        {"on": "delivery", "do": {"delay_s": 40}, "times": 2, "after": 1},
        {"on": "patient.updated", "do": {"swap": True}, "after": 4},
        {"on": "patients.list", "do": {"status": 503}, "times": 2},
    ):
        visitor.call("POST", "/_sandbox/faults", order)


def wait_a_little(visitor: Visitor) -> None:
    """Until a second attempt is due."""
    visitor.receivers[0].answer(500)
    visitor.call("POST", "/_sandbox/clock/advance", {"to": "2026-03-10T10:30:32.500Z"})


def rotate(visitor: Visitor) -> None:
    """The former secret stays valid for a day, and signs; one URL is gone."""
    visitor.call("POST", "/v1/webhook/rotate-secret")
    hooks = visitor.call("GET", "/v1/webhook")["webhook_urls"]
    visitor.call("DELETE", f"/v1/webhook/{hooks[-1]['id']}")


def hold(visitor: Visitor) -> None:
    visitor.call(
        "PATCH", "/_sandbox/world", {"hold": True, "latency": "3..9", "practice_options": {"older_fields": True}}
    )
    visitor.call("POST", "/v1/referrals", REFERRAL)
    visitor.call("POST", "/v1/patients", {**PATIENT, "dob": "1970-03-03"})
    visitor.call("PATCH", "/_sandbox/world", {"hold": False})
    visitor.call("PATCH", "/_sandbox/world", {"hold": True})
    visitor.call("POST", "/v1/patients", {**PATIENT, "dob": "1970-03-04"})


def be_renamed(visitor: Visitor) -> None:
    """Whoever comes to be called as others is listed after them, though known for longer."""
    visitor.call("POST", "/v1/settings", {"access_token_reference_id": "clinic_1"})
    visitor.call("GET", "/v1/patients")
    for name in ("Vance", "Ash", "Vance"):
        visitor.call("PATCH", "/_sandbox/staff/patients/1234567", {"last_name": name, "first_name": "Ida"})
        let_arrive(visitor)


def lose_access(visitor: Visitor) -> None:
    visitor.call("POST", "/_sandbox/practice/expire-login", {}, "at_test_demo_clinic")
    visitor.call("POST", "/v1/patients/fetch", {"search_by": "mrn", "mrn": "1234567"})
    let_arrive(visitor)


def settle(visitor: Visitor) -> None:
    visitor.call("PATCH", "/_sandbox/world", {"hold": False})
    visitor.call("POST", "/_sandbox/clock/settle")


def look_around(visitor: Visitor) -> None:
    for path in (
        "patients",
        "patients",
        "patients?page_size=3&page=2",
        "webhook",
        "webhook-events",
        "settings",
        "providers",
    ):
        visitor.call("GET", f"/v1/{path}")
        visitor.call("GET", f"/v1/{path}", token="at_test_demo_clinic")
    for path in ("events", "faults", "clock", "jobs", "deliveries"):
        visitor.call("GET", f"/_sandbox/{path}")


STEPS: tuple[Callable[[Visitor], None], ...] = (
    register,
    order_faults,
    admit,
    wait_a_little,
    rotate,
    hold,
    be_renamed,
    lose_access,
    settle,
    look_around,
)


def arrivals(receivers: list[Receiver]) -> list[tuple[str, str, int, str, bytes]]:
    return sorted(
        (each.path, each.headers["webhook-id"], each.attempt, each.signature, each.body)
        for receiver in receivers
        for each in receiver.received
    )


def played(visitor: Visitor, steps: tuple[Callable[[Visitor], None], ...]) -> list[Any]:
    """What it said, what arrived, and what there is in the end."""
    for receiver in visitor.receivers:
        receiver.received.clear()
    with closing(visitor):
        for step in steps:
            step(visitor)
        left = {**visitor.snapshot(), "client_id": ""}
    return [visitor.heard, arrivals(visitor.receivers), json.dumps(left)]


@pytest.fixture(scope="module")
def receivers() -> Iterator[list[Receiver]]:
    with Receiver() as one, Receiver() as other:
        yield [one, other]


@pytest.fixture(scope="module")
def other_server() -> Iterator[Sandbox]:
    with Sandbox(seed=77, latency="instant", fixtures=["empty"]) as running:
        yield running


def world_of(sandbox: Sandbox) -> World:
    fixtures: list[str | Json] = ["documentation", "demo-clinic", INLINE]
    return sandbox.world(seed=5, latency="realistic", fixtures=fixtures, options={"rotation_signs_with": "old"})


@pytest.mark.parametrize("cut", range(len(STEPS)), ids=[step.__name__ for step in STEPS])
def test_wherever_a_run_is_cut_a_restored_world_goes_on_as_if_it_had_not_been(
    sandbox: Sandbox, other_server: Sandbox, receivers: list[Receiver], cut: int
) -> None:
    world = world_of(sandbox)
    with closing(Visitor(world, receivers)) as before:
        for step in STEPS[:cut]:
            step(before)
    document = world.snapshot()
    went_on = played(Visitor(world, receivers), STEPS[cut:])
    elsewhere = other_server.world(snapshot=document)
    assert elsewhere.snapshot() == {**document, "client_id": elsewhere.client_id}
    assert played(Visitor(elsewhere, receivers), STEPS[cut:]) == went_on
    world.restore(document)
    assert played(Visitor(world, receivers), STEPS[cut:]) == went_on
    world.delete()
    elsewhere.delete()


def test_the_story_has_everything_in_it(sandbox: Sandbox, receivers: list[Receiver]) -> None:
    """Or its cuts would prove little."""
    world = world_of(sandbox)
    with closing(Visitor(world, receivers)) as visitor:
        for step in STEPS[:8]:
            step(visitor)
        document = visitor.snapshot()
    assert {job["status"] for job in document["jobs"]} == {"queued", "held", "succeeded", "failed"}
    assert {due["what"] for due in document["timeline"]} == {"job", "attempt"}
    assert [(fault["seen"], fault["used"]) for fault in document["faults"]] == [(1, 0), (11, 2), (5, 1), (1, 1)]
    assert (len(document["webhooks"]), len(document["deleted_webhooks"])) == (2, 1)
    assert all(hook["previous"] for hook in document["webhooks"])
    assert [practice["login_expired"] for practice in document["practices"]] == [False, True, False]
    assert list(document["practices"][0]["orders"]) == ["patients"]
    world.delete()


def test_a_restored_world_becomes_at_a_reset_what_the_other_was_when_created(sandbox: Sandbox) -> None:
    world = world_of(sandbox)
    new = world.snapshot()
    world.change(latency="1..1", ehr="Athena", options={"user_not_found_status": 401})
    elsewhere = sandbox.world(snapshot=world.snapshot())
    elsewhere.reset()
    assert elsewhere.snapshot() == {**new, "client_id": elsewhere.client_id, "generation": 2}
    for each in (world, elsewhere):
        each.delete()


def test_the_journal_begins_anew_and_a_trace_has_the_rest(sandbox: Sandbox, world: World) -> None:
    with closing(Visitor(world, [])) as visitor:
        admit(visitor)
    world.settle()
    elsewhere = sandbox.world(snapshot=world.snapshot())
    assert elsewhere.requests() == []
    before, after = world.trace(12345), elsewhere.trace(12345)
    assert {name for name in before if before[name] != after[name]} == {"request"}
    elsewhere.delete()


def test_time_goes_on_where_it_stood(sandbox: Sandbox) -> None:
    world = sandbox.world(seed=1, rate=60, now="2030-01-01T00:00:00Z")
    document = world.snapshot()
    elsewhere = sandbox.world(snapshot={**document, "clock": {**document["clock"], "rate": 0}})
    assert elsewhere.clock()["now"] == document["clock"]["now"]
    later = sandbox.world(snapshot=document)
    assert later.clock()["now"] >= document["clock"]["now"]
    assert later.clock()["rate"] == 60
    for each in (world, elsewhere, later):
        each.delete()


# Deliveries under way --------------------------------------------------------------------------------------------


def until(world: World, holds: Callable[[Json], bool]) -> Json:
    """The first snapshot of which something holds."""
    return next(document for _ in range(20_000) if holds(document := world.snapshot()))


def under_way(world: World, receivers: list[Receiver]) -> Json:
    """A snapshot while one webhook has answered, and another keeps everybody waiting."""
    receivers[1].stall(600)
    with closing(Visitor(world, receivers)) as visitor:
        for receiver in receivers:
            visitor.call("POST", "/v1/webhook", {"webhook_url": receiver.url})
        visitor.call("POST", "/v1/patients", {**PATIENT, "dob": "1990-01-01"})
    threading.Thread(target=world.settle, daemon=True).start()
    return until(world, lambda document: len(document["answers"]) == 1)


def test_what_was_under_way_is_sent_again_and_what_had_been_answered_is_not(sandbox: Sandbox) -> None:
    world = sandbox.world(seed=1, latency="instant")
    with Receiver() as prompt, Receiver() as slow:
        document = under_way(world, [prompt, slow])
        assert [event["deliveries"][0]["attempts"] for event in document["practices"][0]["events"]] == [[]]
        world.delete()
        elsewhere = sandbox.world(snapshot=document)
        walk = elsewhere.settle()
        assert (walk["quiet"], len(prompt.received), len(slow.received)) == (True, 1, 2)
        assert len({(each.body, each.signature, each.attempt) for each in slow.received}) == 1
        (delivered,) = elsewhere.snapshot()["practices"][0]["events"]
        assert [each["status"] for each in delivered["deliveries"]] == ["success", "success"]
        assert elsewhere.state()["deliveries"] == {"pending": 0, "success": 2, "failed": 0}
        elsewhere.delete()


def test_answers_that_nobody_has_booked_are_booked_when_nothing_is_under_way(sandbox: Sandbox) -> None:
    world = sandbox.world(seed=1, latency="instant")
    with Receiver() as prompt, Receiver() as slow:
        document = under_way(world, [prompt, slow])
        world.delete()
    first, second = document["practices"][0]["events"][0]["deliveries"]
    document["practices"][0]["events"][0]["deliveries"] = [first]
    document["on_the_way"].remove(second["number"])
    elsewhere = sandbox.world(snapshot=document)
    assert elsewhere.state()["deliveries"] == {"pending": 0, "success": 1, "failed": 0}
    elsewhere.delete()


def test_a_restored_world_signs_with_the_secrets_that_receivers_know(sandbox: Sandbox, world: World) -> None:
    with Receiver() as receiver, closing(Visitor(world, [receiver])) as visitor:
        secret = visitor.call("POST", "/v1/webhook", {"webhook_url": receiver.url})["webhook_secret"]
        visitor.call("POST", "/v1/patients", {**PATIENT, "dob": "1990-01-01"})
        elsewhere = sandbox.world(snapshot=visitor.snapshot())
        elsewhere.settle()
        (received,) = receiver.received
        assert verifies(secret, received.body, received.signature)
        elsewhere.delete()


def test_restoring_ends_what_was_pending_before(sandbox: Sandbox) -> None:
    world = sandbox.world(seed=1, latency="instant")
    new = world.snapshot()
    with Receiver() as receiver:
        receiver.stall(600)
        with closing(Visitor(world, [receiver])) as visitor:
            visitor.call("POST", "/v1/webhook", {"webhook_url": receiver.url})
            visitor.call("POST", "/v1/patients", {**PATIENT, "dob": "1990-01-01"})
        walks: list[Json] = []
        walking = threading.Thread(target=lambda: walks.append(world.settle()))
        walking.start()
        receiver.wait(1)
        world.restore(new)
        walking.join(5)
    assert [walk["attempts"] for walk in walks] == [[]]
    assert world.snapshot() == new
    world.delete()


# Into which world ------------------------------------------------------------------------------------------------


def put(sandbox: Sandbox, document: object, **headers: str) -> httpx2.Response:
    url, told = f"{sandbox.url}/_sandbox/snapshot", {"content-type": "application/json", **headers}
    content = document if isinstance(document, bytes) else json.dumps(document)
    return loopback.put(url, content=content, headers=told, timeout=30)


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    assert (reply.status_code, reply.json()) == (status, {"success": False, "message": message})


def test_a_world_that_is_there_keeps_its_credentials(sandbox: Sandbox, world: World) -> None:
    practice = {**INLINE, "name": "documentation", "access_token": "at_own"}
    own = sandbox.world(fixtures=[practice])
    document = sandbox.world(fixtures=[{**practice, "access_token": "at_other"}]).snapshot()
    state = own.restore(document)
    assert (state["client_id"], state["client_secret"]) == (own.client_id, own.client_secret)
    assert [each["access_token"] for each in state["practices"]] == ["at_own"]
    own.delete()


def test_a_world_that_is_not_there_is_made_with_the_credentials_that_are_sent(sandbox: Sandbox) -> None:
    document = sandbox.world(seed=3, fixtures=["empty", INLINE]).snapshot()
    own = {"client_id": "ci_restored", "client_secret": "cs_restored"}
    made = put(sandbox, document, **own)
    assert made.status_code == 201
    assert made.json().items() >= {**own, "seed": 3, "generation": 1}.items()
    tokens = [each["access_token"] for each in made.json()["practices"]]
    assert tokens[1].startswith("at_test_")
    headers = {**own, "access_token": tokens[1]}
    listed = loopback.get(f"{sandbox.url}/v1/patients", headers=headers).json()
    assert [patient["mrn"] for patient in listed["patients"]] == ["7"]
    assert put(sandbox, document, **own).status_code == 200
    assert put(sandbox, document, client_id="ci_restored").json()["practices"][1]["access_token"] == tokens[1]
    refused(
        put(sandbox, document, **{**own, "client_secret": "cs_other"}),
        409,
        "The world of client_id 'ci_restored' is there already, with another client_secret.",
    )
    World(sandbox.url, **own).delete()


def test_a_world_is_not_made_without_a_secret(sandbox: Sandbox, world: World) -> None:
    refused(
        put(sandbox, world.snapshot(), client_id="ci_nobody"),
        404,
        "There is no world of client_id 'ci_nobody' to restore into. Send the header client_secret, too, and one is made.",
    )


def test_without_a_client_id_the_default_world_is_restored() -> None:
    with Sandbox(seed=2) as running:
        document = running.world(seed=8, fixtures=["empty"]).snapshot()
        state = put(running, document).json()
        assert (state["client_id"], state["seed"]) == (running.default_world.client_id, 8)


# What cannot be restored -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rich(sandbox: Sandbox, receivers: list[Receiver]) -> Iterator[tuple[World, Json]]:
    """A world, and a document that has one of everything."""
    world = world_of(sandbox)
    with closing(Visitor(world, receivers)) as visitor:
        for step in STEPS[:8]:
            step(visitor)
    yield world, world.snapshot()
    world.delete()


def place(document: Json, path: str) -> tuple[Any, Any]:
    """What holds the last part of a path, and that part."""
    found: Any = document
    *parts, last = [int(part) if part.lstrip("-").isdigit() else part for part in path.split("/")]
    for part in parts:
        found = found[part]
    return found, last


BUNDLED = "Bundled fixtures: demo-clinic, documentation, empty. A whole practice can be given instead of a name."
WRONG = "This snapshot cannot be restored: "
NO_TIME = "Must be an ISO 8601 date-time with an offset, as in 2026-03-10T10:30:00.000Z."


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("version", 2, "This snapshot is of another version: this server restores those of version 1."),
        ("colour", 1, "Unexpected fields in request body: colour"),
        ("seed", "1", "Invalid seed. Must be a number."),
        ("clock/now", "2026-03-10T10:30:00", f"Invalid clock.now. {NO_TIME}"),
        ("clock/now", "soon", f"Invalid clock.now. {NO_TIME}"),
        ("clock/now", 5, f"Invalid clock.now. {NO_TIME}"),
        ("clock/now", "9000-06-01T00:00:00Z", "Invalid clock.now. Input should be less than or equal to 221845392000000."),
        ("clock/rate", -1, "Invalid clock.rate. Input should be greater than or equal to 0."),
        ("latency", "slow", "latency 'slow' is none of: instant, brisk, realistic, A..B (seconds, as in 0.5..2)."),
        ("spec/bounds/jobs_pending", 10**9, "Invalid spec.bounds. A world holds no more than this server lets it."),
        ("webhooks/0/url", "ftp://x", "Invalid webhooks[0].url. Must be an http or https URL."),
        ("webhooks/0/url", "http://x:port", "Invalid webhooks[0].url. Must be an http or https URL."),
        ("jobs/0/status", "lost", "Invalid jobs[0].status. Must be one of: queued, held, succeeded, failed."),
        ("streams/webhooks", 10**16, "Invalid streams.webhooks. Input should be less than or equal to 1000000000000000."),
        ("spec/fixtures/0", "nowhere", f"{WRONG}There is no fixture 'nowhere'. {BUNDLED}"),
        ("spec/fixtures", [], f"{WRONG}a world has at least one practice."),
        ("spec/fixtures/2/name", "demo-clinic", f"{WRONG}two practices have the same name: 'demo-clinic'."),
        ("spec/fixtures/2/ehr", 1, f"{WRONG}Fixture 'inline': Input should be a valid string at ehr."),
        ("spec/fixtures/2/patients/0/mrn", 1, f"{WRONG}Input should be a valid string at fixture 'inline'.patients.0.mrn."),
        ("practices/0/name", "elsewhere", f"{WRONG}its practices are not those of its fixtures."),
        ("practices/0/profile/ehr", 1, f"{WRONG}Input should be a valid string at practice 'documentation'.ehr."),
        ("practices/0/profile/name", "x", f"{WRONG}practice 'documentation' has the profile of 'x'."),
        ("practices/0/tables/spells", [], f"{WRONG}it has no kind of records 'spells'."),
        ("practices/0/tables/patients/0/mrn", 1,
         f"{WRONG}Input should be a valid string at practice 'documentation'.patients.0.mrn."),
        ("practices/0/orders/spells", {"listed": [], "found": {}}, f"{WRONG}it has no table 'spells'."),
        ("practices/0/orders/patients/listed", ["x"], f"{WRONG}an order does not have the rows that it is of."),
        ("practices/0/orders/patients/found", {"mrn": [["x"]]}, f"{WRONG}an order by 'mrn' is of no rows."),
        ("practices/0/orders/patients/found", {"mrn": [[]]}, f"{WRONG}an order by 'mrn' is of no rows."),
        ("practices/0/events/0/deliveries/0/webhook_id", "wh_x", f"{WRONG}it has no webhook 'wh_x'."),
        ("practices/0/events/0/deliveries/0/number", 2, f"{WRONG}it has two deliveries 2."),
        ("delivery_count", 1, f"{WRONG}it has deliveries that it does not count."),
        ("on_the_way", [99], f"{WRONG}it has no pending delivery 99."),
        ("jobs/0/operation", "spells.cast", f"{WRONG}it has no operation 'spells.cast'."),
        ("jobs/0/practice", "nowhere", f"{WRONG}it has no practice 'nowhere'."),
        ("jobs/1/job_id", 12345, f"{WRONG}it has two jobs 12345."),
        ("job_counts", {}, f"{WRONG}it has jobs that it does not count."),
        ("ended_jobs", [1], f"{WRONG}it has no job 1."),
        ("timeline", [], f"{WRONG}the jobs of its timeline are not those that are queued."),
        ("deleted_webhooks/0/id", None, "deleted_webhooks[0].id is required."),
    ],
)  # fmt: skip
def test_a_document_that_is_wrong_is_refused_and_nothing_changes(
    sandbox: Sandbox, rich: tuple[World, Json], path: str, value: object, message: str
) -> None:
    world, document = rich
    wrong = deepcopy(document)
    holder, last = place(wrong, path)
    holder[last] = value
    refused(put(sandbox, wrong, client_id=world.client_id), 400, message)
    assert world.snapshot() == document


def test_an_order_is_of_rows_with_one_value(sandbox: Sandbox, rich: tuple[World, Json]) -> None:
    world, document = rich
    wrong = deepcopy(document)
    ids = [row["id"] for row in wrong["practices"][0]["tables"]["patients"]]
    wrong["practices"][0]["orders"]["patients"]["found"] = {"mrn": [ids]}
    refused(
        put(sandbox, wrong, client_id=world.client_id), 400, f"{WRONG}an order does not have the rows that it is of."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "Invalid JSON in request body."), (b"[]", "Request body must be a JSON object.")],
)
def test_what_is_no_document_is_refused(sandbox: Sandbox, world: World, content: bytes, message: str) -> None:
    refused(put(sandbox, content, client_id=world.client_id), 400, message)


def test_what_is_missing_is_named(sandbox: Sandbox, world: World) -> None:
    reply = put(sandbox, {"version": 1, "client_id": "x"}, client_id=world.client_id)
    assert reply.json()["message"].startswith("Missing required fields: generation, seed, spec, latency, hold,")
    with pytest.raises(Refusal, match="is required"):
        world.restore({**world.snapshot(), "spec": {}})

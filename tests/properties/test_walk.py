"""One walk through the API in any order, create, advance, rotate, fail, poll, reset, and what holds after each step of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from pydantic_core import from_json, to_json

from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.testing.receiver import Receiver, verifies
from properties.anything import Json, Request
from properties.effort import tries
from properties.line import Answer, Line

DAY = 86_400
PATHS = ("/a", "/b", "/c")
TOKENS = ("493JKLHIU98789hLKH9HHJH", "at_test_empty")
REASONS = [{"code": "UNKNOWN_ERROR", "description": "Ordered."}]

REFERRAL = {
    "patient_mrn": "1234567",
    "referring_from_provider_ehr_id": "PROV-001",
    "referring_to_provider_ehr_id": "PROV-002",
    "direction": "outgoing",
    "priority": "urgent",
    "reason": "Cardiology consultation",
}
PATIENT = {"first_name": "Ada", "last_name": "Law", "dob": "1990-01-31", "sex": "female"}
COLLEAGUE = {"first_name": "Max", "last_name": "Prop", "npi": "1234567893"}


@dataclass
class Hook:
    """What the walker knows of a webhook: the secret that signs, and the one before it, valid ``until`` a time."""

    id: str
    secret: str
    previous: str = ""
    until: str = ""

    def rotate(self, secret: str, until: str) -> None:
        self.previous, self.secret, self.until = self.secret, secret, until

    def signing_secret(self, at: str, signs_with: str) -> str:
        return self.previous if signs_with == "old" and at < self.until else self.secret


def later(time: str, seconds: int) -> str:
    """As text that sorts as time does."""
    return (datetime.fromisoformat(time) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")[:23] + "Z"


@dataclass
class Generation:
    """What the walker knows of the world since its last reset. ``tag`` is in the body of each event of it."""

    number: int
    hooks: dict[str, Hook] = field(default_factory=dict)
    jobs: dict[int, str] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    now: str = ""
    calls: int = 0

    @property
    def tag(self) -> str:
        return f"generation {self.number}"


class Walk(RuleBasedStateMachine):
    """Jobs are written and refused, webhooks come and go, receivers fail, time passes, and worlds begin again."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox
        self.receiver = Receiver()
        self.receiver.start()
        self.origin = self.receiver.url.removesuffix("/webhook")
        self.heard = 0

    @initialize(signs_with=st.sampled_from(("new", "old")), latency=st.sampled_from(("instant", "brisk", "realistic")))
    def begin(self, signs_with: str, latency: str) -> None:
        self.world: World = self.sandbox.world(
            seed=5,
            fixtures=["documentation", "empty"],
            latency=latency,
            options={"rotation_signs_with": signs_with},
        )
        self.signs_with = signs_with
        self.line = Line(self.world.url)
        self.of = Generation(1)
        self.tag_events()
        self.register_a_webhook(PATHS[0])

    def teardown(self) -> None:
        self.line.close()
        self.world.delete()
        self.receiver.stop()

    # Calls -----------------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: object = None, token: str = TOKENS[0]) -> Answer:
        self.of.calls += 1
        headers = {**self.world.headers, "access_token": token, "host": self.line.host}
        payload = None if body is None else to_json(body)
        return self.line.send(Request(method, f"/v1{path}", tuple(headers.items()), payload))

    def control(self, method: str, path: str, body: object = None) -> Any:
        headers = {"client_id": self.world.client_id, "host": self.line.host, "content-type": "application/json"}
        payload = None if body is None else to_json(body)
        answer = self.line.send(Request(method, f"/_sandbox{path}", tuple(headers.items()), payload))
        assert answer.status < 400, answer.body
        return from_json(answer.body or b"null")

    def submit(self, path: str, body: Json, token: str) -> None:
        answer = self.call("POST", path, body, token)
        assert answer.status == 200, answer.body
        job_id = answer.json["job_id"]
        assert job_id > max(self.of.jobs, default=0), "job ids increase"
        self.of.jobs[job_id] = token

    def tag_events(self) -> None:
        for token in TOKENS:
            answer = self.call("POST", "/settings", {"access_token_reference_id": self.of.tag}, token)
            assert answer.status == 200

    # Writes ----------------------------------------------------------------------------------------------------------

    @rule(documents=st.integers(0, 2))
    def create_a_referral(self, documents: int) -> None:
        files = [{"filename": "a.pdf", "content_base64": "aGVsbG8="}] * documents
        self.submit("/referrals", {**REFERRAL, "documents": files}, TOKENS[0])

    @rule(token=st.sampled_from(TOKENS), last_name=st.sampled_from(("Law", "LAW", "O'Ther", "Ünï")))
    def create_a_patient(self, token: str, last_name: str) -> None:
        self.submit("/patients", {**PATIENT, "last_name": last_name}, token)

    @rule(
        token=st.sampled_from(TOKENS),
        npi=st.sampled_from(("1234567893", "123", "not a number")),
        last_name=st.sampled_from(("Prop", "ValidationError", "OtherError")),
    )
    def create_a_referring_provider(self, token: str, npi: str, last_name: str) -> None:
        self.submit("/referring-providers", {**COLLEAGUE, "npi": npi, "last_name": last_name}, token)

    @rule(
        write=st.sampled_from((("/referrals", REFERRAL), ("/patients", PATIENT), ("/referring-providers", COLLEAGUE))),
        spoil=st.sampled_from(("first_field_missing", "last_field_wrong")),
    )
    def write_what_is_refused(self, write: tuple[str, Json], spoil: str) -> None:
        path, body = write
        name = list(body)[0 if spoil == "first_field_missing" else -1]
        answer = self.call("POST", path, {**body, name: None if spoil == "first_field_missing" else 17})
        assert answer.status == 400, answer.body

    # Webhooks --------------------------------------------------------------------------------------------------------

    @rule(path=st.sampled_from(PATHS))
    def register_a_webhook(self, path: str) -> None:
        answer = self.call("POST", "/webhook", {"webhook_url": self.origin + path}).json
        known = self.of.hooks.setdefault(path, Hook(answer["webhook_id"], answer["webhook_secret"]))
        assert (known.id, known.secret) == (answer["webhook_id"], answer["webhook_secret"])

    @rule(path=st.sampled_from(PATHS))
    def delete_a_webhook(self, path: str) -> None:
        hook = self.of.hooks.pop(path, None)
        answer = self.call("DELETE", f"/webhook/{hook.id if hook else 'wh_none'}")
        assert answer.status == (200 if hook else 404)

    @rule(path=st.sampled_from(PATHS))
    def rotate_a_secret(self, path: str) -> None:
        hook = self.of.hooks.get(path)
        answer = self.call("POST", f"/webhook/{hook.id if hook else 'wh_none'}/rotate-secret")
        if hook is None:
            assert answer.status == 404
        else:
            hook.rotate(answer.json["webhook"]["secret"], later(self.of.now, DAY))

    @rule()
    def rotate_all_secrets(self) -> None:
        secret = self.call("POST", "/webhook/rotate-secret").json["webhook_secret_key"]
        for hook in self.of.hooks.values():
            hook.rotate(secret, later(self.of.now, DAY))

    # What goes wrong -------------------------------------------------------------------------------------------------

    @rule(status=st.sampled_from((204, 302, 400, 429, 500, 503)), times=st.integers(1, 3))
    def let_the_receiver_answer(self, status: int, times: int) -> None:
        self.receiver.answer(status, times=times)

    @rule(times=st.integers(1, 2))
    def let_the_receiver_hang_up(self, times: int) -> None:
        self.receiver.close_connection(times=times)

    @rule(
        on=st.sampled_from(("referral.created", "patient.created", "referring_provider.created")),
        do=st.sampled_from(({"fail": REASONS}, {"documents_failed": 1})),
        times=st.integers(1, 2),
        after=st.integers(0, 2),
    )
    def order_a_fault(self, on: str, do: Json, times: int, after: int) -> None:
        do = do if on == "referral.created" else {"fail": REASONS}
        self.control("POST", "/faults", {"on": on, "do": do, "times": times, "after": after})

    @rule()
    def withdraw_all_faults(self) -> None:
        self.control("DELETE", "/faults")
        assert self.control("GET", "/faults") == {"faults": []}

    # Time ------------------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from((0, 0.5, 1, 2, 5, 30, 23 * 3600, 25 * 3600)))
    def advance(self, seconds: float) -> None:
        told = self.control("POST", "/clock/advance", {"seconds": seconds})
        assert told["events"] == self.control("GET", "/events?page_size=100")["events"][: len(told["events"])][::-1]

    @rule(seconds=st.sampled_from((1, 60)))
    def skip_what_is_due(self, seconds: int) -> None:
        """Set the clock past jobs that are due: they are late then, and time does not go back for them."""
        self.control("PATCH", "/clock", {"now": later(self.of.now, seconds)})

    @rule()
    def settle(self) -> None:
        assert self.control("POST", "/clock/settle", {})["quiet"] is True
        assert self.control("GET", "/clock")["pending"] == {"jobs": 0, "deliveries": 0}
        assert len(self.events()) == len(self.of.jobs)

    @rule(keep=st.sampled_from(([], ["webhooks"])))
    def reset(self, keep: list[str]) -> None:
        pending = self.control("GET", "/clock")["pending"]
        told = self.control("POST", "/world/reset", {"keep": keep})
        assert told == {"generation": self.of.number + 1, "dropped": pending, "kept": keep}
        self.of = Generation(self.of.number + 1, hooks=self.of.hooks if keep else {})
        self.tag_events()

    @rule(which=st.integers(0, 30))
    def poll_a_job(self, which: int) -> None:
        ended = [event["job_id"] for event in self.events()]
        for job_id in list(self.of.jobs)[which : which + 1]:
            assert len(self.polled(job_id)) == ended.count(str(job_id))  # pragma: no cover  # not every walk has it

    def polled(self, job_id: int | str) -> list[Json]:
        token = self.of.jobs[int(job_id)]
        rows: list[Json] = self.call("GET", f"/webhook-events?job_id={job_id}", token=token).json["webhook_events"]
        return rows

    def events(self) -> list[Json]:
        events: list[Json] = self.control("GET", "/events?page_size=100")["events"][::-1]
        return events

    # What holds after each step --------------------------------------------------------------------------------------

    @invariant()
    def each_job_has_one_event_once_it_has_ended_and_none_before(self) -> None:
        jobs = self.control("GET", "/snapshot")["jobs"]
        counted = Counter(event["job_id"] for event in self.events())
        assert [job["job_id"] for job in jobs] == list(self.of.jobs)
        for job in jobs:
            has_ended = job["status"] in ("succeeded", "failed")
            assert counted.pop(str(job["job_id"]), 0) == (1 if has_ended else 0)
            assert (job["event_id"] is not None) == has_ended
        assert not counted

    @invariant()
    def the_log_only_grows_and_polling_finds_what_is_new(self) -> None:
        events, known = self.events(), self.of.events
        assert events[: len(known)] == known
        for event in events[len(known) :]:
            (row,) = self.polled(event["job_id"])
            assert (row["event_id"], row["event_type"], row["data"]) == (event["id"], event["type"], event["data"])
            assert event["access_token_reference_id"] == self.of.tag
        assert len({event["id"] for event in events}) == len(events)
        self.of.events = events

    @invariant()
    def time_never_runs_backwards(self) -> None:
        now = self.control("GET", "/clock")["now"]
        times = [event["created"] for event in self.events()]
        assert now >= self.of.now
        assert times == sorted(times)
        assert not times or times[-1] <= now
        self.of.now = now

    @invariant()
    def what_the_receiver_gets_is_signed_logged_and_of_this_generation(self) -> None:
        logged = {event["id"]: event for event in self.events()}
        received = self.receiver.received[self.heard :]
        self.heard += len(received)
        for each in received:
            assert each.json["access_token_reference_id"] == self.of.tag
            assert to_json(logged[each.json["id"]]) == each.body
            assert each.headers["webhook-id"] == each.json["id"]
            made = later(each.json["created"], each.attempt - 1)  # the second attempt follows the first by a second
            assert verifies(self.of.hooks[each.path].signing_secret(made, self.signs_with), each.body, each.signature)

    @invariant()
    def what_is_counted_is_what_is_listed(self) -> None:
        state, snapshot = self.control("GET", "/world"), self.control("GET", "/snapshot")
        events = [event for practice in snapshot["practices"] for event in practice["events"]]
        deliveries = Counter(delivery["status"] for event in events for delivery in event["deliveries"])
        webhooks = self.call("GET", "/webhook").json["webhook_urls"]
        assert state["events"] == len(events) == len(self.events())
        assert +Counter(state["deliveries"]) == deliveries
        assert +Counter(state["jobs"]) == Counter(job["status"] for job in snapshot["jobs"])
        assert state["webhooks"] == len(webhooks) == len(snapshot["webhooks"])
        assert {webhook["id"] for webhook in webhooks} == {hook.id for hook in self.of.hooks.values()}
        assert state["generation"] == self.of.number
        # The journal had not yet seen the call that lists the webhooks when it was counted.
        assert state["requests"] == self.of.calls - 1


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def test_every_walk_keeps_the_laws(sandbox: Sandbox) -> None:
    bounds = settings(max_examples=tries(25), stateful_step_count=25)
    run_state_machine_as_test(lambda: Walk(sandbox), settings=bounds)  # type: ignore[arg-type]  # a factory will do


def test_a_reset_ends_deliveries_that_are_under_way(sandbox: Sandbox, receiver: Receiver) -> None:
    world = sandbox.world(seed=1, latency="instant")
    with Line(world.url) as line:
        headers = tuple({**world.headers, "host": line.host}.items())
        line.send(Request("POST", "/v1/webhook", headers, to_json({"webhook_url": receiver.url})))
        line.send(Request("POST", "/v1/patients", headers, to_json(PATIENT)))
    receiver.stall(60)
    advancing = threading.Thread(target=world.advance, args=(10,))
    advancing.start()
    (under_way,) = receiver.wait(1)
    assert world.reset(keep=["webhooks"])["dropped"] == {"jobs": 0, "deliveries": 1}
    advancing.join(5)
    assert not advancing.is_alive()
    world.advance(DAY)
    assert receiver.received == [under_way]
    assert world.events() == []
    world.delete()

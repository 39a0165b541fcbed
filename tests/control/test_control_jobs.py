"""Jobs: listed, traced from the request that made them to the last poll, and ended by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, cast

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, Refusal, Sandbox, World
from cobalt_sandbox.control.trace import Trace, traced
from cobalt_sandbox.control.wait import WaitQuery, wait
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.jobs import Job
from cobalt_sandbox.journal import Call
from cobalt_sandbox.redaction import Sent
from cobalt_sandbox.resources import referring_providers
from cobalt_sandbox.spec import Bounds, Spec
from cobalt_sandbox.testing.receiver import verifies
from cobalt_sandbox.world import World as Kernel
from kernel.story import Client, client_of, patient

Body = dict[str, Any]

NPI = b'{"first_name": "Ada", "last_name": "Quill", "npi": "1234567890"}'
SEARCH = {"search_by": "mrn", "mrn": "1234567"}
REASON = {"code": "DUPLICATE_PATIENT", "description": "Told so."}
NO_REASON = 'Say why it fails: {"outcome": "fail", "reasons": [{"code": "…", "description": "…"}]}.'
UNKNOWN = "There is no job {!r} in this world. GET /_sandbox/jobs lists those that there are."
NOT_IN_TIME = "timeout after 5 s, not retried: the documentation retries 5xx and network errors only"


def control(world: World, method: str, path: str, body: object = None) -> httpx2.Response:
    headers, url = {"client_id": world.client_id}, f"{world.url}/_sandbox{path}"
    return loopback.request(method, url, headers=headers, json=body)


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


# List ------------------------------------------------------------------------------------------------------------


def test_a_world_without_jobs_lists_none(world: World) -> None:
    reply = control(world, "GET", "/jobs")
    pagination = {"current_page": 1, "total_pages": 0, "total_count": 0, "page_size": 50}
    assert reply.json() == {"jobs": [], "pagination": pagination}


def test_jobs_are_listed_newest_first_by_how_they_stand(client: Client) -> None:
    world = client.world
    world.fault("patient.created", {"fail": [REASON]})
    failed, succeeded = client.admit(2)
    events = {each["job_id"]: each for each in world.settle()["events"]}
    (queued,) = client.admit()
    due = world.clock()["next_due"]
    rows = control(world, "GET", "/jobs").json()["jobs"]
    assert [row["job_id"] for row in rows] == [queued, succeeded, failed]
    now = world.clock()["now"]
    about = {"job_id": queued, "operation": "patients.create", "practice": "documentation"}
    assert rows[0] == {**about, "status": "queued", "submitted": now, "due": due}
    assert [row["event_id"] for row in rows[1:]] == [events[str(job)]["id"] for job in (succeeded, failed)]
    for status, job in (("queued", queued), ("succeeded", succeeded), ("failed", failed)):
        assert [row["job_id"] for row in world.jobs(status=status)] == [job]
    assert world.jobs(status="held") == []
    assert world.jobs() == rows[::-1]


def test_a_held_job_is_never_due(held: Client) -> None:
    (job,) = held.admit()
    (row,) = held.world.jobs(status="held")
    assert (row["job_id"], row["due"], "event_id" in row) == (job, None, False)


def test_jobs_are_paged(client: Client) -> None:
    jobs = client.admit(5)
    reply = control(client.world, "GET", "/jobs?page=2&page_size=2").json()
    assert [row["job_id"] for row in reply["jobs"]] == jobs[1:3][::-1]
    assert reply["pagination"] == {"current_page": 2, "total_pages": 3, "total_count": 5, "page_size": 2}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("status=done", "Invalid status. Must be one of: queued, held, succeeded, failed."),
        ("page=0", "Invalid page. Must be 1 or greater."),
        ("page_size=101", "Invalid page_size. Must be between 1 and 100."),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(world: World, query: str, message: str) -> None:
    refused(control(world, "GET", f"/jobs?{query}"), 400, message)


# Trace -----------------------------------------------------------------------------------------------------------


def test_the_trace_goes_from_the_request_to_the_poll_that_saw_the_event(client: Client, receiver: Receiver) -> None:
    world, receiver.secret = client.world, client.register(receiver.url)["webhook_secret"]
    receiver.answer(500)
    (job,) = client.admit()
    start = world.clock()["now"]
    [event] = world.settle()["events"]
    client.rows(f"?job_id={job}")
    client.audited(event["id"])
    trace = world.trace(job)
    assert list(trace) == ["request", "changes", "job", "ehr", "event", "deliveries", "polls", "polled"]
    request = trace["request"]
    told = (request["at"], request["method"], request["path"], request["operation"], request["status"])
    assert told == (start, "POST", "/v1/patients", "patients.create", 200)
    assert (request["refusal"], request["fault"], request["job_id"]) == (None, None, job)
    assert request["body"] == patient(1)
    assert request["body_bytes"] == int(request["headers"]["content-length"])
    assert trace["changes"] == []
    assert [trace["job"]] == world.jobs()
    assert trace["job"]["status"] == "succeeded"
    assert trace["ehr"] == {"at": event["created"], "did": "succeeded", "by": "itself", "reasons": [], "faults": []}
    assert trace["event"] == event
    assert trace["deliveries"] == world.deliveries()
    [delivery] = trace["deliveries"]
    assert (delivery["webhook_url"], delivery["status"], delivery["fault"]) == (receiver.url, "success", None)
    first, second = delivery["attempts"]
    assert (first["verdict"], second["verdict"]) == ("retried after 1 s", "delivered")
    assert [poll["path"] for poll in trace["polls"]] == ["/v1/webhook-events", f"/v1/webhook-events/{event['id']}"]
    assert {poll["operation"] for poll in trace["polls"]} == {"webhook_events.list", "webhook_events.get"}
    assert (trace["polled"], world.trace(job)) == (2, trace)


def test_an_attempt_tells_what_was_sent_and_what_followed(client: Client, receiver: Receiver) -> None:
    secret = client.register(receiver.url)["webhook_secret"]
    receiver.answer(404)
    (job,) = client.admit()
    walk = client.world.settle()
    [delivery] = client.world.trace(job)["deliveries"]
    [attempt], [received], [made] = delivery["attempts"], receiver.received, walk["attempts"]
    sent = {name: value for name, value in received.headers.items() if name not in ("host", "content-length")}
    assert attempt["headers"] == sent
    assert attempt["bytes"] == len(received.body)
    assert verifies(secret, received.body, attempt["headers"]["cobalt-verification"])
    names = ("attempt", "timestamp", "response_status_code", "problem", "success", "verdict")
    assert {name: attempt[name] for name in names} == {name: made[name] for name in names}
    assert attempt["verdict"].startswith("answered 404, not retried")


def test_a_receiver_that_takes_six_seconds_is_not_tried_again_and_polling_finds_the_event(sandbox: Sandbox) -> None:
    """The only test here that takes real seconds, five of them."""
    world = sandbox.world(seed=1)
    with Receiver() as receiver, client_of(world) as client:
        receiver.stall(6)
        client.register(receiver.url)
        (job,) = client.admit()
        world.settle()
        [row] = client.rows(f"?job_id={job}")
    trace = world.trace(job)
    [delivery] = trace["deliveries"]
    [attempt] = delivery["attempts"]
    assert (attempt["response_status_code"], attempt["problem"]) == (None, "timeout")
    assert (attempt["verdict"], attempt["success"], delivery["status"]) == (NOT_IN_TIME, False, "failed")
    assert (row["event_id"], row["delivery_status"]) == (trace["event"]["id"], "failed")
    assert [poll["operation"] for poll in trace["polls"]] == ["webhook_events.list"]
    world.delete()


def test_before_it_is_done_a_job_has_a_request_and_nothing_more(client: Client) -> None:
    (job,) = client.admit()
    trace = client.world.trace(job)
    assert (trace["job"]["status"], trace["ehr"], trace["event"]) == ("queued", None, None)
    assert (trace["deliveries"], trace["polls"], trace["polled"]) == ([], [], 0)
    assert trace["request"]["body"] == patient(1)


def test_a_poll_that_showed_another_event_did_not_see_this_one(client: Client) -> None:
    first, second = client.admit(2)
    client.world.settle()
    client.rows(f"?job_id={first}")
    client.rows("?event_type=patient.failed")
    assert [client.world.trace(job)["polled"] for job in (first, second)] == [1, 0]


def test_of_many_polls_the_last_are_shown(client: Client) -> None:
    (job,) = client.admit()
    client.world.settle()
    for _ in range(101):
        client.rows()
    trace = client.world.trace(job)
    assert (len(trace["polls"]), trace["polled"]) == (100, 101)


def test_a_refusal_of_the_ehr_is_told_from_one_that_was_ordered(client: Client) -> None:
    world = client.world
    ordered = world.fault("patient.created", {"fail": [REASON]})
    (by_fault,) = client.admit()
    world.settle()
    (sound,) = client.admit()
    world.settle()
    client.admitted -= 1
    (again,) = client.admit()
    world.settle()
    deeds = [world.trace(job)["ehr"] for job in (by_fault, sound, again)]
    assert [(deed["did"], deed["by"]) for deed in deeds] == [
        ("refused", "fault"),
        ("succeeded", "itself"),
        ("refused", "itself"),
    ]
    assert [deed["faults"] for deed in deeds] == [[ordered["fault_id"]], [], []]
    assert deeds[0]["reasons"] == [REASON]
    assert deeds[2]["reasons"] == world.trace(again)["event"]["data"]["reasons"]


def test_a_fault_that_a_job_survives_is_told(client: Client, referral: Body) -> None:
    fault = client.world.fault("referral.created", {"documents_failed": 1})
    document = {"filename": "report.pdf", "content_base64": "QUJD"}
    job = client.call("POST", "/referrals", {**referral, "documents": [document]})["job_id"]
    client.world.settle()
    trace = client.world.trace(job)
    assert (trace["ehr"]["did"], trace["ehr"]["by"], trace["ehr"]["faults"]) == (
        "succeeded",
        "fault",
        [fault["fault_id"]],
    )
    assert trace["event"]["data"]["documents_failed"] == 1


def test_jobs_that_fail_because_the_login_has_expired_say_so(client: Client) -> None:
    (job,) = client.admit()
    client.world.expire_login()
    deed = client.world.trace(job)["ehr"]
    assert (deed["did"], deed["by"]) == ("refused", "expired login")
    assert [reason["code"] for reason in deed["reasons"]] == ["LOGIN_REQUIRED"]


def test_an_answer_that_was_lost_shows_on_the_request_that_was_done(client: Client, referral: Body) -> None:
    """A client that posts again makes a second referral; the traces show why."""
    client.world.fault("referrals.create", {"close": "after"})
    with pytest.raises(httpx2.TransportError):
        client.call("POST", "/referrals", referral)
    client.call("POST", "/referrals", referral)
    first, second = (client.world.trace(job["job_id"]) for job in client.world.jobs())
    assert (first["request"]["fault"], second["request"]["fault"]) == ("done, answer lost", None)
    assert first["request"]["body"] == second["request"]["body"] == referral


def test_a_change_of_what_is_queued_is_part_of_the_trace(client: Client) -> None:
    made = client.call("POST", "/patients", patient())
    path, change = f"/patients/{made['patient_id']}", {"first_name": "Ida"}
    assert client.call("PATCH", path, change)["job_id"] == made["job_id"]
    [changed] = client.world.trace(made["job_id"])["changes"]
    assert (changed["method"], changed["operation"], changed["body"]) == ("PATCH", "patients.update", change)


def test_a_change_that_queues_again_makes_a_job_of_its_own(client: Client) -> None:
    client.world.fault("patient.created", {"fail": [REASON]})
    made = client.call("POST", "/patients", patient())
    client.world.settle()
    again = client.call("PATCH", f"/patients/{made['patient_id']}", {"first_name": "Ida"})["job_id"]
    client.world.settle()
    trace = client.world.trace(again)
    assert (trace["request"]["operation"], trace["job"]["operation"]) == ("patients.update", "patients.create")
    assert (trace["job"]["status"], trace["event"]["type"]) == ("succeeded", "patient.created")
    assert client.world.trace(made["job_id"])["changes"] == []


def test_a_live_fetch_is_traced_although_its_job_id_is_text(client: Client) -> None:
    job = client.http.post("/patients/fetch", json=SEARCH).json()["job_id"]
    client.world.settle()
    trace = client.world.trace(job)
    assert (str(trace["request"]["job_id"]), trace["request"]["status"]) == (job, 202)
    assert trace["event"]["action"] == "sync"


@pytest.mark.parametrize("id", ["12345", "0", "-1", "x", "1.0", "9" * 30])
def test_an_unknown_job_is_refused(world: World, id: str) -> None:
    refused(control(world, "GET", f"/jobs/{id}"), 404, UNKNOWN.format(id))
    refused(control(world, "POST", f"/jobs/{id}/finish", {"outcome": "succeed"}), 404, UNKNOWN.format(id))


# What has been pushed out ----------------------------------------------------------------------------------------


def small_world() -> Kernel:
    """A world that keeps one call and one event, and has no webhook."""
    fixture, nothing_is_sent = Fixture({"name": "small"}), cast("Any", None)
    bounds = Bounds(calls_kept=1, events_kept=1)
    return Kernel(Spec("ci", "cs", 1, (fixture,), rate=0, bounds=bounds), post=nothing_is_sent)


def ended(world: Kernel, count: int) -> list[Job]:
    """So many referring providers asked for and created, at the same time, each by a call."""
    handler, body = referring_providers.create.handler, referring_providers.NewReferringProvider.read(NPI)
    for _ in range(count):
        job_id = handler(world.first_practice, body=body).job_id
        sent = Sent.of([], NPI)
        world.journal.note(Call(0, "POST", "/v1/referring-providers", None, 200, None, job_id, None, (), sent))
    asyncio.run(world.settle(60_000))
    return list(world.jobs.values())


def test_a_trace_lacks_what_is_no_longer_kept() -> None:
    world = small_world()
    jobs = ended(world, 2)
    traces = {job.event_id: traced(world, job) for job in jobs}
    kept = [event_id for event_id, trace in traces.items() if trace["event"] is not None]
    assert len(kept) == 1
    assert [trace["request"] is not None for trace in traces.values()] == [False, True]
    assert {trace["job"].status for trace in traces.values()} == {"succeeded"}
    assert [trace["ehr"].did for trace in traces.values()] == ["succeeded"] * 2


def test_an_event_that_is_no_longer_kept_counts_as_delivered() -> None:
    world = small_world()
    jobs = ended(world, 2)
    for job in jobs:
        reply = asyncio.run(wait.handler(world, query=WaitQuery(job_id=str(job.id), until="delivered", timeout=0)))
        assert type(reply) is Trace


# Secrets ---------------------------------------------------------------------------------------------------------


def test_a_trace_gives_no_secret_and_no_document_away(client: Client, referral: Body) -> None:
    contents = ["QUJD" * 5_000, "U2VjcmV0"]
    documents = [{"filename": f"{n}.pdf", "content_base64": content} for n, content in enumerate(contents)]
    secret = client.register("http://127.0.0.1:9")["webhook_secret"]
    small = client.call("POST", "/referrals", {**referral, "documents": documents[1:]})["job_id"]
    large = client.call("POST", "/referrals", {**referral, "documents": documents})["job_id"]
    traces = [client.world.trace(job) for job in (small, large)]
    text = json.dumps(traces)
    for hidden in (*contents, client.world.client_secret, client.world.access_token, secret):
        assert hidden not in text
    headers = traces[0]["request"]["headers"]
    assert (headers["client_id"], headers["client_secret"]) == (client.world.client_id, "(not shown)")
    assert traces[0]["request"]["body"]["documents"] == [
        {"filename": "1.pdf", "content_base64": "(8 characters, not shown)"}
    ]
    assert traces[1]["request"]["body"] == {
        **referral,
        "documents": [
            {"filename": "0.pdf", "content_base64": "(20000 characters, not shown)"},
            {"filename": "1.pdf", "content_base64": "(8 characters, not shown)"},
        ],
    }
    assert traces[1]["request"]["body_bytes"] > 20_000


# Finish ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hold", [True, False])
def test_a_job_succeeds_when_it_is_told_to(sandbox: Sandbox, receiver: Receiver, *, hold: bool) -> None:
    world = sandbox.world(seed=1, hold=hold)
    with client_of(world) as client:
        client.register(receiver.url)
        (job,) = client.admit()
        now = world.clock()["now"]
        reply = control(world, "POST", f"/jobs/{job}/finish", {"outcome": "succeed"})
    trace = reply.json()
    assert (reply.status_code, trace) == (200, world.trace(job))
    assert (trace["job"]["status"], trace["event"]["type"], trace["event"]["created"]) == (
        "succeeded",
        "patient.created",
        now,
    )
    assert trace["ehr"] == {"at": now, "did": "succeeded", "by": "finish", "reasons": [], "faults": []}
    assert [delivery["status"] for delivery in trace["deliveries"]] == ["success"]
    assert [received.json for received in receiver.received] == [trace["event"]]
    assert world.events() == [trace["event"]]
    assert (world.clock()["pending"], world.clock()["next_due"]) == ({"jobs": 0, "deliveries": 0}, None)
    assert world.settle()["ran"] == []
    world.delete()


def test_a_job_fails_for_the_reasons_given(held: Client) -> None:
    job, other = held.admit(2)
    reasons = [REASON, {"code": "OTHER", "description": "And so."}]
    trace = held.world.finish(job, "fail", reasons=reasons)
    assert (trace["job"]["status"], trace["event"]["type"]) == ("failed", "patient.failed")
    assert (trace["ehr"]["did"], trace["ehr"]["by"], trace["ehr"]["reasons"]) == ("refused", "finish", reasons)
    assert trace["event"]["data"]["reasons"] == reasons
    assert trace["event"]["data"]["failure_reason"] == "Told so. And so."
    assert [row["job_id"] for row in held.world.jobs(status="held")] == [other]


def test_the_others_stay_due_when_one_is_finished(client: Client) -> None:
    first, second, third = client.admit(3)
    due = {row["job_id"]: row["due"] for row in client.world.jobs()}
    client.world.finish(second)
    ran = client.world.settle()["ran"]
    assert {each["job_id"]: each["at"] for each in ran} == {job: due[job] for job in (first, third)}


def test_a_job_that_is_to_succeed_can_have_its_reasons_not_to(held: Client) -> None:
    """The EHR knows the patient already."""
    first, second = held.admit(), []
    held.admitted -= 1
    second = held.admit()
    held.world.finish(first[0])
    trace = held.world.finish(second[0])
    assert (trace["job"]["status"], trace["ehr"]["did"], trace["ehr"]["by"]) == ("failed", "refused", "itself")
    assert trace["ehr"]["reasons"]


def test_a_fault_that_waits_is_not_used_by_what_is_finished_by_hand(held: Client) -> None:
    held.world.fault("patient.created", {"fail": [REASON]})
    (job,) = held.admit()
    assert held.world.finish(job)["job"]["status"] == "succeeded"
    assert [fault["used"] for fault in held.world.faults()] == [0]


def test_finishing_returns_when_every_webhook_has_answered_once(held: Client, receiver: Receiver) -> None:
    receiver.answer(503)
    held.register(receiver.url)
    (job,) = held.admit()
    [delivery] = held.world.finish(job)["deliveries"]
    assert (delivery["status"], [each["attempt"] for each in delivery["attempts"]]) == ("pending", [1])
    held.world.settle()
    [delivery] = held.world.trace(job)["deliveries"]
    assert (delivery["status"], [each["attempt"] for each in delivery["attempts"]]) == ("success", [1, 2])


def test_in_a_live_world_a_job_is_finished_before_it_is_due(sandbox: Sandbox, receiver: Receiver) -> None:
    live = sandbox.world(seed=1, rate=1, latency="1000..1000")
    with client_of(live) as client:
        client.register(receiver.url)
        (job,) = client.admit()
        assert live.finish(job)["deliveries"][0]["status"] == "success"
        assert live.clock()["next_due"] is None
    live.delete()


@pytest.mark.parametrize(("outcome", "reasons"), [("succeed", ()), ("fail", (REASON,))])
def test_a_job_ends_once(client: Client, outcome: Any, reasons: tuple[Body, ...]) -> None:
    (job,) = client.admit()
    [event] = client.world.settle()["events"]
    before = client.world.trace(job)
    order = {"outcome": outcome, "reasons": list(reasons)}
    refused(
        control(client.world, "POST", f"/jobs/{job}/finish", order),
        409,
        f"Job {job} succeeded already, at {event['created']}. Only a job that is queued or held can be finished.",
    )
    assert client.world.trace(job) == before


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({}, "Missing required fields: outcome."),
        ({"outcome": "end"}, "Invalid outcome. Must be one of: succeed, fail."),
        ({"outcome": "fail"}, NO_REASON),
        ({"outcome": "fail", "reasons": []}, NO_REASON),
        ({"outcome": "fail", "reasons": "no"}, "Invalid reasons. Must be an array."),
        ({"outcome": "fail", "reasons": [{"code": "A"}]}, "reasons[0].description is required."),
        (
            {"outcome": "succeed", "reasons": [REASON]},
            'A job that succeeds has no reasons. Leave them out, or say {"outcome": "fail"}.',
        ),
        ({"outcome": "succeed", "at": 1}, "Unexpected fields in request body: at"),
    ],
)
def test_an_outcome_that_means_nothing_is_refused(held: Client, order: Body, message: str) -> None:
    (job,) = held.admit()
    refused(control(held.world, "POST", f"/jobs/{job}/finish", order), 400, message)
    assert [row["status"] for row in held.world.jobs()] == ["held"]


# Worlds ----------------------------------------------------------------------------------------------------------


def test_a_job_is_known_in_its_own_world_alone_and_until_the_reset(client: Client, held: Client) -> None:
    (job,) = held.admit()
    for world in (client.world, held.world):
        world.reset()
        with pytest.raises(Refusal, match=f"There is no job '{job}'"):
            world.trace(job)


def test_the_same_seed_and_the_same_calls_give_the_same_trace(sandbox: Sandbox) -> None:
    def told() -> Body:
        world = sandbox.world(seed=3)
        with client_of(world) as client:
            (job,) = client.admit()
            world.settle()
            client.rows()
            trace = world.trace(job)
        world.delete()
        for own in ("client_id", "user-agent"):
            del trace["request"]["headers"][own]
        return trace

    assert told() == told()


def test_many_jobs_are_finished_at_once(held: Client, receiver: Receiver) -> None:
    held.register(receiver.url)
    jobs = held.admit(20)
    finish: Callable[[int], Body] = held.world.finish
    with ExitStack() as stack:
        traces = list(stack.enter_context(ThreadPoolExecutor(8)).map(finish, jobs))
    assert {trace["deliveries"][0]["status"] for trace in traces} == {"success"}
    assert len(held.world.events()) == 20

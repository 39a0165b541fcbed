"""Webhook events: one row an event, found by job, type, delivery and time, and audited attempt by attempt."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, object]
Row = dict[str, Any]

ROW = [
    "event_id",
    "event_type",
    "webhook_url",
    "delivery_status",
    "data",
    "created_at",
    "job_id",
    "access_token_reference_id",
    "type",
]
OLDER = [
    "id",
    "created",
    "object",
    "status",
    "delivered",
    "delivery_attempts",
    "last_delivery_attempt",
    "response_status_code",
]
BAD_DATE = "Invalid date format. Use ISO format (YYYY-MM-DD)."
NPI = {"first_name": "Ada", "last_name": "Quill", "npi": "1234567890"}


class Receiver(BaseHTTPRequestHandler):
    """Answers as its path says: ``/500,200`` first 500, then 200; ``/0`` hangs up without an answer."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        statuses = [int(status) for status in self.path[1:].split(",")]
        status = statuses[int(self.headers["webhook-attempt"]) - 1]
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    """The URL of a receiver on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def client(world: World) -> httpx2.Client:
    return loopback.Client(base_url=f"{world.url}/v1", headers=world.headers)


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def rows(api: httpx2.Client, **query: object) -> list[Row]:
    reply = api.get("/webhook-events", params={name: str(value) for name, value in query.items()})
    assert (reply.status_code, list(reply.json())) == (200, ["success", "webhook_events", "pagination"])
    found: list[Row] = reply.json()["webhook_events"]
    return found


def jobs(api: httpx2.Client, **query: object) -> list[str]:
    return [row["job_id"] for row in rows(api, **query)]


def submit(api: httpx2.Client, referral: Body) -> int:
    return int(api.post("/referrals", json=referral).json()["job_id"])


def register(api: httpx2.Client, *urls: str) -> None:
    for url in urls:
        assert api.post("/webhook", json={"webhook_url": url}).status_code == 200


@pytest.fixture
def days(sandbox: Sandbox, referral: Body) -> Iterator[httpx2.Client]:
    """Five events, jobs 12345 to 12349: at the two ends of March 10, at the two ends of March 11, and at noon of the 12th."""
    world = sandbox.world(latency="instant", now="2026-03-10T00:00:00Z")
    with client(world) as api:
        for seconds in (0, 86_399.999, 0.001, 86_399.999, 43_200.001):
            world.advance(seconds)
            submit(api, referral)
            world.settle()
        yield api
    world.delete()


# Rows ------------------------------------------------------------------------------------------------------------


def test_before_anything_has_happened_there_are_no_rows(api: httpx2.Client) -> None:
    """D23."""
    reply = api.get("/webhook-events")
    assert reply.json() == {
        "success": True,
        "webhook_events": [],
        "pagination": {"current_page": 1, "total_pages": 0, "total_count": 0, "page_size": 50},
    }


def test_a_row_tells_an_event_in_the_documented_names(world: World, api: httpx2.Client, referral: Body) -> None:
    """D250: and `type`. D252: null without a webhook. D258: job_id is text."""
    job_id = submit(api, referral)
    world.settle()
    [event] = world.events()
    [row] = rows(api)
    assert row == {
        "event_id": event["id"],
        "event_type": "referral.created",
        "webhook_url": None,
        "delivery_status": None,
        "data": event["data"],
        "created_at": event["created"],
        "job_id": str(job_id),
        "access_token_reference_id": "at_ref_123456789",
        "type": "referral.created",
    }
    assert list(row) == ROW


def test_the_data_of_a_failure_has_its_reasons(world: World, api: httpx2.Client) -> None:
    api.post("/referring-providers", json={**NPI, "npi": "1"})
    world.settle()
    [row] = rows(api)
    assert list(row["data"]) == ["referring_provider_id", "failure_reason", "reasons"]


def test_a_row_is_there_as_soon_as_the_job_has_ended(world: World, api: httpx2.Client, referral: Body) -> None:
    """D253."""
    submit(api, referral)
    assert rows(api) == []
    world.settle()
    assert len(rows(api)) == 1


def test_a_row_keeps_the_reference_it_was_made_with(world: World, api: httpx2.Client, referral: Body) -> None:
    submit(api, referral)
    world.settle()
    api.post("/settings", json={"access_token_reference_id": "clinic_1"})
    assert rows(api)[0]["access_token_reference_id"] == "at_ref_123456789"


def test_only_events_of_ones_own_account_are_rows(world: World, api: httpx2.Client) -> None:
    """D255."""
    elsewhere = {"access_token": "at_test_demo_clinic"}
    job_id = api.post("/referring-providers", json=NPI, headers=elsewhere).json()["job_id"]
    world.settle()
    assert rows(api) == rows(api, job_id=job_id) == []
    reply = api.get("/webhook-events", headers=elsewhere).json()
    [row] = reply["webhook_events"]
    refused(api.get(f"/webhook-events/{row['event_id']}"), 404, "Webhook event not found.")


def test_rows_are_kept_until_a_reset(world: World, api: httpx2.Client, referral: Body) -> None:
    """D255."""
    submit(api, referral)
    world.settle()
    world.advance(86_400 * 365)
    assert len(rows(api)) == 1
    world.reset()
    assert rows(api) == []


@pytest.mark.parametrize("access_token", ["nobody", ""])
@pytest.mark.parametrize("path", ["/webhook-events", "/webhook-events/1"])
def test_events_need_an_access_token(api: httpx2.Client, path: str, access_token: str) -> None:
    """D6."""
    refused(api.get(path, headers={"access_token": access_token}), 404, "User not found.")


# Delivery --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "status"),
    [
        (["/200"], "success"),
        (["/204"], "success"),
        (["/500,200"], "success"),
        (["/0,200"], "success"),
        (["/500,500"], "failed"),
        (["/404"], "failed"),
        (["/302"], "failed"),
        (["/200", "/201"], "success"),
        (["/200", "/404"], "failed"),
        (["/404", "/200"], "failed"),
    ],
)
def test_a_delivery_succeeds_if_all_urls_accept_it(
    world: World, api: httpx2.Client, referral: Body, receiver: str, *, paths: list[str], status: str
) -> None:
    """D252: one row an event, with the first URL."""
    register(api, *(receiver + path for path in paths))
    submit(api, referral)
    world.settle()
    [row] = rows(api)
    assert (row["webhook_url"], row["delivery_status"]) == (receiver + paths[0], status)
    assert [row["event_id"]] == [found["event_id"] for found in rows(api, delivery_status=status)]


def test_between_two_attempts_the_status_is_open(sandbox: Sandbox, referral: Body, receiver: str) -> None:
    """D252."""
    world = sandbox.world(latency="1..1")
    with client(world) as api:
        register(api, f"{receiver}/500,200")
        submit(api, referral)
        world.advance(1)
        [pending] = rows(api)
        neither = [*rows(api, delivery_status="success"), *rows(api, delivery_status="failed")]
        world.settle()
        [delivered] = rows(api)
    assert (pending["webhook_url"], pending["delivery_status"]) == (None, None)
    assert neither == []
    assert (delivered["webhook_url"], delivered["delivery_status"]) == (f"{receiver}/500,200", "success")
    world.delete()


def test_a_webhook_deleted_between_two_attempts_has_failed(sandbox: Sandbox, referral: Body, receiver: str) -> None:
    world = sandbox.world(latency="1..1")
    with client(world) as api:
        register(api, f"{receiver}/500,200")
        submit(api, referral)
        world.advance(1)
        api.delete(f"/webhook/{api.get('/webhook').json()['webhook_urls'][0]['id']}")
        world.settle()
        assert [row["delivery_status"] for row in rows(api)] == ["failed"]
    world.delete()


def test_a_muted_event_is_a_row_that_is_never_sent(sandbox: Sandbox, referral: Body, receiver: str) -> None:
    """D262."""
    practice = {"name": "quiet", "options": {"muted_events": ["referring_provider.created"]}}
    world = sandbox.world(fixtures=[practice])
    with client(world) as api:
        register(api, f"{receiver}/200")
        api.post("/referring-providers", json=NPI)
        api.post("/referring-providers", json={**NPI, "npi": "1"})
        walk = world.settle()
        told = {row["event_type"]: row["delivery_status"] for row in rows(api)}
    assert told == {"referring_provider.created": None, "referring_provider.failed": "success"}
    assert len(walk["attempts"]) == 1
    world.delete()


# Older names -----------------------------------------------------------------------------------------------------


@pytest.fixture
def older(sandbox: Sandbox) -> Iterator[World]:
    """An account that has the older names switched on, whose EHR takes one second."""
    world = sandbox.world(fixtures=[{"name": "older", "options": {"older_fields": True}}], latency="1..1")
    yield world
    world.delete()


def test_without_a_webhook_the_older_names_say_pending(older: World) -> None:
    """D250."""
    with client(older) as api:
        api.post("/referring-providers", json=NPI)
        older.settle()
        [row] = rows(api)
    assert list(row) == [*ROW, *OLDER]
    assert row["id"] == row["event_id"]
    assert row["created"] == row["created_at"] == "2026-03-10T10:30:01.000Z"
    assert [row[name] for name in OLDER[2:]] == ["event", "pending", False, 0, None, None]


@pytest.mark.parametrize(
    ("paths", "open_", "ended"),
    [
        (["/200"], ("success", True, 1, 200), ("success", True, 1, 200)),
        (["/404"], ("failed", False, 1, 404), ("failed", False, 1, 404)),
        (["/500,200"], ("pending", False, 1, 500), ("success", True, 2, 200)),
        (["/0,0"], ("pending", False, 1, None), ("failed", False, 2, None)),
        (["/200", "/500,404"], ("pending", False, 2, None), ("failed", False, 3, 404)),
    ],
)
def test_the_older_names_count_the_attempts(
    older: World, receiver: str, paths: list[str], open_: tuple[object, ...], ended: tuple[object, ...]
) -> None:
    """D250: before the second attempt, and after it."""
    with client(older) as api:
        register(api, *(receiver + path for path in paths))
        api.post("/referring-providers", json=NPI)
        older.advance(1)
        [first] = rows(api)
        older.settle()
        [last] = rows(api)
        audited = api.get(f"/webhook-events/{last['event_id']}").json()["webhook_event"]
    shown = ("status", "delivered", "delivery_attempts")
    assert tuple(first[name] for name in shown) == open_[:3]
    assert (*(last[name] for name in shown), last["response_status_code"]) == ended
    assert first["last_delivery_attempt"] == "2026-03-10T10:30:01.000Z"
    assert last["last_delivery_attempt"] == audited["audit_trail"][-1]["timestamp"]
    assert list(audited) == [*ROW, *OLDER, "audit_trail"]


# Filters ---------------------------------------------------------------------------------------------------------


def test_the_newest_is_first_unless_said_otherwise(days: httpx2.Client) -> None:
    """D24."""
    newest_first = ["12349", "12348", "12347", "12346", "12345"]
    assert jobs(days) == jobs(days, sort="-created_at") == newest_first
    assert jobs(days, sort="created_at") == newest_first[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"start_date": "2026-03-11"}, "789"),
        ({"end_date": "2026-03-10"}, "56"),
        ({"end_date": "2026-03-11"}, "5678"),
        ({"start_date": "2026-03-11", "end_date": "2026-03-11"}, "78"),
        ({"start_date": "2026-03-10", "end_date": "2026-03-12"}, "56789"),
        ({"start_date": "2026-03-13"}, ""),
        ({"end_date": "2026-03-09"}, ""),
        ({"start_date": "2026-03-11T00:00:00Z"}, "789"),
        ({"start_date": "2026-03-11T00:00:00"}, "789"),
        ({"start_date": "2026-03-11T01:00:00+01:00"}, "789"),
        ({"start_date": "2026-03-11T00:00:00.001Z"}, "89"),
        ({"end_date": "2026-03-11T00:00:00Z"}, "567"),
        ({"start_date": "2026-03-10T00:00:00Z", "end_date": "2026-03-10T00:00:00Z"}, "5"),
        ({"start_date": "2026-03-10T12:00:00Z", "end_date": "2026-03-11"}, "678"),
        ({"start_date": "0001-01-01", "end_date": "9999-12-31"}, "56789"),
        ({"start_date": "0001-01-01T00:00:00+14:00", "end_date": "9999-12-31T23:59:59.999-12:00"}, "56789"),
    ],
)
def test_a_day_is_meant_whole_and_a_time_exactly(days: httpx2.Client, query: dict[str, str], found: str) -> None:
    """D21, D22: in UTC, the end included."""
    assert jobs(days, sort="created_at", **query) == [f"1234{last}" for last in found]


@pytest.mark.parametrize("edge", ["start_date", "end_date"])
@pytest.mark.parametrize(
    "value", ["10.03.2026", "2026-3-1", "2026-02-30", "2026-03", "soon", "20260310", "2026-W11-2", "2026-069"]
)
def test_anything_else_is_no_date(api: httpx2.Client, edge: str, value: str) -> None:
    """D21."""
    refused(api.get("/webhook-events", params={edge: value}), 400, BAD_DATE)


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-03-11", "2026-03-10"), ("2026-03-11T00:00:00.001Z", "2026-03-11T00:00:00Z")],
)
def test_the_end_is_not_before_the_start(api: httpx2.Client, start: str, end: str) -> None:
    """D21."""
    reply = api.get("/webhook-events", params={"start_date": start, "end_date": end})
    refused(reply, 400, "end_date must be after start_date.")


def test_an_event_is_found_by_its_job(world: World, api: httpx2.Client, referral: Body) -> None:
    """D253: none for an unknown job. D258: as text."""
    first, second = submit(api, referral), submit(api, referral)
    world.settle()
    assert jobs(api, job_id=first) == [str(first)]
    assert jobs(api, job_id=second) == [str(second)]
    for unknown in ("99999", f"0{first}", f"{first}.0", "x"):
        assert jobs(api, job_id=unknown) == []


def test_a_job_id_may_come_as_a_number_in_the_body_of_a_get(world: World, api: httpx2.Client, referral: Body) -> None:
    """D10, D258: as it was in the reply."""
    job_id = submit(api, referral)
    world.settle()
    for sent in (job_id, str(job_id)):
        reply = api.request("GET", "/webhook-events", json={"job_id": sent})
        assert [row["job_id"] for row in reply.json()["webhook_events"]] == [str(job_id)]


def test_events_are_found_by_type(world: World, api: httpx2.Client, referral: Body) -> None:
    """D257: an unknown type finds none."""
    job_id = submit(api, referral)
    api.post("/referring-providers", json=NPI)
    world.settle()
    assert jobs(api, event_type="referral.created") == [str(job_id)]
    assert jobs(api, event_type="referral.created", job_id=job_id) == [str(job_id)]
    assert jobs(api, event_type="referring_provider.created", job_id=job_id) == []
    for unknown in ("referral.failed", "Referral.Created", "referral", "nothing.happened"):
        assert jobs(api, event_type=unknown) == []


@pytest.mark.parametrize("sent", ["created", "uploaded"])
def test_the_event_of_a_note_is_found_by_either_of_its_names(sandbox: Sandbox, sent: str) -> None:
    """D192: whichever is sent, and it is listed under that one."""
    visit = {"id": "728948", "datetime": "2026-03-10T10:00:00Z", "patient_mrn": "1", "provider_ehr_id": "2"}
    world = sandbox.world(
        fixtures=[{"name": "small", "appointments": [visit], "options": {"note_event_names": sent}}], latency="instant"
    )
    with client(world) as api:
        note = {"appointment_id": "728948", "note": "Well."}
        older, newer = (str(api.post("/notes", json=note).json()["job_id"]) for _ in range(2))
        world.settle()
        for name in ("note.created", "note.uploaded"):
            assert jobs(api, event_type=name) == [newer, older]
            assert jobs(api, event_type=name, job_id=older) == [older]
            assert [row["event_type"] for row in rows(api, event_type=name)] == [f"note.{sent}"] * 2
            assert jobs(api, event_type=name, start_date="2020-01-01", end_date="2020-01-01") == []
        assert jobs(api, event_type="note.failed") == []
        assert jobs(api, event_type="document.uploaded") == []
    world.delete()


@pytest.mark.parametrize(
    ("sent", "listed"),
    [
        ("uploaded", ("document.uploaded", "document.upload_failed")),
        ("created", ("document.created", "document.failed")),
    ],
)
def test_the_event_of_a_document_is_found_by_either_of_its_names(
    sandbox: Sandbox, sent: str, listed: tuple[str, str]
) -> None:
    """D198: whichever is sent, and it is listed under that one."""
    patient = {"mrn": "123456", "first_name": "Maria", "last_name": "Alvarez"}
    world = sandbox.world(
        fixtures=[{"name": "small", "patients": [patient], "options": {"document_event_names": sent}}],
        latency="instant",
    )
    with client(world) as api:
        for mrn in ("123456", "MRN-404"):
            parts = {"folder_name": "MedicalRecords", "patient_mrn": mrn}
            api.post("/documents", data=parts, files={"document": ("a.pdf", b"%PDF-", "application/pdf")})
        world.settle()
        for name in ("document.uploaded", "document.created"):
            assert [row["event_type"] for row in rows(api, event_type=name)] == [listed[0]]
        for name in ("document.upload_failed", "document.failed"):
            assert [row["event_type"] for row in rows(api, event_type=name)] == [listed[1]]
        assert jobs(api, event_type="note.created") == []
    world.delete()


def test_events_are_found_by_their_delivery(world: World, api: httpx2.Client, referral: Body, receiver: str) -> None:
    """D251: `status` is the older name, and the current one wins."""
    silent = submit(api, referral)
    world.settle()
    register(api, f"{receiver}/200")
    delivered = submit(api, referral)
    world.settle()
    register(api, f"{receiver}/404")
    failed = submit(api, referral)
    world.settle()
    assert jobs(api) == [str(failed), str(delivered), str(silent)]
    for name in ("delivery_status", "status"):
        assert jobs(api, **{name: "success"}) == [str(delivered)]
        assert jobs(api, **{name: "failed"}) == [str(failed)]
    assert jobs(api, delivery_status="success", status="failed") == [str(delivered)]
    assert jobs(api, delivery_status="success", sort="created_at", start_date="2026-03-11") == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("delivery_status", "Invalid delivery_status. Must be one of: success, failed."),
        ("status", "Invalid delivery_status. Must be one of: success, failed."),
        ("sort", "Invalid sort. Must be one of: created_at, -created_at."),
    ],
)
@pytest.mark.parametrize("value", ["pending", "Success", "+created_at", "id"])
def test_other_words_are_refused(api: httpx2.Client, name: str, message: str, value: str) -> None:
    """D257, D15; D251 for the older name."""
    refused(api.get("/webhook-events", params={name: value}), 400, message)


@pytest.mark.parametrize(
    "name", ["job_id", "event_type", "delivery_status", "status", "start_date", "end_date", "page", "page_size", "sort"]
)
def test_an_empty_parameter_is_none(days: httpx2.Client, name: str) -> None:
    assert len(jobs(days, **{name: ""})) == 5


# Pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"page": 1, "page_size": 2}, "98"),
        ({"page": 2, "page_size": 2}, "76"),
        ({"page": 3, "page_size": 2}, "5"),
        ({"page": 4, "page_size": 2}, ""),
        ({"page": 1, "page_size": 5}, "98765"),
        ({"page": 2, "page_size": 5}, ""),
        ({"page": 2, "page_size": 2, "sort": "created_at"}, "78"),
        ({"page": 3, "page_size": 2, "sort": "created_at"}, "9"),
        ({"page": 2, "page_size": 1, "end_date": "2026-03-11"}, "7"),
    ],
)
def test_pages_are_cut_in_order(days: httpx2.Client, query: dict[str, object], found: str) -> None:
    """D23: a page past the end is empty."""
    assert jobs(days, **query) == [f"1234{last}" for last in found]


def test_pages_are_counted(days: httpx2.Client) -> None:
    reply = days.get("/webhook-events", params={"page": 9, "page_size": 2, "start_date": "2026-03-11"}).json()
    assert reply["pagination"] == {"current_page": 9, "total_pages": 2, "total_count": 3, "page_size": 2}


def test_a_page_has_50_events_unless_said_otherwise(days: httpx2.Client) -> None:
    assert days.get("/webhook-events").json()["pagination"] == {
        "current_page": 1,
        "total_pages": 1,
        "total_count": 5,
        "page_size": 50,
    }


@pytest.mark.parametrize("size", [1, 100])
def test_a_page_has_1_to_100_events(days: httpx2.Client, size: int) -> None:
    assert len(jobs(days, page_size=size)) == min(size, 5)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"page_size": 0}, "Invalid page_size. Must be between 1 and 100."),
        ({"page_size": 101}, "Invalid page_size. Must be between 1 and 100."),
        ({"page_size": "many"}, "Invalid page_size. Must be between 1 and 100."),
        ({"page": 0}, "Invalid page. Must be 1 or greater."),
        ({"page": "last"}, "Invalid page. Must be 1 or greater."),
    ],
)
def test_pages_out_of_range_are_refused(api: httpx2.Client, query: dict[str, str], message: str) -> None:
    """D23."""
    refused(api.get("/webhook-events", params=query), 400, message)


# By id -----------------------------------------------------------------------------------------------------------


def test_an_event_without_a_webhook_has_an_empty_audit_trail(world: World, api: httpx2.Client, referral: Body) -> None:
    """D256."""
    submit(api, referral)
    world.settle()
    [row] = rows(api)
    reply = api.get(f"/webhook-events/{row['event_id']}")
    assert reply.status_code == 200
    assert reply.json() == {"success": True, "webhook_event": {**row, "audit_trail": []}}


def test_the_audit_trail_tells_every_attempt_to_every_url(sandbox: Sandbox, referral: Body, receiver: str) -> None:
    """D256: in the order in which they were made."""
    world = sandbox.world(latency="1..1")
    urls = [f"{receiver}/500,200", f"{receiver}/404", f"{receiver}/0,503"]
    with client(world) as api:
        register(api, *urls)
        submit(api, referral)
        world.settle()
        [row] = rows(api)
        event = api.get(f"/webhook-events/{row['event_id']}").json()["webhook_event"]
    first, second = "2026-03-10T10:30:01.000Z", "2026-03-10T10:30:02.000Z"
    trail = [(1, urls[0], first, 500), (1, urls[1], first, 404), (1, urls[2], first, None)]
    trail += [(2, urls[0], second, 200), (2, urls[2], second, 503)]
    assert event == {
        **row,
        "audit_trail": [
            {
                "attempt": attempt,
                "webhook_url": url,
                "timestamp": at,
                "response_status_code": status,
                "success": status == 200,
            }
            for attempt, url, at, status in trail
        ],
    }
    world.delete()


@pytest.mark.parametrize("id", ["nothing", "12345", "550e8400-e29b-41d4-a716-446655440000", "%20", "a%2Fb"])
def test_an_unknown_event_is_not_found(api: httpx2.Client, id: str) -> None:
    """D17."""
    refused(api.get(f"/webhook-events/{id}"), 404, "Webhook event not found.")

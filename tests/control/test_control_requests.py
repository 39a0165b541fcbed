"""The journal of calls, and the deliveries, each newest first."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, Sandbox, World
from cobalt_sandbox.journal import PATH_LENGTH
from kernel.story import Client, client_of, patient, refusing_url

Body = dict[str, Any]


def control(world: World, path: str) -> httpx2.Response:
    headers, url = {"client_id": world.client_id}, f"{world.url}/_sandbox{path}"
    return loopback.get(url, headers=headers)


def refused(reply: httpx2.Response, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, 400)


# Requests --------------------------------------------------------------------------------------------------------


def test_a_new_world_has_no_requests(world: World) -> None:
    assert control(world, "/requests").json() == {"requests": [], "total": 0, "trimmed": 0}


def test_every_call_is_told_with_its_operation_its_end_and_its_job(client: Client) -> None:
    now = client.world.clock()["now"]
    (job,) = client.admit()
    client.http.post("/patients", json={**patient(), "sex": "x"})
    client.http.get("/webhook-events/none")
    reply = control(client.world, "/requests")
    rows = reply.json()["requests"]
    assert list(reply.json()) == ["requests", "total", "trimmed"]
    assert rows[2] == {
        "at": now,
        "method": "POST",
        "path": "/v1/patients",
        "operation": "patients.create",
        "status": 200,
        "refusal": None,
        "job_id": job,
        "fault": None,
    }
    assert [(row["operation"], row["status"]) for row in rows] == [
        ("webhook_events.get", 404),
        ("patients.create", 400),
        ("patients.create", 200),
    ]
    assert rows[0]["refusal"] == "Webhook event not found."
    assert rows[1]["refusal"].startswith("Invalid sex.")
    assert client.world.requests() == rows[::-1]


def test_a_call_of_the_control_api_is_no_request(world: World) -> None:
    world.state(), world.settle(), world.requests()
    assert world.requests() == []


def test_a_call_with_the_wrong_access_token_is_told(client: Client) -> None:
    client.http.get("/patients", headers={"access_token": "at_nobody"})
    [row] = client.world.requests()
    assert (row["operation"], row["status"], row["refusal"]) == ("patients.list", 404, "User not found.")


@pytest.mark.parametrize(
    ("method", "path", "headers", "told"),
    [
        ("GET", "/patients", {"client_secret": "cs_wrong"}, ("patients.list", 401)),
        ("GET", "/patients", {"client_secret": ""}, ("patients.list", 401)),
        ("GET", "/nothing", {}, (None, 404)),
        ("PUT", "/patients", {}, (None, 405)),
    ],
)
def test_a_call_that_did_not_get_in_is_told_to_whom_it_was_meant_for(
    client: Client, method: str, path: str, headers: dict[str, str], told: tuple[str | None, int]
) -> None:
    answer = client.http.request(method, path, headers=headers)
    [row] = client.world.requests()
    assert (row["operation"], row["status"]) == told
    assert row["refusal"] == answer.json()["message"]


@pytest.mark.parametrize("client_id", ["ci_nobody", ""])
def test_a_call_that_was_meant_for_nobody_is_not_told(client: Client, client_id: str) -> None:
    client.http.get("/patients", headers={"client_id": client_id})
    assert client.world.requests() == []


@pytest.mark.parametrize(
    ("do", "told"),
    [({"close": "after"}, "done, answer lost"), ({"close": "before"}, "closed before anything was done")],
)
def test_what_was_made_to_go_wrong_with_a_call_is_told(client: Client, do: Body, told: str) -> None:
    client.world.fault("patients.create", do)
    with pytest.raises(httpx2.TransportError):
        client.admit()
    [row] = client.world.requests()
    assert row["fault"] == told
    assert [job["job_id"] for job in client.world.jobs()] == ([row["job_id"]] if do["close"] == "after" else [])


def test_the_last_so_many_are_told(client: Client) -> None:
    client.admit(4)
    rows = control(client.world, "/requests?limit=2").json()
    assert ([row["job_id"] for row in rows["requests"]], rows["total"]) == ([12348, 12347], 4)
    assert [row["job_id"] for row in client.world.requests(limit=3)] == [12346, 12347, 12348]


def test_of_a_long_path_the_beginning_is_told(client: Client) -> None:
    client.http.get(f"/webhook-events/{'x' * 5_000}")
    [row] = client.world.requests()
    assert row["path"] == f"/v1/webhook-events/{'x' * 5_000}"[:PATH_LENGTH]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "all"])
def test_a_limit_is_1_to_1000(world: World, limit: str) -> None:
    refused(control(world, f"/requests?limit={limit}"), "Invalid limit. Must be between 1 and 1000.")


# Deliveries ------------------------------------------------------------------------------------------------------


def test_a_new_world_has_no_deliveries(world: World) -> None:
    pagination = {"current_page": 1, "total_pages": 0, "total_count": 0, "page_size": 50}
    assert control(world, "/deliveries").json() == {"deliveries": [], "pagination": pagination}


def test_a_delivery_is_told_with_each_attempt(client: Client, receiver: Receiver) -> None:
    webhook = client.register(receiver.url)["webhook_id"]
    (job,) = client.admit()
    [event] = client.world.settle()["events"]
    [row] = control(client.world, "/deliveries").json()["deliveries"]
    [attempt] = row.pop("attempts")
    assert row == {
        "delivery": 1,
        "event_id": event["id"],
        "event_type": "patient.created",
        "job_id": job,
        "practice": "documentation",
        "webhook_id": webhook,
        "webhook_url": receiver.url,
        "status": "success",
        "fault": None,
    }
    assert list(attempt) == [
        "attempt",
        "timestamp",
        "headers",
        "bytes",
        "response_status_code",
        "problem",
        "success",
        "verdict",
    ]
    assert (attempt["attempt"], attempt["timestamp"], attempt["verdict"]) == (1, event["created"], "delivered")


def test_the_delivery_of_what_staff_did_has_no_job(client: Client, receiver: Receiver) -> None:
    client.register(receiver.url)
    client.world.staff.edit_patient("1234567", first_name="Ida")
    client.world.settle()
    [row] = client.world.deliveries()
    assert (row["event_type"], "job_id" in row) == ("patient.updated", False)


def test_deliveries_of_all_practices_are_found_by_status_newest_first(client: Client, receiver: Receiver) -> None:
    world, elsewhere = client.world, {"access_token": "at_test_demo_clinic"}
    receiver.answer(404)
    client.register(receiver.url)
    client.admit()
    world.settle()
    client.http.post("/patients", json=patient(), headers=elsewhere)
    world.settle()
    with refusing_url() as url:
        client.register(url)
        client.admit()
        world.advance(3)
        rows = control(world, "/deliveries").json()["deliveries"]
        assert [row["delivery"] for row in rows] == [4, 3, 2, 1]
        assert [row["practice"] for row in rows] == ["documentation", "documentation", "demo-clinic", "documentation"]
        found = {
            status: [row["delivery"] for row in world.deliveries(status=status)]
            for status in ("pending", "success", "failed")
        }
        assert found["success"] == [2, 3]
        assert sorted(found["pending"] + found["failed"]) == [1, 4]
    assert world.deliveries() == rows[::-1]


def test_a_delivery_waits_for_its_second_attempt(sandbox: Sandbox, receiver: Receiver) -> None:
    world = sandbox.world(seed=1, latency="instant")
    with client_of(world) as client:
        receiver.answer(500)
        client.register(receiver.url)
        client.admit()
        world.advance(0)
        [row] = world.deliveries(status="pending")
        assert [attempt["verdict"] for attempt in row["attempts"]] == ["retried after 1 s"]
        world.advance(1)
        assert world.deliveries(status="pending") == []
        [row] = world.deliveries(status="success")
        assert [attempt["attempt"] for attempt in row["attempts"]] == [1, 2]
    world.delete()


def test_deliveries_are_paged(client: Client, receiver: Receiver) -> None:
    client.register(receiver.url)
    client.admit(3)
    client.world.settle()
    reply = control(client.world, "/deliveries?page_size=2&page=2").json()
    assert [row["delivery"] for row in reply["deliveries"]] == [1]
    assert reply["pagination"] == {"current_page": 2, "total_pages": 2, "total_count": 3, "page_size": 2}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("status=done", "Invalid status. Must be one of: pending, success, failed."),
        ("page=x", "Invalid page. Must be 1 or greater."),
        ("page_size=0", "Invalid page_size. Must be between 1 and 100."),
    ],
)
def test_deliveries_that_cannot_be_are_refused(world: World, query: str, message: str) -> None:
    refused(control(world, f"/deliveries?{query}"), message)

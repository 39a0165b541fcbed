"""Create Payment: what is refused at once, and what only the EHR finds out."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Json = dict[str, Any]

QUEUED = "Payment processing. A webhook event will be sent upon completion."
NOT_POSITIVE = "amount must be a positive number."
NEW: Json = {
    "patient_mrn": "123456789",
    "payment_method": "Card",
    "reference_number": "REF-1001",
    "location": "123456789",
    "amount": 50.25,
}
TEXTS = ("patient_mrn", "payment_method", "reference_number", "location", "notes", "deposit_date")


def call(world: World, method: str, path: str, **request: Any) -> httpx2.Response:
    return loopback.request(method, f"{world.url}{path}", headers=world.headers, **request)


def create(world: World, body: Json) -> httpx2.Response:
    return call(world, "POST", "/v1/payments", json=body)


def with_amount(world: World, amount: str) -> httpx2.Response:
    """An amount as it is written in JSON."""
    body = json.dumps({**NEW, "amount": None}).replace("null", amount)
    return call(world, "POST", "/v1/payments", content=body)


def refused(reply: httpx2.Response, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, 400)


def ended(world: World, body: Json) -> Json:
    """The event in which the payment ends."""
    job_id = create(world, body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    return event


def stored(world: World) -> list[Json]:
    rows: list[Json] = call(world, "GET", "/_sandbox/snapshot").json()["practices"][0]["tables"]["payments"]
    return rows


def test_a_payment_is_queued(world: World) -> None:
    """D236."""
    reply = create(world, NEW)
    payment_id = reply.json()["payment_id"]
    expected = {"success": True, "message": QUEUED, "payment_id": payment_id, "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)
    assert re.fullmatch("[0-9a-f]{32}", payment_id)


def test_a_payment_is_stored_and_posted(world: World) -> None:
    """D236; money is kept as text."""
    payment_id = create(world, {**NEW, "notes": "Copay", "deposit_date": "2026-03-01"}).json()["payment_id"]
    kept = {**NEW, "amount": "50.25", "notes": "Copay", "deposit_date": "2026-03-01", "id": payment_id}
    assert stored(world) == [{**kept, "status": "pending", "emr_payment_id": None}]
    world.settle()
    [event] = world.events()
    number = event["data"]["emr_payment_id"]
    assert (event["type"], event["job_id"]) == ("payment.created", "12345")
    assert event["data"] == {"payment_id": payment_id, "patient_mrn": "123456789", "emr_payment_id": number}
    assert stored(world) == [{**kept, "status": "created", "emr_payment_id": number}]


def test_the_same_payment_may_be_made_again(world: World) -> None:
    """The reference is no uniqueness key; each has a number of its own in the EHR (D19)."""
    numbers = [ended(world, NEW)["data"]["emr_payment_id"] for _ in range(2)]
    assert len({*numbers}) == 2


def test_without_a_deposit_date_it_is_today(sandbox: Sandbox) -> None:
    """In the practice's time zone, where it is still the day before."""
    world = sandbox.world(seed=1, now="2026-03-10T02:00:00Z")
    create(world, NEW)
    assert [payment["deposit_date"] for payment in stored(world)] == ["2026-03-09"]
    world.delete()


@pytest.mark.parametrize(
    ("amount", "kept"),
    [
        ("20", "20.00"),
        ("0.01", "0.01"),
        ("0.1", "0.10"),
        ("1e3", "1000.00"),
        ("1.005", "1.01"),
        ("0.005", "0.01"),
        ("1234567.89", "1234567.89"),
        ("1e22", f"1{'0' * 22}.00"),
        ("1e308", f"1{'0' * 308}.00"),
    ],
)
def test_an_amount_is_kept_in_whole_cents(world: World, amount: str, kept: str) -> None:
    """D217: the digits that were sent, half a cent up."""
    assert with_amount(world, amount).status_code == 200
    assert [payment["amount"] for payment in stored(world)] == [kept]


@pytest.mark.parametrize(
    "amount", ["0", "0.0", "-0.0", "-1", "-0.01", "0.004", "1e-9", "NaN", "Infinity", "-Infinity", "1e400"]
)
def test_an_amount_is_a_positive_number(world: World, amount: str) -> None:
    """D235; less than half a cent is none."""
    refused(with_amount(world, amount), NOT_POSITIVE)
    assert stored(world) == []


@pytest.mark.parametrize("amount", ['"50.25"', "true", "[50.25]", "{}"])
def test_an_amount_is_a_json_number(world: World, amount: str) -> None:
    """D13."""
    refused(with_amount(world, amount), "Invalid amount. Must be a number.")


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("value", [1234567890, True, []])
def test_nothing_is_converted_into_text(world: World, field: str, value: object) -> None:
    """D13."""
    refused(create(world, {**NEW, field: value}), f"Invalid {field}. Must be a string.")


@pytest.mark.parametrize("field", list(NEW))
@pytest.mark.parametrize("absent", [(), (None,), ("",)])
def test_a_required_field_is_missing(world: World, field: str, absent: tuple[object, ...]) -> None:
    """D235; null and an empty text count as missing."""
    present = {name: value for name, value in NEW.items() if name != field}
    refused(
        create(world, {**present, **dict.fromkeys([field] * len(absent), *absent), "deposit_date": "x"}),
        f"Missing required field: {field}",
    )


def test_of_several_missing_fields_the_first_of_the_page_is_named(world: World) -> None:
    """D235, D8: before anything that is wrong."""
    for place, field in enumerate(NEW):
        known = dict(list(NEW.items())[:place])
        refused(create(world, {**known, "notes": 5}), f"Missing required field: {field}")


@pytest.mark.parametrize("day", ["03/10/2026", "2026-02-30", "2026-3-1", "2026-03-10T00:00:00Z", "20260310", ""])
def test_a_deposit_date_is_a_day_of_the_calendar(world: World, day: str) -> None:
    """D235."""
    message = "Invalid deposit_date format. Use ISO format (YYYY-MM-DD)."
    refused(create(world, {**NEW, "deposit_date": day}), message)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"patient_mrn": "MRN-404"}, {"PATIENT_NOT_FOUND": "Patient MRN MRN-404 not found."}),
        ({"payment_method": "Barter"}, {"PAYMENT_METHOD_NOT_FOUND": "Payment method 'Barter' not found."}),
        ({"payment_method": "card"}, {"PAYMENT_METHOD_NOT_FOUND": "Payment method 'card' not found."}),
        ({"location": "404"}, {"LOCATION_NOT_FOUND": "Location 404 not found."}),
        (
            {"location": "404", "patient_mrn": "MRN-404", "payment_method": "Barter"},
            {
                "PATIENT_NOT_FOUND": "Patient MRN MRN-404 not found.",
                "PAYMENT_METHOD_NOT_FOUND": "Payment method 'Barter' not found.",
                "LOCATION_NOT_FOUND": "Location 404 not found.",
            },
        ),
    ],
)
def test_what_the_ehr_does_not_know_fails_in_the_event(world: World, changes: Json, reasons: Json) -> None:
    """D236: one reason for each, in the page's order. The name of a method is exact (D15)."""
    event = ended(world, {**NEW, **changes})
    [payment] = stored(world)
    assert event["type"] == "payment.failed"
    assert event["data"] == {
        "payment_id": payment["id"],
        "patient_mrn": payment["patient_mrn"],
        "failure_reason": " ".join(reasons.values()),
        "reasons": [{"code": code, "description": text} for code, text in reasons.items()],
    }
    assert (payment["status"], payment["emr_payment_id"]) == ("failed", None)


def test_posting_a_payment_takes_5_to_45_seconds(sandbox: Sandbox) -> None:
    """Table 5."""
    world = sandbox.world(seed=5, latency="realistic")
    waits = []
    for _ in range(10):
        create(world, NEW)
        clock = world.clock()
        waits.append(datetime.fromisoformat(clock["next_due"]) - datetime.fromisoformat(clock["now"]))
        world.settle()
    world.delete()
    assert all(5 <= wait.total_seconds() <= 45 for wait in waits)


def test_payments_need_an_access_token(world: World) -> None:
    """D6."""
    headers = {**world.headers, "access_token": "nobody"}
    reply = loopback.post(f"{world.url}/v1/payments", headers=headers, json=NEW)
    assert (reply.status_code, reply.json()["message"]) == (404, "User not found.")

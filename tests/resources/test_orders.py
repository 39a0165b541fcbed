"""List Orders: the two shapes in one row, the range of days, and what orders of every kind look like."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

ROW: dict[str, Any] = {
    "order_id": "ord_1",
    "order_name": "Lipid Panel",
    "order_date": "2026-03-10",
    "provider_id": None,
    "patient_mrn": "1",
    "patient_name": "Ada Quill",
    "patient_dob": "1980-06-15",
    "appointment_id": None,
    "lab_results": None,
    "id": "ord_1",
    "type": "lab",
    "status": "pending",
    "ordered_date": "2026-03-10T15:00:00Z",
    "details": {"name": "Lipid Panel"},
}


def order(number: int, **changes: Any) -> dict[str, Any]:
    return {**ROW, "id": f"ord_{number}", "order_id": f"ord_{number}", **changes}


def orders_of(sandbox: Sandbox, *rows: dict[str, Any], path: str = "/v1/orders?patient_mrn=1") -> Any:
    """What a practice with these orders answers."""
    world = sandbox.world(fixtures=[{"name": "small", "orders": list(rows)}])
    reply = loopback.get(world.url + path, headers=world.headers)
    world.delete()
    assert reply.status_code == 200
    return reply.json()["orders"]


def listed(api: httpx2.Client, **query: str) -> list[str]:
    reply = api.get("/orders", params={"patient_mrn": "12345", **query})
    assert reply.status_code == 200
    return [each["order_id"] for each in reply.json()["orders"]]


def test_the_newest_order_comes_first(api: httpx2.Client) -> None:
    """D24. The fixture has them in another order."""
    assert listed(api) == ["ord_567890", "ord_456789", "ord_345678"]


def test_of_the_orders_of_one_day_the_last_one_comes_first(sandbox: Sandbox) -> None:
    """D24."""
    hours = (9, 17, 12)
    rows = [order(hour, ordered_date=f"2026-03-10T{hour:02d}:00:00Z") for hour in hours]
    assert [each["id"] for each in orders_of(sandbox, *rows)] == ["ord_17", "ord_12", "ord_9"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"start_date": "2025-05-20"}, ["ord_567890", "ord_456789"]),
        ({"start_date": "2025-05-21"}, ["ord_567890"]),
        ({"end_date": "2025-05-20"}, ["ord_456789", "ord_345678"]),
        ({"end_date": "2025-05-19"}, ["ord_345678"]),
        ({"start_date": "2025-05-20", "end_date": "2025-05-20"}, ["ord_456789"]),
        ({"start_date": "2025-05-20T23:00:00-04:00", "end_date": "2025-05-20T01:00:00Z"}, ["ord_456789"]),
        ({"start_date": "", "end_date": ""}, ["ord_567890", "ord_456789", "ord_345678"]),
    ],
)
def test_a_range_takes_whole_days_both_included(api: httpx2.Client, query: dict[str, str], found: list[str]) -> None:
    """D21, D22: of a date-time the day counts as it is written, since an order's date is a day of no zone."""
    assert listed(api, **query) == found


def test_the_range_is_one_of_order_date(sandbox: Sandbox) -> None:
    """It is the key of the newest page; the older one's time may lie on another day."""
    late = order(1, ordered_date="2026-03-11T02:30:00Z")
    path = "/v1/orders?patient_mrn=1&start_date=2026-03-10&end_date=2026-03-10"
    assert [each["id"] for each in orders_of(sandbox, late, path=path)] == ["ord_1"]


def test_the_keys_of_the_newest_page_come_before_those_of_the_older_one(sandbox: Sandbox) -> None:
    """D220, D25: every key is there, `null` without a value."""
    [row] = orders_of(sandbox, order(1))
    assert json.dumps(row) == json.dumps(ROW)


@pytest.mark.parametrize("kind", ["lab", "imaging", "medication", "procedure"])
@pytest.mark.parametrize("status", ["pending", "completed", "cancelled"])
def test_every_type_and_every_status_is_listed(sandbox: Sandbox, kind: str, status: str) -> None:
    [row] = orders_of(sandbox, order(1, type=kind, status=status))
    assert (row["type"], row["status"]) == (kind, status)


@pytest.mark.parametrize(
    "details",
    [
        {"name": "CMP", "code": "CMP", "results_url": "https://results.lab.example/1"},
        {"name": "Chest X-Ray", "location": "Main Imaging Center", "scheduled_date": "2026-03-15T10:00:00Z"},
        {},
    ],
)
def test_details_have_the_keys_that_are_known_and_no_others(sandbox: Sandbox, details: dict[str, str]) -> None:
    """`details` varies by type."""
    [row] = orders_of(sandbox, order(1, details=details))
    assert row["details"] == details


def test_lab_results_have_a_range_and_a_flag_or_null(sandbox: Sandbox) -> None:
    """D221."""
    results = [
        {"name": "Glucose", "value": "130", "unit": "mg/dL", "reference_range": "65-99", "flag": "H"},
        {"name": "Color", "value": "Yellow", "unit": None, "reference_range": None, "flag": None},
    ]
    [row] = orders_of(sandbox, order(1, lab_results={"results": results}))
    assert row["lab_results"] == {"results": results}


def test_orders_need_an_access_token(world: World) -> None:
    """D6."""
    headers = {**world.headers, "access_token": "nobody"}
    reply = loopback.get(f"{world.url}/v1/orders?patient_mrn=1", headers=headers)
    assert (reply.status_code, reply.json()["message"]) == (404, "User not found.")


def test_the_demo_clinic_has_orders_with_results(sandbox: Sandbox) -> None:
    world = sandbox.world(fixtures=["demo-clinic"])
    with loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as api:
        mrns = [each["mrn"] for each in api.get("/patients", params={"page_size": "100"}).json()["patients"]]
        found = [row for mrn in mrns for row in api.get("/orders", params={"patient_mrn": mrn}).json()["orders"]]
    world.delete()
    assert {row["lab_results"] is None for row in found} == {True, False}
    assert {row["type"] for row in found} == {"lab", "imaging", "medication", "procedure"}

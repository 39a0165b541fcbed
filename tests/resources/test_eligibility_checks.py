"""Eligibility checks and benefits: filters, order, pages, and the check that Create Patient asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

NOTHING = {"deductible": {"individual": None, "family": None}, "out_of_pocket": {"individual": None, "family": None}}
NEW = {"first_name": "Mary", "last_name": "Walker", "dob": "1991-07-23", "sex": "female", "check_eligibility": "true"}
INSURED = {"insurance_name": "Aetna", "insurance_subscriber_number": "XYZ123456789"}


def check(id: str, mrn: str, day: str, status: str = "active") -> dict[str, Any]:
    return {
        "id": id,
        "patient_mrn": mrn,
        "emr_id": id,
        "emr_patient_id": "1",
        "patient_name": "Ida Vance",
        "coverage_status": status,
        "service_date": day,
        "benefits_summary": NOTHING,
        "synced_at": "2026-01-01T00:00:00.000Z",
    }


CHECKS = [
    check("a", "1", "2026-03-02"),
    check("b", "2", "2026-03-05", "inactive"),
    check("c", "1", "2026-03-01", "error"),
    check("d", "1", "2026-03-05"),
    check("e", "2", "2026-04-01", "unknown"),
]


def line(number: int, kind: str) -> dict[str, Any]:
    return {
        "eligibility_check_id": "b",
        "line_number": number,
        "benefit_type": kind,
        "benefit_type_code": "C",
        "coverage_level": "FAM",
        "network_indicator": "unknown",
        "raw_segment": f"EB*C*FAM~{number}",
    }


BENEFITS = [line(7, "Deductible"), line(2, "Limitations"), line(11, "Deductible")]


@pytest.fixture
def small(sandbox: Sandbox) -> Iterator[World]:
    """A practice with five checks, entered in no order, and three benefits of one of them."""
    practice = {"name": "small", "eligibility_checks": CHECKS, "eligibility_benefits": BENEFITS}
    world = sandbox.world(fixtures=[practice])
    yield world
    world.delete()


def ask(world: World, path: str = "", **query: str) -> httpx2.Response:
    url = f"{world.url}/v1/eligibility-checks{path}"
    return loopback.get(url, headers=world.headers, params=query)


def listed(world: World, **query: str) -> list[dict[str, Any]]:
    reply = ask(world, **query)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "eligibility_checks", "pagination"])
    rows: list[dict[str, Any]] = reply.json()["eligibility_checks"]
    return rows


def lines(world: World, id: str, **query: str) -> list[dict[str, Any]]:
    reply = ask(world, f"/{id}/benefits", **query)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "benefits", "pagination"])
    rows: list[dict[str, Any]] = reply.json()["benefits"]
    return rows


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"))
    assert (reply.text, reply.status_code) == (body, status)


def created(world: World, **more: object) -> dict[str, Any]:
    """The patient created with a check: the data of the event."""
    url = f"{world.url}/v1/patients"
    queued = loopback.post(url, headers=world.headers, json={**NEW, **more}).json()
    world.settle()
    [event] = world.events(job_id=queued["job_id"])
    data: dict[str, Any] = event["data"]
    return data


# List Eligibility Checks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, "edbac"),
        ({"start_date": "2026-03-02"}, "edba"),
        ({"end_date": "2026-03-04"}, "ac"),
        ({"start_date": "2026-03-05", "end_date": "2026-03-05"}, "db"),
        ({"start_date": "2026-03-02", "end_date": "2026-03-31"}, "dba"),
        ({"start_date": "2027-01-01"}, ""),
        ({"end_date": "2025-01-01"}, ""),
        ({"patient_mrn": "1"}, "dac"),
        ({"patient_mrn": "1", "start_date": "2026-03-02"}, "da"),
        ({"patient_mrn": "1", "end_date": "2026-03-02"}, "ac"),
        ({"patient_mrn": "1", "start_date": "2026-03-02", "end_date": "2026-03-02"}, "a"),
        ({"patient_mrn": "3"}, ""),
        ({"coverage_status": "active"}, "da"),
        ({"coverage_status": "error", "patient_mrn": "2"}, ""),
        ({"coverage_status": "unknown", "start_date": "2026-03-03", "patient_mrn": "2"}, "e"),
        ({"start_date": "", "end_date": "", "patient_mrn": "", "coverage_status": ""}, "edbac"),
        ({"page": "2", "page_size": "2"}, "ba"),
        ({"page": "2", "page_size": "2", "patient_mrn": "1"}, "c"),
        ({"page": "4", "page_size": "2"}, ""),
        ({"emr_id": "a"}, "edbac"),
    ],
)
def test_every_filter_narrows_the_list_which_begins_with_the_newest_service_date(
    small: World, query: dict[str, str], ids: str
) -> None:
    """§9.1; D24 for the order, in which a later made check of a day comes first; D12 for what is no filter."""
    assert "".join(each["id"] for each in listed(small, **query)) == ids


@pytest.mark.parametrize("start", ["2026-03-05", "2026-03-05T00:00:00Z", "2026-03-05T23:59:59-08:00"])
@pytest.mark.parametrize("end", ["2026-03-05", "2026-03-05T00:00:00Z"])
def test_of_a_date_time_only_the_day_counts_as_it_is_written(small: World, start: str, end: str) -> None:
    """D21, D22: a service date is a day."""
    assert [each["id"] for each in listed(small, start_date=start, end_date=end)] == ["d", "b"]


def test_a_check_has_the_documented_keys_and_counts_its_benefits(small: World) -> None:
    """§9.2; D25: null without a value."""
    *_, row = listed(small, patient_mrn="2")
    assert list(row.items()) == [
        ("id", "b"),
        ("emr_id", "b"),
        ("emr_patient_id", "1"),
        ("patient_name", "Ida Vance"),
        ("patient_dob", None),
        ("emr_encounter_id", None),
        ("provider_name", None),
        ("payer_name", None),
        ("subscriber_name", None),
        ("subscriber_member_id", None),
        ("patient_relationship", "self"),
        ("plan_name", None),
        ("coverage_status", "inactive"),
        ("status_message", None),
        ("service_date", "2026-03-05"),
        ("response_at", None),
        ("plan_begin_date", None),
        ("plan_end_date", None),
        ("benefits_summary", NOTHING),
        ("benefit_count", 3),
        ("synced_at", "2026-01-01T00:00:00.000Z"),
    ]


def test_the_pages_of_checks_have_names_of_their_own(small: World) -> None:
    """§9.2: unlike the other lists."""
    pages = {"page": 2, "page_size": 2, "total_records": 5, "total_pages": 3}
    assert list(ask(small, page="2", page_size="2").json()["pagination"].items()) == list(pages.items())
    assert ask(small).json()["pagination"]["page_size"] == 100


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"start_date": "03/05/2026"}, "Invalid date format. Use ISO format (YYYY-MM-DD)."),
        ({"end_date": "2026-02-30"}, "Invalid date format. Use ISO format (YYYY-MM-DD)."),
        ({"start_date": "2026-03-02", "end_date": "2026-03-01"}, "end_date must be after start_date."),
        (
            {"start_date": "2026-03-02", "end_date": "2026-03-01", "patient_mrn": "1"},
            "end_date must be after start_date.",
        ),
        (
            {"coverage_status": "ERROR"},
            "Invalid coverage_status. Must be one of: active, inactive, error, unknown.",
        ),
        ({"page": "0"}, "Invalid page. Must be 1 or greater."),
        ({"page_size": "501"}, "Invalid page_size. Must be between 1 and 500."),
    ],
)
def test_what_is_no_filter_value_is_refused(small: World, query: dict[str, str], message: str) -> None:
    """D21, D23, D149."""
    refused(ask(small, **query), 400, message)


# List Eligibility Benefits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [2, 7, 11]),
        ({"benefit_type": "Deductible"}, [7, 11]),
        ({"benefit_type": "deductible"}, []),
        ({"page": "2", "page_size": "2"}, [11]),
        ({"page": "9"}, []),
    ],
)
def test_benefits_are_listed_by_line_number(small: World, query: dict[str, str], numbers: list[int]) -> None:
    """D24."""
    assert [each["line_number"] for each in lines(small, "b", **query)] == numbers


def test_a_benefit_has_the_documented_keys(small: World) -> None:
    first = lines(small, "b")[0]
    assert list(first.items()) == [
        ("line_number", 2),
        ("benefit_type", "Limitations"),
        ("benefit_type_code", "C"),
        ("coverage_level", "FAM"),
        ("service_type_codes", []),
        ("insurance_type", None),
        ("time_period", None),
        ("amount", None),
        ("percent", None),
        ("network_indicator", "unknown"),
        ("messages", []),
        ("raw_segment", "EB*C*FAM~2"),
    ]


def test_the_documented_amount_is_a_whole_number(api: httpx2.Client) -> None:
    """§10: `25`, not `25.0`."""
    reply = api.get(
        "/eligibility-checks/abc123def4567890abcdef1234567890/benefits", params={"benefit_type": "Co-Payment"}
    )
    assert '"amount":25,"percent":null' in reply.text


def test_a_check_without_benefits_has_an_empty_list(small: World) -> None:
    assert lines(small, "a") == []


def test_benefits_of_an_unknown_check_are_refused(world: World, small: World) -> None:
    """D147; D17: another account's check is unknown, too."""
    refused(ask(small, "/abc123def4567890abcdef1234567890/benefits"), 404, "Eligibility check not found.")
    refused(ask(world, "/b/benefits"), 404, "Eligibility check not found.")


# The check of Create Patient -------------------------------------------------------------------------------------


def test_the_insurer_of_a_new_patient_answers_that_it_covers_them(sandbox: Sandbox) -> None:
    """D111; the service date is the day in the practice's zone."""
    world = sandbox.world(now="2026-03-10T03:00:00Z")
    patient = created(world, **INSURED, referred_to_provider_id="PROV-001")
    [row] = listed(world, patient_mrn=patient["mrn"])
    answer = lines(world, row["id"])
    world.delete()
    assert row | {"id": "", "emr_id": "", "emr_patient_id": "", "provider_name": "", "response_at": ""} == {
        "id": "",
        "emr_id": "",
        "emr_patient_id": "",
        "patient_name": "Mary Walker",
        "patient_dob": "1991-07-23",
        "emr_encounter_id": None,
        "provider_name": "",
        "payer_name": "Aetna",
        "subscriber_name": "Mary Walker",
        "subscriber_member_id": "XYZ123456789",
        "patient_relationship": "self",
        "plan_name": None,
        "coverage_status": "active",
        "status_message": None,
        "service_date": "2026-03-09",
        "response_at": "",
        "plan_begin_date": "2026-01-01",
        "plan_end_date": None,
        "benefits_summary": {
            "deductible": {"individual": 1500, "family": None},
            "out_of_pocket": {"individual": 5000, "family": None},
        },
        "benefit_count": 5,
        "synced_at": row["response_at"],
    }
    assert row["provider_name"]
    assert row["response_at"].startswith("2026-03-10T03:0")
    assert [(each["line_number"], each["benefit_type"], each["amount"], each["percent"]) for each in answer] == [
        (1, "Active Coverage", None, None),
        (2, "Deductible", 1500, None),
        (3, "Co-Insurance", None, 0.2),
        (4, "Co-Payment", 25, None),
        (5, "Out of Pocket", 5000, None),
    ]


@pytest.mark.parametrize("insured", [{}, {"insurance_name": "Aetna"}])
def test_nobody_is_covered_without_a_member_number(world: World, insured: dict[str, str]) -> None:
    patient = created(world, **insured)
    [row] = listed(world, patient_mrn=patient["mrn"])
    assert (row["coverage_status"], row["status_message"], row["payer_name"], row["benefit_count"]) == (
        "error",
        "Invalid/Missing Subscriber/Insured ID",
        insured.get("insurance_name"),
        0,
    )
    assert row["benefits_summary"] == NOTHING
    assert row["plan_begin_date"] is None


def test_the_check_of_somebody_insured_by_another_names_the_other(world: World) -> None:
    parent = {
        "responsible_party": "parent",
        "responsible_party_first_name": "Ann",
        "responsible_party_last_name": "Walker",
    }
    patient = created(world, **INSURED, **parent)
    [row] = listed(world, patient_mrn=patient["mrn"])
    assert (row["patient_relationship"], row["subscriber_name"]) == ("dependent", "Ann Walker")


@pytest.mark.parametrize("asked", ["false", False, None])
def test_nobody_is_checked_without_being_asked_for(world: World, asked: object) -> None:
    patient = created(world, **INSURED, check_eligibility=asked)
    assert listed(world, patient_mrn=patient["mrn"]) == []

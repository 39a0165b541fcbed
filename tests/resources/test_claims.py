"""List and Create Claim: which claims a range shows, what is refused, and what the EHR charges for a visit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Refusal, Sandbox, World

Json = dict[str, Any]

VISIT = "a1b2c3d4e5f64g7h8i9jk0l1m2n3o4p5"
CLAIMED = "5d0e7c1b9a2f4e8d8c3b6a7f1e2d4c5b"
SUMMER = {"start_date": "2025-07-01", "end_date": "2025-08-31"}
ALL_TIME = {"start_date": "0001-01-01", "end_date": "9999-12-31"}
QUEUED = "Claim creation queued. A webhook event will be sent upon completion."
BAD_FORMAT = "Invalid 'appointment_id' format. Please provide a valid UUID."

#: A practice with little in it: one visit of one patient, late in the evening of its own time zone.
APPOINTMENT: Json = {
    "id": "1" * 32,
    "ehr_appointment_id": "900",
    "datetime": "2026-03-03T01:30:00+00:00",
    "patient_mrn": "M1",
    "provider_ehr_id": "7",
}
SMALL: Json = {
    "name": "small",
    "timezone": "America/New_York",
    "appointments": [APPOINTMENT],
    "patients": [{"mrn": "M1", "ehr_id": "E1", "first_name": "Ada", "last_name": "Quill", "dob": "1990-01-31"}],
}
CLAIM: Json = {"emr_claim_id": "1", "service_date": "2026-03-02", "emr_patient_id": "E1", "patient_name": "QUILL, ADA"}


def call(world: World, method: str, path: str, **request: Any) -> httpx2.Response:
    return loopback.request(method, f"{world.url}{path}", headers=world.headers, **request)


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def create(world: World, appointment_id: object = VISIT) -> httpx2.Response:
    return call(world, "POST", "/v1/claims", json={"appointment_id": appointment_id})


def ended(world: World, appointment_id: object = VISIT) -> Json:
    """The event in which the creation ends."""
    job_id = create(world, appointment_id).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    return event


def listed(world: World, **query: str) -> list[Json]:
    reply = call(world, "GET", "/v1/claims", params={**ALL_TIME, **query})
    assert reply.status_code == 200
    claims: list[Json] = reply.json()["claims"]
    return claims


def numbers(world: World, **query: str) -> list[str]:
    return [claim["emr_claim_id"] for claim in listed(world, **query)]


@contextmanager
def practice(sandbox: Sandbox, **changes: Any) -> Iterator[World]:
    world = sandbox.world(seed=1, now="2026-03-10T02:00:00Z", fixtures=[{**SMALL, **changes}])
    yield world
    world.delete()


def charged(sandbox: Sandbox, **changes: Any) -> Json:
    """The claim of the visit in the small practice."""
    with practice(sandbox, **changes) as world:
        assert ended(world, APPOINTMENT["id"])["type"] == "claim.created"
        [claim] = listed(world)
    return claim


def note(*codes: str, **changes: Any) -> Json:
    return {"appointment_id": APPOINTMENT["id"], "note": {"plan": "rest"}, "cpt_codes": codes, **changes}


# List Claims -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (SUMMER, ["100235", "100234", "100229"]),
        ({"start_date": "2025-08-01", "end_date": "2025-08-15"}, ["100235", "100234"]),
        ({"start_date": "2025-08-02", "end_date": "2025-08-15"}, ["100235"]),
        ({"start_date": "2025-08-01", "end_date": "2025-08-14"}, ["100234"]),
        ({"start_date": "2025-08-02", "end_date": "2025-08-14"}, []),
        ({"start_date": "2026-01-01", "end_date": "2026-12-31"}, []),
        ({"start_date": "2025-08-01T23:59:59Z", "end_date": "2025-08-01T00:00:00Z"}, ["100234"]),
        ({**SUMMER, "patient_mrn": "nobody", "page": "", "page_size": ""}, ["100235", "100234", "100229"]),
    ],
)
def test_a_range_of_service_dates_is_listed_newest_first(world: World, query: Json, found: list[str]) -> None:
    """D22, D24; D12 for what is no filter. A service date is a day of no zone: of a date-time only the day counts."""
    assert numbers(world, **query) == found


def test_a_range_does_not_end_before_it_starts(world: World) -> None:
    """D21."""
    backwards = {"start_date": "2025-08-02", "end_date": "2025-08-01T23:59:59Z"}
    refused(call(world, "GET", "/v1/claims", params=backwards), 400, "end_date must be after start_date.")


def test_claims_of_one_day_are_listed_newest_first_too(sandbox: Sandbox) -> None:
    claims = [{**CLAIM, "emr_claim_id": number} for number in ("1", "2", "3")]
    with practice(sandbox, claims=claims) as world:
        assert numbers(world) == ["3", "2", "1"]
        assert numbers(world, page="2", page_size="2") == ["1"]


def test_a_claim_of_which_little_is_known_has_every_key(sandbox: Sandbox) -> None:
    """D25: null without a value. D216: the claim number is the EHR's id. The balances repeat the amounts."""
    amounts = {"total_charge": "90.00", "total_payment": "20.00", "net_payment": "15.00", "net_adjustment": "5.00"}
    owed = {"balance": "70.00", "patient_responsibility": "30.00"}
    with practice(sandbox, claims=[{**CLAIM, **amounts, **owed, "id": "c"}]) as world:
        [claim] = listed(world)
    assert claim == {
        "id": "c",
        **CLAIM,
        **amounts,
        **owed,
        "claim_number": "1",
        "claim_status": "",
        "void_flag": False,
        **dict.fromkeys(("emr_appointment_id", "claim_date", "claim_status_description", "claim_type")),
        **dict.fromkeys(("emr_provider_id", "provider_name")),
        **{name: [] for name in ("insurances", "pdf_urls", "line_items", "payments", "billing_activity")},
        "balances": {
            "invoice_amount": "90.00",
            "total_payment": "20.00",
            "net_payment": "15.00",
            "balance": "70.00",
            "patient_balance": "30.00",
        },
    }


@pytest.mark.parametrize("amount", ["350", "350.0", "350.000", "1,350.00", "$350.00", "0350.00", "٣.00", "", " 1.00"])
def test_money_in_a_fixture_is_text_with_two_decimals(sandbox: Sandbox, amount: str) -> None:
    """D217."""
    with pytest.raises(Refusal, match=r"is no amount with two decimals at claims\.0\.balance"):
        sandbox.world(fixtures=[{**SMALL, "claims": [{**CLAIM, "balance": amount}]}])


def test_the_parts_of_a_claim_in_a_fixture_have_known_keys(sandbox: Sandbox) -> None:
    for part in ("line_items", "payments", "billing_activity", "insurances"):
        with pytest.raises(Refusal, match=f"at claims.0.{part}.0"):
            sandbox.world(fixtures=[{**SMALL, "claims": [{**CLAIM, part: [{"surprise": "1.00"}]}]}])


def test_dates_of_a_claim_move_with_the_fixture(sandbox: Sandbox) -> None:
    paid = {"emr_payment_id": "8", "payer": "Aetna", "payment_method": "EFT", "reference_number": "R", "amount": "1.00"}
    activity = {"date": "2025-03-05", "description": "Claim submitted", "amount": "1.00"}
    dated = {"claim_date": "2025-03-05", "payments": [{**paid, "payment_date": "2025-03-06"}]}
    rows = [{**CLAIM, "service_date": "2025-03-04", **dated, "billing_activity": [activity]}]
    with practice(sandbox, as_of="2025-03-04", claims=rows) as world:
        [claim] = listed(world)
    found = (claim["service_date"], claim["claim_date"], claim["payments"][0]["payment_date"])
    assert (*found, claim["billing_activity"][0]["date"]) == ("2026-03-10", "2026-03-11", "2026-03-12", "2026-03-11")


# Create Claim ----------------------------------------------------------------------------------------------------


def test_a_claim_is_queued(world: World) -> None:
    """D27: 202."""
    reply = create(world)
    claim_id = reply.json()["claim_id"]
    body = {"success": True, "message": QUEUED, "claim_id": claim_id, "appointment_id": VISIT, "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(body, separators=(",", ":")), 202)
    assert re.fullmatch("[0-9a-f]{32}", claim_id)


def test_the_event_of_success_has_the_ehrs_number(world: World) -> None:
    """D231; the number is one that no other claim has."""
    queued = create(world).json()
    world.settle()
    [event] = world.events()
    number = event["data"]["emr_claim_id"]
    assert (event["type"], event["job_id"]) == ("claim.created", "12345")
    assert event["data"] == {"claim_id": queued["claim_id"], "appointment_id": VISIT, "emr_claim_id": number}
    assert number not in {"100229", "100234", "100235"}


def test_a_new_claim_is_listed_after_the_event_of_success(world: World) -> None:
    queued = create(world).json()
    assert numbers(world, **SUMMER) == ["100235", "100234", "100229"]
    world.settle()
    newest, created, *older = listed(world, **SUMMER)
    assert [claim["emr_claim_id"] for claim in (newest, *older)] == ["100235", "100234", "100229"]
    assert created["id"] == queued["claim_id"]
    assert created["claim_number"] == created["emr_claim_id"] == world.events()[0]["data"]["emr_claim_id"]


def test_a_claim_that_failed_is_not_listed(world: World) -> None:
    reasons = [{"code": "EHR_REJECTED", "description": "No."}, {"code": "TIMEOUT", "description": "Too late."}]
    world.fault("claim.created", {"fail": reasons})
    event = ended(world)
    assert event["type"] == "claim.failed"
    assert event["data"] == {
        "claim_id": event["data"]["claim_id"],
        "appointment_id": VISIT,
        "failure_reason": "No. Too late.",
        "reasons": reasons,
    }
    assert numbers(world, **SUMMER) == ["100235", "100234", "100229"]


def test_after_a_failure_the_visit_can_be_claimed_again(world: World) -> None:
    """D229: a claim that failed does not exist."""
    world.fault("claim.created", {"fail": [{"code": "TIMEOUT", "description": "Too late."}]})
    assert ended(world)["type"] == "claim.failed"
    assert ended(world)["type"] == "claim.created"
    refused(create(world), 409, "A claim already exists for this appointment.")


def test_one_claim_exists_for_an_appointment(world: World) -> None:
    """D229: one in the EHR, or one on its way there."""
    duplicate = "A claim already exists for this appointment."
    refused(create(world, CLAIMED), 409, duplicate)
    create(world)
    refused(create(world), 409, duplicate)
    world.settle()
    refused(create(world), 409, duplicate)
    assert len(world.events()) == 1


def test_an_appointment_in_the_ehr_is_demanded(world: World) -> None:
    """One that is still pending has no EMR id; once it is booked, it can be claimed."""
    wanted = {"mrn": "123456", "location": "1", "provider": "10052", "type": "new_patient"}
    booking = call(world, "POST", "/v1/appointments", json={**wanted, "datetime": "2026-03-12T09:00:00-04:00"})
    pending = booking.json()["appointment_id"]
    refused(create(world, pending), 400, "Appointment is missing emr_appointment_id; cannot create claim.")
    world.settle()
    assert create(world, pending).status_code == 202


@pytest.mark.parametrize("appointment_id", [VISIT, "a1b2c3d4-e5f6-4g7h-8i9j-k0l1m2n3o4p5"])
def test_dashes_in_the_id_do_not_matter(world: World, appointment_id: str) -> None:
    """D230, D29."""
    assert create(world, appointment_id).json()["appointment_id"] == VISIT


@pytest.mark.parametrize(
    "appointment_id",
    [
        "appt_123",
        VISIT[:-1],
        f"{VISIT}6",
        f"{VISIT}\n",
        f"{VISIT[:-1]}ä",
        f"{VISIT[:16]}-{VISIT[16:]}",
        f"{VISIT[:-1]}-",
        "-" * 36,
        " ",
    ],
)
def test_an_id_has_32_letters_or_digits(world: World, appointment_id: str) -> None:
    """D230: the page's own ids are not hexadecimal; dashes stand where a UUID has them."""
    refused(create(world, appointment_id), 400, BAD_FORMAT)


def test_an_unknown_appointment_is_not_found(world: World) -> None:
    refused(create(world, "0" * 32), 404, "Appointment not found.")
    assert world.events() == []


@pytest.mark.parametrize("body", ["{}", "", '{"appointment_id": ""}', '{"appointment_id": null}'])
def test_the_appointment_is_required(world: World, body: str) -> None:
    refused(call(world, "POST", "/v1/claims", content=body), 400, "'appointment_id' is required.")


def test_only_eclinicalworks_takes_claims(sandbox: Sandbox) -> None:
    """D30; the list is not limited."""
    with practice(sandbox, ehr="Athena") as world:
        message = "Creating claims is not supported for Athena. Currently supported: eClinicalWorks."
        refused(create(world, APPOINTMENT["id"]), 400, message)
        assert listed(world) == []


def test_creating_a_claim_takes_10_to_60_seconds(sandbox: Sandbox) -> None:
    """Table 5."""
    visits = [{**APPOINTMENT, "id": f"{place:032}", "ehr_appointment_id": str(place)} for place in range(10)]
    world = sandbox.world(seed=5, latency="realistic", fixtures=[{**SMALL, "appointments": visits}])
    waits = []
    for visit in visits:
        create(world, visit["id"])
        clock = world.clock()
        waits.append(datetime.fromisoformat(clock["next_due"]) - datetime.fromisoformat(clock["now"]))
        world.settle()
    world.delete()
    assert all(10 <= wait.total_seconds() <= 60 for wait in waits)
    assert max(waits).total_seconds() > 45


# What the EHR charges --------------------------------------------------------------------------------------------


def test_a_fresh_claim_is_submitted_today_and_all_of_it_is_owed(sandbox: Sandbox) -> None:
    """Days are those of the practice's time zone. Without a note it is an office visit; without insurance the patient pays."""
    claim = charged(sandbox)
    zeros = dict.fromkeys(("total_payment", "net_payment"), "0.00")
    line = {
        "line_number": 1,
        "code": "99213",
        "name": "OFFICE/OUTPATIENT VISIT EST, 20 MIN",
        "modifiers": [],
        "units": 1,
    }
    assert claim == {
        "id": claim["id"],
        "emr_claim_id": claim["emr_claim_id"],
        "claim_number": claim["emr_claim_id"],
        "emr_appointment_id": "900",
        "service_date": "2026-03-02",
        "claim_date": "2026-03-09",
        "claim_status": "SUBM",
        "claim_status_description": "Submitted",
        "claim_type": "0",
        "void_flag": False,
        "emr_patient_id": "E1",
        "patient_name": "QUILL, ADA",
        "emr_provider_id": "7",
        "provider_name": None,
        "total_charge": "150.00",
        **zeros,
        "balance": "150.00",
        "net_adjustment": "0.00",
        "patient_responsibility": "150.00",
        "insurances": [],
        "balances": {"invoice_amount": "150.00", **zeros, "balance": "150.00", "patient_balance": "150.00"},
        "pdf_urls": [],
        "line_items": [{**line, "charge": "150.00", "payment": "0.00", "adjustment": "0.00", "balance": "150.00"}],
        "payments": [],
        "billing_activity": [{"date": "2026-03-09", "description": "Claim submitted", "amount": "150.00"}],
    }


@pytest.mark.parametrize(
    ("notes", "charges"),
    [
        ([note()], {"99213": "150.00"}),
        ([{**note(), "note": "all is well"}], {"99213": "150.00"}),
        ([note("99214")], {"99214": "215.00"}),
        ([note("36415", "99214")], {"36415": "20.00", "99214": "215.00"}),
        ([note("99214", "99214"), note("99214", "81002")], {"99214": "215.00", "81002": "15.00"}),
        ([note("00100")], {"00100": "100.00"}),
        ([note("99215", status="pending"), note("99205", status="failed")], {"99213": "150.00"}),
        ([note("99215", appointment_id="2" * 32)], {"99213": "150.00"}),
    ],
)
def test_each_code_of_the_visits_notes_is_charged_once(sandbox: Sandbox, notes: list[Json], charges: Json) -> None:
    """In the order of the notes; a note that is not in the EHR says nothing."""
    claim = charged(sandbox, notes=notes)
    assert {line["code"]: line["charge"] for line in claim["line_items"]} == charges
    assert [line["line_number"] for line in claim["line_items"]] == list(range(1, len(charges) + 1))


def test_the_master_fee_schedule_goes_before_the_list_price(sandbox: Sandbox) -> None:
    """Whole cents, half a cent up. Other schedules are those of insurers."""
    ndc = dict.fromkeys(("code", "units", "uom", "unit_price"))
    item = {"fee_schedule_id": "master", "item_id": "1", "code": "99214", "name": "MODERATE", "fee": 99.5, "ndc": ndc}
    items = [
        {**item, "fee_schedule_id": "insurer", "fee": 1.0},
        {**item, "fee_schedule_id": "insurer", "code": "36415", "fee": 1.0},
        {**item, "modifiers": ["25"]},
        {**item, "code": "J1885", "name": "KETOROLAC", "fee": 0.125},
        {**item, "code": "90718", "name": "TD VACCINE", "fee": 0.1},
    ]
    schedules = [
        {"id": "insurer", "emr_id": "2", "name": "Insurer"},
        {"id": "master", "emr_id": "1", "name": "Master", "is_master": True},
    ]
    notes = [note("99214", "36415", "J1885", "90718")]
    claim = charged(sandbox, notes=notes, fee_schedules=schedules, fee_schedule_items=items)
    assert [(line["name"], line["modifiers"], line["charge"]) for line in claim["line_items"]] == [
        ("MODERATE", ["25"], "99.50"),
        ("ROUTINE VENIPUNCTURE", [], "20.00"),
        ("KETOROLAC", [], "0.13"),
        ("TD VACCINE", [], "0.10"),
    ]
    assert claim["total_charge"] == claim["balance"] == claim["billing_activity"][0]["amount"] == "119.73"


def test_a_claim_goes_to_the_patients_insurances_by_priority(sandbox: Sandbox) -> None:
    """With insurance the patient has nothing to pay yet. What is not kept of an insurance is null."""
    insured = {"patient_mrn": "M1", "emr_insurance_id": "10", "insurance_name": "Aetna"}
    spouse = {"first_name": "Max", "last_name": "Quill", "dob": "1989-04-05"}
    insurances = [
        {**insured, "emr_insurance_id": "13", "priority": 4, "relationship_to_subscriber": "step parent"},
        {**insured, "priority": 3},
        {**insured, "priority": 2, "relationship_to_subscriber": "spouse", "subscriber": spouse, "group_id": "G"},
        {
            **insured,
            "insurance_ehr_id": "101",
            "insurance_subscriber_number": "S",
            "relationship_to_subscriber": "self",
        },
        {**insured, "patient_mrn": "M2"},
    ]
    claim = charged(sandbox, insurances=insurances)
    assert (claim["patient_responsibility"], claim["balances"]["patient_balance"]) == ("0.00", "0.00")
    told = (
        *("insurance_id", "sequence_number", "claim_indicator", "claim_indicator_description"),
        *("subscriber_name", "subscriber_dob", "subscriber_relation", "subscriber_number", "group_number"),
    )
    assert [tuple(each[name] for name in told) for each in claim["insurances"]] == [
        ("101", "1", "P", "Primary", "QUILL, ADA", "1990-01-31", "Self", "S", None),
        ("10", "2", "S", "Secondary", "QUILL, MAX", "1989-04-05", "Spouse", None, "G"),
        ("10", "3", "T", "Tertiary", "QUILL, ADA", "1990-01-31", "Self", None, None),
        ("13", "4", None, None, None, None, "Step Parent", None, None),
    ]
    assert {each["insurance_name"] for each in claim["insurances"]} == {"Aetna"}


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (
            {"patient_first_name": "Ada", "patient_last_name": "Quill", "patient_name": "x", "patient_ehr_id": "E7"},
            ("E7", "QUILL, ADA"),
        ),
        ({"patient_name": "Ada Quill"}, ("M1", "ADA QUILL")),
        ({}, ("M1", "")),
    ],
)
def test_a_patient_in_no_directory_is_named_as_in_the_appointment(
    sandbox: Sandbox, named: Json, told: tuple[str, str]
) -> None:
    insurances = [{"patient_mrn": "M1", "emr_insurance_id": "10", "insurance_name": "Aetna"}]
    claim = charged(sandbox, patients=[], appointments=[{**APPOINTMENT, **named}], insurances=insurances)
    assert (claim["emr_patient_id"], claim["patient_name"]) == told
    assert claim["insurances"][0]["subscriber_name"] is None


def test_codes_of_a_note_that_was_sent_are_charged(world: World) -> None:
    """From the note to the claim, through the API alone."""
    sections = {"subjective": "Cough", "plan": "Rest"}
    body = {"appointment_id": VISIT, "note": sections, "cpt_codes": ["99214", "36415"]}
    assert call(world, "POST", "/v1/notes", json=body).status_code == 200
    world.settle()
    event = ended(world)
    [claim] = [each for each in listed(world, **SUMMER) if each["id"] == event["data"]["claim_id"]]
    assert [(line["code"], line["charge"]) for line in claim["line_items"]] == [("99214", "215.00"), ("36415", "25.00")]
    assert claim["total_charge"] == "240.00"


def test_claims_need_an_access_token(world: World) -> None:
    """D6."""
    url, headers = f"{world.url}/v1/claims", {**world.headers, "access_token": "nobody"}
    for method in ("GET", "POST"):
        refused(loopback.request(method, url, headers=headers), 404, "User not found.")

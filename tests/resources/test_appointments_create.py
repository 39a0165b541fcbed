"""Create Appointment: required fields, forms of time, unknown ids, double booking, and what becomes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, Any]

QUEUED = "Appointment processing. A webhook event will be sent upon completion."
BAD_DATETIME = "Invalid datetime format. Use YYYY-MM-DDTHH:mm:ss±HH:MM."
BAD_DATE = "Invalid date format. Use ISO format (YYYY-MM-DD)."
BAD_TIME = "Invalid time format. Use h:mm am/pm (e.g. 10:00 am)."
BAD_DURATION = "Invalid duration. Must be a number of minutes."
WHO = {"mrn": "123456789", "location": "123456789", "provider": "123456789", "type": "new_patient"}
NEW: Body = {**WHO, "datetime": "2025-01-21T10:00:00-05:00"}
GUARDED: Body = {**NEW, "prevent_double_booking": "true"}

CLINIC: Body = {
    "name": "clinic",
    "timezone": "America/Denver",
    "visit_types": [
        {"code": "NP", "description": "New patient"},
        {"code": "V", "description": "Video visit"},
        {"code": "TELE", "description": "By telephone"},
    ],
    "visit_statuses": [
        {"code": "CANC", "description": "Cancelled in advance"},
        {"code": "R/S", "description": "Rescheduled"},
        {"code": "ARR", "description": "Arrived"},
    ],
    "locations": [{"ehr_id": "25", "name": "Elm St Clinic"}],
    "providers": [
        {"ehr_id": "700", "name": "Doe, Jane", "timezone": "America/New_York", "npi": "1999900016"},
        {"ehr_id": "701", "name": "Roe, Max"},
    ],
    "patients": [
        {"mrn": "1", "first_name": "Mary", "last_name": "Walker", "dob": "1991-07-23", "sex": "female", "phone": "1"},
        {"mrn": "2", "first_name": "Ann", "last_name": "Reed"},
    ],
    "insurances": [
        {"patient_mrn": "1", "emr_insurance_id": "i2", "priority": 2, "insurance_name": "Aetna"},
        {
            "patient_mrn": "1",
            "emr_insurance_id": "i1",
            "priority": 1,
            "insurance_name": "Blue Shield",
            "insurance_subscriber_number": "N1",
            "group_id": "G1",
            "relationship_to_subscriber": "spouse",
            "subscriber": {"first_name": "John", "last_name": "Walker"},
        },
        {"patient_mrn": "2", "emr_insurance_id": "i3", "insurance_name": "Aetna"},
        {"patient_mrn": "nobody", "emr_insurance_id": "i4", "insurance_name": "Aetna"},
    ],
    "schedule_blocks": [
        {"provider_ehr_id": "700", "start": "2025-01-06T10:00:00", "end": "2025-01-06T11:00:00", "description": "Lunch"}
    ],
}
AT_CLINIC: Body = {"mrn": "1", "location": "25", "provider": "700", "type": "NP", "prevent_double_booking": True}


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def call(world: World, method: str, path: str, **request: Any) -> httpx2.Response:
    return loopback.request(method, f"{world.url}/v1{path}", headers=world.headers, **request)


def create(world: World, body: object) -> httpx2.Response:
    return call(world, "POST", "/appointments", json=body)


def ended(world: World, body: Body) -> Body:
    """The event in which the creation ends."""
    job_id = create(world, body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    return event


def found(world: World, appointment_id: str) -> Body:
    reply: Body = call(world, "GET", f"/appointments/{appointment_id}").json()
    appointment: Body = reply["appointments"]
    return appointment


@pytest.fixture
def clinic(sandbox: Sandbox) -> Iterator[World]:
    """A practice in another timezone, with insured patients and a provider who has lunch."""
    world = sandbox.world(seed=1, fixtures=[CLINIC])
    yield world
    world.delete()


def practice(sandbox: Sandbox, **other: Any) -> World:
    return sandbox.world(seed=1, fixtures=[{**CLINIC, **other}])


# The reply and the life cycle ------------------------------------------------------------------------------------


def test_an_appointment_is_queued(world: World) -> None:
    """D61: flat as on the page, and nested as the guides read it. D62, D29."""
    reply = create(world, NEW)
    appointment_id = reply.json()["appointment_id"]
    nested = {"appointment_id": appointment_id, "job_id": 12345, "message": QUEUED}
    flat = {"success": True, "message": QUEUED, "appointment_id": appointment_id, "job_id": 12345, "data": nested}
    assert (reply.text, reply.status_code) == (json.dumps(flat, separators=(",", ":")), 200)
    assert re.fullmatch("[0-9a-f]{32}", appointment_id)


def test_a_new_appointment_is_pending_then_scheduled(world: World) -> None:
    """D66, D72."""
    appointment_id = create(world, NEW).json()["appointment_id"]
    pending = found(world, appointment_id)
    assert (pending["status"], pending["ehr_appointment_id"]) == ("pending", None)
    assert pending["object_metadata"] == {"source": "cobalt_operation", "created_at": pending["created_at"]}
    world.settle()
    scheduled = found(world, appointment_id)
    assert (scheduled["status"], scheduled["ehr_appointment_id"]) == ("scheduled", "500001")
    assert scheduled == {**pending, "status": "scheduled", "ehr_appointment_id": "500001"}


def test_a_failed_appointment_has_no_ehr_id(world: World) -> None:
    event = ended(world, {**NEW, "mrn": "MRN-404"})
    failed = found(world, event["data"]["appointment_id"])
    assert (failed["status"], failed["ehr_appointment_id"], failed["patient_name"]) == ("failed", None, None)


def test_the_event_of_success_has_the_seven_keys(world: World) -> None:
    """D97, D98, D99."""
    event = ended(world, {**NEW, "secondary_provider": "emr_sec_prov_456"})
    assert event["type"] == "appointment.created"
    assert event["data"] == {
        "appointment_id": event["data"]["appointment_id"],
        "mrn": "123456789",
        "date_time": "2025-01-21T15:00:00.000Z",
        "timezone": "America/New_York",
        "provider_id": "123456789",
        "provider_name": "Lindgren, Anna",
        "secondary_provider_id": "emr_sec_prov_456",
    }


def test_the_ehr_takes_ten_to_sixty_seconds(sandbox: Sandbox) -> None:
    """Table 5."""
    world = sandbox.world(seed=1, latency="realistic")
    create(world, NEW)
    world.advance(9.9)
    assert world.events() == []
    world.advance(50.1)
    assert len(world.events()) == 1
    world.delete()


def test_a_repeated_request_makes_a_second_appointment(world: World) -> None:
    """D19."""
    ids = {create(world, NEW).json()["appointment_id"] for _ in range(2)}
    assert len(ids) == 2


# What is known of patient, provider and insurance ----------------------------------------------------------------


def test_an_appointment_names_patient_provider_and_insurances(clinic: World) -> None:
    event = ended(clinic, {**AT_CLINIC, "datetime": "2025-01-06T15:00:00Z", "note": "late", "reason": "Cough"})
    appointment = found(clinic, event["data"]["appointment_id"])
    patient = {
        "patient_name": "Mary Walker",
        "patient_first_name": "Mary",
        "patient_last_name": "Walker",
        "patient_mrn": "1",
        "patient_ehr_id": "1",
        "patient_dob": "1991-07-23",
        "patient_gender": "female",
        "patient_sex": "female",
        "patient_phone": "1",
    }
    provider = {"provider_ehr_id": "700", "provider_name": "Doe, Jane", "provider_npi": "1999900016"}
    insured = {
        "insurance": "Blue Shield",
        "insurance_number": "N1",
        "insurance_group_number": "G1",
        "insurance_subscriber": "John Walker",
        "secondary_insurance": "Aetna",
        "secondary_insurance_number": None,
    }
    said = {"note": "late", "reason": "Cough", "location": "25", "appointment_type": "NP", "duration": 30}
    expected = {**patient, **provider, **insured, **said}
    assert {name: appointment[name] for name in expected} == expected
    first, second = appointment["insurances"]
    assert (first["emr_insurance_id"], first["priority"], second["emr_insurance_id"]) == ("i1", 1, "i2")
    assert list(first)[:3] == ["emr_insurance_id", "priority", "insurance_ehr_id"]


def test_the_subscriber_is_the_patient_where_nobody_else_is_named(clinic: World) -> None:
    event = ended(clinic, {**AT_CLINIC, "mrn": "2", "datetime": "2025-01-06T10:00:00-07:00"})
    appointment = found(clinic, event["data"]["appointment_id"])
    assert (appointment["insurance_subscriber"], appointment["insurances"][0]["priority"]) == ("Ann Reed", 1)


def test_an_insurance_of_an_unknown_patient_has_no_subscriber(clinic: World) -> None:
    event = ended(clinic, {**AT_CLINIC, "mrn": "nobody", "datetime": "2025-01-06T10:00:00-07:00"})
    appointment = found(clinic, event["data"]["appointment_id"])
    assert (appointment["insurance"], appointment["insurance_subscriber"]) == ("Aetna", None)


@pytest.mark.parametrize(("code", "mode"), [("NP", "office"), ("V", "telemedicine"), ("TELE", "telemedicine")])
def test_the_mode_follows_from_the_visit_type(clinic: World, code: str, mode: str) -> None:
    event = ended(clinic, {**AT_CLINIC, "type": code, "datetime": "2025-01-06T10:00:00-07:00"})
    assert found(clinic, event["data"]["appointment_id"])["appointment_mode"] == mode


# What is missing or wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({}, "mrn, location, provider, type, datetime"),
        ({"datetime": NEW["datetime"], "type": "", "mrn": None}, "mrn, location, provider, type"),
        (WHO, "datetime"),
        ({**WHO, "datetime": ""}, "datetime"),
        ({**WHO, "datetime": "", "date": "", "time": None}, "datetime"),
        ({**WHO, "date": "2025-01-21"}, "time"),
        ({**WHO, "time": "10:00 am", "datetime": None}, "date"),
        ({**WHO, "mrn": "", "time": "10:00"}, "mrn, date"),
    ],
)
def test_missing_fields_are_named_in_order(world: World, body: Body, missing: str) -> None:
    """D56."""
    refused(create(world, body), 400, f"Missing required fields: {missing}.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datetime": "2025-01-21"}, BAD_DATETIME),
        ({"datetime": "2025-01-21 10:00:00-05:00"}, BAD_DATETIME),
        ({"datetime": "2025-01-21T10:00-05:00"}, BAD_DATETIME),
        ({"datetime": "2025-01-21T10:00:00.000Z"}, BAD_DATETIME),
        ({"datetime": "2025-01-21T10:00:00-0500"}, BAD_DATETIME),
        ({"datetime": "2025-01-21T25:00:00-05:00"}, BAD_DATETIME),
        ({"datetime": "2025-01-21T10:00:00-99:00"}, BAD_DATETIME),
        ({"datetime": "0001-01-01T00:00:00+05:00"}, BAD_DATETIME),
        ({"datetime": "9999-12-31T23:59:59-05:00"}, BAD_DATETIME),
        ({"datetime": 5}, "Invalid datetime. Must be a string."),
        ({"date": "21.01.2025"}, BAD_DATE),
        ({"date": "2025-02-30"}, BAD_DATE),
        ({"date": "0001-01-01"}, BAD_DATE),
        ({"date": "9999-12-31"}, BAD_DATE),
        ({"time": "10:00"}, BAD_TIME),
        ({"time": "10 am"}, BAD_TIME),
        ({"time": "0:30 am"}, BAD_TIME),
        ({"time": "13:00 pm"}, BAD_TIME),
        ({"time": "10:60 am"}, BAD_TIME),
        ({"duration": "1441"}, BAD_DURATION),
        ({"duration": 0}, BAD_DURATION),
        ({"duration": "30 min"}, BAD_DURATION),
        ({"duration": 30.5}, BAD_DURATION),
        ({"new_patient": "yes"}, "Invalid new_patient. Must be one of: true, false."),
        ({"prevent_double_booking": 1}, "Invalid prevent_double_booking. Must be one of: true, false."),
        ({"secondary_provider": 1}, "Invalid secondary_provider. Must be a string."),
        ({"note": []}, "Invalid note. Must be a string."),
    ],
)
def test_a_wrong_field_is_refused(world: World, change: Body, message: str) -> None:
    """D58, D59, D64, D14, D13."""
    refused(create(world, {**NEW, **change}), 400, message)


@pytest.mark.parametrize("body", [[], "text", 5])
def test_a_body_is_an_object(world: World, body: object) -> None:
    refused(create(world, body), 400, "Request body must be a JSON object.")


@pytest.mark.parametrize(
    ("when", "utc"),
    [
        ({"datetime": "2025-01-21T10:00:00Z"}, "2025-01-21T10:00:00.000Z"),
        ({"datetime": "2025-07-21T10:00:00"}, "2025-07-21T14:00:00.000Z"),
        ({"datetime": "1999-07-21T10:00:00+02:00"}, "1999-07-21T08:00:00.000Z"),
        ({"date": "2025-01-21", "time": "9:05 am"}, "2025-01-21T14:05:00.000Z"),
        ({"date": "2025-07-21", "time": "09:05 PM"}, "2025-07-22T01:05:00.000Z"),
        ({"date": "2025-01-21", "time": "12:00 am"}, "2025-01-21T05:00:00.000Z"),
        ({"date": "2025-01-21", "time": "12:59 pm"}, "2025-01-21T17:59:00.000Z"),
        ({"date": "2025-01-20", "time": "9:05 am", "datetime": "2025-01-21T10:00:00Z"}, "2025-01-21T10:00:00.000Z"),
    ],
)
def test_a_time_has_several_forms(world: World, when: Body, utc: str) -> None:
    """D56, D57, D59, D98; without an offset it is in the timezone of the account."""
    assert ended(world, {**WHO, **when})["data"]["date_time"] == utc


def test_a_time_is_listed_in_the_timezone_of_the_account(world: World) -> None:
    event = ended(world, {**WHO, "datetime": "2025-07-21T10:00:00-07:00"})
    assert found(world, event["data"]["appointment_id"])["datetime"] == "2025-07-21T13:00:00-04:00"


@pytest.mark.parametrize(("time", "utc"), [("9:05", "16:05"), ("21:05", "04:05"), ("9:05 pm", "04:05")])
def test_a_practice_may_take_a_time_without_am_or_pm(sandbox: Sandbox, time: str, utc: str) -> None:
    """D58, by option."""
    world = practice(sandbox, options={"accept_24h_time": True})
    event = ended(world, {**AT_CLINIC, "date": "2025-01-08", "time": time})
    refused(create(world, {**AT_CLINIC, "date": "2025-01-08", "time": "24:00"}), 400, BAD_TIME)
    world.delete()
    assert event["data"]["date_time"][11:16] == utc


@pytest.mark.parametrize(("sent", "listed"), [("45", 45), (1440, 1440), ("1", 1), (None, 30)])
def test_a_duration_is_digits_or_a_number(world: World, sent: object, listed: int) -> None:
    """D64."""
    event = ended(world, {**NEW, "duration": sent})
    assert found(world, event["data"]["appointment_id"])["duration"] == listed


# What the EHR refuses --------------------------------------------------------------------------------------------


def test_every_unknown_id_is_a_reason(world: World) -> None:
    """D60, D104, D260, D261."""
    body = {**NEW, "mrn": "a", "provider": "b", "secondary_provider": "c", "location": "d", "type": "e"}
    event = ended(world, body)
    reasons = [
        {"code": "PATIENT_NOT_FOUND", "description": "Patient MRN a not found."},
        {"code": "PROVIDER_NOT_FOUND", "description": "Provider b not found."},
        {"code": "PROVIDER_NOT_FOUND", "description": "Provider c not found."},
        {"code": "LOCATION_NOT_FOUND", "description": "Location d not found."},
        {"code": "VISIT_TYPE_NOT_FOUND", "description": "Visit type e not found."},
    ]
    assert event["type"] == "appointment.failed"
    assert event["data"] == {
        "appointment_id": event["data"]["appointment_id"],
        "mrn": "a",
        "failure_reason": " ".join(reason["description"] for reason in reasons),
        "reasons": reasons,
    }


def test_a_fault_lets_the_creation_fail(world: World) -> None:
    reason = {"code": "TIMEOUT", "description": "The operation did not finish in time."}
    world.fault("appointment.created", {"fail": [reason]})
    assert ended(world, NEW)["data"]["reasons"] == [reason]


# Double booking --------------------------------------------------------------------------------------------------


def test_an_overlapping_visit_is_a_conflict(world: World) -> None:
    """D65, D104; the details are in the timezone of the account."""
    ended(world, NEW)
    data = ended(world, {**GUARDED, "datetime": "2025-01-21T15:29:00Z"})["data"]
    text = "The requested time overlaps an existing appointment of Lindgren, Anna."
    assert (data["failure_reason"], data["reasons"]) == (text, [{"code": "DOUBLE_BOOKING", "description": text}])
    assert data["conflict_type"] == "appointment"
    assert data["conflict_details"] == {
        "start": "2025-01-21T10:00:00-05:00",
        "end": "2025-01-21T10:30:00-05:00",
        "provider_id": "123456789",
        "description": "new_patient",
    }


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"datetime": "2025-01-21T09:30:00-05:00"}, "created"),
        ({"datetime": "2025-01-21T09:31:00-05:00"}, "failed"),
        ({"datetime": "2025-01-21T10:29:00-05:00"}, "failed"),
        ({"datetime": "2025-01-21T10:30:00-05:00"}, "created"),
        ({"datetime": "2025-01-21T00:00:00-05:00", "duration": "1440"}, "failed"),
        ({"provider": "12241"}, "created"),
        ({"provider": "12241", "secondary_provider": "123456789"}, "created"),
        ({"prevent_double_booking": "false"}, "created"),
        ({"prevent_double_booking": None}, "created"),
    ],
)
def test_only_the_providers_own_time_counts(world: World, change: Body, outcome: str) -> None:
    ended(world, NEW)
    assert ended(world, {**GUARDED, **change})["type"] == f"appointment.{outcome}"


def test_a_visit_of_a_whole_day_is_seen_from_its_end(world: World) -> None:
    ended(world, {**NEW, "datetime": "2025-01-20T10:01:00-05:00", "duration": 1440})
    assert ended(world, GUARDED)["type"] == "appointment.failed"


def test_a_visit_counts_for_its_second_provider(world: World) -> None:
    ended(world, {**NEW, "provider": "12241", "secondary_provider": "123456789"})
    assert ended(world, GUARDED)["type"] == "appointment.failed"


def test_what_is_not_in_the_ehr_is_no_conflict(world: World) -> None:
    """Of two at the same time the first one is booked."""
    ended(world, {**NEW, "mrn": "MRN-404"})
    for _ in range(2):
        create(world, GUARDED)
    world.settle()
    assert sorted(event["type"] for event in world.events()[1:]) == ["appointment.created", "appointment.failed"]


@pytest.mark.parametrize(("status", "outcome"), [("CANC", "created"), ("R/S", "created"), ("ARR", "failed")])
def test_a_withdrawn_visit_is_no_conflict(clinic: World, status: str, outcome: str) -> None:
    body = {**AT_CLINIC, "datetime": "2025-01-06T15:00:00-07:00"}
    appointment_id = ended(clinic, body)["data"]["appointment_id"]
    call(clinic, "PATCH", f"/appointments/{appointment_id}", json={"status": status})
    clinic.settle()
    assert ended(clinic, body)["type"] == f"appointment.{outcome}"


@pytest.mark.parametrize(
    ("start", "outcome"),
    [("09:29:00", "created"), ("09:31:00", "failed"), ("10:59:00", "failed"), ("11:00:00", "created")],
)
def test_a_block_of_the_schedule_is_a_conflict(clinic: World, start: str, outcome: str) -> None:
    """Without an offset it is in the provider's own timezone, here two hours ahead of the practice."""
    event = ended(clinic, {**AT_CLINIC, "datetime": f"2025-01-06T{start}-07:00"})
    assert event["type"] == f"appointment.{outcome}"


def test_a_block_is_told_with_its_description(clinic: World) -> None:
    data = ended(clinic, {**AT_CLINIC, "datetime": "2025-01-06T10:00:00-07:00"})["data"]
    assert data["failure_reason"] == "The requested time overlaps a schedule block of Doe, Jane."
    assert data["conflict_type"] == "schedule_block"
    assert data["conflict_details"] == {
        "start": "2025-01-06T10:00:00-07:00",
        "end": "2025-01-06T11:00:00-07:00",
        "provider_id": "700",
        "description": "Lunch",
    }


def test_a_block_is_its_providers_alone(clinic: World) -> None:
    event = ended(clinic, {**AT_CLINIC, "provider": "701", "datetime": "2025-01-06T10:00:00-07:00"})
    assert event["type"] == "appointment.created"


@pytest.mark.parametrize(("ehr", "outcome"), [("Practice Fusion", "failed"), ("athenahealth", "created")])
def test_two_ehrs_are_looked_at(sandbox: Sandbox, ehr: str, outcome: str) -> None:
    world = practice(sandbox, ehr=ehr)
    event = ended(world, {**AT_CLINIC, "datetime": "2025-01-06T12:00:00-05:00"})
    world.delete()
    assert event["type"] == f"appointment.{outcome}"


def test_an_unreadable_schedule_does_not_block(clinic: World) -> None:
    """D103; the fault is used up only by appointments that are to be checked."""
    clinic.fault("appointment.created", {"schedule_unreadable": True})
    body = {**AT_CLINIC, "datetime": "2025-01-06T10:00:00-07:00"}
    unchecked = {**body, "prevent_double_booking": False}
    types = [ended(clinic, each)["type"] for each in (unchecked, body, body)]
    assert types == ["appointment.created", "appointment.created", "appointment.failed"]
    assert clinic.faults()[0]["do"] == {"schedule_unreadable": True}


def test_only_true_makes_a_schedule_unreadable(clinic: World) -> None:
    with pytest.raises(Exception, match="does this"):
        clinic.fault("appointment.created", {"schedule_unreadable": False})
    with pytest.raises(Exception, match="does this"):
        clinic.fault("referral.created", {"schedule_unreadable": True})


# Fixtures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"datetime": "2025-01-06T10:00:00"}, "has no offset"),
        ({"datetime": "tomorrow"}, "isoformat"),
        ({"datetime": "2025-01-06T10:00:00Z", "duration": 1441}, "less than or equal to 1440"),
    ],
)
def test_a_row_that_has_no_place_in_time_is_refused(sandbox: Sandbox, row: Body, complaint: str) -> None:
    with pytest.raises(Exception, match=complaint):
        practice(sandbox, appointments=[{"patient_mrn": "1", "provider_ehr_id": "700", **row}])


def test_a_block_that_has_no_place_in_time_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(Exception, match="isoformat"):
        practice(sandbox, schedule_blocks=[{"provider_ehr_id": "700", "start": "noon", "end": "one"}])


def test_a_row_without_an_ehr_id_gets_one_if_it_is_in_the_ehr(sandbox: Sandbox) -> None:
    row = {"datetime": "2025-01-06T10:00:00Z", "patient_mrn": "1", "provider_ehr_id": "700"}
    world = practice(sandbox, appointments=[{"id": "a", **row}, {"id": "b", **row, "status": "failed"}])
    booked, failed = found(world, "a"), found(world, "b")
    world.delete()
    assert (booked["ehr_appointment_id"], failed["ehr_appointment_id"]) == ("a", None)
    assert booked["object_metadata"] == {"source": "ehr_sync", "created_at": "2025-01-06T10:00:00.000Z"}

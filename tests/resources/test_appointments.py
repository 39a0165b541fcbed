"""List, Get, Update and Fetch Appointments: days and filters, what may change when, and what is read live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, Any]

PRINTED, BLAKE, FETCHED, WHOLE = "1276397812", "s13qb6Lt4dXK03v50OAa", "appt_123", "c5c0e613fc7d68a1c01ef4160483a0b6"
#: Two visits of the same practice for which there are claims.
BILLED = ["5d0e7c1b9a2f4e8d8c3b6a7f1e2d4c5b", "a1b2c3d4e5f64g7h8i9jk0l1m2n3o4p5"]
NEW: Body = {
    "mrn": "46862930",
    "location": "54252",
    "provider": "367337",
    "type": "new_patient",
    "datetime": "2025-03-04T23:30:00-05:00",
}
FAULTY: Body = {**NEW, "mrn": "MRN-404"}
UPDATED = "Appointment updated successfully"
ACCEPTED = "Live fetch request accepted. Results will be sent via webhook when ready."
ONLY = "Only status and note can be updated for scheduled appointments."
REASON = {"code": "EHR_UNAVAILABLE", "description": "The EHR could not be reached."}


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def call(world: World, method: str, path: str, **request: Any) -> httpx2.Response:
    return loopback.request(method, f"{world.url}/v1{path}", headers=world.headers, **request)


def listed(world: World, start_date: str, end_date: str, **query: object) -> Body:
    params = {"start_date": start_date, "end_date": end_date, **{name: str(value) for name, value in query.items()}}
    reply = call(world, "GET", "/appointments", params=params)
    assert reply.status_code == 200, reply.text
    answer: Body = reply.json()
    assert list(answer) == ["success", "appointments", "pagination"]
    return answer


def ids(world: World, start_date: str, end_date: str, **query: object) -> list[str]:
    return [each["id"] for each in listed(world, start_date, end_date, **query)["appointments"]]


def found(world: World, appointment_id: str) -> Body:
    appointment: Body = call(world, "GET", f"/appointments/{appointment_id}").json()["appointments"]
    return appointment


def patch(world: World, appointment_id: str, body: object) -> httpx2.Response:
    return call(world, "PATCH", f"/appointments/{appointment_id}", json=body)


def changed(world: World, appointment_id: str, body: Body) -> Body:
    """The event in which the update ends."""
    job_id = patch(world, appointment_id, body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    return event


def booked(world: World, body: Body) -> str:
    """The id of an appointment whose creation has ended."""
    appointment_id = call(world, "POST", "/appointments", json=body).json()["appointment_id"]
    world.settle()
    return str(appointment_id)


def fetched(world: World, body: Body) -> Body:
    """The data of the event in which a live fetch ends."""
    job_id = call(world, "POST", "/appointments/fetch", json=body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    assert event["type"] == "appointment.live_fetch_completed"
    data: Body = event["data"]
    return data


@pytest.fixture
def older(sandbox: Sandbox) -> Iterator[World]:
    """A practice with the older names switched on, and an appointment that is in the EHR."""
    row = {
        "id": "a",
        "datetime": "2026-03-10T10:00:00-06:00",
        "patient_mrn": "1",
        "provider_ehr_id": "700",
        "duration": 40,
    }
    statuses = [{"code": "X", "description": "Patient cancelled"}, {"code": "N/S", "description": "No show"}]
    options = {"older_fields": True}
    profile = {"name": "older", "timezone": "America/Denver", "visit_statuses": statuses, "options": options}
    world = sandbox.world(seed=1, fixtures=[{**profile, "appointments": [row]}])
    yield world
    world.delete()


# List Appointments -----------------------------------------------------------------------------------------------


def test_appointments_are_listed_by_time(sandbox: Sandbox) -> None:
    """D24: by time, whatever offset it is written with."""
    times = ["2025-01-06T10:00:00-08:00", "2025-01-06T12:00:00-05:00", "2025-01-06T17:30:00Z", "2025-01-05T23:00:00Z"]
    rows = [
        {"id": str(number), "datetime": time, "patient_mrn": "1", "provider_ehr_id": "700"}
        for number, time in enumerate(times)
    ]
    world = sandbox.world(fixtures=[{"name": "small", "appointments": rows}])
    everything, of_one = ids(world, "2025-01-01", "2025-01-31"), ids(world, "2025-01-06", "2025-01-06", patient_mrn="1")
    world.delete()
    assert (everything, of_one) == (["3", "1", "2", "0"], ["1", "2", "0"])


@pytest.mark.parametrize(
    ("start_date", "end_date", "expected"),
    [
        ("2024-03-14", "2024-03-14", [PRINTED]),
        ("2024-03-15", "2024-08-19", []),
        ("2024-03-15", "2024-08-20", [BLAKE]),
        ("2024-03-14T07:00:00Z", "2024-03-14T07:00:00Z", [PRINTED]),
        ("2024-03-14T07:00:00.001Z", "2024-03-14T23:00:00Z", []),
        ("2024-03-14T03:00:00", "2024-03-14T03:00:00", [PRINTED]),
        ("2024-03-14", "9999-12-31T23:59:59Z", [PRINTED, BLAKE, FETCHED, WHOLE, *BILLED]),
        ("2024-03-14", "9999-12-31", [PRINTED, BLAKE, FETCHED, WHOLE, *BILLED]),
    ],
)
def test_days_are_whole_and_in_the_timezone_of_the_account(
    world: World, start_date: str, end_date: str, expected: list[str]
) -> None:
    """D21, D22."""
    assert ids(world, start_date, end_date) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"patient_mrn": "46862930"}, [BLAKE]),
        ({"patient_mrn": "4686293"}, []),
        ({"patient_name": "JANE d"}, [PRINTED, WHOLE]),
        ({"patient_name": "blake"}, [BLAKE]),
        ({"patient_phone": "(978) 555-0133"}, [BLAKE]),
        ({"patient_phone": "555-0133"}, []),
        ({"appointment_mode": "telemedicine"}, [WHOLE]),
        ({"appointment_mode": "office", "patient_name": "o"}, [PRINTED, BLAKE, FETCHED]),
        ({"patient_mrn": "44235", "appointment_mode": "office"}, []),
        ({"patient_mrn": "", "patient_name": "", "color": "red"}, [PRINTED, BLAKE, FETCHED, WHOLE]),
    ],
)
def test_every_filter_narrows_the_list(world: World, query: Body, expected: list[str]) -> None:
    """D69, D12."""
    assert ids(world, "2024-01-01", "2025-07-31", **query) == expected


def test_a_progress_note_is_left_out_unless_it_is_asked_for(world: World) -> None:
    """D70; null where there is none."""
    day = "2025-07-28"
    [plain] = listed(world, day, day)["appointments"]
    [noted] = listed(world, day, day, include_note="true")["appointments"]
    [without] = listed(world, "2024-03-14", "2024-03-14", include_note="true")["appointments"]
    assert "progress_note" not in plain
    assert noted["progress_note"] == "Blood pressure at goal. Continue lisinopril."
    assert without["progress_note"] is None
    assert list(noted)[31:] == ["note", "progress_note", "created_at", "object_metadata"]


@pytest.mark.parametrize(
    ("query", "expected", "pages"),
    [
        ({}, [PRINTED, BLAKE, FETCHED, WHOLE], [1, 1, 4, 50]),
        ({"page": 1}, [PRINTED, BLAKE, FETCHED, WHOLE], [1, 1, 4, 50]),
        ({"page_size": 3}, [PRINTED, BLAKE, FETCHED], [1, 2, 4, 3]),
        ({"page": 2, "page_size": 3}, [WHOLE], [2, 2, 4, 3]),
        ({"page": 3, "page_size": 3}, [], [3, 2, 4, 3]),
        ({"page": 2, "page_size": 1, "patient_name": "e"}, [BLAKE], [2, 4, 4, 1]),
    ],
)
def test_pages_are_optional(world: World, query: Body, expected: list[str], pages: list[int]) -> None:
    """D68."""
    answer = listed(world, "2024-01-01", "2025-07-31", **query)
    assert [each["id"] for each in answer["appointments"]] == expected
    names = ["current_page", "total_pages", "total_count", "page_size"]
    assert list(answer["pagination"].items()) == list(zip(names, pages, strict=True))


def test_without_a_page_all_rows_come_at_once(sandbox: Sandbox) -> None:
    """D68."""
    row = {"datetime": "2025-01-06T10:00:00Z", "patient_mrn": "1", "provider_ehr_id": "700"}
    world = sandbox.world(fixtures=[{"name": "many", "appointments": [row] * 120}])
    answer = listed(world, "2025-01-06", "2025-01-06")
    world.delete()
    assert len(answer["appointments"]) == 120
    assert answer["pagination"] == {"current_page": 1, "total_pages": 1, "total_count": 120, "page_size": 120}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, "Missing required parameters: start_date, end_date."),
        ({"start_date": "", "end_date": "2025-01-01"}, "Missing required parameters: start_date."),
        ({"start_date": "2025-01-01", "end_date": "1.1.2025"}, "Invalid date format. Use ISO format (YYYY-MM-DD)."),
        ({"start_date": "2025-01-02", "end_date": "2025-01-01"}, "end_date must be after start_date."),
    ],
)
def test_both_dates_are_required(world: World, query: Body, message: str) -> None:
    """D67, D21."""
    refused(call(world, "GET", "/appointments", params=query), 400, message)


# Get Appointment -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["appointments", "appointment"])
def test_an_appointment_is_found_by_either_path(world: World, path: str) -> None:
    """D74, D75, D76: the list record and patient_sex, without the progress note."""
    [in_list] = listed(world, "2025-07-28", "2025-07-28")["appointments"]
    reply = call(world, "GET", f"/{path}/c5c0e613-fc7d-68a1-c01e-f4160483a0b6")
    assert reply.json() == {"success": True, "appointments": {**in_list, "patient_sex": "female"}}


@pytest.mark.parametrize("path", ["appointments", "appointment"])
def test_an_unknown_appointment_is_not_found(world: World, path: str) -> None:
    """D17."""
    refused(call(world, "GET", f"/{path}/500203"), 404, "Appointment not found.")


# Update Appointment: in the EHR ----------------------------------------------------------------------------------


def test_an_update_is_queued_and_done_later(world: World) -> None:
    """D81, D83."""
    reply = patch(world, WHOLE, {"status": "CANC", "note": "Called"})
    expected = {"success": True, "message": UPDATED, "job_id": 12345}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 200)
    assert found(world, WHOLE)["status"] == "scheduled"
    world.settle()
    after = found(world, WHOLE)
    assert (after["status"], after["note"]) == ("CANC", "Called")
    assert [event["type"] for event in world.events()] == ["appointment.updated"]


def test_the_event_has_the_eleven_keys(world: World) -> None:
    """D100."""
    assert changed(world, WHOLE, {"note": ""})["data"] == {
        "id": WHOLE,
        "ehr_appointment_id": "500203",
        "patient_mrn": "44235",
        "patient_name": "Jane Doe",
        "datetime": "2025-07-28T12:00:00-04:00",
        "duration": 30,
        "location": "1",
        "status": "scheduled",
        "provider_name": "Dr. Jose Gonzalez",
        "appointment_type": "televisit1",
        "appointment_mode": "telemedicine",
    }
    assert found(world, WHOLE)["note"] == ""


@pytest.mark.parametrize(
    ("sent", "status"), [("canc", "CANC"), ("r/s", "R/S"), ("cancelled", "CANC"), ("rescheduled", "R/S")]
)
def test_a_status_is_a_code_of_the_account_or_an_older_word(world: World, sent: str, status: str) -> None:
    """D79."""
    assert changed(world, WHOLE, {"status": sent})["data"]["status"] == status


@pytest.mark.parametrize("status", ["scheduled", "Cancelled", "", "ARR"])
def test_another_status_is_refused(world: World, status: str) -> None:
    """D79."""
    refused(patch(world, WHOLE, {"status": status}), 400, "Invalid status. Must be one of: CANC, R/S.")


def test_an_older_word_needs_a_code_of_the_account(older: World) -> None:
    assert changed(older, "a", {"status": "cancelled"})["data"]["status"] == "X"
    refused(patch(older, "a", {"status": "rescheduled"}), 400, "Invalid status. Must be one of: X, N/S.")


def test_two_updates_do_not_lose_each_other(world: World) -> None:
    for body in ({"status": "R/S"}, {"note": "one"}, {"note": "two", "status": "CANC"}, {"note": "three"}):
        changed(world, WHOLE, body)
    assert (found(world, WHOLE)["status"], found(world, WHOLE)["note"]) == ("CANC", "three")


@pytest.mark.parametrize(
    "body",
    [
        {"mrn": "1"},
        {"location": "1"},
        {"provider": "1"},
        {"type": "1"},
        {"reason": "1", "note": "1", "status": "ARR"},
        {"datetime": "2025-07-29T12:00:00Z"},
        {"appointment_datetime": "2025-07-29T12:00:00Z"},
        {"date": "2025-07-29", "time": "10:00 am"},
        {"secondary_provider": "1"},
        {"new_patient": False},
        {"prevent_double_booking": "false"},
        {"duration": "30"},
    ],
)
@pytest.mark.parametrize("appointment_id", [PRINTED, WHOLE])
def test_in_the_ehr_only_status_and_note_change(world: World, appointment_id: str, body: Body) -> None:
    """D78, and D80 for the completed one."""
    refused(patch(world, appointment_id, body), 400, ONLY)


def test_a_refused_update_changes_nothing(world: World) -> None:
    """D85."""
    world.fault("appointment.updated", {"fail": [REASON]})
    before = found(world, WHOLE)
    event = changed(world, WHOLE, {"status": "CANC"})
    assert event["type"] == "appointment.failed"
    assert event["data"] == {
        "appointment_id": WHOLE,
        "mrn": "44235",
        "failure_reason": REASON["description"],
        "reasons": [REASON],
    }
    assert found(world, WHOLE) == before


@pytest.mark.parametrize("body", [{}, {"note": None}, {"color": "red"}, {"datetime": "", "date": "", "time": None}])
def test_an_empty_update_is_refused(world: World, body: Body) -> None:
    """D86, before the id is looked at."""
    refused(patch(world, "404", body), 400, "No fields to update.")


def test_an_update_is_an_object(world: World) -> None:
    refused(patch(world, WHOLE, []), 400, "Request body must be a JSON object.")


def test_an_unknown_appointment_cannot_be_updated(world: World) -> None:
    refused(patch(world, "404", {"note": "x"}), 404, "Appointment not found.")


# Update Appointment: the older events ----------------------------------------------------------------------------


def test_a_new_status_was_confirmed_by_a_second_event(older: World) -> None:
    """D83: by option, without a job_id."""
    updated = changed(older, "a", {"status": "N/S"})
    [confirmed] = older.events(type="appointment.status_updated")
    assert confirmed["data"] == updated["data"]
    assert "job_id" not in confirmed
    assert older.events(type="appointment.cancelled") == []


def test_a_cancellation_had_an_event_of_its_own(older: World) -> None:
    """D84, D102: ids as strings, valid offsets."""
    changed(older, "a", {"status": "X"})
    [event] = older.events(type="appointment.cancelled")
    assert event["data"] == {
        "id": "a",
        "date_time": "2026-03-10T10:00:00.000-06:00",
        "duration": 40,
        "provider_id": "700",
        "provider_name": "",
        "mrn": "1",
        "cancelled_at": event["data"]["cancelled_at"],
    }
    assert event["data"]["cancelled_at"][:17] == "2026-03-10T04:30:"
    assert event["data"]["cancelled_at"][23:] == "-06:00"


def test_the_same_status_again_is_no_news(older: World) -> None:
    for body in ({"status": "X"}, {"status": "X"}, {"note": "x"}):
        changed(older, "a", body)
    assert len(older.events(type="appointment.status_updated")) == 1
    assert len(older.events(type="appointment.cancelled")) == 1


def test_without_the_option_there_is_one_event(world: World) -> None:
    changed(world, WHOLE, {"status": "CANC"})
    assert len(world.events()) == 1


# Update Appointment: not yet in the EHR --------------------------------------------------------------------------


def test_an_edit_of_a_pending_one_is_used_by_the_running_job(world: World) -> None:
    """D82."""
    queued = call(world, "POST", "/appointments", json=FAULTY).json()
    reply = patch(world, queued["appointment_id"], {"mrn": "46862930", "note": "corrected"}).json()
    assert reply == {"success": True, "message": UPDATED, "job_id": queued["job_id"]}
    assert found(world, queued["appointment_id"])["patient_name"] == "Nora Blake"
    world.settle()
    [event] = world.events()
    assert (event["type"], event["job_id"]) == ("appointment.created", str(queued["job_id"]))
    assert found(world, queued["appointment_id"])["note"] == "corrected"


def test_an_edit_of_a_failed_one_starts_a_new_job(world: World) -> None:
    """D82: failed, pending again, scheduled."""
    appointment_id = booked(world, FAULTY)
    assert patch(world, appointment_id, {"mrn": "46862930"}).json()["job_id"] == 12346
    assert found(world, appointment_id)["status"] == "pending"
    world.settle()
    assert found(world, appointment_id)["status"] == "scheduled"
    assert [event["type"] for event in world.events()] == ["appointment.failed", "appointment.created"]


def test_an_uncorrected_one_fails_again(world: World) -> None:
    appointment_id = booked(world, FAULTY)
    assert changed(world, appointment_id, {"note": "x"})["type"] == "appointment.failed"
    assert found(world, appointment_id)["status"] == "failed"


def test_every_attribute_may_be_corrected(world: World) -> None:
    appointment_id = booked(world, {**FAULTY, "note": "old", "reason": "old", "duration": "45"})
    body = {
        "mrn": "44235",
        "location": "25",
        "provider": "12241",
        "type": "televisit1",
        "note": "new",
        "reason": "new",
        "secondary_provider": "emr_sec_prov_456",
        "new_patient": "false",
        "prevent_double_booking": "true",
        "duration": 20,
        "datetime": "2025-03-06T09:00:00-05:00",
    }
    assert changed(world, appointment_id, body)["type"] == "appointment.created"
    after = found(world, appointment_id)
    assert {name: after[name] for name in ("location", "note", "reason", "duration", "datetime", "patient_mrn")} == {
        "location": "25",
        "note": "new",
        "reason": "new",
        "duration": 20,
        "datetime": "2025-03-06T09:00:00-05:00",
        "patient_mrn": "44235",
    }
    assert (after["provider_ehr_id"], after["secondary_provider_ehr_id"]) == ("12241", "emr_sec_prov_456")
    assert (after["appointment_type"], after["appointment_mode"]) == ("televisit1", "telemedicine")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"appointment_datetime": "2025-03-06T09:00:00Z"}, "2025-03-06T04:00:00-05:00"),
        ({"date": "2025-03-06", "time": "9:00 am"}, "2025-03-06T09:00:00-05:00"),
        (
            {"datetime": "2025-03-07T09:00:00", "appointment_datetime": "2025-03-06T09:00:00"},
            "2025-03-07T09:00:00-05:00",
        ),
        ({"note": "x"}, "2025-03-04T23:30:00-05:00"),
    ],
)
def test_a_corrected_time_has_several_names(world: World, when: Body, expected: str) -> None:
    """D77."""
    appointment_id = booked(world, FAULTY)
    patch(world, appointment_id, when)
    assert found(world, appointment_id)["datetime"] == expected


def test_half_a_time_is_no_time(world: World) -> None:
    refused(patch(world, WHOLE, {"date": "2025-03-06"}), 400, "Missing required fields: time.")


def test_a_status_for_later_is_taken_once_it_is_booked(world: World) -> None:
    appointment_id = booked(world, FAULTY)
    refused(patch(world, appointment_id, {"status": "ARR"}), 400, "Invalid status. Must be one of: CANC, R/S.")
    patch(world, appointment_id, {"mrn": "46862930", "status": "r/s"})
    assert found(world, appointment_id)["status"] == "pending"
    world.settle()
    assert found(world, appointment_id)["status"] == "R/S"


# Fetch Appointments ----------------------------------------------------------------------------------------------


def test_a_live_fetch_is_accepted(world: World) -> None:
    """D91: the job's id is a text of digits here, by which its event can be polled."""
    reply = call(world, "POST", "/appointments/fetch", json={"start_date": "2025-01-15", "end_date": "2025-01-15"})
    expected = {"success": True, "message": ACCEPTED, "job_id": "12345"}
    assert (reply.text, reply.status_code) == (json.dumps(expected, separators=(",", ":")), 202)
    world.settle()
    [event] = call(world, "GET", "/webhook-events", params={"job_id": "12345"}).json()["webhook_events"]
    assert event["event_type"] == "appointment.live_fetch_completed"


def test_the_older_name_of_the_job_comes_by_option(older: World) -> None:
    """D91."""
    body = {"search_by": "mrn", "mrn": "1"}
    reply = call(older, "POST", "/appointments/fetch", json=body).json()
    assert (reply["job_id"], reply["job_execution_id"]) == ("12345", "12345")


def test_items_are_list_records(world: World) -> None:
    """D93, D22, D70."""
    [in_list] = listed(world, "2025-01-15", "2025-01-15")["appointments"]
    assert fetched(world, {"start_date": "2025-01-15", "end_date": "2025-01-15"}) == {
        "success": True,
        "appointment_count": 1,
        "start_date": "2025-01-15",
        "end_date": "2025-01-15",
        "appointments": [in_list],
    }


def test_fetched_by_mrn_items_tell_who_made_them(world: World) -> None:
    """D93."""
    [in_list] = listed(world, "2025-01-15", "2025-01-15")["appointments"]
    item = {**in_list, "created_by": "Ramirez, Elena"}
    expected = {"success": True, "appointment_count": 1, "mrn": "12345", "appointments": [item]}
    assert fetched(world, {"search_by": "mrn", "mrn": "12345", "start_date": "2030-01-01"}) == expected


def test_fetched_by_provider_others_are_left_out(world: World) -> None:
    """D93."""
    day = {"search_by": "provider", "start_date": "2025-01-15", "end_date": "2025-01-15"}
    both, other = ["prov_790", "prov_789"], ["prov_790"]
    data = fetched(world, {**day, "provider_ids": both})
    assert (list(data)[2:5], data["provider_ids"]) == (["start_date", "end_date", "provider_ids"], both)
    assert [item["id"] for item in data["appointments"]] == [FETCHED]
    assert fetched(world, {**day, "provider_ids": other})["appointments"] == []


def test_what_is_not_in_the_ehr_is_not_fetched(world: World) -> None:
    booked(world, FAULTY)
    late = booked(world, NEW)
    early = booked(world, {**NEW, "datetime": "2025-03-04T09:00:00-05:00"})
    by_range = fetched(world, {"start_date": "2025-03-03", "end_date": "2025-03-08"})
    by_mrn = fetched(world, {"search_by": "mrn", "mrn": "46862930"})
    assert [item["id"] for item in by_range["appointments"]] == [early, late]
    assert [item["id"] for item in by_mrn["appointments"]] == [BLAKE, early, late]
    assert fetched(world, {"search_by": "mrn", "mrn": "MRN-404"})["appointment_count"] == 0


def test_a_fetch_is_no_news_of_the_appointments(world: World) -> None:
    """D95."""
    fetched(world, {"start_date": "2025-01-15", "end_date": "2025-01-15"})
    assert len(world.events()) == 1


@pytest.mark.parametrize(
    "terms",
    [
        {"start_date": "2025-01-15", "end_date": "2025-01-16"},
        {"mrn": "12345"},
        {"start_date": "2025-01-15", "end_date": "2025-01-16", "provider_ids": ["prov_789"]},
    ],
)
def test_an_ehr_that_cannot_be_read_is_told_by_the_same_event(world: World, terms: Body) -> None:
    """D94."""
    world.fault("appointment.live_fetch_completed", {"fail": [REASON]})
    search_by = "mrn" if "mrn" in terms else "provider" if "provider_ids" in terms else "date_range"
    assert fetched(world, {"search_by": search_by, **terms}) == {
        "success": False,
        "appointment_count": 0,
        **terms,
        "appointments": [],
        "failure_reason": REASON["description"],
        "reasons": [REASON],
    }


@pytest.mark.parametrize(
    ("body", "least", "most"),
    [
        ({"start_date": "2025-01-15", "end_date": "2025-01-16"}, 10, 90),
        ({"search_by": "mrn", "mrn": "12345"}, 5, 45),
    ],
)
def test_a_fetch_by_range_takes_longest(sandbox: Sandbox, body: Body, least: int, most: int) -> None:
    """Table 5."""
    world = sandbox.world(seed=1, latency="realistic")
    call(world, "POST", "/appointments/fetch", json=body)
    world.advance(least - 0.1)
    assert world.events() == []
    world.advance(most - least + 0.1)
    assert len(world.events()) == 1
    world.delete()


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({}, "start_date, end_date"),
        ({"search_by": None, "start_date": "2025-01-01"}, "end_date"),
        ({"search_by": "mrn", "mrn": ""}, "mrn"),
        ({"search_by": "provider", "end_date": ""}, "start_date, end_date, provider_ids"),
    ],
)
def test_what_is_required_depends_on_the_mode(world: World, body: Body, missing: str) -> None:
    """D88."""
    refused(call(world, "POST", "/appointments/fetch", json=body), 400, f"Missing required parameters: {missing}.")


WEEK: Body = {"start_date": "2025-01-01", "end_date": "2025-01-08"}
DAY: Body = {"search_by": "provider", "start_date": "2025-01-01", "end_date": "2025-01-01"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"search_by": "day"}, "Invalid search_by. Must be one of: date_range, mrn, provider."),
        ({"search_by": 5}, "Invalid search_by. Must be one of: date_range, mrn, provider."),
        ({"search_by": []}, "Invalid search_by. Must be one of: date_range, mrn, provider."),
        ({**WEEK, "end_date": "08.01.2025"}, "Invalid date format. Use ISO format (YYYY-MM-DD)."),
        ({**WEEK, "end_date": "2024-12-31"}, "end_date must be after start_date."),
        ({**WEEK, "end_date": "2025-01-09"}, "Date range cannot exceed 7 days."),
        ({**DAY, "provider_ids": []}, "provider_ids must contain between 1 and 10 ids."),
        ({**DAY, "provider_ids": ["a"] * 11}, "provider_ids must contain between 1 and 10 ids."),
        ({**DAY, "provider_ids": "a"}, "Invalid provider_ids. Must be an array."),
        ({**DAY, "provider_ids": [5]}, "Invalid provider_ids[0]. Must be a string."),
        (
            {**DAY, "end_date": "2025-01-07", "provider_ids": ["a"]},
            "Date range cannot exceed 5 days for a single provider.",
        ),
        (
            {**DAY, "end_date": "2025-01-02", "provider_ids": ["a", "b"]},
            "start_date must equal end_date when more than one provider is requested.",
        ),
    ],
)
def test_a_wrong_search_is_refused(world: World, body: Body, message: str) -> None:
    """D87, D89, D90, D21."""
    refused(call(world, "POST", "/appointments/fetch", json=body), 400, message)


@pytest.mark.parametrize(
    "body",
    [
        WEEK,
        {**DAY, "end_date": "2025-01-06", "provider_ids": ["a"]},
        {**DAY, "provider_ids": [str(number) for number in range(10)]},
        {**WEEK, "start_date": "2025-01-01T09:00:00Z"},
    ],
)
def test_the_longest_searches_pass(world: World, body: Body) -> None:
    assert call(world, "POST", "/appointments/fetch", json=body).status_code == 202


def test_a_search_is_an_object(world: World) -> None:
    refused(call(world, "POST", "/appointments/fetch", json=[]), 400, "Request body must be a JSON object.")


def test_only_eclinicalworks_can_be_read_live(sandbox: Sandbox) -> None:
    """D30."""
    world = sandbox.world(fixtures=[{"name": "other", "ehr": "Practice Fusion"}])
    reply = call(world, "POST", "/appointments/fetch", json=WEEK)
    world.delete()
    refused(
        reply,
        400,
        "Live fetch for appointments is not supported for Practice Fusion. Currently supported: eClinicalWorks.",
    )

"""Staff at work: what they do is in the documented API at once, and told by sync events, which have no job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Receiver, Refusal, Sandbox, World, bundled

Body = dict[str, Any]

VISIT = {
    "mrn": "414421",
    "provider": "PROV-001",
    "location": "25",
    "type": "new_patient",
    "datetime": "2026-03-12T10:00:00-04:00",
}
HALF_PAST = "2026-03-12T10:30:00-04:00"
ELSEWHERE = "at_test_demo_clinic"


def booked(world: World, **changes: object) -> Body:
    return world.staff.book(**{**VISIT, **changes})


def types(world: World) -> list[str]:
    return [event["type"] for event in world.events()]


def listed(api: httpx2.Client, id: str) -> Body:
    rows = api.get("/appointments", params={"start_date": "2026-03-01", "end_date": "2026-03-31"}).json()
    [row] = [row for row in rows["appointments"] if row["id"] == id]
    found: Body = row
    return found


@contextmanager
def older(sandbox: Sandbox, **options: object) -> Iterator[World]:
    """A world whose practice has other options."""
    world = sandbox.world(seed=1, fixtures=[{**bundled.fixture_document("documentation"), "options": options}])
    yield world
    world.delete()


# Book ------------------------------------------------------------------------------------------------------------


def test_the_reply_to_a_booking_is_the_record_as_it_is_listed(world: World, api: httpx2.Client) -> None:
    row = booked(world)
    assert row == listed(api, row["id"])
    assert list(row) == list(listed(api, row["id"]))
    assert (row["status"], row["ehr_appointment_id"]) == ("scheduled", "500001")
    assert row["object_metadata"]["source"] == "ehr_sync"


def test_a_booking_is_told_by_a_sync_event(world: World) -> None:
    row = booked(world, secondary_provider="12241")
    [event] = world.events()
    assert list(event) == ["id", "access_token_reference_id", "object", "created", "type", "data"]
    assert (event["type"], event["created"]) == ("appointment.created", world.clock()["now"])
    assert event["data"] == {
        "appointment_id": row["id"],
        "mrn": "414421",
        "date_time": "2026-03-12T14:00:00.000Z",
        "timezone": "America/New_York",
        "provider_id": "PROV-001",
        "provider_name": "Doe, John",
        "secondary_provider_id": "12241",
    }


def test_it_is_delivered_without_a_job(world: World, api: httpx2.Client) -> None:
    with Receiver() as receiver:
        receiver.secret = api.post("/webhook", json={"webhook_url": receiver.url}).json()["webhook_secret"]
        booked(world)
        world.settle()
        [received] = receiver.received
    assert (received.json["type"], "job_id" in received.json) == ("appointment.created", False)
    [row] = api.get("/webhook-events").json()["webhook_events"]
    assert (row["job_id"], row["delivery_status"]) == (None, "success")
    assert world.state()["jobs"] == {"queued": 0, "held": 0, "succeeded": 0, "failed": 0}


def test_staff_say_more_of_an_appointment_if_they_like(world: World) -> None:
    more = {"note": "Bring X-rays.", "reason": "Knee", "duration": 45, "status": "canc", "new_patient": "true"}
    row = booked(world, **more)
    assert (row["note"], row["reason"], row["duration"], row["status"]) == ("Bring X-rays.", "Knee", 45, "CANC")
    dated = world.staff.book(
        **{name: VISIT[name] for name in VISIT if name != "datetime"}, date="2026-03-13", time="1:00 pm"
    )
    assert dated["datetime"] == "2026-03-13T13:00:00-04:00"


def test_a_booking_takes_up_the_providers_time(world: World, api: httpx2.Client) -> None:
    booked(world)
    api.post("/appointments", json={**VISIT, "prevent_double_booking": True})
    [event] = world.settle()["events"]
    assert (event["type"], event["data"]["conflict_type"]) == ("appointment.failed", "appointment")


def test_what_is_missing_or_unknown_is_named(world: World) -> None:
    with pytest.raises(Refusal, match="Missing required fields: mrn, location, provider, type, datetime"):
        world.staff.book()
    with pytest.raises(Refusal, match="Unexpected fields in request body: mode"):
        booked(world, mode="office")
    says = (
        "The EHR refuses: Patient MRN 0 not found. Location 0 not found. "
        "GET /v1/patients, /providers, /locations and /visit-types list what it knows."
    )
    with pytest.raises(Refusal) as refused:
        booked(world, mrn="0", location="0")
    assert (refused.value.status, str(refused.value)) == (400, says)
    assert types(world) == []


def test_a_double_booking_is_refused_only_when_asked(world: World) -> None:
    booked(world)
    booked(world)
    with pytest.raises(Refusal) as refused:
        booked(world, prevent_double_booking=True)
    says = (
        "The EHR refuses: The requested time overlaps an existing appointment of Doe, John. "
        "Without prevent_double_booking it takes both."
    )
    assert (refused.value.status, str(refused.value)) == (409, says)


def test_another_practice_has_its_own_staff(world: World, api: httpx2.Client) -> None:
    other = {"mrn": "48014", "provider": "6218", "location": "101", "type": "FU", "datetime": "2026-03-12T10:00:00"}
    row = world.practice(ELSEWHERE).staff.book(**other)
    assert row["datetime"] == "2026-03-12T10:00:00-05:00"
    assert [event["access_token_reference_id"] for event in world.events()] == ["demo_clinic"]
    assert api.get(f"/appointments/{row['id']}").status_code == 404


# Change ----------------------------------------------------------------------------------------------------------


def test_a_move_is_told_by_appointment_updated(world: World, api: httpx2.Client) -> None:
    row = booked(world)
    moved = world.staff.change(row["id"], datetime=HALF_PAST, location="1", duration=60)
    assert moved == {**row, "datetime": HALF_PAST, "location": "1", "duration": 60} == listed(api, row["id"])
    _, event = world.events()
    assert (event["type"], "job_id" in event) == ("appointment.updated", False)
    assert event["data"] == {
        "id": row["id"],
        "ehr_appointment_id": "500001",
        "patient_mrn": "414421",
        "patient_name": "John Doe",
        "datetime": HALF_PAST,
        "duration": 60,
        "location": "1",
        "status": "scheduled",
        "provider_name": "Doe, John",
        "appointment_type": "new_patient",
        "appointment_mode": "office",
    }


def test_staff_know_an_appointment_by_the_number_of_their_ehr_too(world: World) -> None:
    row = booked(world)
    assert world.staff.change(row["ehr_appointment_id"], note="Called.")["id"] == row["id"]
    assert types(world) == ["appointment.created", "appointment.updated"]


@pytest.mark.parametrize("word", ["cancelled", "CANC", "canc"])
def test_a_cancellation_is_told_by_appointment_status_updated(world: World, word: str) -> None:
    row = booked(world)
    assert world.staff.change(row["id"], status=word)["status"] == "CANC"
    _, event = world.events()
    assert (event["type"], event["data"]["status"]) == ("appointment.status_updated", "CANC")
    assert list(event["data"])[:3] == ["id", "ehr_appointment_id", "patient_mrn"]


def test_a_cancelled_appointment_can_be_scheduled_again(world: World) -> None:
    row = booked(world, status="cancelled")
    assert world.staff.change(row["id"], status="scheduled")["status"] == "scheduled"
    assert types(world) == ["appointment.created", "appointment.status_updated"]


def test_a_cancelled_appointment_leaves_its_time_free(world: World) -> None:
    row = booked(world)
    world.staff.change(row["id"], status="cancelled")
    assert booked(world, prevent_double_booking=True)["status"] == "scheduled"


def test_with_older_fields_a_cancellation_has_the_event_of_2024_too(sandbox: Sandbox) -> None:
    with older(sandbox, older_fields=True) as world:
        row = booked(world)
        world.staff.change(row["id"], status="rescheduled")
        world.staff.change(row["id"], status="cancelled")
        _, _, _, event = world.events()
        assert types(world)[1:3] == ["appointment.status_updated"] * 2
    assert event["type"] == "appointment.cancelled"
    assert event["data"] == {
        "id": row["id"],
        "date_time": "2026-03-12T10:00:00.000-04:00",
        "duration": 30,
        "provider_id": "PROV-001",
        "provider_name": "Doe, John",
        "mrn": "414421",
        "cancelled_at": "2026-03-10T06:30:00.000-04:00",
    }


def test_a_move_with_a_new_status_is_told_twice(world: World) -> None:
    row = booked(world)
    world.staff.change(row["id"], datetime=HALF_PAST, status="rescheduled")
    assert types(world) == ["appointment.created", "appointment.updated", "appointment.status_updated"]


def test_what_stays_as_it_was_is_no_news(world: World) -> None:
    row = booked(world)
    assert world.staff.change(row["id"], status="scheduled", datetime=VISIT["datetime"], mrn="414421") == row
    assert types(world) == ["appointment.created"]


def test_an_empty_text_empties_what_can_be_empty_and_null_changes_nothing(world: World) -> None:
    row = booked(world, note="Called.", secondary_provider="12241")
    emptied = world.staff.change(row["id"], note="", secondary_provider="", reason=None)
    assert emptied == {**row, "note": None, "secondary_provider_ehr_id": None}


def test_yes_and_no_are_kept(world: World) -> None:
    row = booked(world, prevent_double_booking="true", new_patient=True)
    world.staff.change(row["id"], prevent_double_booking="false", new_patient=False)
    assert types(world) == ["appointment.created", "appointment.updated"]


def test_an_appointment_made_through_the_api_can_be_changed_once_it_is_in_the_ehr(
    world: World, api: httpx2.Client
) -> None:
    id = api.post("/appointments", json=VISIT).json()["appointment_id"]
    with pytest.raises(Refusal, match="is pending: it is not in the EHR, where staff could see it") as refused:
        world.staff.change(id, status="cancelled")
    assert refused.value.status == 409
    world.settle()
    changed = world.staff.change(id, status="cancelled")
    assert (changed["status"], changed["object_metadata"]["source"]) == ("CANC", "cobalt_operation")


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({}, 400, "Nothing to change. What can be: datetime, date, time, duration, status, note, reason, mrn, "),
        ({"note": None}, 400, "Nothing to change. "),
        ({"status": "gone"}, 400, "There is no status 'gone' in practice 'documentation'. "),
        ({"status": "gone"}, 400, "Its statuses: scheduled, CANC, R/S."),
        ({"patient": "1"}, 400, "Unexpected fields in request body: patient"),
        ({"date": "2026-03-12"}, 400, "Missing required fields: time."),
        ({"datetime": "tomorrow"}, 400, "Invalid datetime format. "),
        ({"provider": "0"}, 400, "The EHR refuses: Provider 0 not found. "),
        ({"mrn": ""}, 400, "mrn is required."),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_nothing_happens(
    world: World, api: httpx2.Client, changes: Body, status: int, says: str
) -> None:
    row = booked(world)
    with pytest.raises(Refusal) as refused:
        world.staff.change(row["id"], **changes)
    assert (refused.value.status, says in str(refused.value)) == (status, True)
    assert (types(world), listed(api, row["id"])) == (["appointment.created"], row)


def test_a_body_that_is_no_object_is_refused(world: World) -> None:
    url, headers = f"{world.url}/_sandbox/staff/appointments/1", {"client_id": world.client_id}
    booked(world)
    reply = loopback.patch(url, headers=headers, json=[1])
    assert (reply.status_code, reply.json()["message"]) == (400, "Request body must be a JSON object.")


def test_a_move_into_anothers_time_is_refused_only_when_asked(world: World) -> None:
    booked(world)
    later = booked(world, datetime="2026-03-12T15:00:00-04:00")
    with pytest.raises(Refusal, match="overlaps an existing appointment"):
        world.staff.change(later["id"], datetime="2026-03-12T10:15:00-04:00", prevent_double_booking=True)
    assert world.staff.change(later["id"], datetime=VISIT["datetime"])["datetime"] == VISIT["datetime"]


def test_an_unknown_appointment_is_refused(world: World) -> None:
    with pytest.raises(Refusal, match="There is no appointment 'a/b' in practice 'documentation'") as refused:
        world.staff.change("a/b", note="x")
    assert refused.value.status == 404


# Edit ------------------------------------------------------------------------------------------------------------


def test_an_edited_patient_is_told_whole_and_shown_as_listed(world: World, api: httpx2.Client) -> None:
    row = world.staff.edit_patient("414421", phone="617-555-0199", address_state="ny", last_name="Doe-Smith")
    assert api.get("/patients", params={"mrn": "414421"}).json()["patients"] == [row]
    assert (row["last_name"], row["phone"]) == ("Doe-Smith", "617-555-0199")
    [event] = world.events()
    assert (event["type"], "job_id" in event) == ("patient.updated", False)
    assert list(event["data"]) == [
        *("id", "ehr_id", "mrn", "first_name", "last_name", "dob", "sex", "phone", "cell_phone", "email"),
        *("address_street", "address_line2", "address_city", "address_state", "address_zip", "status"),
    ]
    assert {name: event["data"][name] for name in row} == row
    assert event["data"]["address_state"] == "NY"


def test_staff_can_change_what_the_api_cannot_and_empty_what_they_will(world: World) -> None:
    world.staff.edit_patient("414421", dob="1980-05-16", sex="unknown", middle_name="Q", email="")
    [event] = world.events()
    assert (event["data"]["dob"], event["data"]["sex"], event["data"]["email"]) == ("1980-05-16", "unknown", None)


def test_an_edit_that_changes_nothing_is_no_news(world: World) -> None:
    row = world.staff.edit_patient("414421", email="")
    assert world.staff.edit_patient("414421", email="", last_name=row["last_name"]) == row
    assert types(world) == ["patient.updated"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "Nothing to change. What can be: first_name, last_name, middle_name, dob, "),
        ({"phone": "5551234"}, "Invalid phone format. Use XXX-XXX-XXXX."),
        ({"dob": "yesterday"}, "Invalid dob format. Use ISO format (YYYY-MM-DD)."),
        ({"sex": "f"}, "Invalid sex. Must be one of: male, female, unknown."),
        ({"address_state": "Ohio"}, "Invalid address_state. Must be a two-letter state code."),
        ({"address_zip": "1"}, "Invalid address_zip. Use 12345 or 12345-6789."),
        ({"first_name": ""}, "first_name is required."),
        ({"mrn": "1"}, "Unexpected fields in request body: mrn"),
    ],
)
def test_an_edit_that_cannot_be_is_refused(world: World, changes: Body, says: str) -> None:
    with pytest.raises(Refusal) as refused:
        world.staff.edit_patient("414421", **changes)
    assert (refused.value.status, says in str(refused.value)) == (400, True)
    assert types(world) == []


def test_an_unknown_patient_is_refused(world: World, api: httpx2.Client) -> None:
    api.post("/patients", json={"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"})
    for mrn in ("0", "None"):
        with pytest.raises(Refusal) as refused:
            world.staff.edit_patient(mrn, email="x@mail.example")
        assert refused.value.status == 404
        assert f"No patient of practice 'documentation' has the MRN {mrn!r}." in str(refused.value)


# What is told ----------------------------------------------------------------------------------------------------


def test_muted_events_are_listed_and_not_sent(sandbox: Sandbox) -> None:
    with older(sandbox, muted_events=["appointment.created"]) as world, Receiver() as receiver:
        headers, body = world.headers, {"webhook_url": receiver.url}
        loopback.post(f"{world.url}/v1/webhook", headers=headers, json=body)
        row = booked(world)
        world.staff.change(row["id"], note="Called.")
        world.settle()
        assert types(world) == ["appointment.created", "appointment.updated"]
        assert [each.json["type"] for each in receiver.received] == ["appointment.updated"]


def test_while_the_login_is_expired_staff_work_on_unnoticed(world: World) -> None:
    world.expire_login()
    row = booked(world)
    world.staff.change(row["id"], status="cancelled")
    world.staff.edit_patient("414421", email="")
    assert types(world) == ["access_token.login_required"]


def test_the_same_seed_and_the_same_work_give_the_same_events(sandbox: Sandbox) -> None:
    told = []
    for _ in range(2):
        world = sandbox.world(seed=7)
        world.staff.change(booked(world)["id"], status="cancelled", note="Called.")
        told.append(world.events())
        world.delete()
    assert told[0] == told[1]

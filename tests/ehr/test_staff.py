"""What staff can do in an EHR: to appointments and to patients, whatever the API thinks of it."""

from __future__ import annotations

from typing import Any

import pytest

from cobalt_sandbox import bundled
from cobalt_sandbox.chance import Stream
from cobalt_sandbox.ehr.bookings import Appointment, ScheduleBlock
from cobalt_sandbox.ehr.people import Patient
from cobalt_sandbox.ehr.staff import book, change, edit, status_for
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.spec import Spec
from cobalt_sandbox.world import Practice, World

TEN, HALF_PAST = "2026-03-12T10:00:00-04:00", "2026-03-12T10:30:00-04:00"
VISIT: dict[str, Any] = {
    "patient_mrn": "414421",
    "provider_ehr_id": "PROV-001",
    "location": "25",
    "appointment_type": "new_patient",
    "datetime": TEN,
}


async def nobody(*_: object) -> Any:
    raise AssertionError("no webhook is registered")  # pragma: no cover


def opened(document: dict[str, Any]) -> Practice:
    """A practice of a world in which time stands still."""
    spec = Spec(client_id="ci", client_secret="cs", seed=1, fixtures=(Fixture(document),), rate=0)
    return World(spec, post=nobody).first_practice


@pytest.fixture
def practice() -> Practice:
    return opened(dict(bundled.fixture_document("documentation")))


def reasons(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


# Book ------------------------------------------------------------------------------------------------------------


def test_a_booked_appointment_is_in_the_ehr_and_named_by_its_directories(practice: Practice) -> None:
    booked = book(practice, VISIT)
    assert practice.table(Appointment).get(booked.id) is booked
    assert (booked.status, booked.ehr_appointment_id, booked.is_booked) == ("scheduled", "500001", True)
    assert (booked.patient_name, booked.provider_name) == ("John Doe", "Doe, John")
    assert (booked.patient_ehr_id, booked.appointment_mode, booked.duration) == ("30002", "office", 30)


def test_what_staff_book_comes_from_the_ehr_and_was_made_now(practice: Practice) -> None:
    booked = book(practice, VISIT)
    now = "2026-03-10T10:30:00.000Z"
    assert (booked.created_at, booked.object_metadata) == (now, {"source": "ehr_sync", "created_at": now})


def test_no_two_appointments_have_the_same_numbers(practice: Practice) -> None:
    before = len(practice.table(Appointment))
    booked = [book(practice, VISIT) for _ in range(300)]
    assert len({each.id for each in booked}) == 300
    assert len({each.ehr_appointment_id for each in practice.table(Appointment)}) == before + 300


def test_nothing_unknown_is_booked(practice: Practice) -> None:
    drawn, count = practice.streams.counts, len(practice.table(Appointment))
    with pytest.raises(Refused) as refused:
        book(practice, {**VISIT, "patient_mrn": "0", "provider_ehr_id": "0", "location": "0", "appointment_type": "0"})
    assert reasons(refused) == ["PATIENT_NOT_FOUND", "PROVIDER_NOT_FOUND", "LOCATION_NOT_FOUND", "VISIT_TYPE_NOT_FOUND"]
    assert (practice.streams.counts, len(practice.table(Appointment))) == (drawn, count)


def test_staff_book_a_provider_twice_unless_they_said_not_to(practice: Practice) -> None:
    book(practice, VISIT)
    book(practice, VISIT)
    with pytest.raises(Refused) as refused:
        book(practice, {**VISIT, "prevent_double_booking": True})
    assert reasons(refused) == ["DOUBLE_BOOKING"]
    assert book(practice, {**VISIT, "datetime": HALF_PAST, "prevent_double_booking": True}).start


def test_a_block_of_the_schedule_takes_up_time_too(practice: Practice) -> None:
    block = ScheduleBlock(
        id="1", provider_ehr_id="PROV-001", start="2026-03-12T10:15:00", end="2026-03-12T11:00:00", description="Lunch"
    )
    practice.table(ScheduleBlock).add(block)
    with pytest.raises(Refused, match="a schedule block of Doe, John"):
        book(practice, {**VISIT, "prevent_double_booking": True})


# Change ----------------------------------------------------------------------------------------------------------


def test_a_moved_appointment_keeps_everything_else(practice: Practice) -> None:
    booked = book(practice, VISIT)
    moved = change(practice, booked, {"datetime": HALF_PAST})
    assert {**vars(booked), "datetime": HALF_PAST} == vars(moved) == vars(practice.table(Appointment).the(booked.id))


def test_a_moved_appointment_is_listed_at_its_new_place(practice: Practice) -> None:
    booked = book(practice, VISIT)
    change(practice, booked, {"datetime": "1999-03-12T10:30:00-05:00"})
    assert next(iter(practice.table(Appointment))).id == booked.id


def test_another_provider_patient_or_type_is_named_anew(practice: Practice) -> None:
    booked = book(practice, VISIT)
    taken_over = change(practice, booked, {"provider_ehr_id": "12241"})
    assert (taken_over.provider_name, taken_over.patient_name) == ("Okafor, Grace", "John Doe")
    televisit = change(practice, taken_over, {"appointment_type": "televisit1"})
    assert (televisit.appointment_mode, televisit.provider_name) == ("telemedicine", "Okafor, Grace")
    swapped = change(practice, televisit, {"patient_mrn": "1234567"})
    assert (swapped.patient_name, swapped.appointment_mode) == ("Jane Smith", "telemedicine")
    assert practice.table(Appointment).find("patient_mrn", "1234567")[-1] is swapped


def test_names_stay_as_they_were_if_nobody_else_is_meant(practice: Practice) -> None:
    booked = book(practice, VISIT)
    [patient] = practice.table(Patient).find("mrn", "414421")
    edit(practice, patient, {"last_name": "Roe"})
    assert change(practice, booked, {"note": "Called."}).patient_name == "John Doe"


def test_what_the_ehr_did_not_know_before_is_no_matter_until_it_is_changed(practice: Practice) -> None:
    """The documentation's own appointment has a visit type that its practice does not have."""
    older = practice.table(Appointment).the("1276397812")
    assert change(practice, older, {"note": "Seen."}).note == "Seen."
    with pytest.raises(Refused) as refused:
        change(practice, older, {"appointment_type": "none"})
    assert reasons(refused) == ["VISIT_TYPE_NOT_FOUND"]


def test_an_appointment_is_no_obstacle_to_itself(practice: Practice) -> None:
    booked, quarter_past = book(practice, VISIT), "2026-03-12T10:15:00-04:00"
    moved = change(practice, booked, {"datetime": quarter_past, "prevent_double_booking": True})
    assert moved.datetime == quarter_past
    other = book(practice, {**VISIT, "datetime": "2026-03-12T12:00:00-04:00"})
    with pytest.raises(Refused) as refused:
        change(practice, other, {"datetime": HALF_PAST, "prevent_double_booking": True})
    assert reasons(refused) == ["DOUBLE_BOOKING"]
    assert change(practice, other, {"datetime": HALF_PAST}).datetime == HALF_PAST


def test_nobody_watches_the_time_of_a_provider_whom_the_ehr_has_forgotten(practice: Practice) -> None:
    appointments = practice.table(Appointment)
    orphan = appointments.replace(book(practice, VISIT), provider_ehr_id="gone")
    assert change(practice, orphan, {"datetime": HALF_PAST, "prevent_double_booking": True}).datetime == HALF_PAST


# Edit ------------------------------------------------------------------------------------------------------------


def test_an_edited_patient_is_found_by_the_new_details(practice: Practice) -> None:
    [patient] = practice.table(Patient).find("mrn", "414421")
    edited = edit(practice, patient, {"last_name": "Aaron", "dob": "1980-05-15"})
    assert next(iter(practice.table(Patient))) is edited
    assert practice.table(Patient).find("dob", "1980-05-15")[-1] is edited


# Status ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [("scheduled", "scheduled"), ("cancelled", "CANC"), ("canc", "CANC"), ("r/s", "R/S"), ("rescheduled", "R/S")],
)
def test_a_status_is_a_code_of_the_practice_or_a_word_for_one(practice: Practice, word: str, status: str) -> None:
    assert status_for(practice, word) == status


@pytest.mark.parametrize("word", ["", "pending", "failed", "Scheduled", "gone"])
def test_other_words_are_no_status(practice: Practice, word: str) -> None:
    assert status_for(practice, word) is None


def test_the_same_seed_gives_what_staff_make_the_same_ids() -> None:
    document = dict(bundled.fixture_document("documentation"))
    assert vars(book(opened(document), VISIT)) == vars(book(opened(document), VISIT))
    assert book(opened(document), VISIT).id == Stream(1, "practice", "documentation", "appointments").hex()

"""What lies on the desks of an invented clinic belongs to its patients, its staff and the colleagues whom it knows."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

import pytest

from cobalt_sandbox.invention.calendar import TODAY
from cobalt_sandbox.invention.clinic import DEMO_CLINIC_SEED, population

Practice = dict[str, Any]


@pytest.fixture(scope="module")
def clinic() -> Practice:
    return population(seed=DEMO_CLINIC_SEED, name="demo-clinic")


@pytest.fixture(scope="module")
def large() -> Practice:
    return population(seed=3, name="large", patients=200, providers=20, calls=60, tasks=60, referrals=60)


@pytest.fixture(params=["clinic", "large"])
def practice(request: pytest.FixtureRequest) -> Practice:
    chosen: Practice = request.getfixturevalue(request.param)
    return chosen


def ids(practice: Practice, table: str, key: str = "ehr_id") -> set[str]:
    return {each[key] for each in practice[table]}


def test_there_are_as_many_calls_tasks_and_referrals_as_asked_for(large: Practice) -> None:
    assert [len(large[table]) for table in ("telephone_encounters", "tasks", "referrals")] == [60, 60, 60]


def test_a_call_is_of_a_patient_and_assigned_to_somebody_of_the_staff(practice: Practice) -> None:
    for call in practice["telephone_encounters"]:
        assert call["patient_mrn"] in ids(practice, "patients", "mrn")
        assert call["provider_id"] in ids(practice, "providers")
        assert call["location_id"] in ids(practice, "locations")
        assert call["assigned_to_id"] in ids(practice, "staff")
        assert len(call["reason"]) <= 50


def test_a_refill_is_of_something_that_the_patient_takes_at_the_pharmacy_of_the_patient(practice: Practice) -> None:
    patients = {each["mrn"]: each for each in practice["patients"]}
    refills = [call for call in practice["telephone_encounters"] if call["refill"]]
    assert 0 < len(refills) < len(practice["telephone_encounters"])
    for call in refills:
        patient = patients[call["patient_mrn"]]
        assert call["refill"] in [each["name"] for each in patient["medications"] if each["refills"] != "0"]
        assert call["pharmacy_ehr_id"] in [each["pharmacy_ehr_id"] for each in patient["pharmacies"]]


def test_a_task_is_for_a_patient_and_assigned_to_somebody_of_the_staff(practice: Practice) -> None:
    for task in practice["tasks"]:
        assert task["patient_mrn"] in ids(practice, "patients", "mrn")
        assert task["assignee_user_id"] in ids(practice, "staff")
    assert {task["status"] for task in practice["tasks"]} == {"open", "in_progress", "completed"}
    assert {len(task["notes"]) for task in practice["tasks"]} == {0, 1, 2}


def test_a_referral_is_between_a_provider_and_a_colleague_whom_the_clinic_knows(practice: Practice) -> None:
    own, others = ids(practice, "providers"), ids(practice, "referring_providers")
    for referral in practice["referrals"]:
        sides = referral["from_provider_ehr_id"], referral["to_provider_ehr_id"]
        ours, theirs = sides if referral["direction"] == "outgoing" else sides[::-1]
        assert ours in own
        assert theirs in others
        assert re.fullmatch(r"REF-[0-9]{5}", referral["ehr_id"])
        assert referral["patient_dob"] < "2008-03-10"
        assert all(re.fullmatch(r"[A-Z][0-9]{2}(\.[0-9]{1,3})?", code) for code in referral["diagnosis_codes"])


def test_nothing_is_done_about_a_referral_before_it_is_made_or_after_today(practice: Practice) -> None:
    for referral in practice["referrals"]:
        assert referral["referral_date"] <= referral["last_activity_at"][:10] <= TODAY.isoformat()
        assert referral["last_activity_at"] < referral["synced_at"]


def test_the_demo_clinic_has_referrals_of_every_status_direction_and_size(clinic: Practice) -> None:
    referrals = clinic["referrals"]
    assert {each["status"] for each in referrals} == {"open", "in_progress", "completed", "cancelled"}
    assert {each["direction"] for each in referrals} == {"incoming", "outgoing"}
    assert {each["priority"] for each in referrals} >= {"routine", "urgent"}
    assert {len(each["document_ids"]) for each in referrals} == {0, 1, 2}


def test_every_document_belongs_to_one_referral_of_the_same_patient(practice: Practice) -> None:
    documents = {each["id"]: each for each in practice["documents"]}
    attached = [(id, each["patient_mrn"]) for each in practice["referrals"] for id in each["document_ids"]]
    assert attached == [(id, document["patient_mrn"]) for id, document in documents.items()]


def test_a_document_is_a_small_pdf_whose_parts_are_where_it_says(practice: Practice) -> None:
    for document in practice["documents"]:
        content = b64decode(document["content"], validate=True)
        assert document["filename"].endswith(".pdf")
        assert len(content) < 1000
        assert content.startswith(b"%PDF-1.4\n")
        table = int(content.split(b"startxref\n")[1].split(b"\n")[0])
        assert content[table:].startswith(b"xref\n0 5\n")
        places = re.findall(rb"(\d{10}) 00000 n ", content[table:])
        assert [content[int(place) :][:7] for place in places] == [b"%d 0 obj" % number for number in range(1, 5)]
        [length, stream] = re.findall(rb"/Length (\d+)>>stream\n(.*)\nendstream", content)[0]
        assert int(length) == len(stream)


def test_without_staff_or_colleagues_nothing_is_assigned_or_referred() -> None:
    alone = population(seed=1, name="alone", staff=0, referring_providers=0)
    assert (alone["tasks"], alone["telephone_encounters"], alone["referrals"], alone["documents"]) == ([], [], [], [])


def test_without_patients_nothing_lies_on_the_desks_and_nothing_is_charged() -> None:
    empty = population(seed=1, name="empty", patients=0)
    for table in ("tasks", "telephone_encounters", "referrals", "documents", "claims", "orders"):
        assert empty[table] == []

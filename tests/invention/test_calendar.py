"""The invented calendar of a clinic, and its files, fit the people and the places that are there."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from cobalt_sandbox.invention.calendar import TODAY
from cobalt_sandbox.invention.clinic import DEMO_CLINIC_SEED, population

Practice = dict[str, Any]


@pytest.fixture(scope="module", params=[(DEMO_CLINIC_SEED, 40, 6), (3, 200, 20)], ids=["demo clinic", "large"])
def practice(request: pytest.FixtureRequest) -> Practice:
    seed, patients, providers = request.param
    name = "demo-clinic" if seed == DEMO_CLINIC_SEED else "large"
    return population(seed=seed, name=name, patients=patients, providers=providers)


def shifts_at(provider: Practice, when: datetime) -> list[Practice]:
    """Where the provider works at that time, by the hours alone."""
    day, clock = when.date().isoformat(), time.fromisoformat(when.strftime("%H:%M"))
    return [
        shift
        for working in provider["hours"]
        if working["day"] == when.strftime("%A")
        for shift in working["shifts"]
        if shift["set_start_date"][:10] <= day <= shift.get("set_end_date", "9999")[:10]
        and time.fromisoformat(shift["start"][1:]) <= clock < time.fromisoformat(shift["end"][1:])
    ]


def test_every_appointment_is_in_the_working_hours_of_its_provider_and_at_that_place(practice: Practice) -> None:
    providers = {provider["ehr_id"]: provider for provider in practice["providers"]}
    for appointment in practice["appointments"]:
        provider = providers[appointment["provider_ehr_id"]]
        places = [
            shift["facility_id"] for shift in shifts_at(provider, datetime.fromisoformat(appointment["datetime"]))
        ]
        assert appointment["location"] in places
        assert provider["status"] == "active"
        assert appointment["provider_npi"] == provider["npi"]


def test_a_shift_of_every_other_week_is_kept_in_those_weeks_only(practice: Practice) -> None:
    every_other = {
        (provider["ehr_id"], working["day"], shift["facility_id"]): shift["recurrence"]["rec_start_date"][:10]
        for provider in practice["providers"]
        for working in provider["hours"]
        for shift in working["shifts"]
        if "recurrence" in shift
    }
    kept = [
        (datetime.fromisoformat(each["datetime"]).date() - date.fromisoformat(every_other[key])).days % 14
        for each in practice["appointments"]
        if (key := (each["provider_ehr_id"], f"{datetime.fromisoformat(each['datetime']):%A}", each["location"]))
        in every_other
    ]
    assert set(kept) <= {0}


def test_no_provider_has_two_appointments_at_once_to_begin_with(practice: Practice) -> None:
    begun = Counter((each["provider_ehr_id"], each["datetime"]) for each in practice["appointments"])
    assert max(begun.values()) == 1


def test_an_appointment_names_a_patient_with_the_primary_insurance_and_a_visit_type(practice: Practice) -> None:
    patients = {patient["mrn"]: patient for patient in practice["patients"]}
    primary = {each["patient_mrn"]: each for each in practice["insurances"] if each["priority"] == 1}
    codes = {code["code"] for code in practice["visit_types"]}
    for appointment in practice["appointments"]:
        patient = patients[appointment["patient_mrn"]]
        assert (appointment["patient_ehr_id"], appointment["patient_dob"]) == (patient["ehr_id"], patient["dob"])
        assert appointment.get("insurance") == primary.get(patient["mrn"], {}).get("insurance_name")
        assert appointment["appointment_type"] in codes


def test_a_status_goes_with_its_day_and_only_a_failed_one_is_unknown_to_the_ehr(practice: Practice) -> None:
    when = {
        0: {"ARR", "CONF", "scheduled"},
        -1: {"COMP", "N/S", "CANC", "R/S"},
        1: {"scheduled", "CONF", "CANC", "failed"},
    }
    for appointment in practice["appointments"]:
        day = datetime.fromisoformat(appointment["datetime"]).date()
        assert appointment["status"] in when[(day > TODAY) - (day < TODAY)]
        assert ("ehr_appointment_id" in appointment) == (appointment["status"] != "failed")
        assert datetime.fromisoformat(appointment["created_at"]) < datetime.fromisoformat(appointment["datetime"])


def test_the_demo_clinic_has_every_status_and_a_today() -> None:
    appointments = population(seed=DEMO_CLINIC_SEED, name="demo-clinic")["appointments"]
    assert isinstance(appointments, list)
    assert {each["status"] for each in appointments} == {
        *("COMP", "N/S", "CANC", "R/S", "ARR", "CONF", "scheduled", "failed")
    }
    assert TODAY.isoformat() in {each["datetime"][:10] for each in appointments}


def test_insurances_are_numbered_from_the_first_and_of_insurers_that_are_taken(practice: Practice) -> None:
    taken = {insurer["ehr_id"]: insurer["name"] for insurer in practice["insurance_providers"] if insurer["active"]}
    by_patient: dict[str, list[int]] = {}
    for insurance in practice["insurances"]:
        assert insurance["insurance_name"] == taken[insurance["insurance_ehr_id"]]
        by_patient.setdefault(insurance["patient_mrn"], []).append(insurance["priority"])
    assert by_patient.keys() < {patient["mrn"] for patient in practice["patients"]}
    assert {tuple(priorities) for priorities in by_patient.values()} == {(1,), (1, 2)}


def test_eligibility_has_every_kind_of_answer_and_benefits_where_there_is_cover(practice: Practice) -> None:
    checks = {check["id"]: check for check in practice["eligibility_checks"]}
    assert {check["coverage_status"] for check in checks.values()} == {"active", "inactive", "error", "unknown"}
    covered = {id for id, check in checks.items() if check["coverage_status"] == "active"}
    assert {benefit["eligibility_check_id"] for benefit in practice["eligibility_benefits"]} == covered
    for check in checks.values():
        assert abs(date.fromisoformat(check["service_date"]) - TODAY) < timedelta(days=14)


def test_without_patients_or_insurers_there_is_nothing_to_note() -> None:
    empty = population(seed=1, name="empty", patients=0)
    assert (empty["appointments"], empty["insurances"], empty["eligibility_checks"]) == ([], [], [])
    assert population(seed=1, name="uninsured", insurance_providers=0)["insurances"] == []

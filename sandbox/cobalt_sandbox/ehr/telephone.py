"""Calls of patients in an EHR: the medication to refill, the pharmacy that fills it, the log of what was done."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from cobalt_sandbox.ehr import unknown
from cobalt_sandbox.ehr.clinical import TelephoneEncounter, TelephoneEncounterAction
from cobalt_sandbox.ehr.numbers import free_number
from cobalt_sandbox.ehr.people import Patient, PatientPharmacy, colleague
from cobalt_sandbox.ehr.places import Pharmacy
from cobalt_sandbox.ehr.schedule import local
from cobalt_sandbox.events import Reason
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.world import Practice

# Encounters ------------------------------------------------------------------------------------------------------


def take_call(practice: Practice, encounter_id: str) -> TelephoneEncounter:
    """Open an encounter, with its refill. Raises Refused: without the medication there is no encounter."""
    encounters, patients = practice.table(TelephoneEncounter), practice.table(Patient)
    call = encounters.the(encounter_id)
    patient = patients.first("mrn", call.patient_mrn)
    if patient is None:
        raise Refused(*unknown.patient(practice, call.patient_mrn))
    refill = None if call.refill_medication_name is None else _refill(patient, call.refill_medication_name)
    if refill is not None and call.pharmacy_ehr_id is not None:
        patients.replace(patient, pharmacies=_with_pharmacy(practice, patient, call.pharmacy_ehr_id))
    return encounters.replace(
        call,
        emr_appointment_id=free_number(practice, TelephoneEncounter, "emr_appointment_id", above=3_700_000),
        refill=refill,
        status="created",
    )


def _refill(patient: Patient, wanted: str) -> str:
    """The first medication with refills left whose name has ``wanted`` in it, in any case."""
    available = [medication["name"] for medication in patient.medications if medication.get("refills") != "0"]
    for name in available:
        if wanted.casefold() in name.casefold():
            return name
    raise Refused(
        Reason(
            code="MEDICATION_NOT_FOUND",
            description=f"Medication '{wanted}' not found or not refillable. "
            f"Available medications: {', '.join(available) or 'none'}.",
        )
    )


def _with_pharmacy(practice: Practice, patient: Patient, ehr_id: str) -> tuple[PatientPharmacy, ...]:
    """The patient's pharmacies and, if it is not among them, this one. The first of a list is the primary one."""
    if any(each["pharmacy_ehr_id"] == ehr_id for each in patient.pharmacies):
        return patient.pharmacies
    [pharmacy, *_] = practice.table(Pharmacy).find("ehr_id", ehr_id)
    added = PatientPharmacy(
        pharmacy_ehr_id=ehr_id,
        is_primary="0" if patient.pharmacies else "1",
        name=pharmacy.name,
        address=pharmacy.address.get("address1"),
        city=pharmacy.address.get("city"),
        state=pharmacy.address.get("state"),
        zip=pharmacy.address.get("zip"),
        phone=pharmacy.phone,
    )
    return (*patient.pharmacies, added)


# Actions ---------------------------------------------------------------------------------------------------------


def log_action(practice: Practice, action_id: str) -> TelephoneEncounterAction:
    """Write an action into the log of its encounter. Raises Refused."""
    encounters, actions = practice.table(TelephoneEncounter), practice.table(TelephoneEncounterAction)
    action = actions.the(action_id)
    encounter = encounters.first("emr_appointment_id", action.emr_appointment_id)
    if encounter is None:
        where = action.emr_appointment_id
        raise Refused(Reason(code="ENCOUNTER_NOT_FOUND", description=f"Telephone encounter {where} not found."))
    encounters.replace(encounter, log=(*encounter.log, _line(practice, encounter, action.text)))
    return actions.replace(action, status="created")


def _line(practice: Practice, encounter: TelephoneEncounter, text: str) -> str:
    """Name, time and timezone are documented, their form is not: ``Ramirez, Elena 03/10/2026 06:30:00 AM EDT: …``.

    The name is that of whom the encounter is assigned to, since a request has none.
    """
    assigned = colleague(practice, encounter.assigned_to_id)
    name = encounter.assigned_to_id if assigned is None else assigned.name
    now = local(practice.now, ZoneInfo(practice.profile.timezone))
    return f"{name} {now:%m/%d/%Y %I:%M:%S %p %Z}: {text}"

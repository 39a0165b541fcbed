"""Staff at work: what the people of a clinic do in their EHR themselves, without the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cobalt_sandbox.clock import iso
from cobalt_sandbox.ehr.attendance import named, unattended
from cobalt_sandbox.ehr.bookings import SCHEDULED, Appointment, code_for
from cobalt_sandbox.ehr.conflicts import double_booking
from cobalt_sandbox.ehr.numbers import free_number
from cobalt_sandbox.ehr.people import Patient, Provider
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.world import Practice

#: Fields of a record, by the names that the record has for them.
Details = Mapping[str, Any]


def book(practice: Practice, details: Details) -> Appointment:
    """A new appointment. Raises Refused where an id is unknown, or the provider is not free and was to be."""
    whom = (details["patient_mrn"], details["provider_ehr_id"], details["appointment_type"])
    wanted = Appointment(id="", created_at=iso(practice.now), **{**details, **named(practice, *whom)})
    if reasons := list(unattended(practice, wanted)):
        raise Refused(*reasons)
    _demand_time(practice, wanted)
    number = free_number(practice, Appointment, "ehr_appointment_id", above=500_000)
    booked = replace(wanted, id=practice.new_id(Appointment), ehr_appointment_id=number)
    return practice.table(Appointment).add(booked)


def change(practice: Practice, appointment: Appointment, details: Details) -> Appointment:
    """Move it, give it another status or provider, and so on. Raises Refused like ``book``, for what is changed."""
    asked = replace(appointment, **details)
    before, after = _named(practice, appointment), _named(practice, asked)
    follows = {name: value for name, value in after.items() if before[name] != value}
    wanted = replace(asked, **follows)
    known_before = list(unattended(practice, appointment))
    if reasons := [reason for reason in unattended(practice, wanted) if reason not in known_before]:
        raise Refused(*reasons)
    if details.get("prevent_double_booking"):
        _demand_time(practice, wanted)
    return practice.table(Appointment).replace(appointment, **{**details, **follows})


def edit(practice: Practice, patient: Patient, details: Details) -> Patient:
    """Other details of a patient. Appointments keep the names with which they were made."""
    return practice.table(Patient).replace(patient, **details)


def status_for(practice: Practice, word: str) -> str | None:
    """A code of the practice, what it has for an older word (D79), or ``scheduled``, in which every appointment begins."""
    return SCHEDULED if word == SCHEDULED else code_for(practice, word)


def _named(practice: Practice, appointment: Appointment) -> dict[str, Any]:
    return named(practice, appointment.patient_mrn, appointment.provider_ehr_id, appointment.appointment_type)


def _demand_time(practice: Practice, wanted: Appointment) -> None:
    """Staff may book a provider twice, unless they have said that they do not want to."""
    is_watched = wanted.prevent_double_booking and practice.table(Provider).first("ehr_id", wanted.provider_ehr_id)
    if is_watched and (conflict := double_booking(practice, wanted)):
        raise Refused(conflict)

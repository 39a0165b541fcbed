"""Ids that mean nothing to the EHR: the reason of a failure for each, in the words of Table 3."""

from __future__ import annotations

from collections.abc import Iterator

from cobalt_sandbox.ehr.people import Patient, Provider
from cobalt_sandbox.ehr.places import Location
from cobalt_sandbox.events import Reason
from cobalt_sandbox.world import Practice


def patient(practice: Practice, mrn: str | None) -> Iterator[Reason]:
    if practice.table(Patient).first("mrn", mrn) is None:
        yield Reason(code="PATIENT_NOT_FOUND", description=f"Patient MRN {mrn} not found.")


def provider(practice: Practice, ehr_id: str) -> Iterator[Reason]:
    if practice.table(Provider).first("ehr_id", ehr_id) is None:
        yield Reason(code="PROVIDER_NOT_FOUND", description=f"Provider {ehr_id} not found.")


def location(practice: Practice, ehr_id: str) -> Iterator[Reason]:
    if practice.table(Location).first("ehr_id", ehr_id) is None:
        yield Reason(code="LOCATION_NOT_FOUND", description=f"Location {ehr_id} not found.")

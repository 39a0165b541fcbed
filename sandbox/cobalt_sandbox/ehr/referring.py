"""Referrals as the EHR takes them in: who refers to whom, and what becomes of the files."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cobalt_sandbox.clock import iso
from cobalt_sandbox.ehr.clinical import NOBODY, Direction, Referral, ReferralRequest
from cobalt_sandbox.ehr.filing import keep, throw_away
from cobalt_sandbox.ehr.people import Patient, Provider, ReferringProvider
from cobalt_sandbox.world import Practice

#: Where the two sides of a referral are looked up, the one that it comes from first.
DIRECTORIES: dict[Direction, tuple[type[Provider | ReferringProvider], type[Provider | ReferringProvider]]] = {
    "incoming": (ReferringProvider, Provider),
    "outgoing": (Provider, ReferringProvider),
}


def enter(practice: Practice, asked: ReferralRequest, *, failing: int) -> Referral:
    """Put it into the EHR as of now, and attach its files, but for the last ``failing`` ones."""
    now = datetime.fromtimestamp(practice.now / 1000, UTC)
    patient = practice.table(Patient).first("mrn", asked.patient_mrn)
    assert patient is not None
    sender, receiver = DIRECTORIES[asked.direction]
    attached = len(asked.documents) - failing
    for place, document_id in enumerate(asked.documents):
        (keep if place < attached else throw_away)(practice, document_id)
    return practice.table(Referral).add(
        Referral(
            id=asked.id,
            ehr_id=_free_number(practice),
            patient_ehr_id=patient.ehr_id,
            patient_mrn=patient.mrn,
            patient_first_name=patient.first_name,
            patient_last_name=patient.last_name,
            patient_dob=patient.dob,
            from_provider_ehr_id=_nobody_as_none(asked.from_provider_ehr_id),
            from_provider_name=_name(practice, sender, asked.from_provider_ehr_id),
            to_provider_ehr_id=_nobody_as_none(asked.to_provider_ehr_id),
            to_provider_name=_name(practice, receiver, asked.to_provider_ehr_id),
            direction=asked.direction,
            priority=asked.priority,
            reason=asked.reason,
            diagnosis_codes=asked.diagnosis_codes,
            document_ids=asked.documents[:attached],
            referral_date=now.astimezone(ZoneInfo(practice.profile.timezone)).date().isoformat(),
            last_activity_at=iso(practice.now),
            synced_at=iso(practice.now),
        )
    )


def _free_number(practice: Practice) -> str:
    while True:
        number = f"REF-{practice.stream('referral numbers').next():05d}"
        if practice.table(Referral).first("ehr_id", number) is None:
            return number


def _nobody_as_none(ehr_id: str) -> str | None:
    return None if ehr_id == NOBODY else ehr_id


def _name(practice: Practice, directory: type[Provider | ReferringProvider], ehr_id: str) -> str | None:
    found = practice.table(directory).first("ehr_id", ehr_id)
    return None if found is None else found.name

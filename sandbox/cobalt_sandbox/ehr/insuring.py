"""Insurances on their way into the EHR: what is asked for, what it makes of it, and how it tells what it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cobalt_sandbox.ehr.coverage import Insurance, insurances_of
from cobalt_sandbox.ehr.numbers import free_number
from cobalt_sandbox.ehr.people import Patient
from cobalt_sandbox.events import Reason
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.table import Record
from cobalt_sandbox.world import Practice

SELF = "self"


class InsuranceWrite(Record, table="insurance_writes"):
    """An insurance to be added, or changed: ``changes`` are new values for fields of :class:`Insurance`."""

    id: str
    insurance_id: str
    patient_mrn: str
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A field that the EHR wrote, by its name in a request. ``attempted`` is what was asked for, where it wrote something else."""

    field: str
    value: str
    attempted: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The insurance as it is now, and what was written."""

    insurance: Insurance
    written: list[Written]


def add_insurance(practice: Practice, write: InsuranceWrite) -> Outcome:
    """Enter an insurance. Without a priority it comes after those that the patient has."""
    if practice.profile.ehr == ECLINICALWORKS and write.changes["insurance_ehr_id"] is None:
        raise Refused(rejected(write.patient_mrn))  # it has no such carrier
    last = max((each.priority for each in insurances_of(practice, write.patient_mrn)), default=0)
    number = free_number(practice, Insurance, "emr_insurance_id", above=98_000)
    empty = Insurance(
        id=write.insurance_id, patient_mrn=write.patient_mrn, emr_insurance_id=number, priority=0, insurance_name=""
    )
    return _enter(practice, practice.table(Insurance).add(empty), {"priority": last + 1, **write.changes})


def change_insurance(practice: Practice, write: InsuranceWrite) -> Outcome:
    """Change an insurance as it now stands; what is not asked for stays."""
    return _enter(practice, practice.table(Insurance).the(write.insurance_id), write.changes)


def rejected(mrn: str) -> Reason:
    return Reason(code="INSURANCE_REJECTED", description=f"The EHR rejected the insurance of patient MRN {mrn}.")


def _enter(practice: Practice, before: Insurance, changes: dict[str, Any]) -> Outcome:
    asked: dict[str, str] = changes.get("subscriber", {})
    subscriber = {**(before.subscriber or {}), **asked}
    if changes.get("relationship_to_subscriber", before.relationship_to_subscriber) == SELF:
        subscriber = _with_own_names(practice, before.patient_mrn, subscriber)
    insurances = practice.table(Insurance)
    after = insurances.replace(before, **{**changes, "subscriber": subscriber or None})
    if changes.keys() & {"relationship_to_subscriber", "subscriber"}:
        after = insurances.replace(after, **_guarantor(practice, after))
    return Outcome(after, list(_differences(before, after, asked)))


def _with_own_names(practice: Practice, mrn: str, subscriber: dict[str, str]) -> dict[str, str]:
    """Who is insured by themselves has the patient's name: where another is given, the EHR keeps its own (§6.6)."""
    patient = practice.table(Patient).first("mrn", mrn)
    own = {} if patient is None else {"first_name": patient.first_name, "last_name": patient.last_name}
    return {
        field: own[field] if field in own and own[field].casefold() != value.casefold() else value
        for field, value in subscriber.items()
    }


def _guarantor(practice: Practice, insurance: Insurance) -> dict[str, Any]:
    """The patient, or the subscriber, whom the EHR knows by a number of its own; an equal one is reused (D108)."""
    if insurance.relationship_to_subscriber in (None, SELF):
        return {"guarantor_id": None, "is_guarantor_patient": True}
    name = _name(insurance)
    equal = [
        each for each in insurances_of(practice, insurance.patient_mrn) if each.guarantor_id and _name(each) == name
    ]
    if name is not None and equal:
        return {"guarantor_id": equal[0].guarantor_id, "is_guarantor_patient": False}
    return {
        "guarantor_id": free_number(practice, Insurance, "guarantor_id", above=5_500),
        "is_guarantor_patient": False,
    }


def _name(insurance: Insurance) -> tuple[str, str] | None:
    subscriber = insurance.subscriber or {}
    name = subscriber.get("first_name", "").casefold(), subscriber.get("last_name", "").casefold()
    return name if all(name) else None


_ASKED_AS = {
    "insurance_subscriber_number": "member_id",
    "group_id": "group_id",
    "insurance_name": "insurance_name",
    "priority": "priority",
    "plan_begin_date": "plan_begin_date",
    "copayment": "copayment",
    "relationship_to_subscriber": "relationship_to_subscriber",
}


def _differences(before: Insurance, after: Insurance, asked: dict[str, str]) -> Iterator[Written]:
    """Every field that was changed, and every one that the EHR would not have as it was asked for."""
    for field, name in _ASKED_AS.items():
        if getattr(before, field) != getattr(after, field):
            yield Written(name, str(getattr(after, field)))
    was = before.subscriber or {}
    for field, value in (after.subscriber or {}).items():
        attempted = asked.get(field, value)
        if attempted != value:
            yield Written(f"subscriber_demographics.{field}", value, attempted)
        elif was.get(field) != value:
            yield Written(f"subscriber_demographics.{field}", value)

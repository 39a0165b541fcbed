"""What is charged for a visit: the claim that the EHR makes of an appointment, and how it writes amounts of money."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from cobalt_sandbox.ehr.billing import (
    BillingActivity,
    Claim,
    ClaimInsurance,
    ClaimRequest,
    FeeSchedule,
    FeeScheduleItem,
    LineItem,
)
from cobalt_sandbox.ehr.bookings import Appointment
from cobalt_sandbox.ehr.clinical import Note
from cobalt_sandbox.ehr.coverage import Insurance, insurances_of
from cobalt_sandbox.ehr.numbers import free_number
from cobalt_sandbox.ehr.people import Patient
from cobalt_sandbox.ehr.schedule import local
from cobalt_sandbox.table import Stretch
from cobalt_sandbox.world import Practice

_CENT: Final = Decimal("0.01")
#: The largest float has 309 digits before the point.
_EXACT: Final = Context(prec=400, rounding=ROUND_HALF_UP)
NOTHING: Final = "0.00"


def money(amount: Decimal) -> str:
    """As text with two decimals (D217)."""
    return f"{amount.quantize(_CENT, context=_EXACT):f}"


# A claim ---------------------------------------------------------------------------------------------------------


def charge_for(practice: Practice, request: ClaimRequest) -> Claim:
    """Make the claim that was asked for, as it is on the day on which it is submitted: nothing of it is paid yet.

    Without insurance it is the patient's to pay.
    """
    visit = practice.table(Appointment).the(request.appointment_id)
    patient = practice.table(Patient).first("mrn", visit.patient_mrn)
    zone = ZoneInfo(practice.profile.timezone)
    today = local(practice.now, zone).date().isoformat()
    lines = tuple(_lines(practice, visit))
    total = money(sum((Decimal(line["charge"]) for line in lines), Decimal(0)))
    insurances = tuple(_insurances(practice, visit, patient))
    return practice.table(Claim).add(
        Claim(
            id=request.id,
            emr_claim_id=free_number(practice, Claim, "emr_claim_id", above=100_300),
            emr_appointment_id=visit.ehr_appointment_id,
            service_date=local(visit.start, zone).date().isoformat(),
            claim_date=today,
            claim_status="SUBM",
            claim_status_description="Submitted",
            claim_type="0",
            **_patient(visit, patient),
            emr_provider_id=visit.provider_ehr_id,
            provider_name=visit.provider_name,
            total_charge=total,
            balance=total,
            patient_responsibility=NOTHING if insurances else total,
            insurances=insurances,
            line_items=lines,
            billing_activity=(BillingActivity(date=today, description="Claim submitted", amount=total),),
        )
    )


def _patient(visit: Appointment, patient: Patient | None) -> dict[str, Any]:
    """Of a patient who is in no directory, what the appointment tells."""
    if patient is not None:
        return {"emr_patient_id": patient.ehr_id, "patient_name": _full_name(patient)}
    name = _name(visit.patient_last_name, visit.patient_first_name) or (visit.patient_name or "").upper()
    return {"emr_patient_id": visit.patient_ehr_id or visit.patient_mrn, "patient_name": name}


def _full_name(patient: Patient) -> str:
    return _name(patient.last_name, patient.first_name, patient.middle_name)


def _name(*parts: str | None) -> str:
    """``DOE, JANE, M``, as the page writes it."""
    return ", ".join(filter(None, parts)).upper()


# What was done ---------------------------------------------------------------------------------------------------

#: The code of a visit of which no note tells what was done.
OFFICE_VISIT: Final = "99213"

#: What is charged for a code that the practice's own master fee schedule does not have.
PRICES: Final = {
    "99202": ("OFFICE/OUTPATIENT VISIT NEW, 15 MIN", "125.00"),
    "99203": ("OFFICE/OUTPATIENT VISIT NEW, 30 MIN", "185.00"),
    "99204": ("OFFICE/OUTPATIENT VISIT NEW, 45 MIN", "275.00"),
    "99205": ("OFFICE/OUTPATIENT VISIT NEW, 60 MIN", "365.00"),
    "99211": ("OFFICE/OUTPATIENT VISIT EST, NURSE", "40.00"),
    "99212": ("OFFICE/OUTPATIENT VISIT EST, 10 MIN", "95.00"),
    OFFICE_VISIT: ("OFFICE/OUTPATIENT VISIT EST, 20 MIN", "150.00"),
    "99214": ("OFFICE/OUTPATIENT VISIT EST, 30 MIN", "215.00"),
    "99215": ("OFFICE/OUTPATIENT VISIT EST, 40 MIN", "300.00"),
    "36415": ("ROUTINE VENIPUNCTURE", "20.00"),
    "81002": ("URINALYSIS", "15.00"),
    "90471": ("VACCINE ADMINISTRATION", "35.00"),
    "93000": ("ELECTROCARDIOGRAM", "60.00"),
}
_UNLISTED: Final = ("UNLISTED PROCEDURE", "100.00")


def _lines(practice: Practice, visit: Appointment) -> Iterator[LineItem]:
    master = next((each for each in practice.table(FeeSchedule) if each.is_master), None)
    for number, code in enumerate(_codes(practice, visit), 1):
        item = None if master is None else _item(practice, master, code)
        name, price = PRICES.get(code, _UNLISTED) if item is None else (item.name, money(Decimal(str(item.fee))))
        yield LineItem(
            line_number=number,
            code=code,
            name=name,
            modifiers=[] if item is None else list(item.modifiers),
            units=1,
            charge=price,
            payment=NOTHING,
            adjustment=NOTHING,
            balance=price,
        )


def _codes(practice: Practice, visit: Appointment) -> list[str]:
    """Each code of the visit's notes once."""
    notes = practice.table(Note).find("appointment_id", visit.id)
    codes = (code for note in notes if note.status == "created" for code in note.cpt_codes)
    return list(dict.fromkeys(codes)) or [OFFICE_VISIT]


def _item(practice: Practice, schedule: FeeSchedule, code: str) -> FeeScheduleItem | None:
    wanted = schedule.id.lower(), code.lower()
    found = Stretch(practice.table(FeeScheduleItem), _by_schedule_and_code, wanted, wanted)
    return next(iter(found), None)


def _by_schedule_and_code(item: FeeScheduleItem) -> tuple[str, str]:
    """As the table sorts them."""
    return item.fee_schedule_id.lower(), item.code.lower()


# Who is to pay ---------------------------------------------------------------------------------------------------

#: By priority.
_INDICATORS: Final = {1: ("P", "Primary"), 2: ("S", "Secondary"), 3: ("T", "Tertiary")}


def _insurances(practice: Practice, visit: Appointment, patient: Patient | None) -> Iterator[ClaimInsurance]:
    """What is not kept of an insurance is ``None``; type, source and assignment are those of a commercial one."""
    for number, each in enumerate(insurances_of(practice, visit.patient_mrn), 1):
        indicator, description = _INDICATORS.get(number, (None, None))
        name, dob = _subscriber(each, patient)
        yield ClaimInsurance(
            insurance_id=each.insurance_ehr_id or each.emr_insurance_id,
            insurance_name=each.insurance_name,
            insurance_type="C1",
            claim_indicator=indicator,
            claim_indicator_description=description,
            sequence_number=str(number),
            subscriber_name=name,
            subscriber_number=each.insurance_subscriber_number,
            subscriber_dob=dob,
            subscriber_relation=(each.relationship_to_subscriber or "self").title(),
            group_name=None,
            group_number=each.group_id,
            provider_number=None,
            payment_source="CI",
            assign_benefits="Y",
            insurance_address_1=None,
            insurance_address_2=None,
            insurance_city=None,
            insurance_state=None,
            insurance_zip=None,
            medicaid_id=None,
        )


def _subscriber(insurance: Insurance, patient: Patient | None) -> tuple[str | None, str | None]:
    """Name and date of birth of whoever took it out: the patient, unless it is somebody else's."""
    if insurance.relationship_to_subscriber in (None, "self") and patient is not None:
        return _full_name(patient), patient.dob
    named = insurance.subscriber or {}
    return _name(named.get("last_name"), named.get("first_name")) or None, named.get("dob")

"""Invents what fills the calendar of a clinic and its files: appointments, insurances, medications, eligibility checks.

Everything lies around one day, :data:`TODAY`; a world that begins on another day moves the appointments by whole weeks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, cycle, islice
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from cobalt_sandbox.invention.draw import Draw

Record = dict[str, Any]

TODAY: Final = date(2026, 3, 10)
DAYS_BEFORE, DAYS_AFTER = 10, 18
#: Of a hundred half hours of work so many are taken.
TAKEN: Final = 14

#: How often a status is met, by when the appointment is.
PAST: Final = {"COMP": 70, "N/S": 10, "CANC": 12, "R/S": 8}
PRESENT: Final = {"ARR": 40, "CONF": 40, "scheduled": 20}
FUTURE: Final = {"scheduled": 55, "CONF": 30, "CANC": 10, "failed": 5}
REASONS: Final = ("Annual check-up", "Blood pressure check", "Cough", "Knee pain", "Medication review", "Rash", None)
#: What was found (ICD-10-CM) in those who came for a reason.
DIAGNOSES: Final = {
    "Blood pressure check": ("I10", "Essential (primary) hypertension"),
    "Cough": ("J20.9", "Acute bronchitis, unspecified"),
    "Knee pain": ("M25.561", "Pain in right knee"),
    "Medication review": ("Z79.899", "Other long term (current) drug therapy"),
    "Rash": ("L30.9", "Dermatitis, unspecified"),
}

MEDICATIONS: Final = (
    ("Lisinopril", "10 MG", "Once a day"),
    ("Metformin", "500 MG", "Twice a day"),
    ("Atorvastatin", "20 MG", "Once a day at bedtime"),
    ("Levothyroxine", "75 MCG", "Once a day"),
    ("Albuterol", "90 MCG", "As needed"),
)


def invented_appointments(
    draw: Draw, zone: str, providers: Iterable[Record], patients: Sequence[Record], insurances: Iterable[Record]
) -> Iterator[Record]:
    """Some of the working half hours of every provider who is still there, for some days before and after today."""
    if not patients:
        return
    primary = {each["patient_mrn"]: each for each in insurances if each["priority"] == 1}
    numbers = draw.numbers(700_000)
    for opening in sorted(_openings(zone, providers), key=lambda each: each.start):
        if draw.often(TAKEN):
            patient = draw.dice.choice(patients)
            yield _appointment(draw, next(numbers), opening, patient, primary.get(patient["mrn"]))


class _Opening(NamedTuple):
    """Half an hour of a provider's work."""

    provider: Record
    start: datetime
    shift: Record


def _openings(zone: str, providers: Iterable[Record]) -> Iterator[_Opening]:
    days = [TODAY + timedelta(days=number) for number in range(-DAYS_BEFORE, DAYS_AFTER + 1)]
    for provider in providers:
        for day in days if provider["status"] == "active" else ():
            for shift in shifts_on(provider, day):
                start = datetime.combine(day, time.fromisoformat(shift["start"][1:]), ZoneInfo(zone))
                end = time.fromisoformat(shift["end"][1:])
                while start.time() < end:
                    yield _Opening(provider, start, shift)
                    start += timedelta(minutes=30)


def shifts_on(provider: Record, day: date) -> Iterator[Record]:
    """The hours that a provider keeps on a day."""
    for working_day in provider["hours"]:
        if working_day["day"] == f"{day:%A}":
            yield from (shift for shift in working_day["shifts"] if _holds(shift, day))


def _holds(shift: Record, day: date) -> bool:
    first, last = shift["set_start_date"][:10], shift.get("set_end_date", "9999-12-31")[:10]
    weeks, begins = 1, first
    if recurrence := shift.get("recurrence"):
        weeks, begins = int(recurrence["recur_interval_amount"]), recurrence["rec_start_date"][:10]
    return first <= day.isoformat() <= last and (day - date.fromisoformat(begins)).days // 7 % weeks == 0


def _appointment(draw: Draw, number: str, opening: _Opening, patient: Record, insurance: Record | None) -> Record:
    provider, start, shift = opening
    status = draw.weighted(_statuses(start.date()))
    exists = {} if status == "failed" else {"ehr_appointment_id": number}
    visit_types = [rule["visit_type_id"] for rule in shift.get("visit_type_rules", ())] or ["FU", "FU", "SICK", "PE"]
    visit_type = draw.dice.choice(visit_types)
    reason = draw.dice.choice(REASONS)
    made = start - timedelta(days=draw.dice.randint(12, 40))
    return {
        "id": draw.id(),
        **exists,
        "datetime": start.isoformat(),
        "duration": 45 if visit_type == "NP" else draw.dice.choice((15, 30, 30)),
        "status": status,
        "appointment_type": visit_type,
        "appointment_mode": "telemedicine" if visit_type == "TELE" else "office",
        "location": shift["facility_id"],
        **({"reason": reason} if reason else {}),
        "patient_name": f"{patient['first_name']} {patient['last_name']}",
        "patient_first_name": patient["first_name"],
        "patient_last_name": patient["last_name"],
        "patient_mrn": patient["mrn"],
        "patient_ehr_id": patient["ehr_id"],
        "patient_dob": patient["dob"],
        "patient_gender": patient["sex"],
        "patient_phone": patient["phone"],
        "provider_ehr_id": provider["ehr_id"],
        "provider_name": provider["name"],
        "provider_npi": provider["npi"],
        **(_insured(insurance) if insurance else {}),
        **(_found(reason) if status == "COMP" and reason in DIAGNOSES else {}),
        "created_at": f"{made.astimezone(ZoneInfo('UTC')):%Y-%m-%dT%H:%M:%S}.000Z",
    }


def _found(reason: str) -> Record:
    code, description = DIAGNOSES[reason]
    return {"diagnoses": [{"code": code, "description": description}]}


def _statuses(day: date) -> Mapping[str, int]:
    return PAST if day < TODAY else PRESENT if day == TODAY else FUTURE


def _insured(insurance: Record) -> Record:
    return {
        "insurance": insurance["insurance_name"],
        "insurance_number": insurance["insurance_subscriber_number"],
        "insurance_group_number": insurance["group_id"],
    }


def invented_insurances(draw: Draw, patients: Iterable[Record], insurers: Sequence[Record]) -> Iterator[Record]:
    """Most patients have one insurance, some a second one, and some none."""
    numbers = draw.numbers(61_000)
    taken = [insurer for insurer in insurers if insurer["active"]]
    for patient in patients:
        wanted = draw.dice.choices((0, 1, 2), (15, 65, 20))[0]
        for priority, insurer in enumerate(draw.dice.sample(taken, min(wanted, len(taken))), start=1):
            yield {
                "patient_mrn": patient["mrn"],
                "emr_insurance_id": next(numbers),
                "priority": priority,
                "insurance_ehr_id": insurer["ehr_id"],
                "insurance_name": insurer["name"],
                "insurance_subscriber_number": f"XYZ{draw.dice.randint(10**8, 10**9 - 1)}",
                "group_id": f"GRP{draw.dice.randint(10_000, 99_999)}",
                "plan_begin_date": "2026-01-01",
                "copayment": str(draw.dice.choice((0, 15, 25, 40))),
                "relationship_to_subscriber": "self",
                "is_guarantor_patient": True,
            }


def invented_medications(draw: Draw) -> Iterator[list[Record]]:
    """What one patient after another takes: nothing, or one or two things."""
    while True:
        started = TODAY - timedelta(days=draw.dice.randint(30, 700))
        names = draw.dice.sample(MEDICATIONS, draw.dice.choices((0, 1, 2), (55, 30, 15))[0])
        yield [
            {
                "name": name,
                "strength": strength,
                "frequency": frequency,
                "start_date": started.isoformat(),
                "encounter_date": started.isoformat(),
                "refills": str(draw.dice.randint(0, 5)),
                "notes": "",
            }
            for name, strength, frequency in names
        ]


def invented_checks(
    draw: Draw, patients: Iterable[Record], insurances: Iterable[Record], wanted: int
) -> tuple[list[Record], list[Record]]:
    """Eligibility checks of the first insured patients, each kind of answer among them, and the benefits of the covered."""
    people = {patient["mrn"]: patient for patient in patients}
    primary = (each for each in insurances if each["priority"] == 1)
    numbers = draw.numbers(40_000)
    answers = cycle(("active", "active", "inactive", "active", "error", "active", "unknown"))
    checks = [
        _check(draw, next(numbers), people[each["patient_mrn"]], each, answer)
        for each, answer in islice(zip(primary, answers, strict=False), wanted)
    ]
    covered = (check for check in checks if check["coverage_status"] == "active")
    return checks, list(chain.from_iterable(_benefits(check) for check in covered))


def _check(draw: Draw, number: str, patient: Record, insurance: Record, answer: str) -> Record:
    service = TODAY + timedelta(days=draw.dice.randint(-6, 12))
    asked = f"{service - timedelta(days=2)}T14:00:00.000Z"
    covered = answer == "active"
    return {
        "id": draw.id(),
        "patient_mrn": patient["mrn"],
        "emr_id": number,
        "emr_patient_id": patient["ehr_id"],
        "patient_name": f"{patient['first_name']} {patient['last_name']}",
        "patient_dob": patient["dob"],
        "payer_name": insurance["insurance_name"],
        "subscriber_name": f"{patient['first_name']} {patient['last_name']}",
        "subscriber_member_id": insurance["insurance_subscriber_number"],
        "patient_relationship": "self",
        "plan_name": "Silver PPO" if covered else None,
        "coverage_status": answer,
        "status_message": "Invalid/Missing Provider Identification" if answer == "error" else None,
        "service_date": service.isoformat(),
        "response_at": None if answer == "unknown" else asked,
        "plan_begin_date": "2026-01-01" if covered else None,
        "benefits_summary": {
            "deductible": {"individual": 1500 if covered else None, "family": 3000 if covered else None},
            "out_of_pocket": {"individual": 5000 if covered else None, "family": 10_000 if covered else None},
        },
        "synced_at": asked,
    }


def _benefits(check: Record) -> Iterator[Record]:
    shared = {"eligibility_check_id": check["id"], "coverage_level": "IND", "service_type_codes": ["30"]}
    yield {
        **shared,
        "line_number": 1,
        "benefit_type": "Active Coverage",
        "benefit_type_code": "1",
        "network_indicator": "not-applicable",
        "raw_segment": "EB*1*IND*30",
    }
    yield {
        **shared,
        "line_number": 2,
        "benefit_type": "Deductible",
        "benefit_type_code": "C",
        "time_period": "Calendar Year",
        "amount": 1500,
        "network_indicator": "in-network",
        "raw_segment": "EB*C*IND*30***23*1500*****Y",
    }
    yield {
        **shared,
        "line_number": 3,
        "benefit_type": "Co-Payment",
        "benefit_type_code": "B",
        "service_type_codes": ["98"],
        "amount": 25,
        "network_indicator": "in-network",
        "messages": ["Specialist Visit office"],
        "raw_segment": "EB*B*IND*98****25*****Y",
    }

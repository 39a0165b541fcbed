"""Invents what lies on the desks of a clinic: telephone encounters, tasks, referrals and the papers that came with them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from cobalt_sandbox.invention.calendar import TODAY
from cobalt_sandbox.invention.draw import Draw
from cobalt_sandbox.invention.paper import pdf
from cobalt_sandbox.invention.visits import Visit

Record = dict[str, Any]

# Telephone encounters --------------------------------------------------------------------------------------------

CALLS: Final = (
    ("Follow up on test results", "Would like to know what the blood test has shown."),
    ("Fever since yesterday", "Asks whether to come in or to wait."),
    ("Side effects of medication", "Dizzy in the morning since the dose was raised."),
    ("Form for school", "Needs the form signed by the end of the week."),
    ("Question about a bill", "Was told that the insurance would pay."),
)
REFILL: Final = ("Refill request", "Has tablets left for a few days.")
CALLERS: Final = ("Patient", "Patient", "Patient", "Spouse", "Mother", "Pharmacy")
LOG: Final = (
    "Left a voicemail, asked to call back.",
    "Talked with the patient, who has understood.",
    "Passed on to the provider.",
    "No answer, will try again tomorrow.",
)


def invented_calls(draw: Draw, visits: Sequence[Visit], staff: Sequence[Record], wanted: int) -> Iterator[Record]:
    """Of patients who have been here. Some want a refill of what they take, at their own pharmacy."""
    numbers = draw.numbers(900_000)
    for visit in _some(draw, visits if staff else (), wanted):
        [pharmacy] = visit.patient.get("pharmacies", [None])
        refillable = [each["name"] for each in visit.patient["medications"] if each["refills"] != "0"]
        refill = refillable[0] if refillable and pharmacy and draw.often(70) else None
        reason, message = REFILL if refill else draw.dice.choice(CALLS)
        yield {
            "id": draw.id(),
            "emr_appointment_id": next(numbers),
            "patient_mrn": visit.patient["mrn"],
            "provider_id": visit.provider["ehr_id"],
            "location_id": visit.location,
            "assigned_to_id": draw.dice.choice(staff)["ehr_id"],
            "reason": reason,
            "refill_medication_name": refill,
            "refill": refill,
            "pharmacy_ehr_id": pharmacy["pharmacy_ehr_id"] if refill else None,
            "caller": draw.dice.choice(CALLERS),
            "message": message,
            "priority": draw.weighted({"Normal": 80, "High": 20}),
            "log": draw.dice.sample(LOG, draw.dice.randint(0, 2)),
        }


def _some(draw: Draw, visits: Sequence[Visit], wanted: int) -> list[Visit]:
    """So many of them, and not the same twice."""
    return draw.dice.sample(visits, min(wanted, len(visits)))


# Tasks -----------------------------------------------------------------------------------------------------------

TASKS: Final = (
    ("Call about lab results", "Go through the results with the patient and schedule a visit if they have questions."),
    ("Prior authorization", "Send the forms for the MRI to the insurer, and ask after a week."),
    ("Records requested", "Ask the hospital for the discharge summary."),
    ("Schedule follow-up", "The patient is to be seen again within a month."),
    ("Update insurance", "The card has changed; scan both sides at the next visit."),
    ("Complete form", "Sports physical form, to be picked up at the front desk."),
    ("Missed appointment", "Find out why, and offer another time."),
)
TASK_NOTES: Final = (
    "Left a message.",
    "Faxed today.",
    "The insurer wants the notes of the last visit as well.",
    "Spoke with the patient.",
    "Done, nothing else to do.",
)


def invented_tasks(draw: Draw, visits: Sequence[Visit], staff: Sequence[Record], wanted: int) -> Iterator[Record]:
    numbers = draw.numbers(60_000)
    for visit in _some(draw, visits if staff else (), wanted):
        subject, description = draw.dice.choice(TASKS)
        status = draw.weighted({"open": 45, "in_progress": 25, "completed": 30})
        yield {
            "id": draw.id(),
            "patient_mrn": visit.patient["mrn"],
            "emr_task_id": next(numbers),
            "subject": subject,
            "description": description,
            "status": status,
            "assignee_user_id": draw.dice.choice(staff)["ehr_id"],
            "notes": draw.dice.sample(TASK_NOTES, draw.dice.randint(0 if status == "open" else 1, 2)),
        }


# Referrals and their papers --------------------------------------------------------------------------------------

#: Why somebody is sent to a specialist, and the ICD-10-CM codes of it.
REASONS: Final = {
    "Cardiology": ("Palpitations, abnormal ECG", ("R00.2", "R94.31")),
    "Dermatology": ("Changing mole on the back", ("D22.5",)),
    "Orthopedic Surgery": ("Knee pain after a fall", ("M25.561",)),
    "Gastroenterology": ("Screening colonoscopy", ("Z12.11",)),
    "Neurology": ("Migraine, not controlled", ("G43.909",)),
    "Endocrinology": ("Type 2 diabetes with hyperglycemia", ("E11.65",)),
    "Ophthalmology": ("Diabetic eye examination", ("E11.9",)),
    "Pulmonology": ("Chronic cough", ("R05.3",)),
    "Rheumatology": ("Joint swelling, suspected rheumatoid arthritis", ("M06.9",)),
    "Urology": ("Recurrent urinary tract infections", ("N39.0",)),
    "Physical Therapy": ("Low back pain", ("M54.50",)),
    "Behavioral Health": ("Anxiety, therapy requested", ("F41.1",)),
}
PAPERS: Final = (("referral-letter.pdf", "Referral letter"), ("visit-summary.pdf", "Summary of the last visit"))
URGENCY: Final = {"routine": 70, "urgent": 22, "stat": 8}


def invented_referrals(
    draw: Draw, visits: Sequence[Visit], colleagues: Sequence[Record], wanted: int
) -> tuple[list[Record], list[Record]]:
    """Referrals of adults within some months, and the documents that belong to them."""
    referrals, documents = [], []
    numbers = draw.numbers(4000)
    for visit in _some(draw, [visit for visit in visits if visit.age >= 18] if colleagues else (), wanted):
        number = f"REF-{next(numbers):>05}"
        referral = _referral(draw, number, visit, draw.dice.choice(colleagues))
        papers = [_paper(draw, referral, *each) for each in PAPERS[: draw.dice.choice((0, 1, 2))]]
        referrals.append({**referral, "document_ids": [paper["id"] for paper in papers]})
        documents += papers
    return referrals, documents


def _referral(draw: Draw, number: str, visit: Visit, colleague: Record) -> Record:
    reason, codes = REASONS[colleague["speciality"]]
    days_ago = draw.dice.randint(0, 120)
    since = TODAY - timedelta(days=days_ago)
    touched = since + timedelta(days=draw.dice.randint(0, min(days_ago, 20)))
    direction, priority = draw.weighted({"outgoing": 75, "incoming": 25}), draw.weighted(URGENCY)
    sides = (visit.provider, colleague) if direction == "outgoing" else (colleague, visit.provider)
    fresh, older = {"open": 60, "in_progress": 40}, {"open": 10, "in_progress": 20, "completed": 50, "cancelled": 20}
    return {
        "id": draw.id(),
        "ehr_id": number,
        "patient_ehr_id": visit.patient["ehr_id"],
        "patient_mrn": visit.patient["mrn"],
        "patient_first_name": visit.patient["first_name"],
        "patient_last_name": visit.patient["last_name"],
        "patient_dob": visit.patient["dob"],
        "from_provider_ehr_id": sides[0]["ehr_id"],
        "from_provider_name": sides[0]["name"],
        "to_provider_ehr_id": sides[1]["ehr_id"],
        "to_provider_name": sides[1]["name"],
        "direction": direction,
        "priority": priority,
        "urgency": priority,
        "reason": reason,
        "diagnosis_codes": list(codes),
        "document_ids": [],
        "status": draw.weighted(fresh if days_ago < 10 else older),
        "referral_date": since.isoformat(),
        "last_activity_at": f"{touched}T{draw.dice.randint(15, 20)}:30:00.000Z",
        "synced_at": f"{touched}T22:00:00.000Z",
    }


def _paper(draw: Draw, referral: Record, filename: str, title: str) -> Record:
    return {
        "id": draw.id(),
        "patient_mrn": referral["patient_mrn"],
        "filename": filename,
        "content_type": "application/pdf",
        "content": b64encode(pdf(title, f"{referral['ehr_id']}: {referral['reason']}")).decode(),
    }

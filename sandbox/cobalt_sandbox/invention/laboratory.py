"""Invents what a clinic orders for its patients, and what laboratories have found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from cobalt_sandbox.invention.draw import Draw
from cobalt_sandbox.invention.visits import Visit

Record = dict[str, Any]


class Analyte(NamedTuple):
    """What a laboratory measures. Normal values go from ``low`` to ``high``, without their point: 38 for 3.8."""

    name: str
    unit: str | None
    low: int
    high: int
    decimals: int = 0
    reference: str = ""

    def written(self, value: int) -> str:
        return f"{value / 10**self.decimals:.{self.decimals}f}"

    @property
    def reference_range(self) -> str:
        return self.reference or f"{self.written(self.low)}-{self.written(self.high)}"


class Panel(NamedTuple):
    name: str
    code: str
    analytes: tuple[Analyte, ...]


PANELS: Final = (
    Panel(
        "Comprehensive Metabolic Panel",
        "CMP",
        (
            Analyte("Glucose", "mg/dL", 65, 99),
            Analyte("Creatinine", "mg/dL", 60, 130, 2),
            Analyte("Sodium", "mmol/L", 135, 146),
            Analyte("Potassium", "mmol/L", 35, 53, 1),
            Analyte("Calcium", "mg/dL", 86, 103, 1),
            Analyte("ALT", "U/L", 9, 46),
        ),
    ),
    Panel(
        "Lipid Panel",
        "LIPID",
        (
            Analyte("Cholesterol, Total", "mg/dL", 110, 199, reference="<200"),
            Analyte("HDL Cholesterol", "mg/dL", 40, 85, reference=">39"),
            Analyte("LDL Cholesterol", "mg/dL", 50, 99, reference="<100"),
            Analyte("Triglycerides", "mg/dL", 45, 149, reference="<150"),
        ),
    ),
    Panel(
        "CBC With Differential",
        "CBC",
        (
            Analyte("White Blood Cell Count", "Thousand/uL", 38, 108, 1),
            Analyte("Hemoglobin", "g/dL", 117, 171, 1),
            Analyte("Hematocrit", "%", 350, 500, 1),
            Analyte("Platelet Count", "Thousand/uL", 140, 400),
        ),
    ),
    Panel("Hemoglobin A1c", "A1C", (Analyte("Hemoglobin A1c", "%", 43, 56, 1, "<5.7"),)),
    Panel("TSH", "TSH", (Analyte("TSH", "mIU/L", 40, 450, 2),)),
    Panel("Urinalysis", "UA", (Analyte("pH", None, 50, 80, 1), Analyte("Specific Gravity", None, 1005, 1030, 3))),
)
#: What is seen rather than measured has neither unit nor range.
SEEN: Final = {"UA": (("Color", "Yellow"), ("Appearance", "Clear"))}

IMAGING: Final = (
    "Chest X-Ray",
    "Knee X-Ray, Right",
    "Abdominal Ultrasound",
    "CT Head Without Contrast",
    "MRI Lumbar Spine",
)
IMAGING_SITES: Final = ("Main Imaging Center", "Lakeshore Radiology")
MEDICATIONS: Final = (
    "Amoxicillin 500 MG",
    "Lisinopril 10 MG",
    "Metformin 500 MG",
    "Albuterol 90 MCG",
    "Prednisone 20 MG",
)
PROCEDURES: Final = ("Skin Biopsy", "Joint Injection, Right Knee", "Spirometry", "Electrocardiogram", "Ear Irrigation")

#: Of a hundred visits so many end with an order; of these so many are of each type.
ORDERED: Final = 42
TYPES: Final = {"lab": 52, "imaging": 20, "medication": 16, "procedure": 12}


def invented_orders(draw: Draw, zone: str, visits: Iterable[Visit]) -> Iterator[Record]:
    numbers = draw.numbers(500_000)
    for visit in visits:
        if draw.often(ORDERED):
            yield _order(draw, f"ord_{next(numbers)}", visit, _ordered_at(draw, visit, zone))


def _ordered_at(draw: Draw, visit: Visit, zone: str) -> datetime:
    """In the middle of the day, when it is the same day in UTC."""
    minutes = 15 * draw.dice.randrange(24)
    return datetime.combine(visit.day, time(9), ZoneInfo(zone)).astimezone(UTC) + timedelta(minutes=minutes)


def _order(draw: Draw, id: str, visit: Visit, ordered: datetime) -> Record:
    kind = draw.weighted(TYPES)
    status = _status(draw, visit)
    details, results = _lab(draw, id, status) if kind == "lab" else (_details(draw, kind, ordered), None)
    return {
        "order_id": id,
        "order_name": details["name"],
        "order_date": visit.day.isoformat(),
        "provider_id": visit.provider["ehr_id"],
        "patient_mrn": visit.patient["mrn"],
        "patient_name": f"{visit.patient['first_name']} {visit.patient['last_name']}",
        "patient_dob": visit.patient["dob"],
        "appointment_id": visit.appointment_id,
        "lab_results": results,
        "id": id,
        "type": kind,
        "status": status,
        "ordered_date": _utc(ordered),
        "details": details,
    }


def _utc(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def _status(draw: Draw, visit: Visit) -> str:
    """What is not done after some weeks will not be done."""
    if visit.days_ago < 9:
        return draw.weighted({"pending": 75, "completed": 20, "cancelled": 5})
    return draw.weighted({"pending": 4, "completed": 86, "cancelled": 10})


def _details(draw: Draw, kind: str, ordered: datetime) -> Record:
    if kind == "imaging":
        when = _utc(ordered.replace(minute=0) + timedelta(days=draw.dice.randint(2, 21)))
        place = draw.dice.choice(IMAGING_SITES)
        return {"name": draw.dice.choice(IMAGING), "location": place, "scheduled_date": when}
    return {"name": draw.dice.choice(MEDICATIONS if kind == "medication" else PROCEDURES)}


def _lab(draw: Draw, id: str, status: str) -> tuple[Record, Record | None]:
    """The details and, of most that are completed, the results."""
    panel = draw.dice.choice(PANELS)
    details = {"name": panel.name, "code": panel.code}
    if status != "completed" or not draw.often(92):
        return details, None
    measured = [_result(draw, analyte) for analyte in panel.analytes]
    seen = [
        {"name": name, "value": value, "unit": None, "reference_range": None, "flag": None}
        for name, value in SEEN.get(panel.code, ())
    ]
    return {**details, "results_url": f"https://results.lab.example/{id}"}, {"results": [*seen, *measured]}


def _result(draw: Draw, analyte: Analyte) -> Record:
    """Most values are normal; the others lie outside by up to a third of the normal width, and above 0."""
    margin = max(1, (analyte.high - analyte.low) // 3)
    sides = {
        "": 82,
        "H": 0 if analyte.reference.startswith(">") else 12,
        "L": 0 if analyte.reference.startswith("<") else 6,
    }
    side = draw.weighted(sides)
    value = {
        "": draw.dice.randint(analyte.low, analyte.high),
        "H": analyte.high + draw.dice.randint(1, margin),
        "L": analyte.low - draw.dice.randint(1, min(margin, analyte.low // 2)),
    }[side]
    return {
        "name": analyte.name,
        "value": analyte.written(value),
        "unit": analyte.unit,
        "reference_range": analyte.reference_range,
        "flag": side or None,
    }

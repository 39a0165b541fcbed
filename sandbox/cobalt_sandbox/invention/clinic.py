"""Invents a practice, its people and places, from a seed and nothing else.

The same arguments give the same practice on any machine, as long as Faker's lists of names are the same (for these
languages they are from Faker 25 to 40 at least). Each part (patients, providers, …) draws by itself, and a larger
practice begins with the people of a smaller one.

Nobody here can be reached: telephone numbers are 555-01xx, mail goes to ``.example`` (RFC 2606), and NPIs are 19999,
four more digits and a valid check digit, the range this project keeps to for invented ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Any, Final

from cobalt_sandbox.invention.accounts import PAYMENT_METHODS
from cobalt_sandbox.invention.calendar import (
    TODAY,
    invented_appointments,
    invented_checks,
    invented_insurances,
)
from cobalt_sandbox.invention.desk import invented_calls, invented_referrals, invented_tasks
from cobalt_sandbox.invention.draw import AREAS, Draw, draws, mailbox, slug
from cobalt_sandbox.invention.households import invented_patients, with_medications, with_pharmacies
from cobalt_sandbox.invention.laboratory import invented_orders
from cobalt_sandbox.invention.ledger import invented_claims
from cobalt_sandbox.invention.tariff import invented_fee_schedules
from cobalt_sandbox.invention.visits import past_visits
from cobalt_sandbox.invention.weeks import WEEKS, hours

Record = dict[str, Any]

DEMO_CLINIC_SEED: Final = 68
"""With the name ``demo-clinic`` and no other argument it gives ``fixtures/demo-clinic.json``."""

TIMEZONE: Final = "America/Chicago"

SITES: Final = (("Lakeside", "Northfield", "Riverbend", "Prairie", "Old Mill"), ("Family Clinic", "Health Center"))
PHARMACIES: Final = (("Corner", "Harbor", "Greenway", "Union", "Two Rivers"), ("Pharmacy", "Drugs", "Apothecary"))
INSURERS: Final = (
    ("Great Lakes", "Prairie State", "Blue Heron", "Summit", "Heartland", "Lantern", "Evergreen", "Cornerstone"),
    ("Health Plan", "Mutual", "HMO", "PPO", "Medicare Advantage"),
)
SPECIALITIES: Final = (
    *("Cardiology", "Dermatology", "Orthopedic Surgery", "Gastroenterology", "Neurology", "Endocrinology"),
    *("Ophthalmology", "Pulmonology", "Rheumatology", "Urology", "Physical Therapy", "Behavioral Health"),
)

VISIT_TYPES: Final = {
    "NP": "New Patient",
    "FU": "Follow-up",
    "AWV": "Annual Wellness Visit",
    "PE": "Physical Exam",
    "WCC": "Well Child Check",
    "SICK": "Same-day Sick Visit",
    "TELE": "Televisit",
    "BH Visit": "Behavioral Health Visit",
}
VISIT_STATUSES: Final = {
    "CONF": "Confirmed",
    "ARR": "Arrived",
    "COMP": "Visit completed",
    "CANC": "Cancelled in advance",
    "R/S": "Rescheduled",
    "N/S": "No show",
}


def population(
    *,
    seed: int,
    name: str,
    patients: int = 40,
    providers: int = 6,
    referring_providers: int = 12,
    locations: int = 3,
    staff: int = 5,
    pharmacies: int = 4,
    insurance_providers: int = 10,
    eligibility_checks: int = 9,
    calls: int = 14,
    tasks: int = 18,
    referrals: int = 16,
) -> dict[str, object]:
    """A practice as a fixture file has it. NPIs are unique up to 5,000 providers and 5,000 referring providers."""
    draw = draws(seed, name)
    sites = list(invented_locations(draw("locations"), locations))
    colleagues = list(invented_providers(draw("providers"), providers, sites))
    helpers = list(invented_staff(draw("staff"), staff))
    referrers = list(invented_referrers(draw("referring_providers"), referring_providers))
    chemists = list(invented_pharmacies(draw("pharmacies"), pharmacies))
    medicated = with_medications(draw("medications"), invented_patients(draw("patients"), patients))
    people = list(with_pharmacies(medicated, chemists))
    insurers = list(invented_insurers(draw("insurance_providers"), insurance_providers))
    insurances = list(invented_insurances(draw("insurances"), people, insurers))
    checks, benefits = invented_checks(draw("eligibility"), people, insurances, eligibility_checks)
    booked = list(invented_appointments(draw("appointments"), TIMEZONE, colleagues, people, insurances))
    visits = past_visits(draw("visits"), colleagues, people, booked)
    sent, papers = invented_referrals(draw("referrals"), visits, referrers, referrals)
    schedules, fees = invented_fee_schedules(draw("fee_schedules"))
    domain = f"https://{slug(name, '-')}.example"
    return {
        "name": name,
        "access_token": f"at_test_{slug(name, '_')}",
        "access_token_reference_id": slug(name, "_"),
        "ehr": "eClinicalWorks",
        "emr_instance_domain": domain,
        "timezone": TIMEZONE,
        "as_of": TODAY.isoformat(),
        "required_patient_fields": ["first_name", "last_name", "dob", "sex"],
        "visit_types": coded(VISIT_TYPES),
        "visit_statuses": coded(VISIT_STATUSES),
        "payment_methods": list(PAYMENT_METHODS),
        "locations": sites,
        "providers": colleagues,
        "staff": helpers,
        "referring_providers": referrers,
        "patients": people,
        "pharmacies": chemists,
        "insurance_providers": insurers,
        "insurances": insurances,
        "eligibility_checks": checks,
        "eligibility_benefits": benefits,
        "appointments": booked,
        "documents": papers,
        "tasks": list(invented_tasks(draw("tasks"), visits, helpers, tasks)),
        "telephone_encounters": list(invented_calls(draw("calls"), visits, helpers, calls)),
        "referrals": sent,
        "claims": list(invented_claims(draw("claims"), visits, insurances, insurers, domain)),
        "orders": list(invented_orders(draw("orders"), TIMEZONE, visits)),
        "fee_schedules": schedules,
        "fee_schedule_items": fees,
    }


def printed(practice: Mapping[str, object]) -> str:
    """The text of a fixture file, with a line for each record."""
    return "{\n" + ",\n".join(f" {_json(key)}: {_lines(value)}" for key, value in practice.items()) + "\n}\n"


def _lines(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"  {_json(row)}" for row in value) + "\n ]"
    return _json(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def coded(descriptions: Mapping[str, str]) -> list[Record]:
    return [{"code": code, "description": description} for code, description in descriptions.items()]


def invented_locations(draw: Draw, wanted: int) -> Iterator[Record]:
    sites = zip(range(101, 101 + wanted), draw.pairs(SITES), cycle(AREAS), strict=False)
    for number, name, (city, postcode, area_code) in sites:
        suite = f"Suite {draw.dice.randint(1, 9) * 100}" if draw.often(50) else ""
        yield {
            "id": draw.id(),
            "ehr_id": str(number),
            "name": name,
            "address": {"address1": draw.street(), "address2": suite, "city": city, "state": "IL", "zip": postcode},
            "phone": draw.phone(area_code).replace("-", ""),
            "fax": draw.phone(area_code).replace("-", ""),
            "status": "active",
        }


def invented_providers(draw: Draw, wanted: int, locations: Sequence[Record]) -> Iterator[Record]:
    providers = zip(range(wanted), draw.numbers(6200), draw.npis(0), cycle(WEEKS), strict=False)
    for number, ehr_id, own_npi, week in providers:
        home = number % len(locations) if locations else 0
        yield {
            "id": draw.id(),
            "ehr_id": ehr_id,
            "timezone": TIMEZONE,
            "npi": own_npi,
            "name": draw.last_name_first(),
            "status": week.status,
            "hide_in_availability": week.hidden,
            "hours": hours(week, [*locations[home:], *locations[:home]], VISIT_TYPES),
        }


def invented_staff(draw: Draw, wanted: int) -> Iterator[Record]:
    for ehr_id in islice(draw.numbers(12_200), wanted):
        yield {"ehr_id": ehr_id, "name": draw.last_name_first()}


def invented_referrers(draw: Draw, wanted: int) -> Iterator[Record]:
    referrers = zip(range(wanted), draw.numbers(83_000), draw.npis(5000), cycle(SPECIALITIES), strict=False)
    for _, ehr_id, own_npi, speciality in referrers:
        names, (city, postcode, area_code) = draw.names(), draw.dice.choice(AREAS)
        first, last = draw.first_name(names), names.last_name()
        yield {
            "id": draw.id(),
            "ehr_id": ehr_id,
            "name": f"{last}, {first}",
            "first_name": first,
            "last_name": last,
            "middle_initial": draw.dice.choice("ABCDEGHJKLMNPRSTVW") if draw.often(60) else None,
            "speciality": speciality,
            "phone": draw.phone(area_code),
            "fax": draw.phone(area_code),
            "email": f"{mailbox(first, last)}@{slug(speciality, '-')}.example" if draw.often(70) else None,
            "npi": own_npi,
            "address_street": draw.street(),
            "address_city": city,
            "address_state": "IL",
            "address_zip": postcode,
        }


def invented_pharmacies(draw: Draw, wanted: int) -> Iterator[Record]:
    pharmacies = zip(range(wanted), draw.numbers(5000), draw.pairs(PHARMACIES), cycle(AREAS), strict=False)
    for _, ehr_id, name, (city, postcode, area_code) in pharmacies:
        yield {
            "id": draw.id(),
            "ehr_id": ehr_id,
            "name": name,
            "address": {"address1": draw.street(), "city": city, "state": "IL", "zip": postcode},
            "phone": draw.phone(area_code).replace(f"{area_code}-", f"({area_code}) "),
            "email": f"refills@{slug(name, '-')}.example",
            "status": "active",
        }


def invented_insurers(draw: Draw, wanted: int) -> Iterator[Record]:
    """Every eighth is no longer taken."""
    insurers = zip(range(1, wanted + 1), draw.numbers(300), draw.numbers(90_100), draw.pairs(INSURERS), strict=False)
    for number, ehr_id, payer_id, name in insurers:
        yield {
            "id": draw.id(),
            "ehr_id": ehr_id,
            "name": name,
            "payer_id": payer_id,
            "active": number % 8 != 0,
            "created_at": f"2025-01-06T08:00:{number % 60:02d}Z",
        }

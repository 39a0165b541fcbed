"""Invents a practice, its people and places, from a seed and nothing else.

The same arguments give the same practice on any machine, as long as Faker's lists of names are the same (for these
languages they are from Faker 25 to 40 at least). Each part (patients, providers, …) draws by itself, and a larger
practice begins with the people of a smaller one.

Nobody here can be reached: telephone numbers are 555-01xx, mail goes to ``.example`` (RFC 2606), and NPIs are 19999,
four more digits and a valid check digit, the range this project keeps to for invented ones.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Final

from cobalt_sandbox.ehr.calendar import (
    TODAY,
    invented_appointments,
    invented_checks,
    invented_insurances,
    invented_medications,
)
from cobalt_sandbox.ehr.draw import Draw, draws
from cobalt_sandbox.ehr.weeks import WEEKS, hours

if TYPE_CHECKING:
    from faker import Faker

Record = dict[str, Any]

DEMO_CLINIC_SEED: Final = 68
"""With the name ``demo-clinic`` and no other argument it gives ``fixtures/demo-clinic.json``."""

TIMEZONE: Final = "America/Chicago"
AGES_AS_OF: Final = date(2026, 1, 1)

AREAS: Final = (
    ("Chicago", "60657", "773"),
    ("Evanston", "60201", "847"),
    ("Oak Park", "60302", "708"),
    ("Chicago", "60622", "312"),
    ("Skokie", "60077", "847"),
    ("Berwyn", "60402", "708"),
    ("Wilmette", "60091", "847"),
)

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
) -> dict[str, object]:
    """A practice as a fixture file has it. NPIs are unique up to 5,000 providers and 5,000 referring providers."""
    draw = draws(seed, name)
    sites = list(invented_locations(draw("locations"), locations))
    colleagues = list(invented_providers(draw("providers"), providers, sites))
    people = list(invented_patients(draw("patients"), patients))
    insurers = list(invented_insurers(draw("insurance_providers"), insurance_providers))
    insurances = list(invented_insurances(draw("insurances"), people, insurers))
    checks, benefits = invented_checks(draw("eligibility"), people, insurances, eligibility_checks)
    taken = zip(people, invented_medications(draw("medications")), strict=False)
    booked = invented_appointments(draw("appointments"), TIMEZONE, colleagues, people, insurances)
    return {
        "name": name,
        "access_token": f"at_test_{slug(name, '_')}",
        "access_token_reference_id": slug(name, "_"),
        "ehr": "eClinicalWorks",
        "emr_instance_domain": f"https://{slug(name, '-')}.example",
        "timezone": TIMEZONE,
        "as_of": TODAY.isoformat(),
        "required_patient_fields": ["first_name", "last_name", "dob", "sex"],
        "visit_types": coded(VISIT_TYPES),
        "visit_statuses": coded(VISIT_STATUSES),
        "locations": sites,
        "providers": colleagues,
        "staff": list(invented_staff(draw("staff"), staff)),
        "referring_providers": list(invented_referrers(draw("referring_providers"), referring_providers)),
        "patients": [{**patient, "medications": medications} for patient, medications in taken],
        "pharmacies": list(invented_pharmacies(draw("pharmacies"), pharmacies)),
        "insurance_providers": insurers,
        "insurances": insurances,
        "eligibility_checks": checks,
        "eligibility_benefits": benefits,
        "appointments": list(booked),
    }


def printed(practice: Mapping[str, object]) -> str:
    """The text of a fixture file."""
    return json.dumps(practice, ensure_ascii=False, indent=1) + "\n"


def slug(text: str, joint: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", joint, plain.replace("'", "")).strip(joint)


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


def mailbox(first: str, last: str) -> str:
    return f"{slug(first, '')}.{slug(last, '')}"


@dataclass(frozen=True)
class Home:
    """What the members of a household share."""

    names: Faker
    last_name: str
    phone: str
    area_code: str
    address: Mapping[str, str | None]


def invented_patients(draw: Draw, wanted: int) -> Iterator[Record]:
    people = zip(range(wanted), draw.numbers(48_000), draw.numbers(20_000), members(draw), strict=False)
    for _, mrn, ehr_id, (home, age) in people:
        yield patient(draw, home, age, mrn=mrn, ehr_id=ehr_id)


def members(draw: Draw) -> Iterator[tuple[Home, int]]:
    """Household after household, each member with an age."""
    while True:
        home = invented_home(draw)
        for age in household_ages(draw):
            yield home, age


def invented_home(draw: Draw) -> Home:
    names = draw.names()
    city, postcode, area_code = draw.dice.choice(AREAS)
    address = {
        "address_street": draw.street(),
        "address_line2": f"Apt {draw.dice.randint(1, 24)}" if draw.often(40) else None,
        "address_city": city,
        "address_state": "IL",
        "address_zip": postcode,
    }
    return Home(names, names.last_name(), draw.phone(area_code), area_code, address)


def household_ages(draw: Draw) -> list[int]:
    """One adult, a couple, or a couple with one or two children."""
    [children] = draw.dice.choices((-1, 0, 1, 2), (60, 18, 13, 9))
    if children < 0:
        return [draw.dice.randint(18, 93)]
    adult = draw.dice.randint(27, 50) if children else draw.dice.randint(24, 84)
    partner = max(22, adult + draw.dice.randint(-5, 5))
    youngest = draw.dice.randint(0, min(14, adult - 25)) if children else 0
    return [adult, partner, *(youngest + 3 * elder for elder in range(children))]


def patient(draw: Draw, home: Home, age: int, *, mrn: str, ehr_id: str) -> Record:
    [sex] = draw.dice.choices(("female", "male", "unknown"), (51, 47, 2))
    first, middle = draw.first_name(home.names, sex), draw.first_name(home.names, sex)
    born = AGES_AS_OF - timedelta(days=365 * age + draw.dice.randint(1, 364))
    has_cell, has_email = age > 12 and draw.often(80), age > 15 and draw.often(75)
    return {
        "id": draw.id(),
        "ehr_id": ehr_id,
        "mrn": mrn,
        "status": "active",
        "first_name": first,
        "last_name": home.last_name,
        **({"middle_name": middle} if draw.often(30) else {}),
        "dob": born.isoformat(),
        "sex": sex,
        "phone": home.phone,
        "cell_phone": draw.phone(home.area_code) if has_cell else None,
        "email": f"{mailbox(first, home.last_name)}@mail.example" if has_email else None,
        **home.address,
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

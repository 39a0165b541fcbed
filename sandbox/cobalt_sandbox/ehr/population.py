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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, cycle, islice
from random import Random
from typing import TYPE_CHECKING, Final
from uuid import UUID

from cobalt_sandbox.ehr.weeks import WEEKS, hours

if TYPE_CHECKING:
    from faker import Faker

Record = dict[str, object]

DEMO_CLINIC_SEED: Final = 68
"""With the name ``demo-clinic`` and no other argument it gives ``fixtures/demo-clinic.json``."""

NPI_PREFIX: Final = "19999"
TIMEZONE: Final = "America/Chicago"
AGES_AS_OF: Final = date(2026, 1, 1)

LOCALES: Final = {"en_US": 65, "es_ES": 22, "fr_FR": 13}
"""Where the names of a household come from, and how often in a hundred."""

AREAS: Final = (
    ("Chicago", "60657", "773"),
    ("Evanston", "60201", "847"),
    ("Oak Park", "60302", "708"),
    ("Chicago", "60622", "312"),
    ("Skokie", "60077", "847"),
    ("Berwyn", "60402", "708"),
    ("Wilmette", "60091", "847"),
)
STREETS: Final = ("Maple Ave", "Prairie Ave", "Oak St", "Birch Ln", "Lake St", "Elm St", "Orchard Rd", "Mill Rd")

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
) -> dict[str, object]:
    """A practice as a fixture file has it. NPIs are unique up to 5,000 providers and 5,000 referring providers."""
    draw = draws(seed, name)
    sites = list(invented_locations(draw("locations"), locations))
    return {
        "name": name,
        "access_token": f"at_test_{slug(name, '_')}",
        "access_token_reference_id": slug(name, "_"),
        "ehr": "eClinicalWorks",
        "emr_instance_domain": f"https://{slug(name, '-')}.example",
        "timezone": TIMEZONE,
        "required_patient_fields": ["first_name", "last_name", "dob", "sex"],
        "visit_types": coded(VISIT_TYPES),
        "visit_statuses": coded(VISIT_STATUSES),
        "locations": sites,
        "providers": list(invented_providers(draw("providers"), providers, sites)),
        "staff": list(invented_staff(draw("staff"), staff)),
        "referring_providers": list(invented_referrers(draw("referring_providers"), referring_providers)),
        "patients": list(invented_patients(draw("patients"), patients)),
        "pharmacies": list(invented_pharmacies(draw("pharmacies"), pharmacies)),
        "insurance_providers": list(invented_insurers(draw("insurance_providers"), insurance_providers)),
    }


def printed(practice: Mapping[str, object]) -> str:
    """The text of a fixture file."""
    return json.dumps(practice, ensure_ascii=False, indent=1) + "\n"


@dataclass(frozen=True)
class Draw:
    """What one part of the practice is drawn from."""

    dice: Random
    fake: Faker

    def often(self, percent: int) -> bool:
        return self.dice.randrange(100) < percent

    def names(self) -> Faker:
        """Names of one language, for one household."""
        [locale] = self.dice.choices(list(LOCALES), list(LOCALES.values()))
        return self.fake[locale]

    def first_name(self, names: Faker, sex: str = "unknown") -> str:
        """Not from Faker's own list of both sexes, whose order differs between its releases."""
        female = self.often(50) if sex == "unknown" else sex == "female"
        drawn = names.first_name_female() if female else names.first_name_male()
        return " ".join(drawn.split())  # some have two blanks in them

    def last_name_first(self) -> str:
        names = self.names()
        return f"{names.last_name()}, {self.first_name(names)}"

    def id(self) -> str:
        return UUID(int=self.dice.getrandbits(128), version=4).hex

    def phone(self, area_code: str) -> str:
        return f"{area_code}-555-01{self.dice.randrange(100):02d}"

    def street(self) -> str:
        return f"{self.dice.randint(100, 4899)} {self.dice.choice(STREETS)}"

    def numbers(self, above: int) -> Iterator[str]:
        """Rising numbers with gaps, as an EHR gives them that numbers other things in between."""
        number = above
        while True:
            number += self.dice.randint(2, 19)
            yield str(number)

    def npis(self, first: int) -> Iterator[str]:
        """The 5,000 NPIs whose four digits begin at this number, from anywhere among them."""
        start = self.dice.randrange(5000)
        return (npi(first + (start + 37 * number) % 5000) for number in count())

    def pairs(self, words: tuple[Sequence[str], Sequence[str]]) -> Iterator[str]:
        """Names of two words; the first word changes each time, and no name repeats before all have been used."""
        firsts, seconds = (self.dice.sample(part, len(part)) for part in words)
        turns = ((turn, place) for turn in count() for place in range(len(firsts)))
        return (f"{firsts[place]} {seconds[(place + turn) % len(seconds)]}" for turn, place in turns)


def draws(seed: int, name: str) -> Callable[[str], Draw]:
    """What begins the draw of a part. One at a time: they share one Faker."""
    from faker import Faker  # not at the top: a server that starts imports this module and never calls it

    fake = Faker(list(LOCALES))

    def draw(part: str) -> Draw:
        key = f"{seed}/{name}/{part}"
        fake.seed_instance(key)
        return Draw(Random(key), fake)

    return draw


def npi(number: int) -> str:
    """The NPI of the invented range with this number, 0 to 9,999."""
    body = f"{NPI_PREFIX}{number:04d}"
    return body + str(-luhn_sum(f"80840{body}0") % 10)


def luhn_sum(digits: str) -> int:
    """ISO/IEC 7812: every second digit from the right is doubled, and its own digits added."""
    return sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(reversed(digits)))


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
        for age in household_ages(draw.dice):
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


def household_ages(dice: Random) -> list[int]:
    """One adult, a couple, or a couple with one or two children."""
    [children] = dice.choices((-1, 0, 1, 2), (60, 18, 13, 9))
    if children < 0:
        return [dice.randint(18, 93)]
    adult = dice.randint(27, 50) if children else dice.randint(24, 84)
    partner = max(22, adult + dice.randint(-5, 5))
    youngest = dice.randint(0, min(14, adult - 25)) if children else 0
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
        yield {"id": draw.id(), "ehr_id": ehr_id, "name": name, "payer_id": payer_id, "active": number % 8 != 0}

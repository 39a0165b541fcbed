"""Invents the people of an invented practice: households, whose members share a name, a telephone and a home."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

from cobalt_sandbox.invention.calendar import invented_medications
from cobalt_sandbox.invention.draw import AREAS, Draw, mailbox

if TYPE_CHECKING:
    from faker import Faker

Record = dict[str, Any]

AGES_AS_OF: Final = date(2026, 1, 1)
#: So many pharmacies fill what all the patients take.
NEARBY: Final = 4


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


def with_medications(draw: Draw, people: Iterable[Record]) -> Iterator[Record]:
    taken = zip(people, invented_medications(draw), strict=False)
    return ({**person, "medications": medications} for person, medications in taken)


def with_pharmacies(people: Iterable[Record], pharmacies: Sequence[Record]) -> Iterator[Record]:
    """Whoever takes something gets it somewhere near, so that more pharmacies change nothing."""
    chosen = cycle([_as_known(pharmacy) for pharmacy in pharmacies[:NEARBY]] or [None])
    for person, pharmacy in zip(people, chosen, strict=False):
        yield {**person, "pharmacies": [pharmacy]} if pharmacy and person["medications"] else person


def _as_known(pharmacy: Record) -> Record:
    place = pharmacy["address"]
    return {
        "pharmacy_ehr_id": pharmacy["ehr_id"],
        "is_primary": "1",
        "name": pharmacy["name"],
        "address": place["address1"],
        "city": place["city"],
        "state": place["state"],
        "zip": place["zip"],
        "phone": pharmacy["phone"],
    }

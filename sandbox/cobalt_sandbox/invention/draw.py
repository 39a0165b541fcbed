"""Chance for inventing a practice: names, numbers and streets, drawn part by part, so that no part moves another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Final
from uuid import UUID

from cobalt_sandbox.invention.npi import npi

if TYPE_CHECKING:
    from faker import Faker

LOCALES: Final = {"en_US": 65, "es_ES": 22, "fr_FR": 13}
"""Where the names of a household come from, and how often in a hundred."""

STREETS: Final = ("Maple Ave", "Prairie Ave", "Oak St", "Birch Ln", "Lake St", "Elm St", "Orchard Rd", "Mill Rd")

#: City, postcode and area code.
AREAS: Final = (
    ("Chicago", "60657", "773"),
    ("Evanston", "60201", "847"),
    ("Oak Park", "60302", "708"),
    ("Chicago", "60622", "312"),
    ("Skokie", "60077", "847"),
    ("Berwyn", "60402", "708"),
    ("Wilmette", "60091", "847"),
)


@dataclass(frozen=True)
class Draw:
    """What one part of the practice is drawn from."""

    dice: Random
    fake: Faker

    def often(self, percent: int) -> bool:
        return self.dice.randrange(100) < percent

    def weighted(self, weights: Mapping[str, int]) -> str:
        """One of the keys, as often as its value says."""
        [drawn] = self.dice.choices(list(weights), list(weights.values()))
        return drawn

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


def slug(text: str, joint: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", joint, plain.replace("'", "")).strip(joint)


def mailbox(first: str, last: str) -> str:
    return f"{slug(first, '')}.{slug(last, '')}"

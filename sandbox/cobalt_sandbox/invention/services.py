"""Invents what was done in a visit, as the codes that are charged for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from cobalt_sandbox.invention.draw import Draw
from cobalt_sandbox.invention.tariff import CODES, Code, contracted, is_preventive
from cobalt_sandbox.invention.visits import Visit


class Service(NamedTuple):
    """One line of a claim. ``allowed`` is what the payer agrees to of the ``charge``; both are in cents."""

    code: Code
    modifiers: tuple[str, ...]
    units: int
    charge: int
    allowed: int

    @property
    def is_preventive(self) -> bool:
        return is_preventive(self.code.code)


#: How often a known patient's visit is charged as what.
ESTABLISHED: Final = {"99212": 12, "99213": 55, "99214": 30, "99215": 3}
NEW: Final = {"99202": 20, "99203": 55, "99204": 25}
TALKS: Final = {"90832": 25, "90834": 50, "90837": 15, "90791": 10}

#: What else is done in a visit of a type; each is one to three codes.
EXTRAS: Final = {
    "FU": (("36415", "80053"), ("36415", "83036"), ("36415", "80061"), ("36415", "84443"), ("82962",), ("93000",)),
    "SICK": (("87880",), ("87804",), ("81002",), ("94760", "94640"), ("69210",), ("96372", "J1885"), ("10060",)),
    "NP": (("36415", "85025"), ("36415", "80053", "80061"), ("93000",), ("94010",), ("20610", "J3301"), ("17110",)),
    "PE": (("36415", "80053", "80061"), ("90471", "90686"), ("90471", "90715"), ("93000",), ("82270",)),
    "WCC": (("90471", "90686"), ("90471", "90707"), ("96127",), ("86580",)),
    "AWV": (("90471", "90686"), ("36415", "80061"), ("93000",)),
    "BH Visit": (("96127",),),
}
#: Of a hundred visits so many are charged with something else, too.
WITH_EXTRAS: Final = 55
#: By the age up to which they are charged.
PREVENTIVE: Final = {0: "99391", 4: "99392", 11: "99393", 17: "99394", 39: "99395", 64: "99396"}
#: What is done beside a visit, for which the visit must be marked as one of its own.
BESIDE: Final = ("96372", "10060", "20610", "17110", "69210", "90471")


def services(draw: Draw, visit: Visit, *, by_medicare: bool) -> list[Service]:
    """The lines of the claim for a visit, the visit itself first."""
    more = draw.dice.choice(EXTRAS.get(visit.visit_type, ((),))) if draw.often(WITH_EXTRAS) else ()
    modifiers = tuple(_modifiers(visit, more))
    first = _service(_visit_code(draw, visit, by_medicare=by_medicare), modifiers, 1, by_medicare=by_medicare)
    return [first, *(_service(each, (), _units(draw, each), by_medicare=by_medicare) for each in more)]


def _service(code: str, modifiers: tuple[str, ...], units: int, *, by_medicare: bool) -> Service:
    entry = CODES[code]
    allowed = min(entry.fee, entry.allowed) if by_medicare else contracted(entry)
    return Service(entry, modifiers, units, entry.fee * units, allowed * units)


def _visit_code(draw: Draw, visit: Visit, *, by_medicare: bool) -> str:
    if visit.visit_type == "NP":
        return draw.weighted(NEW)
    if visit.visit_type == "BH Visit":
        return draw.weighted(TALKS)
    if visit.visit_type not in ("PE", "WCC", "AWV"):
        return draw.weighted(ESTABLISHED)
    if by_medicare:
        return "G0439"
    return next((code for oldest, code in PREVENTIVE.items() if visit.age <= oldest), "99397")


def _modifiers(visit: Visit, more: tuple[str, ...]) -> Iterator[str]:
    if any(code in BESIDE for code in more):
        yield "25"
    if visit.visit_type == "TELE":
        yield "95"


def _units(draw: Draw, code: str) -> int:
    """Injections are charged by the dose."""
    return draw.dice.choice((2, 4)) if code.startswith("J") else 1

"""Invented National Provider Identifiers: valid in form, and from a range that this project keeps to."""

from __future__ import annotations

from typing import Final

#: Four more digits and a check digit follow.
NPI_PREFIX: Final = "19999"


def npi(number: int) -> str:
    """The NPI of the invented range with this number, 0 to 9,999."""
    body = f"{NPI_PREFIX}{number:04d}"
    return body + str(-luhn_sum(f"80840{body}0") % 10)


def luhn_sum(digits: str) -> int:
    """ISO/IEC 7812: every second digit from the right is doubled, and its own digits added."""
    return sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(reversed(digits)))

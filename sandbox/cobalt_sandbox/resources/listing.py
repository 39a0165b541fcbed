"""What lists have in common: how a filter matches, and how a page is cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cobalt_sandbox.endpoint import Row
from cobalt_sandbox.validation import digits


class Rows(Protocol):
    """What can be cut into pages: a sequence, a table, a part of a table."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> Sequence[Any]: ...


class CountedPages(Row):
    """``pagination`` as most lists give it; ``total_pages`` of an empty list is 0 (D23)."""

    current_page: int
    total_pages: int
    total_count: int
    page_size: int


def page_of(rows: Rows, page: int, size: int) -> tuple[Sequence[Any], CountedPages]:
    """One page, counted from 1, and where it stands. A page past the end is empty (D23)."""
    count = len(rows)
    pages = CountedPages(current_page=page, total_pages=-(-count // size), total_count=count, page_size=size)
    return rows[(page - 1) * size : page * size], pages


class NewestFirst(Sequence[Any]):
    """A sequence read from its end, without a copy."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, part: Any) -> Any:
        start, stop, _ = part.indices(len(self))
        return self._rows[len(self) - stop : len(self) - start][::-1]


def contains(value: str | None, part: str | None) -> bool:
    """In part, in any case. Without a part everything matches."""
    return part is None or part.casefold() in (value or "").casefold()


def same_number(value: str | None, number: str | None) -> bool:
    """The same digits, however the two are written. Without a number everything matches."""
    return number is None or digits(value or "") == digits(number)

"""What lists have in common: how a filter matches, and how a page is cut."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from cobalt_sandbox.endpoint import Row
from cobalt_sandbox.fields import EndBeforeStart, digits
from cobalt_sandbox.table import Record


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


class RecordPages(Row):
    """``pagination`` as the newest billing pages give it."""

    page: int
    page_size: int
    total_records: int
    total_pages: int

    @classmethod
    def after(cls, pages: CountedPages) -> RecordPages:
        return cls(
            page=pages.current_page,
            page_size=pages.page_size,
            total_records=pages.total_count,
            total_pages=pages.total_pages,
        )


def days_as_written(start: str | None, end: str | None) -> tuple[str, str]:
    """The first and the last day meant by two range edges, for dates that are days of no zone: an hour is not looked at.

    An edge that is not given is a string before, or after, every day.
    """
    first, last = (start or "")[:10], (end or "~")[:10]
    if last < first:
        raise EndBeforeStart
    return first, last


def page_of(rows: Rows, page: int, size: int) -> tuple[Sequence[Any], CountedPages]:
    """One page, counted from 1, and where it stands. A page past the end is empty (D23)."""
    count = len(rows)
    pages = CountedPages(current_page=page, total_pages=-(-count // size), total_count=count, page_size=size)
    return rows[(page - 1) * size : page * size], pages


Shown = TypeVar("Shown")


class _AsItIs:
    """Written as what it is declared to be, without a check that it is."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.json_or_python_schema(handler(source), core_schema.any_schema())


#: A part of a reply that is plain data, read off records, which were checked when they were made.
AsRead = Annotated[Shown, _AsItIs()]


def read_off(row: type[Shown], records: Iterable[Record], *, without: Collection[str] = ()) -> list[Shown]:
    """Rows, a TypedDict each, read off records, which were checked when they were made; ``without`` names keys to leave out."""
    names = [name for name in row.__annotations__ if name not in without]
    rows: list[Any] = [{name: each[name] for name in names} for each in map(vars, records)]
    return rows


def bare(records: Iterable[Record], *, without: Collection[str] = ()) -> list[Any]:
    """The fields of records, for a reply whose AsRead rows have the same ones in the same order: others are not written.

    This is for long lists, since it takes half as long as ``read_off``.
    """
    if not without:
        return [vars(each) for each in records]
    rows = [vars(each).copy() for each in records]
    for row in rows:
        for name in without:
            del row[name]
    return rows


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

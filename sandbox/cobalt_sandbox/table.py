"""Records and the tables that hold them: found by index, listed in order, copied without cost to the original."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, dataclass_transform

from pydantic import ConfigDict


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """What a table holds: an immutable dataclass with an ``id``. A subclass declares one kind of record.

    ``table`` names its table, ``index`` the fields it is found by, ``listed_by`` those it is listed by, else by creation,
    and ``dated`` those that hold dates near the day of their fixture: ``payments.date`` is ``date`` in each of ``payments``.
    ``heavy`` is a field of many bytes, which the table adds up.
    """

    table: ClassVar[str]
    index: ClassVar[tuple[str, ...]]
    listed_by: ClassVar[tuple[str, ...]]
    dated: ClassVar[tuple[str, ...]]
    heavy: ClassVar[str | None]
    __pydantic_config__: ClassVar[ConfigDict]
    id: str

    def __init_subclass__(
        cls,
        *,
        table: str,
        index: tuple[str, ...] = (),
        listed_by: tuple[str, ...] = (),
        dated: tuple[str, ...] = (),
        heavy: str | None = None,
    ) -> None:
        cls.table, cls.index, cls.listed_by, cls.dated, cls.heavy = table, index, listed_by, dated, heavy
        cls.__pydantic_config__ = ConfigDict(extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")
        dataclasses.dataclass(frozen=True, kw_only=True, eq=False)(cls)


R = TypeVar("R", bound=Record)


class Orders(NamedTuple):
    """How a table's rows are arranged where that does not follow from them: listed, and found by each field."""

    listed: Sequence[str] = ()
    found: Mapping[str, Sequence[Sequence[str]]] = {}


class _Index:
    """From a value to ids, oldest first. Most values have one id, and are kept apart from those that have many."""

    __slots__ = ("_many", "_one")

    def __init__(self) -> None:
        self._one: dict[object, str] = {}
        self._many: dict[object, dict[str, None]] = {}

    def copy(self) -> _Index:
        twin = _Index()
        twin._one = self._one.copy()
        twin._many = {value: ids.copy() for value, ids in self._many.items()}
        return twin

    def add(self, value: object, id: str) -> None:
        if value in self._many:
            self._many[value][id] = None
        elif value in self._one:
            self._many[value] = {self._one.pop(value): None, id: None}
        elif value is not None:
            self._one[value] = id

    def remove(self, value: object, id: str) -> None:
        if value in self._many:
            del self._many[value][id]
        elif value is not None:
            del self._one[value]

    def first(self, value: object) -> str | None:
        return self._one.get(value) or next(iter(self._many.get(value, ())), None)

    def all(self, value: object) -> Iterable[str]:
        return (self._one[value],) if value in self._one else self._many.get(value, ())

    def arranged_unlike(self, other: _Index) -> Iterator[list[str]]:
        """The ids of each value that the other has in another order."""
        return (list(ids) for value, ids in self._many.items() if list(ids) != list(other.all(value)))

    def arrange(self, value: object, ids: Sequence[str]) -> None:
        """Put the ids of a value in order. Raises ValueError when they are not its own."""
        if set(ids) != set(self.all(value)):
            raise ValueError("an order does not have the rows that it is of")
        self._many[value] = dict.fromkeys(ids)


class Table(Generic[R]):
    """The records of one kind. Since they are immutable, a copy shares them and never sees the other's changes.

    ``weight`` is the number of bytes in their ``heavy`` field.
    """

    def __init__(self, kind: type[R]) -> None:
        self.kind = kind
        self.weight = 0
        self._is_shared = False
        self._rows: dict[str, R] = {}
        self._listed: list[str] = []
        self._found = {field: _Index() for field in kind.index}

    @classmethod
    def of(cls, kind: type[R], rows: Iterable[R]) -> Table[R]:
        """A table of many rows, put in order once."""
        table: Table[R] = cls(kind)
        for row in rows:
            table._insert(row)
            table._listed.append(row.id)
        if kind.listed_by:
            table._listed.sort(key=table._sort_key)
        return table

    def copy(self) -> Table[R]:
        """A twin that shares everything until it is written to for the first time. This one is not written to any more."""
        twin: Table[R] = Table(self.kind)
        twin._rows, twin._listed, twin._found = self._rows, self._listed, self._found
        twin._is_shared, twin.weight = True, self.weight
        return twin

    @property
    def is_untouched(self) -> bool:
        """Nothing has been written to it since it was copied."""
        return self._is_shared

    def rows(self) -> list[R]:
        """All, oldest first."""
        return list(self._rows.values())

    def orders(self) -> Orders:
        """What another table needs to know, beside the rows, to be as this one: rows that were replaced are rearranged."""
        plain: Table[R] = Table.of(self.kind, self.rows())
        found = {field: list(index.arranged_unlike(plain._found[field])) for field, index in self._found.items()}
        return Orders(
            self._listed if self._listed != plain._listed else (), {field: ids for field, ids in found.items() if ids}
        )

    def arrange(self, orders: Orders) -> None:
        """Raises ValueError when they are another table's."""
        if orders.listed:
            if sorted(orders.listed) != sorted(self._listed):
                raise ValueError("an order does not have the rows that it is of")
            self._listed = list(orders.listed)
        for field, found in orders.found.items():
            for ids in found:
                first = self._rows.get(ids[0]) if ids else None
                if first is None or field not in self._found:
                    raise ValueError(f"an order by {field!r} is of no rows")
                self._found[field].arrange(getattr(first, field), ids)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return (self._rows[id] for id in self._listed)

    def __getitem__(self, part: slice) -> list[R]:
        return [self._rows[id] for id in self._listed[part]]

    def at(self, place: int) -> R:
        return self._rows[self._listed[place]]

    def get(self, id: str) -> R | None:
        """By id: the exact text first, then without dashes (D2)."""
        return self._rows.get(id) or self._rows.get(id.replace("-", ""))

    def the(self, id: str) -> R:
        """The row with this very id. Raises KeyError."""
        return self._rows[id]

    def find(self, field: str, value: object) -> list[R]:
        """All whose indexed ``field`` equals ``value``, oldest first."""
        return [self._rows[id] for id in self._found[field].all(value)]

    def first(self, field: str, value: object) -> R | None:
        id = self._found[field].first(value)
        return None if id is None else self._rows[id]

    def add(self, row: R) -> R:
        self._own()
        self._insert(row)
        self._list(row)
        return row

    def replace(self, row: R, **changes: Any) -> R:
        """Put a changed copy in the place of ``row``."""
        self._own()
        changed: R = dataclasses.replace(row, **changes)  # type: ignore[type-var]  # Record makes it a dataclass
        if self.kind.listed_by:
            del self._listed[self._place(row)]
        self._rows[row.id] = changed
        self.weight += _weight(changed) - _weight(row)
        if self.kind.listed_by:
            self._list(changed)
        for field, index in self._found.items():
            before, after = getattr(row, field), getattr(changed, field)
            if before != after:
                index.remove(before, row.id)
                index.add(after, row.id)
        return changed

    def _own(self) -> None:
        if self._is_shared:
            self._rows, self._listed = self._rows.copy(), self._listed.copy()
            self._found = {field: ids.copy() for field, ids in self._found.items()}
            self._is_shared = False

    def _insert(self, row: R) -> None:
        if row.id in self._rows:
            raise ValueError(f"{self.kind.table}: two rows have the id {row.id!r}")
        self._rows[row.id] = row
        self.weight += _weight(row)
        for field, index in self._found.items():
            index.add(getattr(row, field), row.id)

    def _list(self, row: R) -> None:
        if self.kind.listed_by:
            insort(self._listed, row.id, key=self._sort_key)
        else:
            self._listed.append(row.id)

    def _place(self, row: R) -> int:
        place = bisect_left(self._listed, self._sort_key(row.id), key=self._sort_key)
        return self._listed.index(row.id, place)

    def _sort_key(self, id: str) -> tuple[str, ...]:
        row = self._rows[id]
        return tuple((getattr(row, field) or "").lower() for field in self.kind.listed_by)


def _weight(row: Record) -> int:
    return len(getattr(row, row.heavy)) if row.heavy else 0


class Stretch(Generic[R]):
    """The rows with a ``key`` from ``first`` to ``last``, both included, of a table or list that is in the order of the key.

    They are found by bisection, and read without a copy.
    """

    def __init__(self, rows: Table[R] | list[R], key: Callable[[R], Any], first: Any = None, last: Any = None) -> None:
        at = rows.at if isinstance(rows, Table) else rows.__getitem__

        def key_at(place: int) -> Any:
            return key(at(place))

        places = range(len(rows))
        low = 0 if first is None else bisect_left(places, first, key=key_at)
        high = len(rows) if last is None else bisect_right(places, last, key=key_at)
        self._rows, self._places = rows, range(low, max(low, high))

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[R]:
        return iter(self[:])

    def __getitem__(self, part: slice) -> list[R]:
        places = self._places[part]
        return self._rows[places.start : places.stop]

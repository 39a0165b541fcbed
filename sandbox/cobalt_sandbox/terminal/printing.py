"""What commands print: tables for people, JSON lines for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

Json = Mapping[str, Any]


def is_for_programs(flag: bool) -> bool:  # noqa: FBT001  # it is what --json says
    """JSON where it is asked for, and wherever nobody is watching."""
    return flag or not sys.stdout.isatty()


def print_line(document: Any) -> None:
    click.echo(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))


def print_table(rows: Iterable[Json], columns: Sequence[str]) -> None:
    """``columns`` are the keys that are shown, and the headings."""
    lines = [[column.replace("_", " ") for column in columns]]
    lines += [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def print_record(record: Json) -> None:
    """Each key with its value, one a line."""
    width = max(map(len, record), default=0)
    for key, value in record.items():
        click.echo(f"{key.ljust(width)}  {cell(value)}")


def cell(value: Any) -> str:
    """A value in one line, and without what a terminal would take for an order."""
    if value is None or value == "":
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else "?" for letter in text)

"""What is kept of a request, and shown of it later: its head and its body, without what is secret, long or both."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isfinite
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

#: Bytes of a head, and of a body.
KEPT = 4_096
#: Characters of a text, items of an array, fields of an object.
LONGEST_TEXT, MOST_ITEMS, MOST_FIELDS = 200, 20, 100
DEEPEST = 20

_SECRET = re.compile("base64|token|secret|password|authorization|cookie", re.IGNORECASE)
_NOT_SHOWN = "(not shown)"


class Sent(NamedTuple):
    """A request as it is kept: its head in one piece, its body as it came if that is short, else what is shown of it."""

    head: bytes
    body: bytes
    size: int

    @classmethod
    def of(cls, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Sent:
        kept = body if len(body) <= KEPT else to_json(redacted(from_json(body)))[:KEPT]
        return cls(b"\n".join(map(b": ".join, headers))[:KEPT], kept, len(body))

    def headers(self) -> dict[str, str]:
        """By name; a secret is known to have been there, and no more."""
        pairs = (line.decode("latin-1").partition(": ") for line in self.head.split(b"\n") if line)
        return {name: _NOT_SHOWN if _SECRET.search(name) else _cut(value) for name, _, value in pairs}

    def shown_body(self) -> Any:
        """The JSON, ``None`` without one."""
        if not self.body:
            return None
        value = from_json(self.body, allow_partial="trailing-strings")
        return redacted(value) if self.size <= KEPT else value


def redacted(value: Any, depth: int = 0) -> Any:
    """The same JSON without secrets and contents of documents, and with the beginning of what is long or deep."""
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if not isinstance(value, list | dict):
        return value
    if depth >= DEEPEST:
        return "…"
    if isinstance(value, list):
        more = len(value) - MOST_ITEMS
        return [redacted(each, depth + 1) for each in value[:MOST_ITEMS]] + ([f"… {more} more"] if more > 0 else [])
    return {
        _cut(name): _hidden(each) if _SECRET.search(name) else redacted(each, depth + 1)
        for name, each in list(value.items())[:MOST_FIELDS]
    }


def _hidden(value: Any) -> str:
    return f"({len(value)} characters, not shown)" if isinstance(value, str) else _NOT_SHOWN


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text)} characters)"

"""Reads multipart/form-data as it arrives: the parts of a form by name, each kept once."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.filenames import kept_name
from cobalt_sandbox.forms import Upload

#: More parts than any documented form has; past it, the rest could only fill memory.
MOST_PARTS = 64
#: Of the headers of one part together.
MOST_HEAD_BYTES = 4096
#: In characters (RFC 2046).
LONGEST_BOUNDARY = 70


class NotMultipart(CobaltError):
    template = "Content-Type must be multipart/form-data."  # Table 2


class NoBoundary(CobaltError):
    template = "Content-Type must name a boundary of 1 to {most} characters."


class BrokenMultipart(CobaltError):
    template = "Invalid multipart/form-data in request body: {cause}."


class FormReader:
    """One body on its way in. Raises NotMultipart, NoBoundary, BrokenMultipart."""

    def __init__(self, content_type: bytes) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            raise NotMultipart
        boundary = options.get(b"boundary", b"")
        if not 1 <= len(boundary) <= LONGEST_BOUNDARY:
            raise NoBoundary(most=LONGEST_BOUNDARY)
        self._found = _Found()
        self._parser = MultipartParser(boundary, self._found.callbacks())  # type: ignore[arg-type]  # a TypedDict

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise self._found.broken() from None

    def parts(self) -> dict[str, str | Upload]:
        """Texts, and files with their names, once all was fed. Of two with one name the last counts."""
        if not self._found.is_whole:
            raise BrokenMultipart(cause="it ends before its last boundary")
        return self._found.parts


class _Found:
    """What the parser has found so far. It does not know the parser: a circle would keep the files until garbage is looked
    for."""

    def __init__(self) -> None:
        self.parts: dict[str, str | Upload] = {}
        self.is_whole = False
        self._count = 0

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_begin": self._begin_header,
            "on_header_field": self._add_to_field,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_part_data": self._add,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def broken(self) -> BrokenMultipart:
        place = f"part {self._count} cannot be read" if self._count else "it does not begin with the boundary"
        return BrokenMultipart(cause=place)

    def _begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise BrokenMultipart(cause=f"it has more than {MOST_PARTS} parts")
        self._headers: dict[bytes, bytes] = {}
        self._head_bytes = 0
        self._data = BytesIO()  # gives its bytes away without a copy

    def _begin_header(self) -> None:
        self._field, self._value = b"", b""

    def _add_to_field(self, data: bytes, start: int, end: int) -> None:
        self._demand_small_head(end - start)
        self._field += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._demand_small_head(end - start)
        self._value += data[start:end]

    def _demand_small_head(self, more: int) -> None:
        self._head_bytes += more
        if self._head_bytes > MOST_HEAD_BYTES:
            raise self.broken()

    def _end_header(self) -> None:
        self._headers[self._field.lower()] = self._value

    def _add(self, data: bytes, start: int, end: int) -> None:
        self._data.write(memoryview(data)[start:end])

    def _end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        kind = self._headers.get(b"content-type", b"").decode("latin-1")
        content = self._data.getvalue()
        try:
            name, filename = options[b"name"].decode(), options.get(b"filename", b"").decode()
            is_file = b"filename" in options
            self.parts[name] = Upload(kept_name(filename), kind or None, content) if is_file else content.decode()
        except (KeyError, UnicodeDecodeError):
            raise self.broken() from None

    def _finish(self) -> None:
        self.is_whole = True

"""Anything that a client could send: requests from right to absurd, drawn from what an operation declares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, quote_from_bytes, urlencode

from hypothesis import strategies as st

Json = dict[str, Any]
Strategy = st.SearchStrategy[Any]


@dataclass(frozen=True)
class Request:
    """What goes over the wire. ``target`` is percent-encoded; ``headers`` are sent as they are, ``host`` included."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


#: What the HTTP parser passes on, but CONNECT, which asks for a tunnel.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "LOCK", "SEARCH", "QUERY")

#: Values that mean something to some field, so that a drawn request is right often enough, and wrong in telling ways.
WORDS = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1",
        "12345",
        "1234567",
        "PROV-001",
        "PROV-002",
        "active",
        "true",
        "null",
        "None",
        "{}",
        "{0}",
    ),
    *("1990-01-31", "2026-02-30", "0001-01-01", "9999-12-31", "2026-W01-1", "2026-03-10T10:30:00Z", "success"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999", "9999-12-31T23:59:59-23:59", "created_at"),
    *("report.pdf", ".pdf", "report.", "aGVsbG8=", "aGVsbG8", "====", "referral.created", "patient.created"),
    *(
        "https://client.example/webhook",
        "http://[::1",
        "http://a:99999/",
        "ftp://a/",
        "https://ä.example",
        "http://a:0/",
    ),
    *("555-555-0100", "5555550100", "1234567890", "ValidationError", "OtherError", "Doe", "{place}", "{names}", "%s"),
    *(
        "instant",
        "0..1",
        "1..0",
        "nan..nan",
        "0..1e300",
        "-1..1",
        "documentation",
        "empty",
        "webhooks",
        "a\x00b",
        "\u2028",
    ),
)
INSTANTS = tuple(word for word in WORDS if word.startswith(("0001", "9999", "2026")))
NUMBERS = (
    0,
    1,
    2,
    -1,
    100,
    101,
    1.5,
    -0.0,
    2**31,
    2**53,
    2**64,
    10**9,
    10**30,
    -(10**30),
    1e308,
    float("inf"),
    float("nan"),
)

#: Every character there is, halves of surrogate pairs included.
TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.sampled_from(WORDS), TEXT, st.sampled_from(NUMBERS), st.integers(), st.floats()
)
_FLAT = st.lists(SCALARS, max_size=3) | st.dictionaries(TEXT, SCALARS, max_size=3)
ANY_JSON: Strategy = st.one_of(
    SCALARS, SCALARS, _FLAT, st.lists(_FLAT, max_size=3), st.dictionaries(TEXT, _FLAT | SCALARS, max_size=3)
)


# Bodies ----------------------------------------------------------------------------------------------------------


def right(schema: Json, document: Json) -> Strategy:
    """Values of the kind that a schema describes; whether they pass every rule is for the API to say."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return st.deferred(lambda: right(document["components"]["schemas"][name], document))
    if "anyOf" in schema:
        return st.one_of([right(each, document) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds: dict[str | None, Strategy] = {
        "string": st.sampled_from(INSTANTS if "format" in schema else WORDS) | TEXT,
        "integer": _numbers(schema),
        "number": _numbers(schema),
        "boolean": st.booleans(),
    }
    if schema.get("type") == "array":
        return st.lists(right(schema["items"], document), max_size=3)
    if schema.get("type") == "object":
        required = schema.get("required", ())
        fields = schema.get("properties", {}).items()
        return _objects([(name, right(each, document), name in required) for name, each in fields])
    return kinds.get(schema.get("type"), ANY_JSON)


def _numbers(schema: Json) -> Strategy:
    """Small ones: where a number is a length of time, a hundred examples of it must stay within the calendar."""
    return st.integers(schema.get("minimum", 0), min(schema.get("maximum", 1000), 1_000_000))


#: What becomes of a field, by whether it is required and its object spoiled.
_FATES = {
    (False, False): st.sampled_from(("right", "dropped", "dropped")),
    (False, True): st.sampled_from(("right", "dropped", "dropped", "dropped", "absurd")),
    (True, False): st.just("right"),
    (True, True): st.sampled_from((*("right",) * 6, "dropped", "absurd")),
}


@st.composite
def _objects(draw: st.DrawFn, fields: list[tuple[str, Strategy, bool]]) -> Json:
    """Objects with the required fields and some others; in every second one, fields are dropped, mistyped or added."""
    spoiled = draw(st.booleans())
    made: Json = {}
    for name, values, is_required in fields:
        fate = draw(_FATES[is_required, spoiled])
        if fate != "dropped":
            made[name] = draw(values if fate == "right" else ANY_JSON)
    if spoiled and draw(st.booleans()):
        made[draw(TEXT)] = draw(ANY_JSON)
    return made


_SPELLINGS = st.sampled_from(("ASCII", "ASCII", "UTF-8"))


@st.composite
def _encoded(draw: st.DrawFn, values: Strategy) -> bytes:
    """JSON in ASCII, in UTF-8, and in UTF-8 with surrogates, which is none."""
    value, is_ascii = draw(values), draw(_SPELLINGS) == "ASCII"
    return json.dumps(value, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")


_ANY_BODY = st.one_of(
    _encoded(ANY_JSON),
    st.binary(max_size=40),
    st.sampled_from((b"[" * 100_000, b'{"a":' * 1000, b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b'{"a":1}{}')),
    st.none(),
)


def bodies(schema: Json, document: Json) -> Strategy:
    """None, any bytes, any JSON, and mostly what the schema describes, more or less."""
    near = _encoded(right(schema, document))
    return st.one_of(near, near, near, near, _ANY_BODY)


BOUNDARY = "a-boundary"


@st.composite
def forms(draw: st.DrawFn, declared: list[str]) -> bytes:
    """Any bytes, and mostly parts with the names that are declared: right, lost, doubled, cut off."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=60) | st.sampled_from((b"{}", f"--{BOUNDARY}".encode(), b"--a-boundary--\r\n")))
    names = [*declared, draw(st.sampled_from(("unheard_of", "document", "\u00e9", "")))]
    parts = [_part(draw, name) for name in names if draw(st.integers(0, 4))]
    whole = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    return whole[: draw(st.integers(0, len(whole)))] if draw(st.integers(0, 4)) == 0 else whole


def _part(draw: st.DrawFn, name: str) -> bytes:
    filename = draw(st.sampled_from((None, "x.pdf", "../\u00e9.pdf", "C:\\x", "", "\u2028.txt")))
    if (name == "document") == (filename is None) and draw(st.integers(0, 3)):
        filename = "scan.pdf" if name == "document" else None
    told = (
        "" if filename is None else f'; filename="{filename}"\r\ncontent-type: {draw(st.sampled_from(WORDS)).strip()}'
    )
    head = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"{told}\r\n\r\n'
    value = draw(st.binary(max_size=20) | st.sampled_from(WORDS).map(str.encode))
    return head.encode("utf-8", "replace") + value + b"\r\n"


# Targets and headers ---------------------------------------------------------------------------------------------

VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=12)
SEGMENTS = st.one_of(
    st.sampled_from(WORDS).map(lambda word: quote(word, safe="")),
    st.text(max_size=12).map(lambda text: quote(text, safe="")),
    st.binary(max_size=8).map(quote_from_bytes),
    VISIBLE.filter(lambda text: "?" not in text),
)


_SURPLUS = st.sampled_from(("", "", "", "", "", "/", "/x", "//"))


@st.composite
def _targets(draw: st.DrawFn, path: str, queries: st.SearchStrategy[str]) -> str:
    parts = [draw(SEGMENTS) if part.startswith("{") else part for part in path.split("/")]
    surplus, query = draw(_SURPLUS), draw(queries)
    return "/".join(parts) + surplus + (f"?{query}" if query else "")


def _queries(parameters: list[Json]) -> st.SearchStrategy[str]:
    declared = [each["name"] for each in parameters if each["in"] == "query"]
    names = st.sampled_from([*declared, "unheard_of"])
    values = st.sampled_from(WORDS) | st.text(max_size=12) | st.integers(-1, 1000).map(str)
    pairs = st.lists(st.tuples(names, values), max_size=4).map(urlencode)
    return st.one_of(st.just(""), pairs, pairs, VISIBLE, st.binary(max_size=12).map(quote_from_bytes))


#: Latin-1 without control characters.
VALUES = st.text([chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x100))], max_size=20)
#: Not those that frame a request or ask for another protocol: what they say is HTTP's, not the API's.
NAMES = st.sampled_from(
    ("accept", "authorization", "origin", "content-type", "accept-encoding", "cookie", "x-anything", "idempotency-key")
)


_OTHERS = st.lists(st.tuples(NAMES, VALUES), max_size=2)
_HEADER_FATES = st.sampled_from(("right", "quoted", "dropped", "wrong"))
_ONE_IN_FOUR, _ONE_IN_TEN = (st.integers(0, most).map(lambda number: number == 0) for most in (3, 9))


@st.composite
def _headers(draw: st.DrawFn, right_ones: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Mostly the right ones, sometimes in quotes, sometimes lost or wrong; and others."""
    spoiled = draw(_ONE_IN_FOUR)
    sent: list[tuple[str, str]] = []
    for name, value in right_ones.items():
        fate = draw(_HEADER_FATES) if spoiled else "right"
        if fate != "dropped":
            sent.append((name, {"right": value, "quoted": f'"{value}"'}.get(fate) or draw(VALUES)))
    return (*sent, *draw(_OTHERS)) if spoiled else tuple(sent)


def _bodies_of(operation: Json, document: Json) -> tuple[str, Strategy]:
    """Bodies of the declared type, and that type; where none is declared, sometimes one all the same."""
    content = operation.get("requestBody", {}).get("content", {})
    form, value = (content.get(kind, {}).get("schema") for kind in ("multipart/form-data", "application/json"))
    if form is not None:
        named = document["components"]["schemas"][form["$ref"].rpartition("/")[2]]
        return f"multipart/form-data; boundary={BOUNDARY}", forms(list(named["properties"]))
    return "application/json", st.none() | bodies({}, document) if value is None else bodies(value, document)


class Operation(NamedTuple):
    """What can be sent to an operation. Made once, because making strategies takes longer than drawing from them."""

    method: str
    targets: st.SearchStrategy[str]
    content_type: str
    bodies: Strategy


def operation(document: Json, path: str, method: str) -> Operation:
    """That of an OpenAPI document."""
    declared = document["paths"][path][method.lower()]
    return Operation(method, _targets(path, _queries(declared["parameters"])), *_bodies_of(declared, document))


_ANY_METHOD = st.sampled_from(METHODS)


@st.composite
def requests(draw: st.DrawFn, to: Operation, headers: Mapping[str, str]) -> Request:
    """Mostly with the operation's own method."""
    body = draw(to.bodies)
    typed = () if body is None else (("content-type", to.content_type),)
    method = draw(_ANY_METHOD) if draw(_ONE_IN_TEN) else to.method
    return Request(method, draw(to.targets), (*draw(_headers(headers)), *typed), body)

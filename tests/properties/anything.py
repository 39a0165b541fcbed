"""Anything that a client could send: requests from right to absurd, drawn from what an operation declares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
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
ANY_JSON: Strategy = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
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
        return _objects(schema, document)
    return kinds.get(schema.get("type"), ANY_JSON)


def _numbers(schema: Json) -> Strategy:
    """Small ones: where a number is a length of time, a hundred examples of it must stay within the calendar."""
    return st.integers(schema.get("minimum", 0), min(schema.get("maximum", 1000), 1_000_000))


@st.composite
def _objects(draw: st.DrawFn, schema: Json, document: Json) -> Json:
    """Objects with the required fields and some others; in every second one, fields are dropped, mistyped or added."""
    spoiled = draw(st.booleans())
    required = schema.get("required", [])
    made: Json = {}
    for name, each in schema.get("properties", {}).items():
        fates = ("right",) * 6 if name in required else ("right", "dropped", "dropped")
        fate = draw(st.sampled_from((*fates, "dropped", "absurd") if spoiled else fates))
        if fate != "dropped":
            made[name] = draw(right(each, document) if fate == "right" else ANY_JSON)
    if spoiled and draw(st.booleans()):
        made[draw(TEXT)] = draw(ANY_JSON)
    return made


def _encoded(value: Any) -> st.SearchStrategy[bytes]:
    """JSON in ASCII, in UTF-8, and in UTF-8 with surrogates, which is none."""
    plain = json.dumps(value).encode()
    return st.sampled_from((plain, plain, json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")))


def bodies(schema: Json, document: Json) -> Strategy:
    """None, any bytes, any JSON, and mostly what the schema describes, more or less."""
    near = right(schema, document).flatmap(_encoded)
    deep = st.sampled_from((b"[" * 100_000, b'{"a":' * 1000, b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b'{"a":1}{}'))
    return st.one_of(near, near, near, near, ANY_JSON.flatmap(_encoded), st.binary(max_size=40), deep, st.none())


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


@st.composite
def _targets(draw: st.DrawFn, path: str, operation: Json) -> str:
    parts = [draw(SEGMENTS) if part.startswith("{") else part for part in path.split("/")]
    surplus = draw(st.sampled_from(("", "", "", "", "", "/", "/x", "//")))
    query = draw(_queries([each for each in operation["parameters"] if each["in"] == "query"]))
    return "/".join(parts) + surplus + (f"?{query}" if query else "")


def _queries(parameters: list[Json]) -> st.SearchStrategy[str]:
    names = st.sampled_from([*(each["name"] for each in parameters), "unheard_of"])
    values = st.sampled_from(WORDS) | st.text(max_size=12) | st.integers(-1, 1000).map(str)
    pairs = st.lists(st.tuples(names, values), max_size=4).map(urlencode)
    return st.one_of(st.just(""), pairs, pairs, VISIBLE, st.binary(max_size=12).map(quote_from_bytes))


#: Latin-1 without control characters.
VALUES = st.text([chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x100))], max_size=20)
#: Not those that frame a request or ask for another protocol: what they say is HTTP's, not the API's.
NAMES = st.sampled_from(
    ("accept", "authorization", "origin", "content-type", "accept-encoding", "cookie", "x-anything", "idempotency-key")
)


@st.composite
def _headers(draw: st.DrawFn, right_ones: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Mostly the right ones, sometimes in quotes, sometimes lost or wrong; and others."""
    spoiled = draw(st.integers(0, 3)) == 0
    sent: list[tuple[str, str]] = []
    for name, value in right_ones.items():
        fate = draw(st.sampled_from(("right", "quoted", "dropped", "wrong"))) if spoiled else "right"
        if fate != "dropped":
            sent.append((name, {"right": value, "quoted": f'"{value}"'}.get(fate) or draw(VALUES)))
    return (*sent, *draw(st.lists(st.tuples(NAMES, VALUES), max_size=2))) if spoiled else tuple(sent)


@st.composite
def _bodies_of(draw: st.DrawFn, operation: Json, document: Json) -> tuple[str, bytes | None]:
    """A body of the declared type, with that type; where none is declared, sometimes one all the same."""
    content = operation.get("requestBody", {}).get("content", {})
    form, value = (content.get(kind, {}).get("schema") for kind in ("multipart/form-data", "application/json"))
    if form is not None:
        named = document["components"]["schemas"][form["$ref"].rpartition("/")[2]]
        return f"multipart/form-data; boundary={BOUNDARY}", draw(forms(list(named["properties"])))
    wanted = value is not None or draw(st.booleans())
    return "application/json", draw(bodies(value or {}, document)) if wanted else None


@st.composite
def requests(draw: st.DrawFn, document: Json, path: str, method: str, headers: Mapping[str, str]) -> Request:
    """Requests to an operation of an OpenAPI document, mostly with its own method."""
    operation = document["paths"][path][method.lower()]
    content_type, body = draw(_bodies_of(operation, document))
    return Request(
        method=method if draw(st.integers(0, 9)) else draw(st.sampled_from(METHODS)),
        target=draw(_targets(path, operation)),
        headers=(*draw(_headers(headers)), *((("content-type", content_type),) if body is not None else ())),
        body=body,
    )

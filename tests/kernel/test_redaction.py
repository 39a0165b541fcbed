"""What is kept of a request: enough to know it again, little of what is long, and nothing of what is secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cobalt_sandbox.redaction import DEEPEST, KEPT, LONGEST_TEXT, MOST_FIELDS, MOST_ITEMS, Sent, redacted
from kernel.story import Json


def sent(body: Any, *headers: tuple[str, str]) -> Sent:
    return Sent.of([(name.encode(), value.encode("latin-1")) for name, value in headers], json.dumps(body).encode())


@pytest.mark.parametrize("padding", [0, KEPT])
def test_a_body_is_shown_as_it_was_sent(padding: int) -> None:
    body = {"a": [1, 2.5, None, True, "é"], "b": {"c": "x"}, " ": " " * (padding and 100)}
    raw = json.dumps(body, ensure_ascii=False).encode() + b" " * padding
    kept = Sent.of([], raw)
    assert (kept.shown_body(), kept.size) == (body, len(raw))


@pytest.mark.parametrize("size", [1, KEPT])
@pytest.mark.parametrize("name", ["content_base64", "access_token", "Client-Secret", "password", "public_token"])
def test_what_opens_a_door_is_not_shown(name: str, size: int) -> None:
    shown = sent({name: "x" * size, "other": {name: {"deep": "y"}}}).shown_body()
    assert shown == {name: f"({size} characters, not shown)", "other": {name: "(not shown)"}}


def test_of_what_is_long_the_beginning_is_shown() -> None:
    body: Json = {
        "text": "x" * (LONGEST_TEXT + 1),
        "list": list(range(MOST_ITEMS + 3)),
        "y" * 300: 1,
        "nested": {str(number): number for number in range(MOST_FIELDS + 1)},
    }
    for shown in (redacted(body), sent({**body, "more": ["z" * 300] * 30}).shown_body()):
        assert shown["text"] == f"{'x' * LONGEST_TEXT}… ({LONGEST_TEXT + 1} characters)"
        assert shown["list"] == [*range(MOST_ITEMS), "… 3 more"]
        assert shown["y" * LONGEST_TEXT + "… (300 characters)"] == 1
        assert len(shown["nested"]) == MOST_FIELDS


def test_of_what_is_deep_the_top_is_shown() -> None:
    deep: Any = "bottom"
    for _ in range(DEEPEST + 5):
        deep = [deep]
    assert json.dumps(redacted(deep), ensure_ascii=False) == "[" * DEEPEST + '"…"' + "]" * DEEPEST


@pytest.mark.parametrize("text", ["é" * 190, '"' * 190, "\\" * 190, "x"])
def test_no_more_than_so_much_is_kept_whatever_is_sent(text: str) -> None:
    body = {f"field {number}": [text] * 50 for number in range(200)}
    for shift in range(12):
        kept = sent({"s": "s" * shift, **body}, ("x-long", "h" * 10_000))
        assert (len(kept.head), len(kept.body)) == (KEPT, KEPT)
        shown = kept.shown_body()
        assert shown["field 0"][0] == text
        assert len(json.dumps(shown)) <= 6 * KEPT


def test_a_number_that_is_none_is_told_as_nothing() -> None:
    assert Sent.of([], b'{"a": NaN, "b": [Infinity, -Infinity, 1.5]}').shown_body() == {
        "a": None,
        "b": [None, None, 1.5],
    }


def test_a_request_without_a_body_shows_none() -> None:
    assert (Sent.of([], b"").shown_body(), Sent.of([], b"").headers()) == (None, {})


def test_of_a_secret_header_only_the_name_is_shown() -> None:
    kept = sent(
        {},
        ("host", "localhost:1"),
        ("client_id", "ci_1"),
        ("client_secret", "cs_1"),
        ("access_token", "at_1"),
        ("authorization", "Bearer x: y"),
        ("cookie", "c"),
        ("x-note", "ä: \x85b"),
        ("x-long", "x" * 300),
    )
    hidden = "(not shown)"
    assert kept.headers() == {
        "host": "localhost:1",
        "client_id": "ci_1",
        "client_secret": hidden,
        "access_token": hidden,
        "authorization": hidden,
        "cookie": hidden,
        "x-note": "ä: \x85b",
        "x-long": f"{'x' * LONGEST_TEXT}… (300 characters)",
    }

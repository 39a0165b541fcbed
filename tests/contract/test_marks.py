"""Every fact of the contracts is marked, every guess has its reason, and OpenAPI's own rules are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from cobalt_sandbox.contracts import reasons
from contract.documents import (
    FOLDER,
    MARKS,
    Json,
    decisions,
    exchanges,
    facts,
    files,
)

#: Every fact and every exchange, by its place, below the file that it is in.
STATED = {
    **{name: {"/".join(place): fact for place, fact in facts(document)} for name, document in files().items()},
    "exchanges": exchanges(),
}


@pytest.mark.parametrize("name", STATED)
def test_every_fact_is_marked(name: str) -> None:
    assert [place for place, fact in STATED[name].items() if fact.get("x-source") not in MARKS] == []


@pytest.mark.parametrize("name", files())
def test_a_mark_is_always_that_of_a_fact(name: str) -> None:
    """So the walk that looks for facts misses none. The title of the index, ``info``, is the one marked thing beside them."""
    marked = [each for each in _objects(files()[name]) if "x-source" in each and "version" not in each]
    assert marked == [fact for _, fact in facts(files()[name])]


@pytest.mark.parametrize("name", STATED)
def test_whatever_is_inferred_says_why(name: str) -> None:
    inferred = {place: fact for place, fact in STATED[name].items() if fact.get("x-source") == "inferred"}
    assert [place for place, fact in inferred.items() if not _has_its_reason(fact)] == []


def _has_its_reason(fact: Json) -> bool:
    return "x-decision" in fact or str(fact.get("x-reason", "")).endswith(".")


@pytest.mark.parametrize("name", files())
def test_every_decision_exists(name: str) -> None:
    assert {named for fact in _objects(files()[name]) for named in decisions(fact)} <= reasons().keys()


def test_every_decision_of_an_exchange_exists() -> None:
    assert {named for exchange in exchanges().values() for named in decisions(exchange)} <= reasons().keys()


def test_the_partial_marks_are_marks() -> None:
    stated = [fact for document in (*files().values(), exchanges()) for fact in _objects(document)]
    statuses = {fact["x-status-source"] for fact in stated if "x-status-source" in fact}
    requirements = {mark for fact in stated for mark in fact.get("x-required-source", {}).values()}
    assert statuses | requirements <= set(MARKS)


def test_the_index_is_a_valid_openapi_document() -> None:
    document = json.loads((FOLDER / "openapi.json").read_text())
    OpenAPIV31SpecValidator(document, base_uri=(FOLDER / "openapi.json").as_uri()).validate()


def _objects(node: object) -> Iterator[Json]:
    if isinstance(node, list):
        for item in node:
            yield from _objects(item)
    elif isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _objects(value)

"""What is documented and what is declared are the same operations and events."""

from __future__ import annotations

import pytest

from cobalt_sandbox.app import DOCUMENTED
from contract.documents import events, families, files, operations
from contract.parts import described, served


@pytest.mark.parametrize("name", operations())
def test_every_documented_operation_has_an_endpoint(name: str) -> None:
    assert name in DOCUMENTED.endpoints


@pytest.mark.parametrize("name", DOCUMENTED.endpoints)
def test_every_endpoint_has_a_documented_operation(name: str) -> None:
    assert name in operations()


@pytest.mark.parametrize("name", operations())
def test_verb_and_path_are_the_documented_ones(name: str) -> None:
    method, path, _ = served()[name]
    assert (method, path) == (operations()[name].method, operations()[name].path)


@pytest.mark.parametrize("name", operations())
def test_who_may_call_is_as_documented(name: str) -> None:
    asked = operations()[name].declared.get("security", files()["openapi.json"]["security"])
    assert served()[name][2].get("security", described()["security"]) == asked


@pytest.mark.parametrize("name", operations())
def test_the_ehrs_are_the_documented_ones(name: str) -> None:
    assert list(DOCUMENTED.endpoints[name].ehrs) == operations()[name].declared.get("x-ehrs", [])


@pytest.mark.parametrize("type", events())
def test_every_documented_event_is_emitted_by_the_documented_operations(type: str) -> None:
    emitting = [name for name, each in DOCUMENTED.endpoints.items() if DOCUMENTED.events[type] in each.emits]
    assert emitting == events()[type]["x-emitted-by"]


@pytest.mark.parametrize("type", DOCUMENTED.events)
def test_every_event_is_documented_with_its_kinds(type: str) -> None:
    documented = [events()[type].get(mark) for mark in ("x-kind", "x-also-kind")]
    assert list(DOCUMENTED.events[type].kinds) == [kind for kind in documented if kind]


@pytest.mark.parametrize("name", families())
def test_the_index_lists_every_path_and_webhook_of_a_family(name: str) -> None:
    index = files()["openapi.json"]
    for kind in ("paths", "webhooks"):
        assert families()[name][kind].keys() <= index[kind].keys()

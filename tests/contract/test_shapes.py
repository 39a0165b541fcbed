"""Requests, replies and events have the same shape in the contracts and in the code."""

from __future__ import annotations

import pytest

from cobalt_sandbox.contracts import FILES
from contract.documents import events, inlined, operations
from contract.parts import described, event_shape, operation_shape, refusals_shape, served
from contract.shape import differences


@pytest.mark.parametrize("name", operations())
def test_an_operation_has_the_documented_shape(name: str) -> None:
    contract, code = operation_shape(operations()[name].declared), operation_shape(served()[name][2])
    found = differences(contract, code)
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("type", events())
def test_an_event_has_the_documented_shape(type: str) -> None:
    contract, code = event_shape(events()[type]), event_shape(described()["webhooks"][type]["post"])
    found = differences(contract, code)
    assert found == [], "\n".join(found)


def test_a_refusal_has_one_of_the_two_documented_shapes() -> None:
    common = inlined(FILES["common.json"], FILES)["components"]
    unusable = common["responses"]["AccountUnusable"]["content"]["application/json"]["schema"]
    contract = refusals_shape([common["schemas"]["Refusal"], unusable])
    assert differences(contract, refusals_shape([described()["components"]["schemas"]["Refusal"]])) == []

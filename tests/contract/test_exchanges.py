"""Every documented exchange happens exactly as documented, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from cobalt_sandbox import Sandbox
from cobalt_sandbox.resources import NOT_BUILT
from contract.documents import exchanges, operations
from contract.replay import replayed

UNBUILT = {tuple(route.split()) for route in NOT_BUILT}


def calls_what_is_built(exchange: dict[str, Any]) -> bool:
    """Whether none of its calls would be answered 501."""
    calls = [exchange, *exchange.get("given", {}).get("calls", ())]
    asked = {(call["request"]["method"], call["request"]["path"].removeprefix("/v1")) for call in calls}
    return not asked & UNBUILT


@pytest.mark.parametrize("name", [name for name, each in exchanges().items() if calls_what_is_built(each)])
def test_an_exchange_replays(name: str, sandbox: Sandbox) -> None:
    exchange = exchanges()[name]
    given = exchange.get("given", {})
    fixtures = given.get("fixtures", ["documentation"])
    world = sandbox.world(seed=1, fixtures=fixtures, options=given.get("options"))
    found = replayed(exchange, world)
    world.delete()
    assert found == [], "\n".join(found)


def test_every_exchange_is_one_of_a_documented_operation() -> None:
    """Those of no path or of any operation name none."""
    assert {each["operation"] for each in exchanges().values() if "operation" in each} <= operations().keys()

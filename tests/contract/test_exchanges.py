"""Every documented exchange happens exactly as documented, over HTTP."""

from __future__ import annotations

import pytest

from cobalt_sandbox import Sandbox
from cobalt_sandbox.testing.replay import FreshWorlds
from contract.documents import exchanges, operations


@pytest.mark.parametrize("name", exchanges())
def test_an_exchange_replays(name: str, sandbox: Sandbox) -> None:
    found = FreshWorlds(sandbox.url).differences(exchanges()[name])
    assert found == [], "\n".join(found)


def test_every_exchange_is_one_of_a_documented_operation() -> None:
    """Those of no path or of any operation name none."""
    assert {each["operation"] for each in exchanges().values() if "operation" in each} <= operations().keys()

"""A local server that behaves as the documented Cobalt API does."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cobalt_sandbox.client import Refusal
    from cobalt_sandbox.testing.receiver import Receiver
    from cobalt_sandbox.testing.sandbox import Sandbox
    from cobalt_sandbox.testing.world import World

__all__ = ["Receiver", "Refusal", "Sandbox", "World"]

_HOMES = {
    "Receiver": "cobalt_sandbox.testing.receiver",
    "Refusal": "cobalt_sandbox.client",
    "Sandbox": "cobalt_sandbox.testing.sandbox",
    "World": "cobalt_sandbox.testing.world",
}


def __getattr__(name: str) -> Any:
    """The public names are imported when they are used, so that ``cobalt-sandbox ready`` does not load a server."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

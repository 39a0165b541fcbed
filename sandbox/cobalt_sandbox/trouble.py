"""Trouble: what a fault does to a call, before it is served and before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from functools import partial
from typing import Any

from cobalt_sandbox.errors import CobaltError, InternalError, ServiceUnavailable, TooManyRequests
from cobalt_sandbox.faults import Close, Delay, Faults, Hang, OnCall, Status

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

#: An ASGI extension of connection.py, under which the application finds what it can tell its connection: ``hang_up`` and ``answer``.
EXTENSION = "cobalt_sandbox"

_MESSAGES = {each.status: each.template for each in (TooManyRequests, InternalError, ServiceUnavailable)}


class Ordered(CobaltError):
    """A refusal that a fault has ordered."""

    template = "{message}"

    def __init__(self, status: int, message: str | None) -> None:
        super().__init__(message=message or _MESSAGES.get(status, f"Status {status}, ordered by a fault."))
        self.status = status


class Unanswered(Exception):
    """Nothing is done, and there is no answer."""


def strike(effect: OnCall) -> None:
    """Before a call is served: raises Ordered or Unanswered if it shall not be."""
    if isinstance(effect, Status):
        raise Ordered(effect.status, effect.message)
    if isinstance(effect, Hang) or (isinstance(effect, Close) and effect.close == "before"):
        raise Unanswered


def in_words(effect: OnCall, refusal: CobaltError | None) -> str:
    """What became of a call, in a few words for the journal."""
    if refusal is not None and isinstance(effect, Close):
        return "refused, answer lost"
    return effect.told


async def withheld(effect: OnCall, scope: Scope, receive: Receive, faults: Faults) -> bool:
    """Before a call is answered: let the time pass that its fault takes. Whether the answer is lost, and the connection closed."""
    if isinstance(effect, Delay):
        await _pass(effect.delay_s, receive, faults)
    if isinstance(effect, Hang):
        await _pass(effect.hang_s, receive, faults)
    is_lost = isinstance(effect, Close | Hang)
    if is_lost:
        scope["extensions"][EXTENSION]["hang_up"]()
    return is_lost


async def _pass(seconds: float, receive: Receive, faults: Faults) -> None:
    """Return after so many real seconds, or at once when the client hangs up, the world ends, or the server stops."""
    await asyncio.sleep(0)  # there is no timeout outside a task
    # The server cancels what it stops; this call is about to end anyway, and does so without an error.
    with suppress(TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(seconds) as patience:
            with faults.waiting(partial(_cut_short, patience)):
                await _gone(receive)


def _cut_short(patience: asyncio.Timeout) -> None:
    with suppress(RuntimeError):  # at this very moment it has run out
        patience.reschedule(0)


async def _gone(receive: Receive) -> None:
    """Return when the client, or whoever closes the connection, has hung up."""
    while (await receive())["type"] != "http.disconnect":
        continue

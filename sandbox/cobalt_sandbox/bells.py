"""Bells: whoever waits for something to happen to a job is woken by it."""

from __future__ import annotations

import asyncio

from cobalt_sandbox.errors import CobaltError

#: Calls that wait at the same time in one world.
MOST_WAITING = 1_000


class WorldGone(CobaltError):
    template = "While this call waited, its world was reset or deleted, and its job with it."
    status = 410


class TooManyWaiting(CobaltError):
    template = "{count} calls wait in this world, which is the most. Wait for fewer jobs at once, or settle."
    status = 503


class Bells:
    """One bell for each job that somebody waits for."""

    def __init__(self) -> None:
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}
        self._count = 0
        self._closed = False

    def ring(self, job_id: int | None) -> None:
        """Something has happened to a job."""
        if job_id in self._waiting:
            for waiting in self._waiting.pop(job_id):
                if not waiting.done():
                    waiting.set_result(None)

    async def heard(self, job_id: int) -> None:
        """Return when the bell of a job rings. Raises WorldGone once the world has ended, TooManyWaiting."""
        if self._count >= MOST_WAITING:
            raise TooManyWaiting(count=MOST_WAITING)
        if not self._closed:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(job_id, set()).add(waiting)
            self._count += 1
            try:
                await waiting
            finally:
                self._count -= 1
                self._forget(job_id, waiting)
        if self._closed:
            raise WorldGone

    def close(self) -> None:
        """Whoever waits has waited in vain, and so has whoever comes."""
        self._closed = True
        for job_id in list(self._waiting):
            self.ring(job_id)

    def _forget(self, job_id: int, waiting: asyncio.Future[None]) -> None:
        others = self._waiting.get(job_id, set())
        others.discard(waiting)
        if not others:
            self._waiting.pop(job_id, None)

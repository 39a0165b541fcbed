"""Keeping: all worlds of a server in one file, which is always whole, so that whatever ends the process, they go on."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import Field
from pydantic_core import to_json

from cobalt_sandbox.clock import Alarm, Cancellable, Stopwatch
from cobalt_sandbox.config import Unstartable
from cobalt_sandbox.document import Count, Document, Part
from cobalt_sandbox.errors import CobaltError, InvalidJSON, NotAnObject
from cobalt_sandbox.restoring import Sources, restored
from cobalt_sandbox.server import Server
from cobalt_sandbox.snapshot import VERSION, Kinds, snapshot, touched_tables
from cobalt_sandbox.validation import Body, Says
from cobalt_sandbox.world import World

#: Real seconds after a change until it is written, unless somebody waits for that.
SAVE_AFTER = 1.0
#: Of all time, at most this part is spent on writing what nobody waits for.
MOST_TIME = 0.1

log = logging.getLogger("cobalt_sandbox")


class KeptWorld(Part):
    """A world with the credentials of its callers; ``access_tokens`` by the names of practices."""

    client_secret: str
    access_tokens: dict[str, Annotated[str, Field(min_length=1)]]
    world: Document


class KeptServer(Body, extra="forbid"):
    """What is in the file."""

    version: Annotated[Literal[1], Says(f"It is of another version: this server reads version {VERSION}.")]
    worlds_made: Count
    worlds: list[KeptWorld]


class Keeper:
    """Writes the worlds of a server to a file.

    Tables that are as their bundled fixtures have them are not written. ``kinds`` are those of records.
    """

    def __init__(self, path: Path, server: Server, kinds: Kinds) -> None:
        self.path = path
        self._server = server
        self._kinds = kinds
        self._alarm: Alarm | None = None
        self._ringing: Cancellable | None = None
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changes = 1
        self._written = 0
        self._took = 0.0

    # Reading ---------------------------------------------------------------------------------------------------------

    def recall(self) -> None:
        """Have the server go on with the worlds of the file, if it is there. Raises Unstartable."""
        if not os.access(self.path.parent, os.W_OK):
            raise Unstartable(f"cannot write to {self.path}: its folder is not there, or may not be written to")
        try:
            kept = KeptServer.read(self.path.read_bytes())
            self._server.recalled = [self._restored(each) for each in kept.worlds]
            self._server.worlds_made = kept.worlds_made
        except FileNotFoundError:
            return
        except OSError as error:
            raise Unstartable(f"cannot read {self.path}: {error.strerror}") from None
        except CobaltError as refusal:
            is_json = not isinstance(refusal, InvalidJSON | NotAnObject)
            why = refusal.message if is_json else "It is no JSON object."
            raise Unstartable(f"cannot go on from {self.path}: {why} Move it away to begin anew.") from refusal

    def _restored(self, kept: KeptWorld) -> World:
        server = self._server
        credentials = kept.world.client_id, kept.client_secret, kept.access_tokens
        return restored(
            kept.world, Sources(self._kinds, server.documented.endpoints, server.fixture, server.post, *credentials)
        )

    # Writing ---------------------------------------------------------------------------------------------------------

    def watch(self, alarm: Alarm) -> Alarm:
        """Begin to write what changes, soon after it has. Returns an alarm that is watched: whatever it rings for changes something."""
        self._alarm = alarm
        self._server.on_answer = self.note

        def watched(delay: float, callback: Callable[[], None]) -> Cancellable:
            def ring() -> None:
                callback()
                self.note()

            return alarm(delay, ring)

        return watched

    def changes_by_reading(self) -> bool:
        """Whether a call that only reads may change something: it may use up a fault."""
        return any(world.faults.on_calls for world in self._server.worlds)

    def note(self) -> None:
        """Something has changed."""
        self._changes += 1
        if self._ringing is None and self._alarm is not None:
            self._ringing = self._alarm(max(SAVE_AFTER, self._took / MOST_TIME), self._ring)

    async def save(self) -> None:
        """Returns when all that has changed so far is on the disk, or cannot be written, which is logged."""
        await asyncio.shield(self._task())  # whoever waits may go away; two must not write at once

    async def end(self) -> None:
        """Write for the last time, whether or not anything has changed that was noted."""
        self._changes += 1
        self._alarm = None
        if self._ringing is not None:
            self._ringing.cancel()
        await self.save()

    def _ring(self) -> None:
        self._ringing = None
        self._task()

    def _task(self) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._write_changes(self._changes))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _write_changes(self, wanted: int) -> None:
        async with self._writing:
            if self._written >= wanted:
                return
            changes, watch = self._changes, Stopwatch()
            try:
                await self._write()
            except OSError as error:
                log.error("cannot write to %s: %s", self.path, error.strerror)  # noqa: TRY400  # the text says it all
            else:
                self._written = changes
            self._took = watch.seconds()

    async def _write(self) -> None:
        """To another file, which then takes the place of the first: whenever the process ends, one of both is there, whole."""
        draft = self.path.with_name(f"{self.path.name}.part")
        with _opened(draft) as file:
            await self._write_to(file)
            await asyncio.to_thread(_replace, self.path, draft, file)

    async def _write_to(self, file: IO[bytes]) -> None:
        worlds = self._server.worlds
        file.write(to_json({"version": VERSION, "worlds_made": self._server.worlds_made})[:-1] + b',"worlds":[')
        separator = b""
        for client_id in [world.spec.client_id for world in worlds]:
            world = worlds.get(client_id)
            if world is not None:
                file.write(separator + self._kept(world))
                separator = b",\n"
                await asyncio.sleep(0)  # let others be answered, too
        file.write(b"]}\n")

    def _kept(self, world: World) -> bytes:
        return to_json(
            {
                "client_secret": world.spec.client_secret,
                "access_tokens": {each.name: each.profile.access_token for each in world.practices.values()},
                "world": snapshot(world, self._kinds, touched_tables),
            },
            bytes_mode="base64",
        )


def _opened(draft: Path) -> IO[bytes]:
    """For its owner alone: it has secrets."""
    return open(draft, "wb", opener=lambda path, flags: os.open(path, flags, 0o600))


def _replace(path: Path, draft: Path, file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

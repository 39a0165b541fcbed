"""The worlds of one server, by ``client_id``."""

from __future__ import annotations

from collections.abc import Iterator

from cobalt_sandbox.clock import Alarm
from cobalt_sandbox.courier import Post
from cobalt_sandbox.spec import Spec
from cobalt_sandbox.world import World


class Worlds:
    """Those that run. The default one is there from the beginning and cannot be removed."""

    def __init__(self, default: Spec, *, post: Post, alarm: Alarm | None) -> None:
        self._post, self._alarm = post, alarm
        self._default = default.client_id
        self._worlds: dict[str, World] = {}
        self.add(default)

    def __len__(self) -> int:
        return len(self._worlds)

    def __iter__(self) -> Iterator[World]:
        return iter(self._worlds.values())

    @property
    def default(self) -> World:
        return self._worlds[self._default]

    def get(self, client_id: str) -> World | None:
        return self._worlds.get(client_id)

    def add(self, spec: Spec, generation: int = 1) -> World:
        world = World(spec, post=self._post, alarm=self._alarm, generation=generation)
        self._worlds[spec.client_id] = world
        return world

    def put(self, world: World) -> None:
        """Let a world that has been restored go on, in the place of the one with its ``client_id`` if there is one."""
        if (former := self.get(world.spec.client_id)) is not None:
            former.stop()
        self._worlds[world.spec.client_id] = world
        world.go_on(self._alarm)

    def reset(self, world: World) -> World:
        world.stop()
        return self.add(world.spec, world.generation + 1)

    def remove(self, world: World) -> None:
        world.stop()
        del self._worlds[world.spec.client_id]

    def stop(self) -> None:
        for world in self:
            world.stop()

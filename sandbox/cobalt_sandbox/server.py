"""A server's own state: what it can start from, and its worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cobalt_sandbox import bundled
from cobalt_sandbox.catalogue import Catalogue
from cobalt_sandbox.chance import Stream
from cobalt_sandbox.clock import Alarm, Stopwatch
from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET, WORLDS, Config
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fixture import Fixture, UnknownFixture
from cobalt_sandbox.spec import Latency, Spec
from cobalt_sandbox.world import World
from cobalt_sandbox.worlds import Worlds

if TYPE_CHECKING:
    from cobalt_sandbox.outbound import Answer, Outbound


class TooManyWorlds(CobaltError):
    template = "This server holds {bound} worlds, which is the most. Delete one that is no longer used."
    status = 503


class Server:
    """One running sandbox. ``open`` makes the default world; before that it is not ready.

    ``recalled`` are worlds of an earlier server, which then go on. ``on_answer`` is called when a webhook has answered.
    """

    worlds: Worlds
    default_spec: Spec

    def __init__(self, config: Config, documented: Catalogue, describe: Callable[[], dict[str, Any]]) -> None:
        self.config = config
        self.documented = documented
        self.describe = describe
        self.ready = False
        self.on_answer: Callable[[], None] | None = None
        self.worlds_made = 0
        self.recalled: Sequence[World] = ()
        self._running = Stopwatch()
        self._fixtures: dict[str, Fixture] = {}

    @cached_property
    def _outbound(self) -> Outbound:
        from cobalt_sandbox.outbound import Outbound  # with the first delivery: a start is short without it

        return Outbound(self.config.webhooks_only)

    async def post(self, url: str, headers: Iterable[tuple[str, str]], body: bytes, patience: float) -> Answer:
        answer = await self._outbound.post(url, headers, body, patience)
        if self.on_answer is not None:
            self.on_answer()
        return answer

    @property
    def uptime(self) -> float:
        """Seconds."""
        return self._running.seconds()

    def open(self, alarm: Alarm | None) -> None:
        config = self.config
        self.default_spec = Spec(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            seed=config.seed,
            fixtures=tuple(self.fixture(name) for name in config.fixtures),
            latency=Latency.of(config.latency),
            rate=0 if config.clock == "frozen" else config.rate,
            strict=config.strict,
        )
        self.worlds = Worlds(self.default_spec, post=self.post, alarm=alarm)
        for world in self.recalled:
            self.worlds.put(world)
        self.ready = True

    def close(self) -> int:
        """Stop every world. Returns how many deliveries were dropped."""
        dropped = sum(world.courier.counts["pending"] for world in self.worlds)
        self.worlds.stop()
        if "_outbound" in vars(self):
            self._outbound.close()
        return dropped

    def fixture(self, name: str) -> Fixture:
        """A bundled fixture, opened once. Raises UnknownFixture."""
        if name not in self._fixtures:
            if name not in bundled.fixture_names():
                raise UnknownFixture(name=name, known=", ".join(bundled.fixture_names()))
            self._fixtures[name] = Fixture(bundled.fixture_document(name), bundled_as=name)
        return self._fixtures[name]

    def invented_seed(self) -> int:
        """A seed for a world whose maker named none: another one for each, since receivers tell events apart by their ids."""
        return int.from_bytes(Stream(self.config.seed, "seed", str(self.worlds_made)).draw()[:4])

    def invented_credentials(self, seed: int) -> tuple[str, str]:
        stream = Stream(self.config.seed, "credentials", str(seed), str(self.worlds_made))
        return f"ci_test_{stream.token(24)}", f"cs_test_{stream.token(24)}"

    def demand_room(self) -> None:
        """Refuse when no further world fits."""
        if len(self.worlds) >= WORLDS:
            raise TooManyWorlds(bound=WORLDS)

    def make(self, spec: Spec) -> World:
        self.demand_room()
        self.worlds_made += 1
        return self.worlds.add(spec)

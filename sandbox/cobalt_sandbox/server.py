"""A server's own state: what it can start from, and its worlds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cobalt_sandbox import bundled
from cobalt_sandbox.chance import Stream
from cobalt_sandbox.clock import Alarm, Stopwatch
from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET, WORLDS, Config
from cobalt_sandbox.endpoint import Catalogue
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fixture import Fixture, UnknownFixture, read
from cobalt_sandbox.outbound import Outbound
from cobalt_sandbox.spec import Latency, Spec
from cobalt_sandbox.world import World, Worlds


class TooManyWorlds(CobaltError):
    template = "This server holds {bound} worlds, which is the most. Delete one that is no longer used."
    status = 503


class Server:
    """One running sandbox. ``open`` makes the default world; before that it is not ready."""

    worlds: Worlds
    default_spec: Spec

    def __init__(self, config: Config, documented: Catalogue, describe: Callable[[], dict[str, Any]]) -> None:
        self.config = config
        self.documented = documented
        self.describe = describe
        self.ready = False
        self._running = Stopwatch()
        self._outbound = Outbound(config.webhooks_only)
        self._fixtures: dict[str, Fixture] = {}
        self._made = 0

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
        self.worlds = Worlds(self.default_spec, self.documented.endpoints, post=self._outbound.post, alarm=alarm)
        self.ready = True

    def close(self) -> int:
        """Stop every world. Returns how many deliveries were dropped."""
        dropped = sum(world.courier.counts["pending"] for world in self.worlds)
        self.worlds.stop()
        self._outbound.close()
        return dropped

    def fixture(self, wanted: str | Mapping[str, Any]) -> Fixture:
        """A bundled fixture by name, read once, or a whole practice. Raises UnknownFixture, InvalidFixture."""
        if not isinstance(wanted, str):
            return read(wanted, self.documented.records)
        if wanted not in self._fixtures:
            if wanted not in bundled.fixture_names():
                raise UnknownFixture(name=wanted, known=", ".join(bundled.fixture_names()))
            self._fixtures[wanted] = read(bundled.fixture_document(wanted), self.documented.records)
        return self._fixtures[wanted]

    def invented_seed(self) -> int:
        """A seed for a world whose maker named none: another one for each, since receivers tell events apart by their ids."""
        return int.from_bytes(Stream(self.config.seed, "seed", str(self._made)).draw()[:4])

    def invented_credentials(self, seed: int) -> tuple[str, str]:
        stream = Stream(self.config.seed, "credentials", str(seed), str(self._made))
        return f"ci_test_{stream.token(24)}", f"cs_test_{stream.token(24)}"

    def make(self, spec: Spec) -> World:
        if len(self.worlds) >= WORLDS:
            raise TooManyWorlds(bound=WORLDS)
        self._made += 1
        return self.worlds.add(spec)


def distinct(fixtures: Sequence[Fixture]) -> tuple[Fixture, ...]:
    """The fixtures of one world: at least one, no two with the same name or token. Raises ValueError."""
    for what in ("name", "access_token"):
        values = [getattr(fixture.profile, what) for fixture in fixtures]
        if len(set(values)) < len(values):
            raise ValueError(f"two practices have the same {what}: {max(values, key=values.count)!r}")
    if not fixtures:
        raise ValueError("a world has at least one practice")
    return tuple(fixtures)

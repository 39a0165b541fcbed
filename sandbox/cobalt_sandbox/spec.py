"""What a world is created from, and becomes again at every reset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict

from cobalt_sandbox.chance import Stream
from cobalt_sandbox.clock import DAY, Moment
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.validation import complaint


@dataclass(frozen=True, slots=True)
class Latency:
    """How long jobs take: each operation's own range of seconds, or one range for all, in milliseconds."""

    word: str
    range: tuple[int, int] | None

    @classmethod
    def of(cls, word: str) -> Latency:
        """``instant``, ``brisk``, ``realistic``, or ``A..B`` in seconds. Raises ValueError."""
        named: dict[str, tuple[int, int] | None] = {"instant": (0, 0), "brisk": (1_000, 3_000), "realistic": None}
        if word in named:
            return cls(word, named[word])
        low, dots, high = word.partition("..")
        try:
            shortest, longest = round(float(low) * 1000), round(float(high) * 1000)
        except (ValueError, OverflowError):
            shortest, longest = 1, 0
        if not dots or not 0 <= shortest <= longest <= 365 * DAY:
            raise ValueError(f"latency {word!r} is none of: instant, brisk, realistic, A..B (seconds, as in 0.5..2)")
        return cls(word, (shortest, longest))

    def draw(self, takes: tuple[int, int], extra: int, stream: Stream) -> int:
        if self.range is None:
            return stream.between(takes[0] * 1000, takes[1] * 1000) + extra * 1000
        return stream.between(*self.range)


def _latency(word: str) -> str:
    try:
        Latency.of(word)
    except ValueError as error:
        raise complaint(f"{error}.") from None
    return word


#: A latency as it is written.
LatencyWord = Annotated[str, AfterValidator(_latency)]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a world holds: jobs that are pending and that have ended, events of a practice and bytes of its documents,
    calls in the journal, organizations, link tokens and public tokens each, and practices."""

    jobs_pending: int = 100_000
    jobs_kept: int = 100_000
    events_kept: int = 100_000
    document_bytes: int = 1_073_741_824
    calls_kept: int = 10_000
    organizations: int = 10_000
    tokens: int = 10_000
    practices: int = 1_000


def is_web_address(url: str) -> bool:
    """Whether a browser can be sent there."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        return False


def _web_address(url: str) -> str:
    if not is_web_address(url):
        raise complaint("Invalid {place}. Must be an http or https URL.")
    return url


class WorldOptions(BaseModel):
    """What Cobalt's representative would configure for one client (Table 6 of the decisions).

    ``callback_url`` is where Link's new-window mode ends (D34). ``link_fixtures`` names what a new access token opens: the
    fixture for an organization, for an EHR, or else for ``*``.
    """

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True, frozen=True)
    rotation_signs_with: Literal["new", "old"] = "new"
    user_not_found_status: Literal[404, 401] = 404
    strict_orgs: bool = False
    callback_url: Annotated[str, AfterValidator(_web_address)] | None = None
    link_fixtures: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Spec:
    """What a world is created from, and becomes again at every reset."""

    client_id: str
    client_secret: str
    seed: int
    fixtures: tuple[Fixture, ...]
    latency: Latency = field(default_factory=lambda: Latency.of("brisk"))
    rate: float = 1.0
    now: Moment | None = None
    hold: bool = False
    strict: bool = False
    options: WorldOptions = field(default_factory=WorldOptions)
    bounds: Bounds = Bounds()


def distinct(fixtures: Sequence[Fixture]) -> tuple[Fixture, ...]:
    """The fixtures of one world: at least one, no two with the same name or token. Raises ValueError."""
    for what in ("name", "access_token"):
        values = [getattr(fixture.profile, what) for fixture in fixtures]
        if len(set(values)) < len(values):
            raise ValueError(f"two practices have the same {what}: {max(values, key=values.count)!r}")
    if not fixtures:
        raise ValueError("a world has at least one practice")
    return tuple(fixtures)

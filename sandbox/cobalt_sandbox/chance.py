"""Chance that can be repeated: streams of numbers, each drawn from a name and a count."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType

_VERSION_4, _FREE_BITS = 0x4000_8000_0000_0000_0000, ~0xF000_C000_0000_0000_0000


class Stream:
    """One purpose's numbers: the n-th draw is a hash of (seed, names, n), so no draw elsewhere can move it.

    The whole state is ``count``. The numbers are the same on every machine and under every hash seed.
    """

    __slots__ = ("_hash", "count")

    def __init__(self, seed: int, *names: str, count: int = 0) -> None:
        self._hash = blake2b("\0".join((str(seed), *names)).encode(), digest_size=16)
        self.count = count

    def draw(self) -> bytes:
        self.count += 1
        drawn = self._hash.copy()
        drawn.update(self.count.to_bytes(8))
        return drawn.digest()

    def next(self) -> int:
        """1, 2, 3 …: for numbers that an EHR hands out in turn."""
        self.count += 1
        return self.count

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int.from_bytes(self.draw()[:8]) % (high - low + 1)

    def hex(self) -> str:
        """32 lower-case hex digits: a UUID without dashes, as Cobalt's own ids are (D29)."""
        return f"{int.from_bytes(self.draw()) & _FREE_BITS | _VERSION_4:032x}"

    def uuid(self) -> str:
        """A UUID with dashes, as event ids are (D29)."""
        digits = self.hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def token(self, length: int) -> str:
        """Letters and digits, up to 32 of them."""
        return self.draw().hex().upper()[:length]


class Streams:
    """All streams of one owner, by their purpose. ``counts`` is how many numbers each has drawn: the whole state of chance."""

    def __init__(self, seed: int, *owner: str, counts: Mapping[str, int] = MappingProxyType({})) -> None:
        self._seed, self._owner = seed, owner
        self._by_purpose = {purpose: Stream(seed, *owner, purpose, count=count) for purpose, count in counts.items()}

    def __getitem__(self, purpose: str) -> Stream:
        stream = self._by_purpose.get(purpose)
        if stream is None:
            stream = self._by_purpose[purpose] = Stream(self._seed, *self._owner, purpose)
        return stream

    @property
    def counts(self) -> dict[str, int]:
        return {purpose: stream.count for purpose, stream in self._by_purpose.items()}

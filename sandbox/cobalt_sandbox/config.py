"""What can be set when a server starts, with the defaults of a local one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: The documentation's own sample credentials, which open the default world.
CLIENT_ID = "ci_live_198908HJDKJSH98789OHKJL"
CLIENT_SECRET = "cs_live_9827hofdsklOYYHJLJh"

WORLDS = 1_000


@dataclass(frozen=True)
class Config:
    """``port`` 0 is any free port; ``seed`` decides every id; ``rate`` is the pace of a live clock."""

    host: str = "127.0.0.1"
    port: int = 8462
    seed: int = 0
    fixtures: tuple[str, ...] = ("documentation", "demo-clinic")
    latency: str = "brisk"
    clock: Literal["live", "frozen"] = "live"
    rate: float = 1.0
    control_token: str | None = None
    strict: bool = False
    webhooks_only: tuple[str, ...] = ()

"""What can be set when a server starts, with the defaults of a local one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

#: The documentation's own sample credentials, which open the default world.
CLIENT_ID = "ci_live_198908HJDKJSH98789OHKJL"
CLIENT_SECRET = "cs_live_9827hofdsklOYYHJLJh"
#: The one that opens the documentation's practice in it.
ACCESS_TOKEN = "493JKLHIU98789hLKH9HHJH"

WORLDS = 1_000


class Unstartable(Exception):
    """A server cannot be started as it is set; the text names the cure."""


@dataclass(frozen=True)
class Config:
    """``port`` 0 is any free port; ``seed`` decides every id; ``rate`` is the pace of a live clock.

    ``snapshot`` is the file in which all worlds are kept.
    ``link_callback`` and ``link_fixtures`` hold for every world whose own options do not say otherwise (see ``WorldOptions``).
    ``tls_ca`` is the file to which the certificate is written that clients of the TLS port are to trust.
    """

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
    snapshot: Path | None = None
    link_callback: str | None = None
    link_fixtures: Mapping[str, str] = field(default_factory=dict)
    tls: bool = False
    tls_port: int = 8443
    tls_ca: Path | None = None

"""How often a law is tried: on the same examples every time, or with ``COBALT_EXPLORE=10`` on ten times as many, and new ones."""

from __future__ import annotations

import os

EXPLORED = int(os.environ.get("COBALT_EXPLORE", "0"))


def tries(usual: int) -> int:
    return usual * max(1, EXPLORED)

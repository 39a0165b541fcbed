"""The control API, /_sandbox: time, outcomes and whole worlds in the hands of whoever tests."""

from __future__ import annotations

#: The module that serves the paths which begin with a segment.
ROOMS = {
    "livez": ("health",),
    "readyz": ("health",),
    "world": ("world",),
    "clock": ("clock",),
    "faults": ("faults",),
    "events": ("events", "fired_events"),
    "jobs": ("jobs",),
    "wait": ("wait",),
    "requests": ("requests",),
    "deliveries": ("deliveries",),
    "staff": ("staff",),
    "practice": ("practice",),
    "public-tokens": ("public_tokens",),
    "openapi.json": ("openapi",),
    "snapshot": ("snapshot",),
    "fidelity": ("fidelity",),
}

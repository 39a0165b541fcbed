"""The control API, /_sandbox: time, outcomes and whole worlds in the hands of whoever tests."""

from __future__ import annotations

from cobalt_sandbox.control import clock, events, faults, health, openapi, snapshot, world

ROOMS = (health, world, clock, faults, events, openapi, snapshot)

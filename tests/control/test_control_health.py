"""Health: whether the process lives, and whether it is ready."""

from __future__ import annotations

import asyncio
from importlib.metadata import version

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox
from cobalt_sandbox.app import application
from cobalt_sandbox.config import Config


def get(sandbox: Sandbox, path: str) -> httpx2.Response:
    return loopback.get(f"{sandbox.url}/_sandbox{path}")


def test_a_process_that_answers_lives(sandbox: Sandbox) -> None:
    reply = get(sandbox, "/livez")
    assert (reply.status_code, reply.text) == (200, '{"status":"ok"}')


def test_a_server_is_ready_once_its_fixtures_are_loaded(sandbox: Sandbox) -> None:
    reply = get(sandbox, "/readyz")
    assert reply.status_code == 200
    assert reply.json() == {
        "status": "ready",
        "version": version("cobalt-sandbox"),
        "uptime_s": reply.json()["uptime_s"],
        "worlds": reply.json()["worlds"],
    }
    assert reply.json()["uptime_s"] > 0


def test_worlds_are_counted_with_the_default_one(sandbox: Sandbox) -> None:
    before = get(sandbox, "/readyz").json()["worlds"]
    world = sandbox.world(fixtures=["empty"])
    assert get(sandbox, "/readyz").json()["worlds"] == before + 1
    world.delete()
    assert get(sandbox, "/readyz").json()["worlds"] == before >= 1


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [("/livez", 200, '{"status":"ok"}'), ("/readyz", 503, '{"status":"starting"}')],
)
def test_before_that_it_is_starting(path: str, status: int, text: str) -> None:
    """An application whose start has not run."""

    async def asked() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=application(Config()))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(f"/_sandbox{path}")

    reply = asyncio.run(asked())
    assert (reply.status_code, reply.text) == (status, text)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_needs_no_world(sandbox: Sandbox, path: str) -> None:
    reply = loopback.get(f"{sandbox.url}/_sandbox{path}", headers={"client_id": "nobody"})
    assert reply.status_code == 200

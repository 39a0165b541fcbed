"""Visit statuses: the codes of the practice, as in its settings."""

from __future__ import annotations

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

OWN = [{"code": "CONF", "description": "Confirmed"}, {"code": "R/S", "description": ""}]


def listed(world: World) -> object:
    reply = loopback.get(f"{world.url}/v1/visit-statuses", headers=world.headers)
    assert (reply.status_code, list(reply.json())) == (200, ["success", "visit_statuses"])
    return reply.json()["visit_statuses"]


def test_the_visit_statuses_are_those_of_the_settings(api: httpx2.Client, world: World) -> None:
    """D96."""
    assert listed(world) == api.get("/settings").json()["data"]["visit_statuses"]


@pytest.mark.parametrize("query", [{"page": "0"}, {"page_size": "1"}, {"code": "none"}])
def test_there_are_no_parameters_and_no_pages(api: httpx2.Client, query: dict[str, str]) -> None:
    """D12, D96."""
    assert api.get("/visit-statuses", params=query).text == api.get("/visit-statuses").text


@pytest.mark.parametrize("codes", [OWN, []], ids=["own", "none"])
def test_each_practice_has_its_own(sandbox: Sandbox, codes: list[dict[str, str]]) -> None:
    world = sandbox.world(fixtures=[{"name": "small", "visit_statuses": codes}])
    assert listed(world) == codes
    world.delete()


def test_they_are_listed_without_settings_too(sandbox: Sandbox) -> None:
    """D52 concerns the settings alone."""
    world = sandbox.world(fixtures=[{"name": "small", "settings": False, "visit_statuses": OWN}])
    assert listed(world) == OWN
    world.delete()

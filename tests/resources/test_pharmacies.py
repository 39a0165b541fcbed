"""Pharmacies: all of the practice are listed."""

from __future__ import annotations

import httpx2
import pytest

import loopback
from cobalt_sandbox import Refusal, Sandbox, World

DOCUMENTED = (
    '{"success":true,"pharmacies":['
    '{"id":"abc123def456ghi789","ehr_id":"12345","name":"Main Street Pharmacy",'
    '"address":{"address1":"123 Main St","city":"San Francisco","state":"CA","zip":"94102"},'
    '"phone":"(415) 555-0123","email":"info@mainstreetpharmacy.example","status":"active"},'
    '{"id":"xyz789ghi012jkl345","ehr_id":"67890","name":"Downtown Medical Pharmacy",'
    '"address":{"address1":"456 Market St","city":"San Francisco","state":"CA","zip":"94105"},'
    '"phone":"(415) 555-0456","email":"contact@downtownmedical.example","status":"active"}]}'
)


def listed(world: World) -> str:
    reply = loopback.get(f"{world.url}/v1/pharmacies", headers=world.headers)
    assert reply.status_code == 200
    return reply.text


def test_the_documented_pharmacies_are_listed_as_printed(world: World) -> None:
    """There is no `address2`."""
    assert listed(world) == DOCUMENTED


@pytest.mark.parametrize("query", [{"page": "2"}, {"name": "main"}, {"page_size": "0"}])
def test_there_are_no_parameters_and_no_pages(api: httpx2.Client, query: dict[str, str]) -> None:
    """D12, D181."""
    assert api.get("/pharmacies", params=query).text == DOCUMENTED


def test_what_is_unknown_is_null(sandbox: Sandbox) -> None:
    """D181; in the order of creation (D24), inactive ones too."""
    rows = [
        {"id": "b" * 32, "ehr_id": "2", "name": "West Pharmacy", "status": "inactive"},
        {"id": "a" * 32, "ehr_id": "1", "name": "East Pharmacy", "address": {"state": "MA"}},
    ]
    world = sandbox.world(fixtures=[{"name": "small", "pharmacies": rows}])
    unknown = '"address1":null,"city":null'
    rest = '"phone":null,"email":null'
    assert listed(world) == (
        '{"success":true,"pharmacies":['
        f'{{"id":"{"b" * 32}","ehr_id":"2","name":"West Pharmacy",'
        f'"address":{{{unknown},"state":null,"zip":null}},{rest},"status":"inactive"}},'
        f'{{"id":"{"a" * 32}","ehr_id":"1","name":"East Pharmacy",'
        f'"address":{{{unknown},"state":"MA","zip":null}},{rest},"status":"active"}}]}}'
    )
    world.delete()


def test_an_address_has_no_second_line(sandbox: Sandbox) -> None:
    row = {"ehr_id": "1", "name": "East Pharmacy", "address": {"address2": "Suite 2"}}
    with pytest.raises(Refusal, match=r" at pharmacies\.0\.address\.address2\."):
        sandbox.world(fixtures=[{"name": "small", "pharmacies": [row]}])


def test_a_practice_without_pharmacies_lists_none(sandbox: Sandbox) -> None:
    empty = sandbox.world(fixtures=["empty"])
    assert listed(empty) == '{"success":true,"pharmacies":[]}'
    empty.delete()

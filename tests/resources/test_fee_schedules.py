"""List Fee Schedules and their items: counts, order, search, validity and pages."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

MEDICARE = "abc123def4567890abcdef1234567890"
MASTER = "def456abc7890123def456abc7890123"
NO_DRUG = {"code": None, "units": None, "uom": None, "unit_price": None}


def codes(api: httpx2.Client, schedule: str = MEDICARE, **query: str) -> list[str]:
    reply = api.get(f"/fee-schedules/{schedule}/items", params=query)
    assert reply.status_code == 200
    return [each["code"] for each in reply.json()["items"]]


def small(sandbox: Sandbox, path: str, **tables: list[dict[str, Any]]) -> Any:
    """What a practice with these tables answers."""
    world = sandbox.world(fixtures=[{"name": "small", **tables}])
    reply = loopback.get(f"{world.url}/v1{path}", headers=world.headers)
    world.delete()
    assert reply.status_code == 200
    return reply.json()


def item(schedule: str, code: str, **changes: object) -> dict[str, object]:
    return {
        "fee_schedule_id": schedule,
        "item_id": f"{schedule}{code}",
        "code": code,
        "name": f"NAME OF {code}",
        "fee": 1,
        "ndc": NO_DRUG,
        **changes,
    }


# List Fee Schedules ----------------------------------------------------------------------------------------------


def test_schedules_are_listed_by_creation_with_the_number_of_their_items(sandbox: Sandbox) -> None:
    """D24. Nothing is unknown of one of which nothing but id and name is told."""
    schedules = [{"id": id, "emr_id": number, "name": f"Schedule {id}"} for number, id in (("1", "b"), ("2", "a"))]
    items = [item("a", "99213"), item("b", "99213"), item("a", "36415"), item("none", "1")]
    reply = small(sandbox, "/fee-schedules", fee_schedules=schedules, fee_schedule_items=items)
    assert reply == {
        "success": True,
        "fee_schedules": [
            {
                "id": id,
                "emr_id": number,
                "name": f"Schedule {id}",
                "description": "",
                "sub_name": "",
                "is_master": False,
                "taxable": False,
                "effective_from": None,
                "effective_to": None,
                "item_count": count,
            }
            for number, id, count in (("1", "b", 1), ("2", "a", 2))
        ],
    }


def test_all_schedules_are_on_one_page(api: httpx2.Client) -> None:
    """D237: no paging; D12: parameters that are not known are ignored."""
    reply = api.get("/fee-schedules", params={"page": "2", "page_size": "1"}).json()
    assert list(reply) == ["success", "fee_schedules"]
    assert [each["id"] for each in reply["fee_schedules"]] == [MEDICARE, MASTER]


# List Fee Schedule Items -----------------------------------------------------------------------------------------


def test_items_are_listed_by_code(api: httpx2.Client) -> None:
    """D24: digits before letters."""
    for schedule in (MEDICARE, MASTER):
        assert codes(api, schedule) == ["36415", "49082", "90718", "99213", "J1885"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "90"}, ["49082", "90718"]),
        ({"search": "99213"}, ["99213"]),
        ({"search": "j1885"}, ["J1885"]),
        ({"search": "office/outpatient"}, ["99213"]),
        ({"search": "VENIpuncture"}, ["36415"]),
        ({"search": "> 7"}, ["90718"]),
        ({"search": "%"}, []),
        ({"search": ""}, ["36415", "49082", "90718", "99213", "J1885"]),
        ({"validity": "valid"}, ["36415", "49082", "99213", "J1885"]),
        ({"validity": "invalid"}, ["90718"]),
        ({"validity": "invalid", "search": "99213"}, []),
        ({"code": "99213", "page_size": "1"}, ["36415"]),
    ],
)
def test_items_are_found_by_a_part_of_code_or_name_in_any_case_and_by_validity(
    api: httpx2.Client, query: dict[str, str], found: list[str]
) -> None:
    """An item has no description but its name. D12 for what is no filter."""
    assert codes(api, **query) == found


@pytest.mark.parametrize(
    ("page", "found"), [("1", ["36415", "49082"]), ("2", ["90718", "99213"]), ("3", ["J1885"]), ("4", [])]
)
def test_a_page_is_cut_out_of_the_items_of_its_own_schedule(sandbox: Sandbox, page: str, found: list[str]) -> None:
    world = sandbox.world()
    path = f"/v1/fee-schedules/{MEDICARE}/items?page={page}&page_size=2"
    reply = loopback.get(world.url + path, headers=world.headers).json()
    world.delete()
    assert [each["code"] for each in reply["items"]] == found
    assert reply["pagination"] == {"page": int(page), "page_size": 2, "total_records": 5, "total_pages": 3}


def test_found_items_are_cut_into_pages_too(api: httpx2.Client) -> None:
    reply = api.get(f"/fee-schedules/{MEDICARE}/items", params={"search": "9", "page": "2", "page_size": "2"}).json()
    assert [each["code"] for each in reply["items"]] == ["99213"]
    assert reply["pagination"] == {"page": 2, "page_size": 2, "total_records": 3, "total_pages": 2}


def test_a_page_has_100_items_unless_it_is_told(sandbox: Sandbox) -> None:
    items = [item("a", f"{number:05d}") for number in range(501)]
    schedules = [{"id": "a", "emr_id": "1", "name": "Master"}]
    for size, wanted in ((100, ""), (500, "?page_size=500")):
        path = f"/fee-schedules/a/items{wanted}"
        reply = small(sandbox, path, fee_schedules=schedules, fee_schedule_items=items)
        assert [len(reply["items"]), reply["pagination"]["page_size"]] == [size, size]


def test_amounts_are_written_with_their_point(sandbox: Sandbox) -> None:
    """As printed: `287.0`. What a row leaves out is 0, false, empty or null."""
    world = sandbox.world(
        fixtures=[
            {
                "name": "small",
                "fee_schedules": [{"id": "a", "emr_id": "1", "name": "Master"}],
                "fee_schedule_items": [item("a", "49082", fee=287)],
            }
        ]
    )
    reply = loopback.get(f"{world.url}/v1/fee-schedules/a/items", headers=world.headers)
    world.delete()
    assert reply.text.startswith(
        '{"success":true,"items":[{"item_id":"a49082","code":"49082","name":"NAME OF 49082","fee":287.0,'
        '"allowed_fee":0.0,"cost":0.0,"patient_portion":0.0,"bill_to_patient":false,"modifiers":[],"pos":null,'
        '"tos":null,"ndc":{"code":null,"units":null,"uom":null,"unit_price":null},"exclude_cpt":false,'
        '"validity":"valid"}]'
    )


@pytest.mark.parametrize("path", ["/fee-schedules", f"/fee-schedules/{MEDICARE}/items"])
def test_fee_schedules_need_an_access_token(world: World, path: str) -> None:
    """D6."""
    headers = {**world.headers, "access_token": "nobody"}
    reply = loopback.get(f"{world.url}/v1{path}", headers=headers)
    assert (reply.status_code, reply.json()["message"]) == (404, "User not found.")


def test_the_demo_clinic_has_a_master_and_a_medicare_schedule_with_the_same_codes(sandbox: Sandbox) -> None:
    world = sandbox.world(fixtures=["demo-clinic"])
    with loopback.Client(base_url=f"{world.url}/v1", headers=world.headers) as api:
        master, medicare = api.get("/fee-schedules").json()["fee_schedules"]
        assert (master["is_master"], medicare["is_master"]) == (True, False)
        assert codes(api, master["id"]) == codes(api, medicare["id"])
        assert len(codes(api, master["id"])) == master["item_count"] == medicare["item_count"]
        assert len(codes(api, master["id"], validity="invalid")) == 5
    world.delete()

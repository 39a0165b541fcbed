"""Money adds up: what is charged is paid, adjusted or owed, for every claim of a fixture and every one that is made."""

from __future__ import annotations

import re
from copy import deepcopy
from decimal import Decimal
from itertools import chain
from typing import Any, Final

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loopback
from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.bundled import fixture_names
from properties.anything import Json

ALL_TIME: Final = {"start_date": "0001-01-01", "end_date": "9999-12-31"}
CODES: Final = ("99213", "99214", "36415", "J1885", "00100")
AMOUNT: Final = re.compile(r"-?[0-9]+\.[0-9]{2}")


def call(world: World, method: str, path: str, **request: Any) -> httpx2.Response:
    url = f"{world.url}/v1{path}"
    return loopback.request(method, url, headers=world.headers, **request)


def claims_of(world: World) -> list[Json]:
    """All of them, from page to page."""
    claims: list[Json] = []
    while True:
        page = len(claims) // 2 + 1
        reply = call(world, "GET", "/claims", params={**ALL_TIME, "page": page, "page_size": 2}).json()
        claims += reply["claims"]
        if page >= reply["pagination"]["total_pages"]:
            assert len(claims) == reply["pagination"]["total_records"]
            return claims


# The laws --------------------------------------------------------------------------------------------------------


def total(parts: list[Json], field: str) -> Decimal:
    return sum((Decimal(part[field]) for part in parts), Decimal(0))


def demand_that_money_adds_up(claim: Json) -> None:
    """Of one claim as it is listed."""
    amounts = {name: claim[name] for name in ("total_charge", "total_payment", "net_payment", "balance")}
    amounts |= {name: claim[name] for name in ("net_adjustment", "patient_responsibility")}
    lines, payments, activity = claim["line_items"], claim["payments"], claim["billing_activity"]
    of_lines = [line[name] for line in lines for name in ("charge", "payment", "adjustment", "balance")]
    of_steps = [step["amount"] for step in (*payments, *activity)]
    for text in chain(amounts.values(), claim["balances"].values(), of_lines, of_steps):
        assert isinstance(text, str)
        assert AMOUNT.fullmatch(text), text

    worth = {name: Decimal(text) for name, text in amounts.items()}
    assert worth["total_charge"] == worth["net_payment"] + worth["net_adjustment"] + worth["balance"]
    for line in lines:
        assert total([line], "charge") == total([line], "payment") + total([line], "adjustment") + total(
            [line], "balance"
        )
    sums = {"total_charge": "charge", "net_payment": "payment", "net_adjustment": "adjustment", "balance": "balance"}
    assert {name: total(lines, field) for name, field in sums.items()} == {name: worth[name] for name in sums}
    assert total(payments, "amount") == worth["total_payment"]
    assert total(activity, "amount") == worth["balance"]
    assert worth["patient_responsibility"] <= worth["balance"]
    assert claim["balances"] == {
        "invoice_amount": claim["total_charge"],
        "total_payment": claim["total_payment"],
        "net_payment": claim["net_payment"],
        "balance": claim["balance"],
        "patient_balance": claim["patient_responsibility"],
    }


@pytest.mark.parametrize("name", fixture_names())
def test_the_claims_of_every_fixture_add_up(sandbox: Sandbox, name: str) -> None:
    world = sandbox.world(fixtures=[name])
    claims = claims_of(world)
    world.delete()
    assert name != "documentation" or len(claims) == 3
    for claim in claims:
        demand_that_money_adds_up(claim)


# Claims that are made --------------------------------------------------------------------------------------------

fees = st.one_of(
    st.integers(0, 10**6).map(lambda cents: cents / 100),
    st.floats(0, 1e9, allow_subnormal=False),
    st.sampled_from((0.1, 0.005, 1.005, 2.675, 0.0)),
)
price_lists = st.dictionaries(st.sampled_from(CODES), fees)
notes = st.lists(st.sampled_from(CODES), max_size=6)
visits = st.lists(st.tuples(notes, st.integers(0, 2), st.booleans()), min_size=1, max_size=4)


def practice(prices: dict[str, float], seen: list[tuple[list[str], int, bool]]) -> Json:
    """One visit a patient, with what was done, and so many insurances."""
    ndc = dict.fromkeys(("code", "units", "uom", "unit_price"))
    return {
        "name": "money",
        "fee_schedules": [{"id": "master", "emr_id": "1", "name": "Master", "is_master": True}],
        "fee_schedule_items": [
            {"fee_schedule_id": "master", "item_id": code, "code": code, "name": code, "fee": fee, "ndc": ndc}
            for code, fee in prices.items()
        ],
        "patients": [{"mrn": f"M{number}", "last_name": "Quill"} for number, _ in enumerate(seen)],
        "insurances": [
            {"patient_mrn": f"M{number}", "emr_insurance_id": f"{number}-{place}", "insurance_name": "Aetna"}
            for number, (_, insured, _) in enumerate(seen)
            for place in range(insured)
        ],
        "appointments": [
            {
                "id": f"{number:032}",
                "ehr_appointment_id": str(number),
                "datetime": f"2026-03-0{number % 2 + 1}T15:00:00Z",
                "patient_mrn": f"M{number}",
                "provider_ehr_id": "1",
            }
            for number, _ in enumerate(seen)
        ],
        "notes": [
            {"appointment_id": f"{number:032}", "note": {"plan": "rest"}, "cpt_codes": codes}
            for number, (codes, _, _) in enumerate(seen)
        ],
    }


@given(prices=price_lists, seen=visits)
def test_every_claim_that_is_made_adds_up(sandbox: Sandbox, prices: dict[str, float], seen: list[Any]) -> None:
    """Each is listed once it is in the EHR, and the fees of the practice are charged to the cent."""
    world = sandbox.world(seed=1, fixtures=[practice(prices, seen)])
    made: dict[str, list[str]] = {}
    for number, (codes, _, refused) in enumerate(seen):
        if refused:
            world.fault("claim.created", {"fail": [{"code": "EHR_REJECTED", "description": "No."}]})
        reply = call(world, "POST", "/claims", json={"appointment_id": f"{number:032}"})
        assert reply.status_code == 202
        assert len(claims_of(world)) == len(made)
        world.settle()
        if not refused:
            made[reply.json()["claim_id"]] = codes
    claims = claims_of(world)
    world.delete()
    assert {claim["id"] for claim in claims} == made.keys()
    assert [claim["service_date"] for claim in claims] == sorted(
        (each["service_date"] for each in claims), reverse=True
    )
    for claim in claims:
        demand_that_money_adds_up(claim)
        codes = [line["code"] for line in claim["line_items"]]
        assert codes == (list(dict.fromkeys(made[claim["id"]])) or ["99213"])
        for line in claim["line_items"]:
            if line["code"] in prices:
                assert abs(Decimal(line["charge"]) - Decimal(repr(prices[line["code"]]))) <= Decimal("0.005")
        is_insured = bool(claim["insurances"])
        assert claim["patient_responsibility"] == ("0.00" if is_insured else claim["balance"])


@given(amount=st.one_of(st.integers(1, 10**15), st.floats(min_value=0.01, allow_infinity=False)))
def test_every_payment_is_kept_to_the_cent(sandbox: Sandbox, amount: float) -> None:
    world = sandbox.world(seed=1, fixtures=["empty"])
    texts = dict.fromkeys(("patient_mrn", "payment_method", "reference_number", "location"), "x")
    assert call(world, "POST", "/payments", json={**texts, "amount": amount}).status_code == 200
    url = f"{world.url}/_sandbox/snapshot"
    reply = loopback.get(url, headers=world.headers)
    [payment] = reply.json()["practices"][0]["tables"]["payments"]
    world.delete()
    assert AMOUNT.fullmatch(payment["amount"])
    assert abs(Decimal(payment["amount"]) - Decimal(repr(amount))) <= Decimal("0.005")


# Laws can be broken ----------------------------------------------------------------------------------------------

LIES: Final[dict[str, Json]] = {
    "a cent is lost": {"balance": "19.99"},
    "a cent is lost everywhere": {"balance": "19.99", "total_charge": "349.99"},
    "an adjustment has no line": {"net_adjustment": "51.00", "balance": "19.00"},
    "a line is missing": {"line_items": []},
    "a payment is missing": {"payments": []},
    "nothing ever happened": {"billing_activity": []},
    "the patient owes more than is owed": {"patient_responsibility": "20.01"},
    "an amount is a number": {"total_payment": 280.0},
    "an amount has three decimals": {"total_charge": "350.000"},
    "an amount has none": {"net_payment": "280"},
    "the balances are others": {"balances": {"balance": "20.00"}},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_law_is_broken_when(lie: str, world: World) -> None:
    [claim] = [each for each in claims_of(world) if each["emr_claim_id"] == "100234"]
    demand_that_money_adds_up(claim)
    with pytest.raises(AssertionError):
        demand_that_money_adds_up({**deepcopy(claim), **LIES[lie]})

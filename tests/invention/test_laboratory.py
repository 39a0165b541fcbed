"""What an invented clinic has ordered, and what laboratories have found, is plausible."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cobalt_sandbox.invention.calendar import TODAY
from cobalt_sandbox.invention.clinic import DEMO_CLINIC_SEED, TIMEZONE, population

Practice = dict[str, Any]
Row = dict[str, Any]


@pytest.fixture(scope="module", params=[(DEMO_CLINIC_SEED, 40, 6), (3, 200, 20)], ids=["demo clinic", "large"])
def practice(request: pytest.FixtureRequest) -> Practice:
    seed, patients, providers = request.param
    name = "demo-clinic" if seed == DEMO_CLINIC_SEED else "large"
    return population(seed=seed, name=name, patients=patients, providers=providers)


def is_normal(value: float, reference_range: str) -> bool:
    if found := re.fullmatch(r"([0-9.]+)-([0-9.]+)", reference_range):
        return float(found[1]) <= value <= float(found[2])
    limit = float(reference_range[1:])
    return value < limit if reference_range[0] == "<" else value > limit


def results(practice: Practice) -> list[Row]:
    return [each for order in practice["orders"] if order["lab_results"] for each in order["lab_results"]["results"]]


def test_an_order_is_of_a_patient_by_a_provider_and_for_a_listed_appointment_or_none(practice: Practice) -> None:
    patients = {each["mrn"]: each for each in practice["patients"]}
    providers = {each["ehr_id"] for each in practice["providers"]}
    visits = {each["id"]: each for each in practice["appointments"]}
    for order in practice["orders"]:
        patient = patients[order["patient_mrn"]]
        assert order["patient_name"] == f"{patient['first_name']} {patient['last_name']}"
        assert order["patient_dob"] == patient["dob"]
        assert order["provider_id"] in providers
        if order["appointment_id"] is not None:
            visit = visits[order["appointment_id"]]
            assert (visit["patient_mrn"], visit["datetime"][:10]) == (order["patient_mrn"], order["order_date"])


def test_an_order_is_of_the_day_on_which_it_was_made_and_has_both_its_ids_and_names(practice: Practice) -> None:
    for order in practice["orders"]:
        made = datetime.fromisoformat(order["ordered_date"])
        assert made.astimezone(ZoneInfo(TIMEZONE)).date().isoformat() == made.date().isoformat() == order["order_date"]
        assert order["id"] == order["order_id"]
        assert order["order_name"] == order["details"]["name"]
        assert order["order_date"] <= TODAY.isoformat()


def test_the_demo_clinic_has_orders_of_every_type_and_status_with_and_without_results() -> None:
    orders: Any = population(seed=DEMO_CLINIC_SEED, name="demo-clinic")["orders"]
    assert {order["type"] for order in orders} == {"lab", "imaging", "medication", "procedure"}
    for kind in ("lab", "imaging"):
        assert {order["status"] for order in orders if order["type"] == kind} == {"pending", "completed", "cancelled"}
    assert {order["lab_results"] is None for order in orders if order["type"] == "lab"} == {True, False}


def test_results_are_of_lab_orders_that_are_completed(practice: Practice) -> None:
    for order in practice["orders"]:
        assert (order["lab_results"] is not None) <= (order["type"] == "lab" and order["status"] == "completed")
        assert (order["lab_results"] is not None) == ("results_url" in order["details"])


def test_the_details_are_those_of_the_type(practice: Practice) -> None:
    keys = {"lab": {"name", "code", "results_url"}, "imaging": {"name", "location", "scheduled_date"}}
    for order in practice["orders"]:
        assert order["details"].keys() <= keys.get(order["type"], {"name"})
        assert order["details"].get("scheduled_date", "~") > order["ordered_date"]


def test_a_flag_tells_on_which_side_of_its_range_a_value_lies(practice: Practice) -> None:
    measured = [each for each in results(practice) if each["reference_range"]]
    assert Counter(each["flag"] for each in measured).keys() == {None, "H", "L"}
    for each in measured:
        value = float(each["value"])
        assert value > 0
        assert (each["flag"] is None) == is_normal(value, each["reference_range"])
        if each["flag"] and "-" in each["reference_range"]:
            low, high = map(float, each["reference_range"].split("-"))
            assert value < low if each["flag"] == "L" else value > high


def test_what_is_only_looked_at_has_neither_unit_nor_range(practice: Practice) -> None:
    seen = [each for each in results(practice) if not each["reference_range"]]
    assert {each["name"] for each in seen} == {"Color", "Appearance"}
    assert all(each["unit"] is each["flag"] is None for each in seen)

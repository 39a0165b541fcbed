"""The invented claims of a clinic add up, and follow from its visits, its fee schedules and its patients' insurances."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cobalt_sandbox.clock import moment_of
from cobalt_sandbox.ehr import RECORDS
from cobalt_sandbox.fixture import read
from cobalt_sandbox.invention.accounts import CLOSED_AFTER, STATUSES
from cobalt_sandbox.invention.calendar import TODAY, shifts_on
from cobalt_sandbox.invention.clinic import DEMO_CLINIC_SEED, population

Practice = dict[str, Any]
Row = dict[str, Any]

#: Dates that are the same in every world.
BORN = {"dob", "patient_dob", "subscriber_dob"}


@pytest.fixture(scope="module")
def clinic() -> Practice:
    return population(seed=DEMO_CLINIC_SEED, name="demo-clinic")


@pytest.fixture(scope="module")
def large() -> Practice:
    return population(seed=3, name="large", patients=200, providers=20)


@pytest.fixture(params=["clinic", "large"])
def practice(request: pytest.FixtureRequest) -> Practice:
    chosen: Practice = request.getfixturevalue(request.param)
    return chosen


def texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a record, with the key that it stands under."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, name)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner, key)
    elif isinstance(value, str):
        yield key, value


def total(rows: list[Row], key: str) -> Decimal:
    return sum((Decimal(row[key]) for row in rows), Decimal())


def day(text: str) -> date:
    return date.fromisoformat(text)


def age(born: date, then: date) -> int:
    return then.year - born.year - ((then.month, then.day) < (born.month, born.day))


# What was charged ------------------------------------------------------------------------------------------------


def test_there_is_a_year_of_claims_up_to_today(clinic: Practice) -> None:
    claims = clinic["claims"]
    assert len(claims) >= 150
    assert len({claim["service_date"][:7] for claim in claims}) == 13
    assert [claim["service_date"] for claim in claims] == sorted(claim["service_date"] for claim in claims)
    assert all(timedelta(days=2) <= TODAY - day(claim["service_date"]) <= timedelta(days=365) for claim in claims)


def test_no_two_claims_share_a_number_or_a_visit(practice: Practice) -> None:
    for key in ("emr_claim_id", "emr_appointment_id"):
        assert max(Counter(claim[key] for claim in practice["claims"]).values()) == 1


def test_a_visit_was_on_a_working_day_of_its_provider_and_after_the_birth_of_the_patient(practice: Practice) -> None:
    providers = {each["ehr_id"]: each for each in practice["providers"]}
    patients = {each["ehr_id"]: each for each in practice["patients"]}
    for claim in practice["claims"]:
        provider = providers[claim["emr_provider_id"]]
        assert claim["provider_name"] == provider["name"]
        assert list(shifts_on(provider, day(claim["service_date"])))
        assert patients[claim["emr_patient_id"]]["dob"] <= claim["service_date"]


def test_a_claim_for_a_listed_appointment_is_of_one_that_took_place(practice: Practice) -> None:
    listed = {each["ehr_appointment_id"]: each for each in practice["appointments"] if "ehr_appointment_id" in each}
    claims = [claim for claim in practice["claims"] if claim["emr_appointment_id"] in listed]
    assert claims
    for claim in claims:
        appointment = listed[claim["emr_appointment_id"]]
        assert appointment["status"] == "COMP"
        assert appointment["datetime"][:10] == claim["service_date"]
        assert appointment["patient_ehr_id"] == claim["emr_patient_id"]
        assert appointment["provider_ehr_id"] == claim["emr_provider_id"]


def test_some_visits_are_still_without_a_claim(clinic: Practice) -> None:
    charged = {claim["emr_appointment_id"] for claim in clinic["claims"]}
    assert {each["ehr_appointment_id"] for each in clinic["appointments"] if each["status"] == "COMP"} - charged


def test_a_line_is_charged_by_the_master_fee_schedule(practice: Practice) -> None:
    [master] = [each["id"] for each in practice["fee_schedules"] if each["is_master"]]
    fees = {each["code"]: each for each in practice["fee_schedule_items"] if each["fee_schedule_id"] == master}
    for line in (line for claim in practice["claims"] for line in claim["line_items"]):
        item = fees[line["code"]]
        assert Decimal(line["charge"]) == Decimal(str(item["fee"])) * line["units"]
        assert line["name"] == item["name"]
        assert "validity" not in item


def test_a_visit_beside_which_something_was_done_is_marked(large: Practice) -> None:
    lines = [claim["line_items"] for claim in large["claims"] if claim["line_items"]]
    assert {tuple(first["modifiers"]) for first, *_ in lines} >= {(), ("25",), ("95",)}
    for first, *more in lines:
        assert ("25" in first["modifiers"]) >= bool({line["code"] for line in more} & {"90471", "10060", "20610"})


def test_what_is_charged_for_prevention_goes_by_age(large: Practice) -> None:
    """Medicare has a code of its own."""
    ages = {"99391": (0, 0), "99392": (1, 4), "99393": (5, 11), "99394": (12, 17), "99395": (18, 39), "99396": (40, 64)}
    born = {each["ehr_id"]: day(each["dob"]) for each in large["patients"]}
    first = [(claim, claim["line_items"][0]["code"]) for claim in large["claims"] if claim["line_items"]]
    for claim, code in first:
        low, high = ages.get(code, (0, 120))
        assert low <= age(born[claim["emr_patient_id"]], day(claim["service_date"])) <= high
    assert {code for _, code in first} >= {"99396", "G0439", "99213", "99203", "90834"}


# What became of it -----------------------------------------------------------------------------------------------


def test_every_line_adds_up_and_nothing_is_negative(practice: Practice) -> None:
    for line in (line for claim in practice["claims"] for line in claim["line_items"]):
        charge, *parts = (Decimal(line[key]) for key in ("charge", "payment", "adjustment", "balance"))
        assert charge == sum(parts)
        assert min(parts) >= 0


def test_every_claim_adds_up_to_the_cent(practice: Practice) -> None:
    for claim in practice["claims"]:
        lines = claim["line_items"]
        assert Decimal(claim["total_charge"]) == total(lines, "charge")
        assert Decimal(claim["net_payment"]) == total(lines, "payment") == total(claim["payments"], "amount")
        assert Decimal(claim["net_adjustment"]) == total(lines, "adjustment")
        assert Decimal(claim["balance"]) == total(lines, "balance") == total(claim["billing_activity"], "amount")
        assert claim["total_payment"] == claim["net_payment"]


def test_a_status_goes_with_who_has_paid_and_who_is_to_pay(practice: Practice) -> None:
    for claim in practice["claims"]:
        status, balance = claim["claim_status"], Decimal(claim["balance"])
        insured = {each["insurance_name"] for each in claim["insurances"]}
        is_paid_by_insurers = bool(insured & {each["payer"] for each in claim["payments"]})
        assert claim["claim_status_description"] == STATUSES[status]
        assert is_paid_by_insurers == (status in ("SECD", "PTDU", "48CL") or (status == "SETL" and bool(insured)))
        assert (balance == 0) == (status in ("SETL", "VOID"))
        owed = balance if status in ("PTDU", "48CL", "SELF") else 0
        assert Decimal(claim["patient_responsibility"]) == owed
        assert claim["void_flag"] == (status == "VOID") == (not claim["line_items"])
        is_submitted = bool(insured) and status not in ("NEW", "VOID")
        assert (claim["claim_date"] is not None) == is_submitted == bool(claim["pdf_urls"])


def test_a_status_goes_with_the_age_of_a_claim(practice: Practice) -> None:
    ages: dict[str, list[timedelta]] = {status: [] for status in STATUSES}
    for claim in practice["claims"]:
        ages[claim["claim_status"]].append(TODAY - day(claim["service_date"]))
    assert max(ages["NEW"]) < timedelta(days=9)
    assert max(ages["SUBM"]) < timedelta(days=42)
    assert min(ages["DENY"]) > timedelta(days=10)
    assert max(ages["PTDU"]) < timedelta(days=CLOSED_AFTER) <= min(ages["48CL"])


def test_the_demo_clinic_has_claims_of_every_status_and_of_patients_with_up_to_two_insurances(clinic: Practice) -> None:
    assert {claim["claim_status"] for claim in clinic["claims"]} == set(STATUSES)
    assert {len(claim["insurances"]) for claim in clinic["claims"]} == {0, 1, 2}


def test_a_claim_goes_to_the_insurances_of_its_patient_in_their_order(practice: Practice) -> None:
    mrns = {each["ehr_id"]: each["mrn"] for each in practice["patients"]}
    for claim in (claim for claim in practice["claims"] if claim["line_items"]):
        held = [each for each in practice["insurances"] if each["patient_mrn"] == mrns[claim["emr_patient_id"]]]
        named = [(each["insurance_id"], each["subscriber_number"]) for each in claim["insurances"]]
        assert named == [(each["insurance_ehr_id"], each["insurance_subscriber_number"]) for each in held]
        assert [each["claim_indicator"] for each in claim["insurances"]] == ["P", "S"][: len(named)]
        assert [each["sequence_number"] for each in claim["insurances"]] == ["1", "2"][: len(named)]


def test_an_insurer_has_one_address(practice: Practice) -> None:
    insurances = [each for claim in practice["claims"] for each in claim["insurances"]]
    addresses = {(each["insurance_id"], each["insurance_address_1"]) for each in insurances}
    assert len(addresses) == len({id for id, _ in addresses})


def test_nothing_is_paid_before_the_visit_or_after_today_and_insurers_pay_what_was_submitted(
    practice: Practice,
) -> None:
    for claim in practice["claims"]:
        insured = {each["insurance_name"] for each in claim["insurances"]}
        for each in claim["payments"]:
            since = claim["claim_date"] if each["payer"] in insured else claim["service_date"]
            assert since <= each["payment_date"] <= TODAY.isoformat()
        days = [each["date"] for each in claim["billing_activity"]]
        assert days == sorted(days)
        if claim["claim_date"] is not None:
            assert claim["service_date"] < claim["claim_date"] <= TODAY.isoformat()
            assert day(claim["claim_date"]).weekday() < 5


# The fee schedules -----------------------------------------------------------------------------------------------


def test_both_schedules_have_the_same_codes_with_their_own_amounts(clinic: Practice) -> None:
    master, medicare = (
        {each["code"]: each for each in clinic["fee_schedule_items"] if each["fee_schedule_id"] == schedule["id"]}
        for schedule in sorted(clinic["fee_schedules"], key=lambda each: not each["is_master"])
    )
    assert master.keys() == medicare.keys()
    assert 55 <= len(master) <= 75
    for code, item in master.items():
        other = medicare[code]
        assert item["name"] == other["name"]
        assert item["item_id"] != other["item_id"]
        assert item["fee"] >= item["allowed_fee"] >= other["allowed_fee"]
        assert item["fee"] > other["fee"] >= other["allowed_fee"]


def test_codes_that_are_no_longer_in_use_are_kept(clinic: Practice) -> None:
    retired = [each for each in clinic["fee_schedule_items"] if each.get("validity") == "invalid"]
    assert len(retired) == 10
    assert all(each["exclude_cpt"] and each["allowed_fee"] == 0 for each in retired)


def test_a_drug_has_its_ndc_and_a_cost(clinic: Practice) -> None:
    for item in clinic["fee_schedule_items"]:
        assert (item["ndc"]["code"] is not None) == item["code"].startswith("J") == (item["cost"] > 0)


# Redating --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weeks", [37, -20])
@pytest.mark.parametrize(
    "table", ["appointments", "claims", "orders", "referrals", "tasks", "telephone_encounters", "documents"]
)
def test_every_date_moves_with_the_first_day_of_a_world(clinic: Practice, table: str, weeks: int) -> None:
    fixture = read(clinic, RECORDS)
    [kind] = [kind for kind in RECORDS if kind.table == table]
    begun = moment_of(datetime.combine(TODAY, time(18), UTC) + timedelta(weeks=weeks))
    for before, after in zip(fixture.table(kind), fixture.table_at(kind, begun), strict=True):
        for (key, text), (_, moved) in zip(texts(vars(before)), texts(vars(after)), strict=True):
            if re.match(r"\d{4}-\d\d-\d\d", text) and key not in BORN:
                assert day(moved[:10]) - day(text[:10]) == timedelta(weeks=weeks)
                assert len(moved) == len(text)
            else:
                assert moved == text

"""An invented practice can be made again, byte for byte, and nobody in it can be reached."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cobalt_sandbox.ehr import RECORDS
from cobalt_sandbox.fixture import read
from cobalt_sandbox.invention.clinic import DEMO_CLINIC_SEED, population, printed

FIXTURES = Path(__file__).parents[2] / "fixtures"
TABLES = (
    "locations",
    "providers",
    "staff",
    "referring_providers",
    "patients",
    "pharmacies",
    "insurance_providers",
)

#: What only some records have.
OPTIONAL = {"middle_name", "medications", "pharmacies", "rendering_provider_id"}

# What the documentation's own examples print, kept as printed.
PRINTED = {
    *("2223334444", "5556667777", "773-472-2936", "773-472-2937", "555-123-4567"),
    *("415-555-1234", "415-555-5678", "(415) 555-0456", "415-555-9000"),
    *("john.smith@example.com", "jane.smith@example.com"),
}
PRINTED_NPIS = {"425345345", "2453453453", "1780690362"}

Practice = dict[str, Any]


def fixture_file(name: str) -> str:
    return (FIXTURES / f"{name}.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def clinic() -> Practice:
    practice: Practice = json.loads(fixture_file("demo-clinic"))
    return practice


@pytest.fixture(scope="module")
def large() -> Practice:
    return population(
        seed=3,
        name="large",
        patients=400,
        providers=40,
        referring_providers=60,
        locations=7,
        staff=30,
        pharmacies=15,
        insurance_providers=40,
    )


@pytest.fixture(params=("clinic", "large"))
def practice(request: pytest.FixtureRequest) -> Practice:
    chosen: Practice = request.getfixturevalue(request.param)
    return chosen


def values(record: object, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Every text under a key that is wanted, however deep."""
    if isinstance(record, list):
        for item in record:
            yield from values(item, wanted)
    elif isinstance(record, dict):
        for key, value in record.items():
            if wanted(key) and isinstance(value, str):
                yield value
            yield from values(value, wanted)


def npis(practice: Practice) -> list[str]:
    return list(values([practice["providers"], practice["referring_providers"]], "npi".__eq__))


def luhn_holds(digits: str) -> bool:
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def all_shifts(practice: Practice) -> list[dict[str, Any]]:
    return [shift for provider in practice["providers"] for day in provider["hours"] for shift in day["shifts"]]


def test_the_same_seed_gives_the_same_practice() -> None:
    assert population(seed=5, name="twin") == population(seed=5, name="twin")


def test_another_seed_or_another_name_gives_other_people() -> None:
    one = population(seed=5, name="twin")
    assert population(seed=6, name="twin")["patients"] != one["patients"]
    assert population(seed=5, name="other")["patients"] != one["patients"]


def test_a_practice_is_the_same_under_any_hash_seed() -> None:
    program = (
        "import sys; from cobalt_sandbox.invention.clinic import population, printed;"
        "sys.stdout.buffer.write(printed(population(seed=5, name='twin')).encode())"
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": hash_seed}
        made = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True).stdout
        assert made.decode() == printed(population(seed=5, name="twin"))


def test_the_demo_clinic_is_what_its_seed_gives_byte_for_byte() -> None:
    made = printed(population(seed=DEMO_CLINIC_SEED, name="demo-clinic"))
    assert made.encode() == (FIXTURES / "demo-clinic.json").read_bytes()


@pytest.mark.parametrize("name", ["documentation", "empty"])
def test_a_fixture_file_that_is_written_by_hand_has_a_line_for_each_value(name: str) -> None:
    written = fixture_file(name)
    assert json.dumps(json.loads(written), ensure_ascii=False, indent=1) + "\n" == written


def test_a_fixture_file_that_is_made_has_a_line_for_each_record_and_is_not_too_large(clinic: Practice) -> None:
    written = fixture_file("demo-clinic")
    assert printed(clinic) == written
    assert len(written.encode()) < 600_000
    lines = [json.loads(line.rstrip(",")) for line in written.splitlines() if line.startswith("  {")]
    assert lines == [row for rows in clinic.values() if isinstance(rows, list) for row in rows if isinstance(row, dict)]


@pytest.mark.parametrize("name", ["documentation", "empty"])
def test_every_fixture_file_has_the_keys_of_an_invented_practice_in_its_order(name: str, clinic: Practice) -> None:
    written = json.loads(fixture_file(name))
    assert [key for key in written if key != "last_schedule_sync"] == [key for key in clinic if key != "as_of"]
    for table in TABLES:
        for record in written[table]:
            assert [key for key in record if key not in OPTIONAL] == [
                key for key in clinic[table][0] if key not in OPTIONAL
            ]


def test_an_invented_practice_comes_back_from_json_unchanged(large: Practice) -> None:
    assert json.loads(printed(large)) == large


def test_a_larger_practice_begins_with_the_people_of_a_smaller_one() -> None:
    small = population(seed=9, name="growing", patients=7, providers=2, pharmacies=4)
    grown = population(seed=9, name="growing", patients=300, providers=9, pharmacies=20)
    for table in TABLES:
        smaller, larger = small[table], grown[table]
        assert isinstance(smaller, list)
        assert isinstance(larger, list)
        assert larger[: len(smaller)] == smaller


def test_there_are_as_many_of_each_as_asked_for() -> None:
    counts = dict(zip(TABLES, range(3, 10), strict=True))
    practice: Practice = population(seed=1, name="counted", **counts)
    assert {table: len(practice[table]) for table in TABLES} == counts


def test_a_practice_can_be_empty_and_a_provider_without_locations_has_no_hours() -> None:
    practice: Practice = population(seed=1, name="bare", locations=0, patients=0, providers=6)
    assert practice["locations"] == practice["patients"] == []
    assert [provider["hours"] for provider in practice["providers"]] == [[]] * 6


def test_every_telephone_and_fax_number_is_a_fictional_one(practice: Practice) -> None:
    found = list(values(practice, lambda key: "phone" in key or key == "fax"))
    assert found
    assert [number for number in found if not re.fullmatch(r"\d{3}55501\d\d", re.sub(r"\D", "", number))] == []


def test_every_mail_address_and_web_address_ends_in_example(practice: Practice) -> None:
    found = list(values(practice, lambda key: key in {"email", "emr_instance_domain", "results_url"}))
    found += [url for claim in practice["claims"] for url in claim["pdf_urls"]]
    assert [address for address in found if not re.fullmatch(r"[a-z0-9.:/@-]+\.example(/[a-z0-9_./]+)?", address)] == []


def test_every_npi_is_in_our_range_with_a_valid_check_digit(practice: Practice) -> None:
    assert [
        npi for npi in npis(practice) if not re.fullmatch(r"19999\d{5}", npi) or not luhn_holds(f"80840{npi}")
    ] == []


def test_no_two_practitioners_share_an_npi(practice: Practice) -> None:
    assert len(set(npis(practice))) == len(practice["providers"]) + len(practice["referring_providers"])


def test_every_id_is_unique(practice: Practice) -> None:
    with_ids = [table for table, rows in practice.items() if isinstance(rows, list) and "id" in rows[0]]
    assert len(with_ids) == 15
    ids = list(values(practice, "id".__eq__))
    assert all(re.fullmatch(r"[0-9a-f]{32}|ord_[0-9]+", id) for id in ids)
    assert len(set(ids)) == len(ids) == sum(len(practice[table]) for table in with_ids)


@pytest.mark.parametrize("name", ["documentation", "demo-clinic"])
def test_no_two_records_of_a_kind_share_an_id_an_ehr_id_or_an_mrn(name: str) -> None:
    written = json.loads(fixture_file(name))
    for table in TABLES:
        for key in ("id", "ehr_id", "mrn"):
            given = [record[key] for record in written[table] if key in record]
            assert len(set(given)) == len(given)


@pytest.mark.parametrize("name", ["documentation", "demo-clinic"])
def test_every_shift_is_at_a_location_of_the_practice(name: str) -> None:
    written = json.loads(fixture_file(name))
    sites = {location["ehr_id"]: location["name"] for location in written["locations"]}
    assert [shift for shift in all_shifts(written) if sites.get(shift["facility_id"]) != shift["facility_name"]] == []


def test_every_shift_ends_after_it_starts_and_its_rules_lie_within_it(practice: Practice) -> None:
    codes = {kind["code"]: kind["description"] for kind in practice["visit_types"]}
    for shift in all_shifts(practice):
        assert shift["start"] < shift["end"]
        assert shift["set_start_date"] < shift.get("set_end_date", "9999")
        for rule in shift.get("visit_type_rules", []):
            assert shift["start"] <= rule["start_time"] < rule["end_time"] <= shift["end"]
            assert codes[rule["visit_type_id"]] == rule["visit_type_desc"]


def test_the_demo_clinic_shows_every_kind_of_working_hours(clinic: Practice) -> None:
    shifts = all_shifts(clinic)
    for key in ("set_end_date", "recurrence", "visit_type_rules"):
        assert any(key in shift for shift in shifts)
        assert any(key not in shift for shift in shifts)
    assert {provider["status"] for provider in clinic["providers"]} == {"active", "inactive"}
    assert {provider["hide_in_availability"] for provider in clinic["providers"]} == {True, False}


def test_the_demo_clinic_has_families_and_all_ages_and_gaps_in_what_is_known(clinic: Practice) -> None:
    patients = clinic["patients"]
    homes = [(patient["last_name"], patient["address_street"]) for patient in patients]
    assert sum(homes.count(home) > 2 for home in set(homes)) >= 2
    assert min(patient["dob"] for patient in patients) < "1940"
    assert max(patient["dob"] for patient in patients) > "2015"
    for key in ("cell_phone", "email", "address_line2"):
        assert {patient[key] is None for patient in patients} == {True, False}
    assert any(not patient["first_name"].isascii() for patient in patients)


def test_the_documentation_practice_leaves_room_for_the_documented_new_patient() -> None:
    people = [
        (one["first_name"], one["last_name"], one["dob"])
        for one in json.loads(fixture_file("documentation"))["patients"]
    ]
    assert ("John", "Smith", "1980-01-01") not in people


def test_what_the_documentation_practice_adds_to_the_documentation_cannot_be_reached_either() -> None:
    written = json.loads(fixture_file("documentation"))
    contacts = values(written, lambda key: "phone" in key or key in {"fax", "email"})
    assert {
        one for one in contacts if not one.endswith(".example") and "55501" not in re.sub(r"\D", "", one)
    } == PRINTED
    assert {npi for npi in npis(written) if not npi.startswith("19999")} == PRINTED_NPIS
    assert all(luhn_holds(f"80840{npi}") for npi in npis(written) if npi not in PRINTED_NPIS)


def test_the_practice_takes_payments_in_the_ways_in_which_its_patients_have_paid(practice: Practice) -> None:
    paid = {
        each["payment_method"]
        for claim in practice["claims"]
        for each in claim["payments"]
        if each["payer"] == claim["patient_name"]
    }
    assert paid == set(practice["payment_methods"])


def test_whoever_takes_something_has_a_pharmacy_of_the_practice(practice: Practice) -> None:
    pharmacies = {each["ehr_id"]: each["name"] for each in practice["pharmacies"]}
    for patient in practice["patients"]:
        known = patient.get("pharmacies", [])
        assert bool(known) == bool(patient["medications"])
        assert all(pharmacies[each["pharmacy_ehr_id"]] == each["name"] for each in known)


def test_without_pharmacies_no_patient_has_one() -> None:
    assert not list(values(population(seed=1, name="bare", pharmacies=0)["patients"], "pharmacy_ehr_id".__eq__))


def test_every_table_of_an_invented_practice_can_be_read(large: Practice) -> None:
    fixture = read(large, RECORDS)
    for kind in RECORDS:
        assert len(fixture.table(kind)) == len(large.get(kind.table, []))


def test_a_server_that_starts_does_not_import_faker() -> None:
    program = "import sys, cobalt_sandbox.invention.clinic; sys.exit('faker' in sys.modules)"
    paths = os.pathsep.join(path for path in sys.path if path)
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": paths})

"""Fixtures: what a practice may start from, and what is said of one that cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any
from unittest.mock import ANY

import pytest

from cobalt_sandbox import Refusal, Sandbox
from cobalt_sandbox.bundled import fixture_document, fixture_names
from cobalt_sandbox.ehr import RECORDS
from cobalt_sandbox.ehr.people import Patient, Provider
from cobalt_sandbox.fixture import Fixture, InvalidFixture, read
from cobalt_sandbox.spec import distinct

ADA = {"first_name": "Ada", "last_name": "Lovelace", "dob": "1990-01-01", "sex": "female"}


def practice(**document: Any) -> Fixture:
    return read({"name": "own", **document}, RECORDS)


def test_a_name_is_enough() -> None:
    fixture = practice()
    assert (fixture.name, fixture.profile.ehr, fixture.profile.timezone) == (
        "own",
        "eClinicalWorks",
        "America/New_York",
    )
    assert {len(fixture.table(kind)) for kind in RECORDS} == {0}


def test_rows_without_an_id_get_one_that_follows_from_their_place() -> None:
    rows = [{"mrn": str(number), **ADA} for number in range(3)]
    first, second = (practice(patients=rows).table(Patient) for _ in range(2))
    assert [row.id for row in first] == [row.id for row in second]
    assert len({row.id for row in first}) == 3
    renamed = read({"name": "another", "patients": rows}, RECORDS).table(Patient)
    assert {row.id for row in renamed}.isdisjoint({row.id for row in first})


def test_an_id_that_is_given_is_kept_and_moves_no_other() -> None:
    rows: list[dict[str, str]] = [{"mrn": "1", **ADA}, {"mrn": "2", **ADA}]
    invented = next(row.id for row in practice(patients=rows).table(Patient).find("mrn", "2"))
    rows[0]["id"] = "mine"
    table = practice(patients=rows).table(Patient)
    assert table.the("mine").mrn == "1"
    assert table.the(invented).mrn == "2"


def test_all_bundled_fixtures_can_be_read() -> None:
    assert fixture_names() == ["demo-clinic", "documentation", "empty"]
    for name in fixture_names():
        assert read(fixture_document(name), RECORDS).name == name


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"patient": []}, "unknown key 'patient'. Known keys: "),
        ({"patients": [{**ADA, "sex": 7}]}, " at patients.0.sex."),
        ({"patients": [ADA, {**ADA, "shoe_size": 44}]}, "shoe_size"),
        ({"providers": [{"ehr_id": "1"}]}, " at providers.0.name."),
        ({"patients": {"a": 1}}, " at patients."),
        ({"patients": [7]}, " at patients.0."),
        ({"patients": [{"id": "x", **ADA}] * 2}, "patients: two rows have the id 'x'."),
        ({"name": 7}, " at name."),
        ({"options": {"oldest_fields": True}}, " at options.oldest_fields."),
        ({"settings": True}, " at settings."),
        (
            {"timezone": "Mars/Olympus"},
            ": Input should be an IANA time zone like 'America/New_York', not 'Mars/Olympus' at timezone.",
        ),
        ({"timezone": "../UTC"}, "not '../UTC' at timezone."),
        ({"timezone": "America"}, "not 'America' at timezone."),
        ({"timezone": ""}, "not '' at timezone."),
        ({"timezone": 5}, "Input should be a valid string at timezone."),
        (
            {"providers": [{"ehr_id": "1", "name": "Doe, Jane", "timezone": "EST/EDT"}]},
            ": Input should be an IANA time zone like 'America/New_York', not 'EST/EDT' at providers.0.timezone.",
        ),
    ],
)
def test_a_fixture_that_cannot_be_read_is_told_why_and_where(document: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidFixture) as raised:
        practice(**document)
    assert raised.value.message.startswith(f"Fixture {document.get('name', 'own')!r}: ")
    assert complaint in raised.value.message


@pytest.mark.parametrize("zone", ["America/Phoenix", "America/Argentina/Buenos_Aires", "Pacific/Kiritimati", "UTC"])
def test_any_iana_time_zone_is_taken(zone: str) -> None:
    provider = {"ehr_id": "1", "name": "Doe, Jane", "timezone": zone}
    fixture = practice(timezone=zone, providers=[provider])
    assert [fixture.profile.timezone, *(each.timezone for each in fixture.table(Provider))] == [zone, zone]


def test_every_zone_is_known_without_zone_files_of_the_system() -> None:
    """Slim images and Windows may have none; the package tzdata has them all."""
    program = (
        "from cobalt_sandbox.ehr import RECORDS; from cobalt_sandbox.fixture import read;"
        "print(read({'name': 'own', 'timezone': 'America/Phoenix'}, RECORDS).profile.timezone)"
    )
    environment = {**os.environ, "PYTHONTZPATH": ""}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == "America/Phoenix\n"


def test_a_fixture_without_a_name_is_called_unnamed() -> None:
    with pytest.raises(InvalidFixture, match=r"Fixture '\(unnamed\)': .* at name\."):
        read({}, RECORDS)


def test_two_practices_of_a_world_have_different_names_and_tokens() -> None:
    one, other = practice(), practice(name="other", access_token="at_other")
    assert distinct([one, other]) == (one, other)
    with pytest.raises(ValueError, match="two practices have the same name: 'own'"):
        distinct([one, practice(access_token="at_other")])
    with pytest.raises(ValueError, match="two practices have the same access_token: '493JKLHIU98789hLKH9HHJH'"):
        distinct([one, practice(name="other")])
    with pytest.raises(ValueError, match="at least one practice"):
        distinct([])


def test_a_world_starts_from_a_practice_of_ones_own(sandbox: Sandbox) -> None:
    world = sandbox.world(
        fixtures=[{"name": "own", "access_token": "at_own", "patients": [{"mrn": "1", **ADA}]}, "empty"]
    )
    practices = world.state()["practices"]
    assert [(each["name"], each["access_token"]) for each in practices] == [("own", "at_own"), ("empty", ANY)]
    assert world.access_token == "at_own"
    world.delete()


def test_a_world_that_cannot_be_made_is_refused_with_the_reason(sandbox: Sandbox) -> None:
    with pytest.raises(Refusal, match=r"no fixture 'clinic'\. Bundled fixtures: demo-clinic, documentation, empty\."):
        sandbox.world(fixtures=["clinic"])
    with pytest.raises(Refusal, match="This world cannot be made: two practices have the same name: 'empty'"):
        sandbox.world(fixtures=["empty", "empty"])
    with pytest.raises(Refusal, match="at least one practice"):
        sandbox.world(fixtures=[])


def test_worlds_share_a_fixture_and_not_its_changes(sandbox: Sandbox) -> None:
    fixture = practice(patients=[{"mrn": "1", **ADA}])
    table = fixture.table(Patient).copy()
    table.add(Patient(id="new", first_name="Alan", last_name="Turing", status="active"))
    assert (len(table), len(fixture.table(Patient))) == (2, 1)

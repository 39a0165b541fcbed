"""Fidelity: every answer says whether it is documented or a guess, and the report says why."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.app import DOCUMENTED
from cobalt_sandbox.client import Control
from cobalt_sandbox.contracts import reasons
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fidelity import of_answer
from kernel.story import Json

HEADER = "cobalt-sandbox-fidelity"


def answered(world: World, method: str, path: str, headers: Json | None = None, **request: Any) -> httpx2.Response:
    own = {**world.headers, **(headers or {})}
    return loopback.request(method, f"{world.url}{path}", headers=own, **request)


def test_a_documented_reply_says_so(world: World) -> None:
    reply = answered(world, "GET", "/v1/providers")
    assert (reply.status_code, reply.headers[HEADER]) == (200, "documented")


def test_a_documented_refusal_says_so_whatever_names_stand_in_it(world: World) -> None:
    body = {
        "patient_mrn": "nobody-41",
        "referring_from_provider_ehr_id": "0",
        "referring_to_provider_ehr_id": "0",
        "direction": "outgoing",
        "priority": "urgent",
        "reason": "Cough",
    }
    unknown = answered(world, "POST", "/v1/referrals", json=body)
    assert unknown.json()["message"].startswith("Patient with MRN 'nobody-41' not found.")
    missing = answered(world, "POST", "/v1/referrals", json={**body, "reason": ""})
    assert missing.json()["message"] == "Missing required fields: reason."
    assert unknown.headers[HEADER] == missing.headers[HEADER] == "documented"


def test_a_guessed_refusal_says_so(world: World) -> None:
    no_array = answered(world, "POST", "/v1/referrals", json={"documents": 7})
    no_path = answered(world, "GET", "/v1/nothing")
    no_client = answered(world, "GET", "/v1/providers", {"client_secret": "wrong"})
    assert [each.headers[HEADER] for each in (no_path, no_client)] == ["inferred"] * 2
    assert no_array.status_code == 400


def test_what_happens_at_the_access_token_is_documented_for_every_operation(world: World) -> None:
    unknown = answered(world, "GET", "/v1/patients", {"access_token": "unknown"})
    assert (unknown.json()["message"], unknown.headers[HEADER]) == ("User not found.", "documented")


def test_a_body_that_is_too_large_is_told_by_its_limit(world: World) -> None:
    reply = answered(world, "POST", "/v1/webhook", content=b" " * 1_048_577)
    assert (reply.status_code, reply.headers[HEADER]) == (413, "inferred")


def test_the_control_api_is_no_guess_and_says_nothing(world: World) -> None:
    assert HEADER not in answered(world, "GET", "/_sandbox/clock").headers


@pytest.mark.parametrize("name", DOCUMENTED.endpoints)
def test_every_operation_has_its_own(name: str) -> None:
    assert of_answer(name, None) in ("documented", "inferred")


def test_a_message_that_no_page_has_is_a_guess() -> None:
    class Unheard(CobaltError):
        template = "Nobody has ever said this."

    assert of_answer("referrals.create", Unheard()) == "inferred"
    assert of_answer(None, None) == "inferred"


# The report ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(sandbox: Sandbox) -> Json:
    found: Json = Control(sandbox.url).call("GET", "/fidelity")
    return found


def test_the_report_names_every_operation_and_event(report: Json) -> None:
    assert report["operations"].keys() >= DOCUMENTED.endpoints.keys()
    assert report["events"].keys() >= DOCUMENTED.events.keys()


def test_a_guess_has_its_place_and_its_decisions_or_its_reason(report: Json) -> None:
    listed = [*report["operations"].values(), *report["events"].values()]
    guesses = [*report["any_call"], *(guess for each in listed for guess in each["inferred"])]
    assert len(guesses) > 100
    assert all(guess["what"] and (guess["decisions"] or guess["reason"]) for guess in guesses)
    assert {number for guess in guesses for number in guess["decisions"]} <= report["decisions"].keys()
    array = next(
        each for each in report["operations"]["referrals.create"]["inferred"] if "not-an-array" in each["what"]
    )
    assert array["decisions"] == ["D222"]


def test_the_decisions_are_all_there_with_what_speaks_for_them(report: Json) -> None:
    assert list(report["decisions"]) == [f"D{number}" for number in range(1, 267)] == list(reasons())
    assert all(each["title"] and each["why"] for each in report["decisions"].values())

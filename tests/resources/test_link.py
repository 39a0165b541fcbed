"""Link's two calls: link tokens for a session, public tokens for an access token, and what that opens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Refusal, Sandbox, World

Json = dict[str, Any]

USER = {"user_id": "user_12345", "org_id": "org_67890"}
EMR = {"emr_name": "YourEMRName", "emr_instance_domain": "https://your-emr-instance.com"}
HALF_AN_HOUR = 30 * 60


class Link:
    """A client's server on its way through Link: the two calls, and what the new access token opens."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.credentials = {"client_id": world.client_id, "client_secret": world.client_secret}

    def call(self, method: str, path: str, **settings: Any) -> httpx2.Response:
        headers = {**self.credentials, **settings.pop("headers", {})}
        url = f"{self.world.url}{path}"
        return loopback.request(method, url, headers=headers, **settings)

    def create(self, *, at: str = "/v1", **body: Any) -> httpx2.Response:
        return self.call("POST", f"{at}/link/token/create", json=body)

    def link_token(self, **body: Any) -> str:
        reply = self.create(**{**USER, **body})
        assert reply.status_code == 200, reply.text
        return str(reply.json()["token"])

    def exchange(self, public_token: str, *, at: str = "/v1") -> httpx2.Response:
        return self.call("GET", f"{at}/link/token/exchange", params={"public_token": public_token})

    def access_token(self, public_token: str) -> str:
        reply = self.exchange(public_token)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["token"])

    def linked(self, **order: Any) -> str:
        """The access token of somebody who has gone through Link."""
        return self.access_token(self.world.public_token(**{**USER, **order}))

    def get(self, access_token: str, path: str) -> Json:
        reply = self.call("GET", f"/v1{path}", headers={"access_token": access_token})
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def practice(self, access_token: str) -> Json:
        [found] = [each for each in self.world.state()["practices"] if each["access_token"] == access_token]
        return dict(found)


@pytest.fixture
def link(world: World) -> Link:
    return Link(world)


@pytest.fixture
def strict(sandbox: Sandbox) -> Iterator[Link]:
    """With the option that organizations must be known."""
    world = sandbox.world(seed=1, options={"strict_orgs": True})
    yield Link(world)
    world.delete()


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    body = json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)
    assert (reply.text, reply.status_code) == (body, status)


def invalid(reply: httpx2.Response) -> None:
    refused(reply, 400, "Invalid or expired public_token.")


def snapshot(world: World) -> Json:
    return dict(world._json("GET", "/snapshot"))


# Create Link Token -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["/v1", ""])
def test_a_link_token_is_created_with_and_without_v1(link: Link, at: str) -> None:
    """D1."""
    reply = link.create(at=at, **USER)
    assert reply.status_code == 200
    assert list(reply.json()) == ["success", "token"]
    assert reply.json()["token"].startswith("lt_")
    assert reply.headers["cobalt-sandbox-fidelity"] == "documented"


def test_no_two_link_tokens_are_the_same_in_any_world(sandbox: Sandbox, link: Link) -> None:
    """Link is told nothing else, so a token tells the world, even among worlds of one seed."""
    other = sandbox.world(seed=1)
    tokens = [each.link_token() for each in (link, Link(other)) for _ in range(3)]
    assert len(set(tokens)) == 6
    other.delete()


def test_the_same_client_gets_the_same_tokens_after_a_reset(link: Link) -> None:
    tokens = [link.link_token(), link.linked()]
    link.world.reset()
    assert [link.link_token(), link.linked()] == tokens


@pytest.mark.parametrize("known", [EMR, {}])
def test_an_organization_may_be_new_or_known(link: Link, known: Json) -> None:
    """D42."""
    link.link_token(**known)
    link.link_token(**EMR)
    link.link_token()


def test_a_strict_client_may_only_name_organizations_that_it_has_created(strict: Link) -> None:
    message = "Organization not found. Provide emr_name and emr_instance_domain to create it."
    before = snapshot(strict.world)
    refused(strict.create(**USER), 400, message)
    assert snapshot(strict.world) == before
    strict.link_token(**EMR)
    strict.link_token()
    refused(strict.create(**{**USER, "org_id": "another"}), 400, message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Missing required fields: user_id, org_id."),
        ({"user_id": "", "org_id": None}, "Missing required fields: user_id, org_id."),
        ({**USER, "emr_name": "eCW"}, "emr_name and emr_instance_domain must be provided together."),
        ({**USER, **EMR, "emr_name": ""}, "emr_name and emr_instance_domain must be provided together."),
        ({**USER, **EMR, "emr_name": 5}, "Invalid emr_name. Must be a string."),
        ({**USER, "user_id": "u" * 256}, "Invalid user_id. Must be at most 255 characters."),
        ({**USER, "org_id": "o" * 256}, "Invalid org_id. Must be at most 255 characters."),
        ({**USER, **EMR, "emr_name": "e" * 256}, "Invalid emr_name. Must be at most 255 characters."),
    ],
)
def test_what_is_missing_or_wrong_is_named(link: Link, body: Json, message: str) -> None:
    refused(link.create(**body), 400, message)


def test_an_organization_comes_before_an_access_token(strict: Link) -> None:
    """D8: references come last, in the order of the page."""
    message = "Organization not found. Provide emr_name and emr_instance_domain to create it."
    refused(strict.create(**USER, access_token="nobody's"), 400, message)


@pytest.mark.parametrize("status", [404, 401])
def test_update_mode_is_for_access_tokens_of_the_client(sandbox: Sandbox, status: int) -> None:
    """D45, D6."""
    world = sandbox.world(seed=1, options={"user_not_found_status": status})
    refused(Link(world).create(**USER, access_token="nobody's ä"), status, "User not found.")
    assert snapshot(world)["links"]["organizations"] == []
    world.delete()


@pytest.mark.parametrize("header", ["client_id", "client_secret"])
@pytest.mark.parametrize("at", ["/v1", ""])
def test_both_calls_need_the_client(link: Link, header: str, at: str) -> None:
    del link.credentials[header]
    for reply in (link.create(at=at, **USER), link.exchange("pt_1", at=at)):
        refused(reply, 401, f"Missing required headers: {header}.")


def test_only_these_two_calls_answer_without_v1(link: Link) -> None:
    assert link.call("GET", "/link/token/create").json()["message"] == "Method not allowed."
    for path in ("/link/token/other", "/link/token", "/account/activate", "/settings"):
        refused(link.call("POST", path), 404, "Not found.")


# Exchange Public Token -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["/v1", ""])
def test_a_public_token_is_exchanged_once(link: Link, at: str) -> None:
    public_token = link.world.public_token(**USER)
    assert public_token.startswith("pt_")
    reply = link.exchange(public_token, at=at)
    assert list(reply.json()) == ["success", "token"]
    assert link.get(reply.json()["token"], "/visit-types")["success"] is True
    invalid(link.exchange(public_token, at=at))


def test_a_public_token_lives_for_30_minutes_of_the_worlds_clock(link: Link) -> None:
    """D48."""
    kept, lost = (link.world.public_token(**USER) for _ in range(2))
    link.world.advance(HALF_AN_HOUR - 0.001)
    assert link.exchange(kept).status_code == 200
    link.world.advance(0.001)
    invalid(link.exchange(lost))


def test_a_link_token_and_a_public_token_of_others_are_no_public_tokens(sandbox: Sandbox, link: Link) -> None:
    other = sandbox.world(seed=2)
    for text in (link.link_token(), other.public_token(**USER), "pt_", "nothing"):
        invalid(link.exchange(text))
    other.delete()
    refused(link.call("GET", "/v1/link/token/exchange"), 400, "Missing required parameters: public_token.")


def test_a_public_token_does_not_survive_a_reset(link: Link) -> None:
    public_token = link.world.public_token(**USER)
    link.world.reset()
    invalid(link.exchange(public_token))


# What an access token opens --------------------------------------------------------------------------------------


def test_a_new_access_token_opens_a_demo_clinic_of_the_user(link: Link) -> None:
    token = link.linked()
    practice = link.practice(token)
    del practice["options"]
    assert practice == {
        "name": "user_12345",
        "access_token": token,
        "access_token_reference_id": "user_12345",
        "ehr": "eClinicalWorks",
    }
    assert link.get(token, "/patients?page_size=1")["pagination"]["total_count"] == 40
    assert link.get(token, "/settings")["data"]["access_token_reference_id"] == "user_12345"  # D54
    assert link.get(token, "/settings")["data"]["timezone"] == "America/Chicago"


def test_linking_again_opens_another_practice_and_the_first_one_stays(link: Link) -> None:
    """D40. They share nothing: not what is written to them, nor chance."""
    one, other = link.linked(fixture="documentation"), link.linked(fixture="documentation")
    assert [link.practice(token)["name"] for token in (one, other)] == ["user_12345", "user_12345-2"]
    assert link.practice(link.linked())["name"] == "user_12345-3"
    patient = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}
    made = [
        link.call("POST", "/v1/patients", json=patient, headers={"access_token": token}).json()["patient_id"]
        for token in (one, other, link.world.access_token)
    ]
    assert len(set(made)) == 3
    link.world.settle()
    for token in (one, other):
        assert len(link.get(token, "/webhook-events")["webhook_events"]) == 1
    assert {event["access_token_reference_id"] for event in link.world.events()} == {"user_12345", "at_ref_123456789"}


def test_a_practice_that_is_linked_later_lives_in_the_present(link: Link) -> None:
    """Its appointments are moved by whole weeks, as those of a world that begins then would be."""
    link.world.advance(70 * 86_400)
    at = "/appointments?start_date=2026-05-19&end_date=2026-05-19"
    assert len(link.get(link.linked(), at)["appointments"]) > len(link.get("at_test_demo_clinic", at)["appointments"])


def test_a_user_may_have_the_name_of_a_practice(link: Link) -> None:
    assert link.practice(link.linked(user_id="demo-clinic"))["name"] == "demo-clinic-2"


@pytest.mark.parametrize(
    ("emr_name", "ehr"),
    [
        ("eCW", "eClinicalWorks"),
        ("ECLINICALWORKS", "eClinicalWorks"),
        ("practice fusion", "Practice Fusion"),
        ("YourEMRName", "YourEMRName"),
    ],
)
def test_the_ehr_is_that_of_the_organization(link: Link, emr_name: str, ehr: str) -> None:
    """D44: known names pick a profile, in which what only one EHR has is refused to others (D30)."""
    link.link_token(**{**EMR, "emr_name": emr_name})
    token = link.linked()
    assert link.practice(token)["ehr"] == ehr
    fetch = {"search_by": "mrn", "mrn": "414421"}
    reply = link.call("POST", "/v1/patients/fetch", json=fetch, headers={"access_token": token})
    assert reply.status_code == (202 if ehr == "eClinicalWorks" else 400)


def test_an_organization_keeps_what_it_was_created_with(link: Link) -> None:
    link.link_token()
    link.link_token(**EMR)
    link.link_token(emr_name="Practice Fusion", emr_instance_domain="https://other.example")
    assert snapshot(link.world)["links"]["organizations"] == [
        {"id": "org_67890", "ehr": "YourEMRName", "domain": "https://your-emr-instance.com"}
    ]


def test_what_is_opened_can_be_set_by_organization_by_ehr_and_for_all_others(sandbox: Sandbox) -> None:
    own = {"name": "own", "patients": [{"first_name": "A", "last_name": "B", "dob": "1990-01-01", "sex": "male"}]}
    fixtures = {"org_1": "documentation", "Practice Fusion": "empty", "*": "own"}
    world = sandbox.world(fixtures=[own], options={"link_fixtures": fixtures})
    link, fusion = Link(world), {**EMR, "emr_name": "Practice Fusion"}
    for org_id, emr, patients in (("org_1", fusion, 10), ("org_2", fusion, 0), ("org_3", EMR, 1), ("org_4", {}, 1)):
        link.link_token(**{"org_id": org_id, **emr})
        token = link.linked(org_id=org_id)
        assert link.get(token, "/patients")["pagination"]["total_count"] == patients, org_id
    assert link.get(link.linked(fixture="empty", org_id="org_1"), "/patients")["patients"] == []
    world.delete()


def test_a_fixture_that_is_not_there_is_named(sandbox: Sandbox) -> None:
    world = sandbox.world(options={"link_fixtures": {"*": "nothing"}})
    with pytest.raises(Refusal, match=r"There is no fixture 'nothing'. Bundled fixtures: demo-clinic, documentation"):
        world.public_token(**USER)
    world.delete()


def test_what_a_server_is_started_with_holds_for_worlds_that_say_nothing_else() -> None:
    with Sandbox(link_fixtures={"*": "empty", "org_1": "documentation"}) as own:
        for options, org_id, patients in (({}, "org_2", 0), ({}, "org_1", 10), ({"org_1": "empty"}, "org_1", 0)):
            link = Link(own.world(options={"link_fixtures": options}))
            assert link.get(link.linked(org_id=org_id), "/patients")["pagination"]["total_count"] == patients


# Update mode -----------------------------------------------------------------------------------------------------


def test_update_mode_ends_with_the_same_access_token(link: Link) -> None:
    """D38, D39: it works again as soon as Link is finished, exchanged or not."""
    token = link.world.access_token
    public_token = link.world.public_token(link_token=link.link_token(access_token=token))
    assert link.get(token, "/visit-types")["success"] is True
    assert link.access_token(public_token) == token
    invalid(link.exchange(public_token))
    assert len(link.world.state()["practices"]) == 2


def test_update_mode_is_for_accounts_of_link_too(link: Link) -> None:
    token = link.linked()
    assert link.access_token(link.world.public_token(link_token=link.link_token(access_token=token))) == token


def test_an_expired_login_works_again_after_update_mode(link: Link) -> None:
    """From the 403 to the 200, as docs/link/update-mode has it."""
    token = link.linked()
    at = {"access_token": token}
    link.call("POST", "/_sandbox/practice/expire-login", json={}, headers=at)
    reply = link.call("GET", "/v1/patients", headers=at)
    assert (reply.status_code, reply.json()["error"]) == (403, "login_required")
    public_token = link.world.public_token(link_token=link.link_token(access_token=token))
    assert link.call("GET", "/v1/patients", headers=at).status_code == 200
    assert link.access_token(public_token) == token


# The whole world -------------------------------------------------------------------------------------------------


def test_everything_of_link_is_in_the_snapshot_but_no_access_token(link: Link) -> None:
    link.link_token(**EMR)
    link.world.public_token(link_token=link.link_token(access_token=link.world.access_token))
    link.world.public_token(**USER, fixture="empty")
    token = link.linked()
    document = snapshot(link.world)
    created, used = document["links"]["link_tokens"]
    until = "2026-03-10T11:00:00.000Z"
    assert created == {
        "token": created["token"],
        "user_id": "user_12345",
        "org_id": "org_67890",
        "practice": None,
        "until": until,
        "is_used": False,
    }
    assert (used["practice"], used["is_used"]) == ("documentation", True)
    again, new, exchanged = document["links"]["public_tokens"]
    assert (again["practice"], again["account"], again["is_used"]) == ("documentation", None, False)
    assert (new["practice"], new["until"], exchanged["is_used"]) == (None, until, True)
    assert new["account"] == {
        "user_id": "user_12345",
        "ehr": "YourEMRName",
        "domain": "https://your-emr-instance.com",
        "fixture": "empty",
    }
    assert [practice["fixture"] for practice in document["practices"]] == [
        "documentation",
        "demo-clinic",
        "demo-clinic",
    ]
    for secret in (token, link.world.access_token, link.world.client_secret):
        assert secret not in str(document)


def test_a_restored_world_goes_on_with_link_where_it_was(link: Link) -> None:
    """Open sessions, accounts that are still to be made, and those that are there, under their own access tokens."""
    linked = link.linked(fixture="empty")
    session, again = link.link_token(), link.link_token(access_token=linked)
    new, known = link.world.public_token(**USER), link.world.public_token(link_token=again)
    link.call("POST", "/v1/account/deactivate", headers={"access_token": linked})
    document = snapshot(link.world)
    opened = link.access_token(new)
    invalid(link.exchange(new))
    link.world.restore(document)
    assert snapshot(link.world) == document
    assert link.access_token(known) == linked
    assert link.access_token(new) == opened
    assert link.practice(opened)["name"] == "user_12345-2"
    assert link.access_token(link.world.public_token(link_token=session))
    reply = link.call("POST", "/v1/tasks", json={}, headers={"access_token": linked})
    assert (reply.status_code, reply.json()["error"]) == (403, "account_inactive")


def test_elsewhere_a_linked_account_has_another_access_token(sandbox: Sandbox, link: Link) -> None:
    """It is no part of the snapshot."""
    token = link.linked(fixture="empty")
    other = sandbox.world(seed=1, snapshot=snapshot(link.world))
    names = [practice["name"] for practice in other.state()["practices"]]
    assert names == ["documentation", "demo-clinic", "user_12345"]
    assert Link(other).call("GET", "/v1/patients", headers={"access_token": token}).status_code == 404
    other.delete()


def test_a_snapshot_without_the_practices_that_a_world_begins_with_is_refused(link: Link) -> None:
    document = snapshot(link.world)
    document["practices"] = document["practices"][1:]
    with pytest.raises(Refusal, match="its practices are not those of its fixtures"):
        link.world.restore(document)

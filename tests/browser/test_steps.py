"""The steps of Link: what can go wrong on the way, what ends it, and the short way of an account that is linked already."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.story import Clinic, address, at, choose_and_sign_in, sign_in
from cobalt_sandbox import Receiver, Refusal, World
from cobalt_sandbox.client import Control

HALF_AN_HOUR = 31 * 60


@pytest.fixture
def link(page: Page, clinic: Clinic) -> Page:
    """Link, at the step of signing in."""
    page.goto(address(clinic.world, clinic.link_token()))
    page.get_by_role("button", name="eClinicalWorks").click()
    return page


def play(link: Page, what: str) -> None:
    """Use a magic value as the page offers it."""
    link.get_by_text("Try out what can go wrong").click()
    link.get_by_role("button", name=f"Use: {what}").click()
    link.get_by_role("button", name="Sign in", exact=True).press("Enter")


def public_token(page: Page, clinic: Clinic) -> str:
    at(page, "You are connected")
    return page.get_by_label("Public token").input_value()


# Signing in ------------------------------------------------------------------------------------------------------


def test_the_sample_credentials_beside_the_form_are_let_in(link: Page, clinic: Clinic) -> None:
    link.get_by_role("button", name="Fill in for me").click()
    link.keyboard.press("Enter")
    assert clinic.lists_patients(public_token(link, clinic))


def test_the_token_can_be_copied_where_there_is_no_callback_url(link: Page, clinic: Clinic) -> None:
    link.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(link)
    token = public_token(link, clinic)
    link.get_by_role("button", name="Copy").click()
    expect(link.get_by_text("Copied.")).to_be_visible()
    assert link.evaluate("navigator.clipboard.readText()") == token


def test_the_token_is_selected_where_it_cannot_be_copied(link: Page, clinic: Clinic) -> None:
    link.context.grant_permissions(["geolocation"])  # and no other
    sign_in(link)
    token = public_token(link, clinic)
    link.get_by_role("button", name="Copy").click()
    expect(link.get_by_text("copy it with your keyboard")).to_be_visible()
    assert link.evaluate("getSelection().toString()") == token


def test_a_wrong_password_can_be_tried_again(link: Page, clinic: Clinic) -> None:
    play(link, "wrong password")
    expect(link.get_by_role("alert")).to_contain_text("wrong")
    expect(link.get_by_label("Password", exact=True)).to_be_focused()
    sign_in(link)
    assert clinic.lists_patients(public_token(link, clinic))


def test_a_locked_account_is_told_so(link: Page, clinic: Clinic) -> None:
    play(link, "locked account")
    expect(link.get_by_role("alert")).to_contain_text("locked")
    at(link, "Sign in to eClinicalWorks")
    sign_in(link)
    at(link, "You are connected")


def test_a_one_time_code_is_asked_for_and_may_be_wrong_at_first(link: Page, clinic: Clinic) -> None:
    play(link, "one-time code")
    at(link, "Enter your one-time code")
    code = link.get_by_label("One-time code", exact=True)
    code.fill("000000")
    code.press("Enter")
    expect(link.get_by_role("alert")).to_contain_text("wrong")
    expect(code).to_be_focused()
    code.fill(link.locator("#sample-code").inner_text())
    code.press("Enter")
    assert clinic.lists_patients(public_token(link, clinic))


def test_from_the_one_time_code_the_way_back_leads_to_an_empty_form(link: Page) -> None:
    play(link, "one-time code")
    link.get_by_role("button", name="Back to sign in").click()
    at(link, "Sign in to eClinicalWorks")
    expect(link.get_by_label("Password", exact=True)).to_have_value("")


def test_nothing_is_sent_before_all_is_typed(link: Page) -> None:
    link.get_by_label("Username", exact=True).fill("jane.doe")
    link.get_by_label("Username", exact=True).press("Enter")
    expect(link.get_by_label("Password", exact=True)).to_be_focused()
    at(link, "Sign in to eClinicalWorks")


def test_two_presses_sign_in_once(link: Page) -> None:
    link.get_by_role("button", name="Fill in for me").click()
    link.evaluate(
        "() => { const form = document.getElementById('credentials'); form.requestSubmit(); form.requestSubmit(); }"
    )
    at(link, "You are connected")


def test_the_page_says_that_it_is_a_sandbox_and_lets_the_browser_keep_nothing(link: Page) -> None:
    expect(link.get_by_text("Please do not type a real password.")).to_be_visible()
    for field in link.locator("form, form input").all():
        expect(field).to_have_attribute("autocomplete", "off")


# A server that does not answer -----------------------------------------------------------------------------------


def test_a_server_that_is_away_is_asked_again_when_the_user_likes(page: Page, clinic: Clinic) -> None:
    page.route("**/link/session?*", lambda route: route.abort(), times=1)
    page.goto(address(clinic.world, clinic.link_token()))
    at(page, "The sandbox does not answer")
    page.get_by_role("button", name="Try again").click()
    at(page, "Choose your EHR")


def test_an_answer_that_is_lost_leaves_the_form_as_it_was(link: Page) -> None:
    link.route("**/link/session", lambda route: route.abort(), times=1)
    sign_in(link)
    expect(link.get_by_role("alert")).to_have_text("There was no answer. Please try once more.")
    link.get_by_role("button", name="Sign in", exact=True).click()
    at(link, "You are connected")


# Tokens that are good for nothing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("lt_00000000000000000000000", "not known here"),
        ("189hisdf78w9r3ysdfhi", "no link token"),
        ("", "token"),
        ("%00<script>", "no link token"),
    ],
)
def test_an_unknown_or_malformed_token_gets_a_clear_page(page: Page, clinic: Clinic, token: str, reason: str) -> None:
    page.goto(address(clinic.world, token))
    at(page, "This link cannot be used")
    expect(page.get_by_role("main")).to_contain_text(reason)
    expect(page.get_by_role("main")).to_contain_text("go back to the app you came from")


def test_a_used_token_gets_a_clear_page(page: Page, clinic: Clinic) -> None:
    token = clinic.link_token()
    page.goto(address(clinic.world, token))
    choose_and_sign_in(page)
    at(page, "You are connected")
    page.reload()
    at(page, "This link cannot be used")
    expect(page.get_by_role("main")).to_contain_text("has been used")


def test_an_expired_token_gets_a_clear_page(page: Page, clinic: Clinic) -> None:
    token = clinic.link_token()
    clinic.world.advance(HALF_AN_HOUR)
    page.goto(address(clinic.world, token))
    at(page, "This link cannot be used")
    expect(page.get_by_role("main")).to_contain_text("has expired")


def test_a_token_that_expires_on_the_way_ends_the_session_clearly(link: Page, clinic: Clinic) -> None:
    clinic.world.advance(HALF_AN_HOUR)
    sign_in(link)
    at(link, "This link cannot be used")
    expect(link.get_by_role("main")).to_contain_text("has expired")


# Update mode -----------------------------------------------------------------------------------------------------


def expire_login(world: World) -> None:
    """That of the first practice."""
    try:
        Control(world.url, world.client_id).call("POST", "/practice/expire-login", {})
    except Refusal as refusal:  # pragma: no cover  # where that call is built
        if refusal.status != 404:
            raise
        pytest.skip("POST /_sandbox/practice/expire-login answers 404: it is not built yet")


def test_a_linked_account_takes_the_short_way(page: Page, clinic: Clinic) -> None:
    page.goto(address(clinic.world, clinic.link_token(access_token=clinic.world.access_token)))
    at(page, "Sign in again to eClinicalWorks")
    expect(page.get_by_label("Username", exact=True)).to_have_value("jane.doe")
    page.get_by_label("Password", exact=True).fill("sandbox")
    page.get_by_label("Password", exact=True).press("Enter")
    at(page, "You are connected again")


def test_an_expired_login_works_again_with_the_same_access_token(page: Page, clinic: Clinic) -> None:
    mine = clinic.world.access_token
    assert clinic.patients(mine).status_code == 200
    with Receiver() as receiver:
        clinic.is_told_at(receiver.url)
        expire_login(clinic.world)
        clinic.world.settle()
        assert [event.json["type"] for event in receiver.received] == ["access_token.login_required"]
    refused = clinic.patients(mine)
    assert (refused.status_code, refused.json()["error"]) == (403, "login_required")
    page.goto(address(clinic.world, clinic.link_token(access_token=mine)))
    sign_in(page)
    at(page, "You are connected again")
    assert clinic.patients(mine).status_code == 200
    assert clinic.access_token(page.get_by_label("Public token").input_value()) == mine

"""New-window mode: a user is sent to Link, and from there to the client's callback URL."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page

from browser.site import Site
from browser.story import PHONE, Clinic, address, at, choose_and_sign_in, strike
from cobalt_sandbox import Sandbox, World


@pytest.fixture
def callback(site: Site) -> str:
    return f"{site.url}/callback?from=a%20clinic&token#top"


@pytest.fixture
def world(sandbox: Sandbox, callback: str) -> Iterator[World]:
    fresh = sandbox.world(seed=1, options={"callback_url": callback})
    yield fresh
    fresh.delete()


def public_token_of(page: Page, callback: str) -> str:
    """What the callback URL was called with, beside all that it had already."""
    page.wait_for_url("**/callback?**")
    had, got = urlsplit(callback), urlsplit(page.url)
    assert (got.netloc, got.path, got.fragment) == (had.netloc, had.path, had.fragment)
    before, _, added = got.query.rpartition("&")
    assert before == had.query
    [(name, token)] = parse_qsl(added)
    assert name == "token"
    return token


@pytest.mark.parametrize("size", [(1280, 800), PHONE])
def test_it_ends_at_the_callback_url_with_the_public_token(page: Page, clinic: Clinic, callback: str) -> None:
    page.goto(address(clinic.world, clinic.link_token()))
    choose_and_sign_in(page)
    page.get_by_role("button", name="Continue").click()
    assert clinic.lists_patients(public_token_of(page, callback))


def test_the_keyboard_is_enough(page: Page, clinic: Clinic, callback: str) -> None:
    press = page.keyboard.press
    page.goto(address(clinic.world, clinic.link_token()))
    at(page, "Choose your EHR")
    press("Tab")
    press("Tab")
    press("Enter")
    at(page, "Sign in to Practice Fusion")
    for _ in range(5):
        press("Tab")
    press("Space")  # fills in the sample credentials, and goes to the button
    press("Enter")
    at(page, "You are connected")
    press("Tab")
    strike(page, "Enter")
    assert clinic.lists_patients(public_token_of(page, callback))


def test_a_reload_does_not_end_the_session(page: Page, clinic: Clinic, callback: str) -> None:
    page.goto(address(clinic.world, clinic.link_token()))
    at(page, "Choose your EHR")
    page.reload()
    choose_and_sign_in(page)
    at(page, "You are connected")


def test_the_organization_may_have_its_ehr_already(page: Page, clinic: Clinic, callback: str) -> None:
    known = {"org_id": "org_new", "emr_name": "Practice Fusion", "emr_instance_domain": "https://emr.example"}
    page.goto(address(clinic.world, clinic.link_token(**known)))
    at(page, "Sign in to Practice Fusion")
    assert page.get_by_role("button", name="Choose another EHR").count() == 0


def test_another_ehr_can_be_chosen(page: Page, clinic: Clinic, callback: str) -> None:
    page.goto(address(clinic.world, clinic.link_token()))
    page.get_by_role("button", name="Practice Fusion").click()
    page.get_by_role("button", name="Choose another EHR").click()
    page.get_by_role("button", name="eClinicalWorks").click()
    at(page, "Sign in to eClinicalWorks")

"""axe-core finds nothing wrong with any step of Link, on a desktop and on a phone, in dark and in light.

Contrasts are least on the light page of a phone, which shows no white card, and on the dark card of a desktop.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from browser.site import Site
from browser.story import DESKTOP, PHONE, Clinic, address, at, choose_and_sign_in, opened_lightbox, sign_in
from browser.window import faults, fits


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")])
def test_every_step_can_be_used_by_everybody(page: Page, clinic: Clinic, axe: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)

    def look(heading: str) -> None:
        at(page, heading)
        assert (heading, faults(page, axe), fits(page)) == (heading, [], True)

    page.goto(address(clinic.world, clinic.link_token()))
    look("Choose your EHR")
    page.get_by_role("button", name="Practice Fusion").click()
    look("Sign in to Practice Fusion")
    page.get_by_text("Try out what can go wrong").click()
    sign_in(page, password="wrong")
    page.get_by_role("alert").get_by_text("wrong").wait_for()
    look("Sign in to Practice Fusion")
    sign_in(page, username="code")
    look("Enter your one-time code")
    page.get_by_label("One-time code", exact=True).fill("123456")
    page.keyboard.press("Enter")
    look("You are connected")
    page.reload()
    look("This link cannot be used")
    page.goto(address(clinic.world, clinic.link_token(access_token=clinic.world.access_token)))
    look("Sign in again to eClinicalWorks")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_lightbox_can_be_used_by_everybody(page: Page, site: Site, clinic: Clinic, axe: str) -> None:
    link = opened_lightbox(page, site, clinic.link_token())
    choose_and_sign_in(link)
    at(link, "You are connected")
    _, frame = page.frames
    assert (faults(page, axe), faults(frame, axe)) == ([], [])

"""Lightbox mode: the documented snippet on a client's page, with nothing changed but the host."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.site import Site
from browser.story import (
    PHONE,
    Clinic,
    at,
    choose_and_sign_in,
    closed,
    focused,
    leave,
    lightbox,
    opened_lightbox,
    strike,
)

CONNECT = "Connect your EHR"


def public_tokens(page: Page) -> list[str]:
    return page.locator("#public-tokens").inner_text().split()


@pytest.mark.parametrize("size", [(1280, 800), PHONE])
def test_the_documented_snippet_ends_with_a_token_that_opens_a_practice(page: Page, site: Site, clinic: Clinic) -> None:
    link = opened_lightbox(page, site, clinic.link_token())
    choose_and_sign_in(link)
    at(link, "You are connected")
    assert public_tokens(page) == []
    leave(link, "Continue")
    closed(page)
    [public_token] = public_tokens(page)
    assert clinic.lists_patients(public_token)


def test_the_keyboard_is_enough(page: Page, site: Site, clinic: Clinic) -> None:
    page.goto(f"{site.url}/lightbox?token={clinic.link_token()}")
    link = lightbox(page)
    press = page.keyboard.press
    press("Tab")
    press("Enter")
    at(link, "Choose your EHR")
    press("Tab")
    press("Enter")
    at(link, "Sign in to eClinicalWorks")
    press("Tab")
    page.keyboard.type("jane.doe")
    press("Tab")
    page.keyboard.type("sandbox")
    press("Enter")
    at(link, "You are connected")
    press("Tab")
    strike(page, "Enter")
    closed(page)
    assert clinic.lists_patients(*public_tokens(page))
    assert focused(page) == CONNECT


def test_the_react_hook_ends_with_a_token_that_opens_a_practice(page: Page, site: Site, clinic: Clinic) -> None:
    link = opened_lightbox(page, site, clinic.link_token(), of="hook")
    choose_and_sign_in(link, "Practice Fusion")
    leave(link, "Continue")
    closed(page)
    assert clinic.lists_patients(*public_tokens(page))


def test_the_page_behind_is_covered_dark_and_out_of_reach(page: Page, site: Site, clinic: Clinic) -> None:
    at(opened_lightbox(page, site, clinic.link_token()), "Choose your EHR")
    dialog = page.get_by_role("dialog", name="Cobalt Link")
    assert dialog.bounding_box() == {"x": 0, "y": 0, "width": 1280, "height": 800}
    assert dialog.evaluate("dialog => getComputedStyle(dialog).backgroundColor") == "rgba(10, 15, 30, 0.72)"
    frame = page.locator("cobalt-link iframe").bounding_box()
    assert frame is not None
    assert (frame["x"] + frame["width"] / 2, frame["width"]) == (640, 480)
    reached = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.add(focused(page))
    assert reached == {"cobalt-link", "body"}


def test_escape_closes_it_and_the_focus_goes_back(page: Page, site: Site, clinic: Clinic) -> None:
    at(opened_lightbox(page, site, clinic.link_token()), "Choose your EHR")
    strike(page, "Escape")
    closed(page)
    assert (focused(page), public_tokens(page)) == (CONNECT, [])


def test_its_button_closes_it_and_the_focus_goes_back(page: Page, site: Site, clinic: Clinic) -> None:
    at(opened_lightbox(page, site, clinic.link_token()), "Choose your EHR")
    page.get_by_role("button", name="Close Cobalt Link").focus()
    page.keyboard.press("Escape")
    closed(page)
    page.get_by_role("button", name=CONNECT).press("Enter")
    page.get_by_role("button", name="Close Cobalt Link").click()
    closed(page)
    assert (focused(page), public_tokens(page)) == (CONNECT, [])


def test_a_session_that_was_closed_goes_on_when_it_is_opened_again(page: Page, site: Site, clinic: Clinic) -> None:
    at(opened_lightbox(page, site, clinic.link_token()), "Choose your EHR")
    strike(page, "Escape")
    closed(page)
    page.get_by_role("button", name=CONNECT).click()
    choose_and_sign_in(lightbox(page))
    at(lightbox(page), "You are connected")
    strike(page, "Escape")
    closed(page)
    assert clinic.lists_patients(*public_tokens(page))
    assert page.evaluate("document.documentElement.style.overflow") == ""


def test_two_accounts_are_linked_one_after_the_other_on_one_page(page: Page, site: Site, clinic: Clinic) -> None:
    page.goto(f"{site.url}/lightbox")
    for token in (clinic.link_token(), clinic.link_token()):
        init = "token => CobaltLink.init({ token, onSuccess: (public_token) => (window.last = public_token) })"
        page.evaluate(init, token)
        choose_and_sign_in(lightbox(page))
        leave(lightbox(page), "Continue")
        closed(page)
        assert clinic.lists_patients(page.evaluate("last"))


def test_a_second_one_takes_the_place_of_the_first(page: Page, site: Site, clinic: Clinic) -> None:
    at(opened_lightbox(page, site, clinic.link_token()), "Choose your EHR")
    page.evaluate("launch_cobalt()")
    expect(page.locator("cobalt-link")).to_have_count(1)
    choose_and_sign_in(lightbox(page))
    leave(lightbox(page), "Continue")
    closed(page)
    assert len(public_tokens(page)) == 1


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("", "`token` must be the link token"),
        ("{ onSuccess() {} }", "`token` must be the link token"),
        ("{ token: '', onSuccess() {} }", "`token` must be the link token"),
        ("{ token: 'lt_1' }", "`onSuccess` must be a function"),
    ],
)
def test_a_config_that_cannot_work_is_refused_with_the_cure(
    page: Page, site: Site, config: str, complaint: str
) -> None:
    page.goto(f"{site.url}/lightbox")
    said = page.evaluate(f"() => {{ try {{ CobaltLink.init({config}) }} catch (error) {{ return `${{error}}` }} }}")
    assert complaint in said
    closed(page)


def test_a_token_that_is_good_for_nothing_can_be_closed(page: Page, site: Site, clinic: Clinic) -> None:
    link = opened_lightbox(page, site, "189hisdf78w9r3ysdfhi")
    at(link, "This link cannot be used")
    leave(link, "Close")
    closed(page)
    assert (focused(page), public_tokens(page)) == (CONNECT, [])


def test_no_other_window_can_speak_for_link(page: Page, site: Site, clinic: Clinic) -> None:
    at(opened_lightbox(page, site, clinic.link_token()), "Choose your EHR")
    page.evaluate(
        """async () => {
          postMessage({ cobaltLink: "connected", publicToken: "pt_forged" });
          postMessage({ cobaltLink: "closed" });
          await new Promise((heard) => { addEventListener("message", heard, { once: true }); postMessage("last"); });
        }"""
    )
    expect(page.locator("cobalt-link")).to_have_count(1)
    strike(page, "Escape")
    closed(page)
    assert public_tokens(page) == []


def test_a_page_of_another_origin_cannot_sign_in_for_its_reader(page: Page, site: Site, clinic: Clinic) -> None:
    page.goto(f"{site.url}/lightbox")
    token = clinic.link_token()
    body = f'{{"token": "{token}", "ehr": "eClinicalWorks", "username": "a", "password": "sandbox"}}'
    said = page.evaluate(
        """async ([url, body]) => {
          const told = [];
          for (const type of ["text/plain", "application/json"]) {
            const headers = { "content-type": type };
            told.push(await fetch(url, { method: "POST", headers, body }).then((answer) => answer.text(), String));
          }
          return told;
        }""",
        [f"{clinic.world.url}/link/session", body],
    )
    assert said == ["TypeError: Failed to fetch"] * 2
    at(opened_lightbox(page, site, token), "Choose your EHR")

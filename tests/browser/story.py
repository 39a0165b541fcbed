"""Who is in these tests: a developer's server, which has the API's credentials, and a user in front of Link."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import httpx2
from playwright.sync_api import Error, FrameLocator, Page, expect

from browser.site import Site
from cobalt_sandbox import World

DESKTOP, PHONE = (1280, 800), (320, 640)
#: Milliseconds; the machine may be busy.
PATIENCE = 20_000

#: Link, in a window of its own or in the lightbox.
Link = Page | FrameLocator


class Clinic:
    """The developer's server: it asks for link tokens, exchanges public tokens, and uses what it gets."""

    def __init__(self, world: World, api: httpx2.Client) -> None:
        self.world = world
        self._api = api

    def link_token(self, **more: str) -> str:
        body = {"user_id": "user_12345", "org_id": "org_67890", **more}
        return self._token(self._api.post("/link/token/create", json=body))

    def access_token(self, public_token: str) -> str:
        return self._token(self._api.get("/link/token/exchange", params={"public_token": public_token}))

    def is_told_at(self, url: str) -> None:
        assert self._api.post("/webhook", json={"webhook_url": url}).status_code == 200

    def patients(self, access_token: str) -> httpx2.Response:
        return self._api.get("/patients", headers={"access_token": access_token})

    def lists_patients(self, public_token: str) -> bool:
        answer = self.patients(self.access_token(public_token))
        return answer.status_code == 200 and len(answer.json()["patients"]) > 0

    @staticmethod
    def _token(answer: httpx2.Response) -> str:
        reply: Any = answer.json()
        assert reply["success"] is True, reply
        return str(reply["token"])


def address(world: World, token: str) -> str:
    return f"{world.url}/link?token={token}"


def lightbox(page: Page) -> FrameLocator:
    return page.frame_locator("cobalt-link iframe")


def opened_lightbox(page: Page, site: Site, token: str, *, of: str = "lightbox") -> FrameLocator:
    """A client's page with Link over it."""
    page.goto(f"{site.url}/{of}?token={token}")
    page.get_by_role("button", name="Connect your EHR").click()
    return lightbox(page)


def sign_in(link: Link, username: str = "jane.doe", password: str = "sandbox") -> None:
    link.get_by_label("Username", exact=True).fill(username)
    link.get_by_label("Password", exact=True).fill(password)
    link.get_by_role("button", name="Sign in", exact=True).click()


def choose_and_sign_in(link: Link, ehr: str = "eClinicalWorks") -> None:
    link.get_by_role("button", name=ehr).click()
    sign_in(link)


def at(link: Link, heading: str) -> None:
    """The user is at this step, and has been told so."""
    expect(link.get_by_role("heading", level=1)).to_have_text(heading)


def strike(page: Page, key: str) -> None:
    """A key that takes away the frame which has the focus. It stays down: nobody would be left to tell the driver that it came up."""
    page.keyboard.down(key)


def leave(link: Link, button: str) -> None:
    """Click a button that takes away the frame which it is in. Nobody may be left to tell the driver that it was clicked."""
    with suppress(Error):
        link.get_by_role("button", name=button).click(timeout=PATIENCE / 4)


def closed(page: Page) -> None:
    expect(page.locator("cobalt-link")).to_have_count(0)


def focused(page: Page) -> str:
    """What has the focus in the page itself: the text of a button, or the name of a tag. ``body`` is the browser's own bar."""
    named = "({ localName, textContent }) => (localName === 'button' ? textContent : localName)"
    return str(page.evaluate(f"({named})(document.activeElement)"))

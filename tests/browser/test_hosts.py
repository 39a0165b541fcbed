"""Cobalt's own names in a browser that trusts the server's certificate: addresses, the documented script and the hook as they are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright

import loopback
from browser.equipment import CHROMIUM, program
from browser.site import INIT, Site
from browser.story import Clinic, at, choose_and_sign_in, closed, leave, opened_lightbox
from cobalt_sandbox import Sandbox, World

NAMES = ("api.usecobalt.com", "link.usecobalt.com")
PROVIDERS = "https://api.usecobalt.com/v1/providers"
FETCH = "([url, headers]) => fetch(url, {headers}).then(async (answer) => [answer.status, await answer.json()])"


@contextmanager
def browser_of(playwright: Playwright, sandbox: Sandbox, home: Path, *trusted: Path) -> Iterator[Browser]:
    """A browser that is led to a server by Cobalt's names, and trusts these certificates beyond those that it came with."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    certutil(database, "-N", "--empty-password")
    for certificate in trusted:
        certutil(database, "-A", "-n", "cobalt-sandbox", "-t", "C,,", "-i", str(certificate))
    rules = ", ".join(f"MAP {name} {urlsplit(sandbox.tls_url).netloc}" for name in NAMES)
    browser = playwright.chromium.launch(
        executable_path=program(*CHROMIUM),
        args=["--no-sandbox", f"--host-resolver-rules={rules}"],
        env={**os.environ, "HOME": str(home)},
    )
    yield browser
    browser.close()


def certutil(database: Path, *arguments: str) -> None:
    command = [program("certutil"), "-d", f"sql:{database}", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=1, tls=True) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser_of(playwright, sandbox, tmp_path_factory.mktemp("home"), sandbox.ca_file) as running:
        yield running


@pytest.fixture(scope="module")
def site(modules: Path) -> Iterator[Site]:
    """The client's pages, to the letter."""
    with Site(INIT, modules) as running:
        yield running


def test_a_page_of_the_api_can_fetch_from_it(page: Page, world: World) -> None:
    refused = page.goto(PROVIDERS)
    assert refused is not None
    assert refused.status == 401
    plain = loopback.get(f"{world.url}/v1/providers", headers=world.headers)
    assert page.evaluate(FETCH, [PROVIDERS, world.headers]) == [200, plain.json()]


def test_a_page_elsewhere_cannot_as_with_cobalt(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/lightbox")
    with pytest.raises(Error, match="Failed to fetch"):
        page.evaluate(FETCH, [PROVIDERS, {}])


def test_a_browser_that_does_not_trust_the_certificate_opens_nothing(
    playwright: Playwright, sandbox: Sandbox, tmp_path: Path
) -> None:
    with browser_of(playwright, sandbox, tmp_path) as wary:
        page = wary.new_page()
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(PROVIDERS)
        page.close()


@pytest.mark.parametrize("page_of_the_client", ["hook", "lightbox"])
def test_a_clients_page_as_it_is_opens_link_and_is_told_the_public_token(
    page: Page, site: Site, clinic: Clinic, page_of_the_client: str
) -> None:
    link = opened_lightbox(page, site, clinic.link_token(), of=page_of_the_client)
    tags = page.locator("script[src^='https:']").evaluate_all("tags => tags.map((tag) => tag.outerHTML)")
    assert tags == ['<script src="https://link.usecobalt.com/init.js"></script>']
    choose_and_sign_in(link)
    leave(link, "Continue")
    closed(page)
    assert clinic.lists_patients(page.locator("#public-tokens").inner_text())


def test_link_in_a_new_window_is_the_host_itself(page: Page, clinic: Clinic) -> None:
    page.goto(f"https://link.usecobalt.com?token={clinic.link_token()}")
    at(page, "Choose your EHR")
    choose_and_sign_in(page)
    at(page, "You are connected")
    assert clinic.lists_patients(page.get_by_label("Public token").input_value())

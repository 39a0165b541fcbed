"""One browser for all of these tests, a client's web site, and a window for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from browser.equipment import packages, program
from browser.site import Site
from browser.story import DESKTOP, PATIENCE, Clinic
from cobalt_sandbox import Sandbox, World


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages(tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="package")
def site(sandbox: Sandbox, modules: Path) -> Iterator[Site]:
    with Site(f"{sandbox.url}/link/init.js", modules) as running:
        yield running


@pytest.fixture
def size() -> tuple[int, int]:
    """Of the window, unless a test has several."""
    return DESKTOP


@pytest.fixture
def page(chromium: Browser, size: tuple[int, int]) -> Iterator[Page]:
    """A window. In the end nothing may have gone wrong in it without a word, and nothing have been kept by the browser."""
    width, height = size
    context = chromium.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    kept = context.storage_state()
    context.close()
    assert wrong == []
    assert kept == {"cookies": [], "origins": []}


@pytest.fixture
def clinic(world: World, api: httpx2.Client) -> Clinic:
    return Clinic(world, api)

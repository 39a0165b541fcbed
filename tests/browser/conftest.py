"""One browser for all of these tests, a client's web site, and a window for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from browser.equipment import CHROMIUM, packages, program
from browser.site import Site
from browser.story import DESKTOP, PATIENCE, Clinic
from browser.window import window
from cobalt_sandbox import Sandbox, World


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=program(*CHROMIUM), args=["--no-sandbox"])
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
    with window(chromium, size) as page:
        yield page


@pytest.fixture(scope="package")
def axe(modules: Path) -> str:
    """The checker of accessibility, as a script."""
    return (modules / "axe-core/axe.min.js").read_text()


@pytest.fixture
def clinic(world: World, api: httpx2.Client) -> Clinic:
    return Clinic(world, api)

"""A window of the browser, what must not happen in it, and what a checker of accessibility finds there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Frame, Page

from browser.story import PATIENCE

#: A frame is looked at by itself.
RUN = "axe.run(document, { iframes: false, resultTypes: ['violations'] })"


@contextmanager
def window(chromium: Browser, size: tuple[int, int]) -> Iterator[Page]:
    """In the end nothing may have gone wrong in it without a word, and nothing have been kept by the browser."""
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


def faults(where: Page | Frame, axe: str) -> list[tuple[str, list[str]]]:
    """What is wrong, and with which elements."""
    if not where.evaluate("'axe' in window"):
        where.evaluate(f"() => {{ {axe}; }}")
    found: Any = where.evaluate(RUN)
    return [(each["help"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]


def fits(page: Page) -> bool:
    """Nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

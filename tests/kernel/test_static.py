"""The files of Link's page: what they are sent with, and that nothing else can be had in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

import cobalt_sandbox
from cobalt_sandbox import Sandbox

FOLDER = Path(cobalt_sandbox.__file__).parent / "pages/link"
TYPES = {
    "/link": "text/html; charset=utf-8",
    "/link/init.js": "text/javascript; charset=utf-8",
    "/link/page.js": "text/javascript; charset=utf-8",
    "/link/page.css": "text/css; charset=utf-8",
    "/link/icon.svg": "image/svg+xml",
}


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=sandbox.url, trust_env=False, verify=False) as client:
        yield client


@pytest.mark.parametrize(("path", "kind"), TYPES.items())
def test_a_file_is_sent_whole_with_its_type(browser: httpx2.Client, path: str, kind: str) -> None:
    answer = browser.get(path)
    name = "index.html" if path == "/link" else Path(path).name
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content == (FOLDER / name).read_bytes()
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_file_of_the_page_is_served(browser: httpx2.Client) -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"index.html"}
    assert {name: browser.get(f"/link/{name}").status_code for name in files} == dict.fromkeys(files, 200)


@pytest.mark.parametrize("path", TYPES)
def test_a_head_is_that_of_the_file_without_the_file(browser: httpx2.Client, path: str) -> None:
    whole, head = browser.get(path), browser.head(path)
    assert (head.status_code, head.content, head.headers) == (200, b"", whole.headers)


def test_the_page_is_kept_nowhere_since_its_address_has_a_token(browser: httpx2.Client) -> None:
    answer = browser.get("/link", params={"token": "lt_1"}, headers={"if-none-match": "*"})
    assert (answer.status_code, answer.headers["cache-control"], answer.headers.get("etag")) == (200, "no-store", None)
    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("asked", ["{}", "W/{}", '"another", {}', "*"])
def test_a_file_that_a_browser_has_already_is_not_sent_again(browser: httpx2.Client, asked: str) -> None:
    first = browser.get("/link/init.js")
    again = browser.get("/link/init.js", headers={"if-none-match": asked.format(first.headers["etag"])})
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_another_file_is_sent_in_the_place_of_a_former_one(browser: httpx2.Client) -> None:
    assert browser.get("/link/init.js", headers={"if-none-match": '"another"'}).status_code == 200


def test_nothing_inline_may_run_and_any_page_may_show_it_in_a_frame(browser: httpx2.Client) -> None:
    sent = browser.get("/link").headers["content-security-policy"]
    policy = {name: rest for name, _, rest in (each.strip().partition(" ") for each in sent.split(";"))}
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert policy["frame-ancestors"] == "* file:"
    assert "unsafe" not in sent


def test_the_page_has_nothing_inline_and_names_no_other_origin() -> None:
    text = (FOLDER / "index.html").read_text()
    assert re.search(r"<style|\bstyle=|\son\w+=|javascript:", text) is None
    assert re.findall(r"<script[^>]*></script>", text) == ['<script type="module" src="/link/page.js"></script>']
    assert text.count("<script") == 1
    elsewhere = {name for path in FOLDER.iterdir() for name in re.findall(r"https?://[^\"' ]+", path.read_text())}
    assert elsewhere <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_file_can_only_be_read(browser: httpx2.Client, method: str) -> None:
    answer = browser.request(method, "/link/init.js")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json() == {"success": False, "message": "Method not allowed."}


@pytest.mark.parametrize(
    "path",
    [
        "/link/nothing.js",
        "/link/index.html",
        "/link/../static.py",
        "/link/../link/../../static.py",
        "/link/%2e%2e/%2e%2e/static.py",
        "/link/..%2f..%2fstatic.py",
        "/link/..%5c..%5cstatic.py",
        "/link//etc/passwd",
        "/link/%2fetc%2fpasswd",
        "/link/page.js%00.css",
        "/link/./page.js",
    ],
)
def test_no_path_leads_out_of_the_folder(browser: httpx2.Client, sandbox: Sandbox, path: str) -> None:
    answer = browser.send(_as_it_is(sandbox.url, path))
    assert (answer.status_code, answer.json()) == (404, {"success": False, "message": "Not found."})


def _as_it_is(url: str, path: str) -> httpx2.Request:
    """A request whose path no client has tidied up."""
    return httpx2.Request("GET", url, extensions={"target": path.encode()})

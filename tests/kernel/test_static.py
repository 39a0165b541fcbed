"""The files of the pages, Link and the reference: what they are sent with, and that nothing else can be had in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

import cobalt_sandbox
import loopback
from cobalt_sandbox import Sandbox

PAGES = Path(cobalt_sandbox.__file__).parent / "pages"
#: By the paths at which they are served.
FOLDERS = {"/link": PAGES / "link", "/_sandbox/docs": PAGES / "docs"}
TYPES = {
    "/link": "text/html; charset=utf-8",
    "/link/init.js": "text/javascript; charset=utf-8",
    "/link/page.js": "text/javascript; charset=utf-8",
    "/link/page.css": "text/css; charset=utf-8",
    "/link/icon.svg": "image/svg+xml",
    "/_sandbox/docs": "text/html; charset=utf-8",
    "/_sandbox/docs/page.js": "text/javascript; charset=utf-8",
    "/_sandbox/docs/page.css": "text/css; charset=utf-8",
    "/_sandbox/docs/icon.svg": "image/svg+xml",
}


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with loopback.Client(base_url=sandbox.url) as client:
        yield client


@pytest.mark.parametrize(("path", "kind"), TYPES.items())
def test_a_file_is_sent_whole_with_its_type(browser: httpx2.Client, path: str, kind: str) -> None:
    answer = browser.get(path)
    file = FOLDERS[path] / "index.html" if path in FOLDERS else FOLDERS[path.rpartition("/")[0]] / Path(path).name
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content == file.read_bytes()
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("at", "folder"), FOLDERS.items())
def test_every_file_of_a_page_is_served(browser: httpx2.Client, at: str, folder: Path) -> None:
    files = {path.name for path in folder.iterdir()} - {"index.html"}
    assert {name: browser.get(f"{at}/{name}").status_code for name in files} == dict.fromkeys(files, 200)


@pytest.mark.parametrize("at", FOLDERS)
def test_a_page_is_the_same_with_a_slash_behind_it(browser: httpx2.Client, at: str) -> None:
    page, same = browser.get(at), browser.get(f"{at}/")
    assert (same.status_code, same.content, same.headers) == (200, page.content, page.headers)


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


@pytest.mark.parametrize(("at", "framed_by"), [("/link", "* file:"), ("/_sandbox/docs", "'none'")])
def test_nothing_inline_may_run_and_only_link_may_be_in_a_frame(
    browser: httpx2.Client, at: str, framed_by: str
) -> None:
    sent = browser.get(at).headers["content-security-policy"]
    policy = {name: rest for name, _, rest in (each.strip().partition(" ") for each in sent.split(";"))}
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert policy["frame-ancestors"] == framed_by
    assert "unsafe" not in sent


@pytest.mark.parametrize(("at", "folder"), FOLDERS.items())
def test_a_page_has_nothing_inline_and_asks_no_other_origin(at: str, folder: Path) -> None:
    text = (folder / "index.html").read_text()
    assert re.search(r"<style|\bstyle=|\son\w+=|javascript:", text) is None
    assert re.findall(r"<script[^>]*></script>", text) == [f'<script type="module" src="{at}/page.js"></script>']
    assert text.count("<script") == 1
    elsewhere = {name for path in folder.iterdir() for name in re.findall(r"https?://[^\"' <]+", path.read_text())}
    assert elsewhere <= {"http://www.w3.org/2000/svg", "https://api.usecobalt.com/v1"}


@pytest.mark.parametrize("folder", FOLDERS.values())
def test_no_text_is_ever_read_as_html(folder: Path) -> None:
    scripts = "".join(path.read_text() for path in folder.glob("*.js"))
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b", scripts) == []


def test_all_modules_of_the_reference_are_fetched_at_once() -> None:
    folder = FOLDERS["/_sandbox/docs"]
    preloaded = re.findall(
        r'rel="modulepreload" href="/_sandbox/docs/([a-z]+\.js)"', (folder / "index.html").read_text()
    )
    assert preloaded == sorted({path.name for path in folder.glob("*.js")} - {"page.js"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/link/init.js", "/_sandbox/docs"])
def test_a_file_can_only_be_read(browser: httpx2.Client, method: str, path: str) -> None:
    answer = browser.request(method, path)
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
        "/_sandbox/docs/nothing.js",
        "/_sandbox/docs/index.html",
        "/_sandbox/docs/../link/page.js",
        "/_sandbox/docs/%2e%2e/link/page.js",
    ],
)
def test_no_path_leads_out_of_the_folder(browser: httpx2.Client, sandbox: Sandbox, path: str) -> None:
    answer = browser.send(_as_it_is(sandbox.url, path))
    assert (answer.status_code, answer.json()) == (404, {"success": False, "message": "Not found."})


def _as_it_is(url: str, path: str) -> httpx2.Request:
    """A request whose path no client has tidied up."""
    return httpx2.Request("GET", url, extensions={"target": path.encode()})


def test_the_reference_needs_no_control_token_but_what_it_asks_for_does() -> None:
    with Sandbox(control_token="open sesame") as guarded:
        paths = ("/_sandbox/docs", "/_sandbox/docs/page.js", "/_sandbox/openapi.json", "/_sandbox/docs/nothing.js")
        answers = [loopback.get(guarded.url + path).status_code for path in paths]
    assert answers == [200, 200, 401, 404]


def test_the_reference_has_any_name_but_tells_nothing_to_one_that_can_be_rebound(browser: httpx2.Client) -> None:
    paths, host = ("/_sandbox/docs", "/_sandbox/openapi.json", "/_sandbox/fidelity"), {"host": "evil.example"}
    assert [browser.get(path, headers=host).status_code for path in paths] == [200, 403, 403]

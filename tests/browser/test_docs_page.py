"""The reference at /_sandbox/docs: everything that the server answers, found, read, copied, by mouse and by keyboard."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any, cast

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import loopback
from browser.story import DESKTOP, PHONE, focused
from browser.window import faults, fits, window
from cobalt_sandbox import Sandbox

Json = dict[str, Any]

#: A view of each kind.
VIEWS = {
    "": "What this server answers",
    "availability.fetch": "Fetch Availability",
    "patient.live_fetch_completed": "patient.live_fetch_completed",
}

#: What is shown of everything, made as the page makes it but put nowhere: a browser follows only so many links at a time.
READ = """async () => {
  const at = "/_sandbox/docs";
  const [{ Reference }, { operationView, eventView }] = await Promise.all([import(`${at}/reference.js`), import(`${at}/views.js`)]);
  const documents = ["openapi.json", "fidelity"].map(async (name) => (await fetch(`/_sandbox/${name}`)).json());
  const reference = new Reference(...(await Promise.all(documents)), false);
  const read = (parts) => {
    const view = document.createElement("article");
    view.append(...parts.filter((part) => part !== null));
    const texts = (selector) => [...view.querySelectorAll(selector)].map((each) => each.textContent);
    const [title, call, line] = ["h1", ".call", "pre"].map((selector) => texts(selector)[0]);
    return { title, call, line, sections: texts("h2"), fields: texts(".name"), text: view.textContent };
  };
  return Object.fromEntries([
    ...[...reference.operations].map(([name, each]) => [name, read(operationView(each, reference, location.origin))]),
    ...[...reference.events].map(([name, each]) => [name, read(eventView(each, reference))]),
  ]);
}"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=1) as running:
        yield running


@pytest.fixture(scope="module")
def openapi(sandbox: Sandbox) -> Json:
    return cast("Json", loopback.get(f"{sandbox.url}/_sandbox/openapi.json").json())


@pytest.fixture(scope="module")
def operations(openapi: Json) -> dict[str, Json]:
    """Each with its verb and path."""
    return {
        declared["operationId"]: {**declared, "verb": verb.upper(), "path": path}
        for path, item in openapi["paths"].items()
        for verb, declared in item.items()
    }


@pytest.fixture(scope="module")
def reference(chromium: Browser, sandbox: Sandbox) -> Iterator[Page]:
    """The page, loaded once."""
    with window(chromium, DESKTOP) as page:
        page.goto(f"{sandbox.url}/_sandbox/docs")
        at(page, "What this server answers")
        yield page


@pytest.fixture
def docs(reference: Page) -> Page:
    """The same at its first screen, without a filter."""
    resize(reference, DESKTOP)
    reference.get_by_role("searchbox").fill("")
    go(reference, "")
    at(reference, "What this server answers")
    return reference


@pytest.fixture(scope="module")
def read(reference: Page) -> dict[str, Json]:
    return cast("dict[str, Json]", reference.evaluate(READ))


def go(page: Page, name: str) -> None:
    page.evaluate("name => { location.hash = name; }", name)


def at(page: Page, heading: str) -> None:
    expect(page.get_by_role("main").get_by_role("heading", level=1)).to_have_text(heading)


def resize(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def shown(page: Page) -> list[str]:
    """The names of the entries of the contents that can be seen."""
    visible = (
        "entries => entries.filter(each => each.checkVisibility()).map(each => each.getAttribute('href').slice(1))"
    )
    return cast("list[str]", page.locator("#contents a").evaluate_all(visible))


def tab(page: Page) -> Locator:
    page.keyboard.press("Tab")
    return page.locator(":focus")


# Everything is there ---------------------------------------------------------------------------------------------


def test_the_first_screen_says_where_the_server_is_and_how_to_call_it(docs: Page, sandbox: Sandbox) -> None:
    start = docs.get_by_role("article")
    world = sandbox.default_world
    for each in (f"{sandbox.url}/v1", *world.headers.values()):
        expect(start.get_by_text(each, exact=True)).to_be_visible()
    expect(start).to_contain_text(f"curl {sandbox.url}/v1/providers")


def test_every_operation_and_event_is_in_the_contents(docs: Page, openapi: Json, operations: dict[str, Json]) -> None:
    assert shown(docs) == ["", "any-call", "decisions", *operations, *openapi["webhooks"]]


def test_every_operation_is_told_whole(read: dict[str, Json], operations: dict[str, Json], openapi: Json) -> None:
    schemas = openapi["components"]["schemas"]
    for name, each in operations.items():
        view = read[name]
        assert view["call"].startswith(f"{each['verb']} {each['path']} ")
        sent = [media["schema"] for media in each.get("requestBody", {"content": {}})["content"].values()]
        fields = [field for schema in sent for field in schemas[schema["$ref"].rpartition("/")[2]]["properties"]]
        assert {*(parameter["name"] for parameter in each["parameters"]), *fields} <= set(view["fields"])
        replies = {f"Reply {status}" for status in each["responses"] if status < "3"}
        body = {"Body"} if sent else set()
        assert {"Call it", "Refusals", *body, *replies} <= set(view["sections"])


def test_every_event_is_told_whole(read: dict[str, Json], openapi: Json) -> None:
    for name, each in openapi["webhooks"].items():
        view = read[name]
        assert view["title"] == name
        assert {"Data", "Envelope", "Guesses"} <= set(view["sections"])
        assert [emitter for emitter in each["post"]["x-emitted-by"] if emitter not in view["text"]] == []


def test_an_operation_says_what_is_documented_and_what_is_a_guess_and_why(docs: Page) -> None:
    go(docs, "referrals.create")
    at(docs, "Create Referral")
    view = docs.get_by_role("article")
    expect(view.get_by_text("documented", exact=True).first).to_be_visible()
    expect(view).to_contain_text("The patient's medical record number.")
    expect(view).to_contain_text("Invalid priority. Must be one of: routine, urgent, stat.")
    expect(view.get_by_role("link", name="referral.failed").first).to_be_visible()
    expect(view).to_contain_text("D222 Texts not on the page: Wording of the documented document error.")
    go(docs, "faults.create")
    expect(view.get_by_text("sandbox only", exact=True)).to_be_visible()


def test_nested_fields_can_be_opened(docs: Page) -> None:
    go(docs, "referrals.create")
    at(docs, "Create Referral")
    expect(docs.get_by_text("content_base64", exact=True).first).to_be_visible()
    go(docs, "faults.create")
    at(docs, "Order a fault")
    docs.get_by_text("One of 11 forms").click()
    expect(docs.get_by_text("Schedule unreadable", exact=True)).to_be_visible()


# Calling -------------------------------------------------------------------------------------------------------


def called(line: str) -> httpx2.Response:
    """What curl would do with such a line."""
    words = shlex.split(line.replace("\\\n", ""))[1:]
    url, options = words[0], list(zip(words[1::2], words[2::2], strict=True))
    by_name = {name: [value for each, value in options if each == name] for name in ("-H", "-X", "-d", "-F")}
    headers = dict(each.split(": ", 1) for each in by_name["-H"])
    form = dict(each.split("=", 1) for each in by_name["-F"])
    files = {name: (value[1:], b"%PDF-1.4") for name, value in form.items() if value.startswith("@")}
    sent: Json = {"content": body} if (body := "".join(by_name["-d"])) else {}
    sent |= {"data": {name: form[name] for name in form.keys() - files.keys()}, "files": files} if form else {}
    verb = "".join(by_name["-X"]) or ("POST" if sent else "GET")
    return loopback.request(verb, url, headers=headers, **sent)


def test_every_call_can_be_pasted_into_a_shell(
    read: dict[str, Json], operations: dict[str, Json], sandbox: Sandbox
) -> None:
    """Where nothing has to be put in, it succeeds as it stands."""
    refused = {}
    for name in operations:
        answer = called(read[name]["line"])
        if answer.status_code >= 300 and "Put your own in the place of" not in read[name]["text"]:
            refused[name] = answer.json()["message"]
        sandbox.default_world.reset()
    assert list(refused) == ["world.delete"], refused


def test_a_call_can_be_copied(docs: Page) -> None:
    docs.context.grant_permissions(["clipboard-read", "clipboard-write"])
    go(docs, "settings.get")
    docs.get_by_role("button", name="Copy this call").click()
    expect(docs.get_by_text("Copied.")).to_be_visible()
    assert docs.evaluate("navigator.clipboard.readText()") == docs.locator("#view pre").first.inner_text()
    docs.context.clear_permissions()


def test_a_call_is_selected_where_it_cannot_be_copied(docs: Page) -> None:
    docs.context.grant_permissions(["geolocation"])  # and no other
    go(docs, "settings.get")
    docs.get_by_role("button", name="Copy this call").click()
    expect(docs.get_by_text("copy it with your keyboard")).to_be_visible()
    assert str(docs.evaluate("getSelection().toString()")).startswith("curl ")
    docs.context.clear_permissions()


# Finding -------------------------------------------------------------------------------------------------------


def test_the_filter_narrows_by_path_title_and_name(docs: Page, operations: dict[str, Json]) -> None:
    find = docs.get_by_role("searchbox")
    expected = {
        "/insurances": [name for name, each in operations.items() if "/insurances" in each["path"]],
        "update provider": ["providers.update", "providers.update_by_ehr_id"],
        "telephone_encounters.": ["telephone_encounters.create", "telephone_encounters.create_action"],
        "patch staff": ["staff.change", "staff.edit_patient"],
        "referral.": ["referral.created", "referral.failed"],
    }
    for typed, names in expected.items():
        find.fill(typed)
        assert shown(docs) == names
    expect(docs.get_by_role("status").filter(has_text="2 of ")).to_be_visible()
    find.fill("no such call")
    expect(docs.get_by_role("status").filter(has_text="Nothing matches “no such call”.")).to_be_visible()
    assert shown(docs) == []
    find.press("Enter")
    find.press("ArrowDown")
    find.press("Escape")
    assert len(shown(docs)) > len(operations)
    find.press("Enter")
    at(docs, "What this server answers")


def test_the_keyboard_alone_does_it(docs: Page) -> None:
    docs.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    docs.get_by_role("banner").click()
    expect(tab(docs)).to_have_text("Skip to the content")
    docs.keyboard.press("Enter")
    assert focused(docs) == "h1"
    docs.get_by_role("searchbox").focus()
    docs.keyboard.type("webhook_events")
    docs.keyboard.press("ArrowDown")
    docs.keyboard.press("ArrowDown")
    docs.keyboard.press("ArrowDown")
    expect(docs.locator(":focus")).to_contain_text("Get Webhook Event by ID")
    docs.keyboard.press("ArrowUp")
    docs.keyboard.press("ArrowUp")
    expect(docs.get_by_role("searchbox")).to_be_focused()
    docs.keyboard.press("Enter")
    at(docs, "Get Webhook Events")
    assert focused(docs) == "h1"
    expect(docs.locator("[aria-current=page]")).to_contain_text("GET /v1/webhook-events")
    assert docs.title() == "Get Webhook Events · Reference of cobalt-sandbox"
    expect(tab(docs)).to_have_text("its page of the documentation")


def test_a_reader_comes_back_to_where_they_were(docs: Page) -> None:
    go(docs, "jobs.get")
    at(
        docs,
        "The trace of a job: its request, what the EHR did, its event, every attempt to deliver that, and who polled it",
    )
    go(docs, "referral.created")
    at(docs, "referral.created")
    docs.go_back()
    expect(docs.locator("[aria-current=page]")).to_contain_text("/_sandbox/jobs/{job_id}")


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("referrals.create", "Create Referral"),
        ("referral.created", "referral.created"),
        ("any-call", "Refusals of any call"),
        ("D104", "Decisions behind guesses"),
        ("constructor", "There is nothing of this name"),
        ("%E0%A4%A", "There is nothing of this name"),
    ],
)
def test_a_link_leads_to_what_it_names(docs: Page, name: str, heading: str) -> None:
    go(docs, name)
    at(docs, heading)
    assert focused(docs) == ("dt" if name == "D104" else "h1")


def test_a_link_can_be_opened_from_elsewhere(docs: Page) -> None:
    go(docs, "D104")
    docs.reload()
    at(docs, "Decisions behind guesses")
    assert docs.evaluate("document.activeElement.textContent") == "D104 Keys of appointment.failed"


# What can be in the way ------------------------------------------------------------------------------------------


def test_a_server_that_is_away_is_asked_again_and_may_ask_for_its_control_token(page: Page, axe: str) -> None:
    with Sandbox(control_token="open sesame") as guarded:
        page.route("**/_sandbox/{openapi.json,fidelity}", lambda route: route.abort(), times=2)
        page.goto(f"{guarded.url}/_sandbox/docs#clock.settle")
        at(page, "The sandbox does not answer")
        assert (focused(page), faults(page, axe)) == ("h1", [])
        page.get_by_role("button", name="Try again").click()
        at(page, "This server asks for its control token")
        token = page.get_by_label("Control token", exact=True)
        expect(token).to_be_focused()
        token.fill("open")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("This is not its control token.")
        assert faults(page, axe) == []
        token.fill("open sesame")
        page.get_by_role("button", name="Show the reference").click()
        at(page, "Walk forward until nothing is due or under way")
        line = page.locator("#view pre").first.inner_text()
        assert '-H "Authorization: Bearer $COBALT_SANDBOX_CONTROL_TOKEN"' in line
        assert "sesame" not in page.content()
        page.reload()
        at(page, "This server asks for its control token")


def test_a_refusal_is_told_in_the_servers_words(page: Page, sandbox: Sandbox) -> None:
    said = "The control API does not answer under the name 'evil.example'."
    refusal = {"success": False, "message": said}
    page.route("**/_sandbox/openapi.json", lambda route: route.fulfill(status=403, json=refusal))
    page.goto(f"{sandbox.url}/_sandbox/docs")
    at(page, "The reference cannot be shown here")
    expect(page.get_by_role("main")).to_contain_text(said)


# For everybody -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "scheme", "views"),
    [
        (DESKTOP, "dark", VIEWS),
        (PHONE, "light", VIEWS),
        (DESKTOP, "light", ["availability.fetch"]),
        (PHONE, "dark", ["availability.fetch"]),
    ],
)
def test_it_can_be_read_by_everybody(
    docs: Page, axe: str, size: tuple[int, int], scheme: Any, views: Iterable[str]
) -> None:
    resize(docs, size)
    docs.emulate_media(color_scheme=scheme)
    for name in views:
        docs.get_by_role("searchbox").fill("fetch" if name else "")
        go(docs, name)
        at(docs, VIEWS[name])
        assert (name, faults(docs, axe), fits(docs)) == (name, [], True)


def test_on_a_phone_the_contents_are_folded_until_they_are_asked_for(docs: Page) -> None:
    resize(docs, PHONE)
    contents = docs.get_by_role("button", name="Contents")
    assert shown(docs) == []
    contents.click()
    expect(contents).to_have_attribute("aria-expanded", "true")
    docs.get_by_role("link", name=re.compile("^Create Referral")).click()
    at(docs, "Create Referral")
    assert shown(docs) == []
    docs.get_by_role("searchbox").fill("fault")
    assert "faults.create" in shown(docs)

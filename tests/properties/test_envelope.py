"""Whatever is sent is answered in the envelope, never by a failure of the sandbox, and a refused request changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic_core import to_json

from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.app import CONTROL, DOCUMENTED, describe
from cobalt_sandbox.ehr import RECORDS
from cobalt_sandbox.endpoint import Endpoint
from cobalt_sandbox.fixture import Profile
from properties.anything import ANY_JSON, TEXT, WORDS, Json, Operation, Request, operation, requests
from properties.line import Answer, Line

DOCUMENT = describe()
JSON_TYPE = ("content-type", "application/json")


class Watched:
    """A server's answers, and one world of it that is looked at after each of them."""

    def __init__(self, line: Line, client_id: str) -> None:
        self._line = line
        self._client_id = client_id
        self.before = self.snapshot()

    def control(self, method: str, path: str, *, client_id: str | None = None, body: bytes | None = None) -> Answer:
        # In quotes, of which one pair is taken off, so that whatever was a client_id can be said again.
        headers = (("host", self._line.host), JSON_TYPE, ("client_id", f'"{client_id or self._client_id}"'))
        return self._line.send(Request(method, f"/_sandbox{path}", headers, body))

    def snapshot(self) -> bytes:
        answer = self.control("GET", "/snapshot")
        assert answer.status == 200, answer.body
        return answer.body

    def stop_the_clock(self) -> None:
        """A running one changes the world without being asked."""
        assert self.control("PATCH", "/clock", body=b'{"rate": 0}').status == 200
        self.before = self.snapshot()

    def answer(self, request: Request) -> Answer:
        """Send it. Whoever only reads, and whoever is refused, must leave the world as it was."""
        answer = self._line.send(request)
        after = self.snapshot()
        if answer.status >= 400 or request.method in ("GET", "HEAD"):
            assert after == self.before, f"{request.method} {request.target} → {answer.status} has changed the world"
        self.before = after
        return answer


def demand_envelope(request: Request, answer: Answer) -> None:
    """``{"success": true, …}``, or ``{"success": false, "message": …}`` with a status of 400 or more."""
    demand_no_failure(answer)
    if request.method == "HEAD":
        assert answer.body == b""
        return
    assert answer.content_type == "application/json"
    assert next(iter(answer.json)) == "success"
    assert answer.json["success"] is (answer.status < 400)
    if answer.status >= 400:
        demand_message(answer.json)


def demand_report(request: Request, answer: Answer) -> None:
    """The control API's: a JSON object without an envelope, or nothing; a refusal is in the envelope."""
    demand_no_failure(answer)
    if answer.status >= 400 and request.method != "HEAD":
        assert next(iter(answer.json)) == "success"
        assert answer.json["success"] is False
        demand_message(answer.json)
    elif answer.status == 204 or request.method == "HEAD":
        assert answer.body == b""
    else:
        assert isinstance(answer.json, dict)


def demand_no_failure(answer: Answer) -> None:
    assert answer.status != 500, answer.body
    assert 200 <= answer.status < 300 or 400 <= answer.status < 600


def demand_message(refusal: Json) -> None:
    assert isinstance(refusal["message"], str)
    assert refusal["message"]
    assert set(refusal) <= {"success", "message", "error"}


@cache
def to(endpoint: Endpoint, prefix: str) -> Operation:
    return operation(DOCUMENT, prefix + endpoint.path, endpoint.method)


# The documented API ----------------------------------------------------------------------------------------------


@pytest.fixture
def documented(sandbox: Sandbox) -> Iterator[tuple[Watched, dict[str, str]]]:
    """A world with the documentation's practice, and the headers that open it."""
    world = sandbox.world(seed=1, fixtures=["documentation"])
    with Line(world.url) as line:
        yield Watched(line, world.client_id), {"host": line.host, **world.headers}
    world.delete()


@pytest.mark.parametrize("endpoint", DOCUMENTED.endpoints.values(), ids=lambda endpoint: endpoint.name)
@given(data=st.data())
def test_whatever_is_sent_to_the_documented_api_is_answered_in_the_envelope_and_a_refusal_changes_nothing(
    endpoint: Endpoint, data: st.DataObject, documented: tuple[Watched, dict[str, str]]
) -> None:
    watched, headers = documented
    request = data.draw(requests(to(endpoint, "/v1"), headers))
    demand_envelope(request, watched.answer(request))


@given(path=st.lists(st.text(st.sampled_from("abcXYZ019-_.~%{}/:@"), max_size=8), max_size=4))
def test_a_path_that_nobody_declared_is_answered_in_the_envelope(
    path: list[str], documented: tuple[Watched, dict[str, str]]
) -> None:
    watched, headers = documented
    request = Request("GET", "/" + "/".join(path), tuple(headers.items()), None)
    answer = watched.answer(request)
    demand_envelope(request, answer)
    assert answer.status in (404, 405)


@pytest.mark.parametrize("what", ["end_date", "start_date"])
@given(edge=st.datetimes(timezones=st.timezones()).map(lambda when: when.isoformat()) | st.dates().map(str))
@example(edge="9999-12-31")
@example(edge="9999-12-31T23:59:59.999999")
@example(edge="0001-01-01T00:00:00+23:59")
def test_every_time_there_is_can_be_the_edge_of_a_range(
    what: str, edge: str, documented: tuple[Watched, dict[str, str]]
) -> None:
    watched, headers = documented
    target = f"/v1/webhook-events?{what}={edge.replace('+', '%2B')}"
    answer = watched.answer(Request("GET", target, tuple(headers.items()), None))
    assert answer.status == 200, answer.body


# The control API -------------------------------------------------------------------------------------------------


@pytest.fixture
def own_server() -> Iterator[Sandbox]:
    """A server whose default world these tests may reset, and whose worlds they may delete."""
    with Sandbox(seed=1, fixtures=("documentation",)) as running:
        yield running


@pytest.fixture
def controlled(own_server: Sandbox) -> Iterator[tuple[Watched, World]]:
    """Its default world is watched; the other one is there to be spoiled."""
    world = own_server.world(seed=1)
    with Line(own_server.url) as line:
        watched = Watched(line, own_server.default_world.client_id)
        yield watched, world
        watched.control("DELETE", "/world", client_id=world.client_id)


def withdraw(watched: Watched, answer: Answer, default: str) -> None:
    """Delete a world that an example has made: a server holds a thousand."""
    if answer.status in (200, 201) and b'"client_secret"' in answer.body and answer.json["client_id"] != default:
        watched.control("DELETE", "/world", client_id=answer.json["client_id"])


@pytest.mark.parametrize("endpoint", CONTROL.endpoints.values(), ids=lambda endpoint: endpoint.name)
@given(data=st.data())
def test_whatever_is_sent_to_the_control_api_is_answered_and_a_refusal_changes_nothing(
    endpoint: Endpoint, data: st.DataObject, controlled: tuple[Watched, World], own_server: Sandbox
) -> None:
    watched, world = controlled
    host = own_server.url.removeprefix("http://")
    names = st.sampled_from((world.client_id, own_server.default_world.client_id))
    headers = {"host": host, "client_id": data.draw(names), "client_secret": world.client_secret}
    request = data.draw(requests(to(endpoint, "/_sandbox"), {**headers, JSON_TYPE[0]: JSON_TYPE[1]}))
    answer = watched.answer(request)
    demand_report(request, answer)
    if request.method == "PATCH":
        watched.stop_the_clock()
    if request.method != "GET":
        withdraw(watched, answer, own_server.default_world.client_id)


ROWS: st.SearchStrategy[Any] = st.lists(
    st.dictionaries(st.sampled_from(("id", "ehr_id", "mrn", "dob", "name", "first_name", "last_name")), ANY_JSON)
    | st.fixed_dictionaries({"last_name": st.sampled_from(WORDS), "first_name": st.sampled_from(WORDS)})
    | ANY_JSON,
    max_size=3,
)
PRACTICES = st.fixed_dictionaries(
    {"name": st.sampled_from(WORDS) | TEXT},
    optional={
        **{name: ANY_JSON | st.sampled_from(WORDS) for name in sorted(Profile.keys - {"name"})},
        **{kind.table: ROWS | ANY_JSON for kind in RECORDS},
    },
)


@example(practice={"name": "half of a pair: \ud800"})
@given(practice=PRACTICES)
def test_any_practice_given_for_a_new_world_is_taken_or_refused(
    practice: Json, controlled: tuple[Watched, World], own_server: Sandbox
) -> None:
    watched, _ = controlled
    headers = (("host", own_server.url.removeprefix("http://")), JSON_TYPE)
    body = to_json({"fixtures": [practice]}, inf_nan_mode="constants") if encodable(practice) else b"{}"
    request = Request("POST", "/_sandbox/world", headers, body)
    answer = watched.answer(request)
    demand_report(request, answer)
    withdraw(watched, answer, own_server.default_world.client_id)


def encodable(value: Any) -> bool:
    """Whether JSON in UTF-8 can say it: halves of surrogate pairs it cannot."""
    try:
        to_json(value)
    except ValueError:
        return False
    return True


# These laws can fail ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("demand", "answer"),
    [
        (demand_envelope, Answer(500, "application/json", b'{"success":false,"message":"Internal server error."}')),
        (demand_envelope, Answer(302, "application/json", b'{"success":true}')),
        (demand_envelope, Answer(200, "text/plain", b'{"success":true}')),
        (demand_envelope, Answer(200, "application/json", b'{"a":1,"success":true}')),
        (demand_envelope, Answer(200, "application/json", b'{"success":false,"message":"No."}')),
        (demand_envelope, Answer(400, "application/json", b'{"success":false,"message":""}')),
        (demand_report, Answer(400, "application/json", b'{"success":true,"message":"No."}')),
        (demand_report, Answer(200, "application/json", b"[]")),
        (demand_report, Answer(204, None, b"{}")),
    ],
)
def test_an_answer_outside_the_envelope_is_noticed(demand: Callable[[Request, Answer], None], answer: Answer) -> None:
    with pytest.raises(AssertionError):
        demand(Request("GET", "/", (), None), answer)


def test_a_refused_request_that_changes_something_is_noticed(documented: tuple[Watched, dict[str, str]]) -> None:
    watched, headers = documented
    watched.before = b"{}"
    with pytest.raises(AssertionError, match="has changed the world"):
        watched.answer(Request("GET", "/v1/nowhere", tuple(headers.items()), None))

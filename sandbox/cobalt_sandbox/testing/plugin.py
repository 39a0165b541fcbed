"""The pytest plugin: a server for the session, a world for each test, and the world's trace in the report of a failed one.

pytest loads it in every suite beside which the package is installed, so it imports nothing but pytest until it is used.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cobalt_sandbox.testing.receiver import Receiver
    from cobalt_sandbox.testing.sandbox import Sandbox
    from cobalt_sandbox.testing.world import World

HERE = "127.0.0.1"
MARKER = "cobalt(seed=…, fixtures=…, latency=…): settings of the world of the test, those of Sandbox.world"

#: The worlds that were made for a test, the current one last.
WORLDS = pytest.StashKey[list["World"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cobalt", "a sandbox of the Cobalt API")
    group.addoption(
        "--cobalt-url",
        metavar="URL",
        default=os.environ.get("COBALT_SANDBOX_URL"),
        help="Use the sandbox that runs there instead of starting one. [COBALT_SANDBOX_URL]",
    )
    group.addoption(
        "--cobalt-control-token",
        metavar="TOKEN",
        default=os.environ.get("COBALT_SANDBOX_CONTROL_TOKEN"),
        help="The control token of that sandbox, if it wants one. [COBALT_SANDBOX_CONTROL_TOKEN]",
    )
    group.addoption(
        "--cobalt-receiver-host",
        metavar="HOST",
        default=HERE,
        help="The name under which that sandbox finds this machine, as host.docker.internal: cobalt_receiver then listens "
        "on all addresses.",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


# Fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cobalt_sandbox(pytestconfig: pytest.Config) -> Sandbox:
    """The server: one for the session, under pytest-xdist one for each worker, or that of ``--cobalt-url``."""
    from cobalt_sandbox.testing.sandbox import Sandbox

    url, token = pytestconfig.getoption("cobalt_url"), pytestconfig.getoption("cobalt_control_token")
    if url:
        sandbox = Sandbox.at(url, control_token=token or None)
        _demand_sandbox(sandbox)
    else:
        sandbox = Sandbox()
        sandbox.start()
        pytestconfig.add_cleanup(sandbox.stop)  # the report of the last test comes first, which may ask for a trace
    return sandbox


def _demand_sandbox(sandbox: Sandbox) -> None:
    from http.client import HTTPException

    from cobalt_sandbox.client import Refusal

    try:
        sandbox.default_world.clock()
    except (OSError, HTTPException, Refusal) as problem:
        raise _failed(f"--cobalt-url {sandbox.url}: no sandbox can be used there: {problem}") from None


@pytest.fixture
def cobalt(request: pytest.FixtureRequest, cobalt_sandbox: Sandbox) -> World:
    """A world of this test's own, its clock standing still; ``@pytest.mark.cobalt(…)`` says how it is made.

    Unless that names a seed, it is made of the name of the test: a test has the same ids in whatever order it runs.
    """
    from zlib import crc32

    from cobalt_sandbox.client import Refusal

    test = request.node
    settings = {"seed": crc32(test.nodeid.encode()), **_marked(test)}
    try:
        world = cobalt_sandbox.world(**settings)
    except Refusal as refusal:
        raise _failed(f"the world of this test cannot be made: {refusal}") from None
    test.stash.setdefault(WORLDS, []).append(world)
    return world


@pytest.fixture
def cobalt_receiver(request: pytest.FixtureRequest, cobalt: World) -> Iterator[Receiver]:
    """A receiver that is registered as a webhook of the test's world, and verifies what it gets."""
    from cobalt_sandbox.testing.receiver import Receiver

    known_as = request.config.getoption("cobalt_receiver_host")
    with Receiver(host=HERE if known_as == HERE else "0.0.0.0") as receiver:
        receiver.url = receiver.url.replace(HERE, known_as)
        receiver.secret = _secret_of_webhook(cobalt, receiver.url)
        yield receiver


def _secret_of_webhook(world: World, url: str) -> str:
    """Register a webhook as any client does."""
    from http.client import HTTPConnection
    from json import dumps, loads
    from urllib.parse import urlsplit

    where = urlsplit(world.url)
    connection = HTTPConnection(where.hostname or "", where.port)
    try:
        headers = {"content-type": "application/json", **world.headers}
        connection.request("POST", "/v1/webhook", dumps({"webhook_url": url}), headers)
        reply: Mapping[str, str] = loads(connection.getresponse().read())
    finally:
        connection.close()
    if "webhook_secret" not in reply:
        raise _failed(f"{url} cannot be registered as a webhook: {reply['message']}")
    return reply["webhook_secret"]


def _failed(text: str) -> BaseException:
    """Shown as it is, without where it was raised, which is not where the mistake is."""
    return pytest.fail.Exception(text, pytrace=False)


# The marker ------------------------------------------------------------------------------------------------------


def _marked(test: pytest.Item) -> Mapping[str, Any]:
    """What the markers of a test say, of which that of the function goes before that of its class and module."""
    marks = list(test.iter_markers("cobalt"))
    known = _known_settings()
    for mark in marks:
        unknown = [*map(repr, mark.args), *(f"{name}=…" for name in mark.kwargs if name not in known)]
        if unknown:
            raise _failed(f"@pytest.mark.cobalt takes no {', '.join(unknown)}, but by their names {', '.join(known)}.")
    return {name: value for mark in reversed(marks) for name, value in mark.kwargs.items()}


def _known_settings() -> list[str]:
    from inspect import Parameter, signature

    from cobalt_sandbox.testing.sandbox import Sandbox

    parameters = signature(Sandbox.world).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind is Parameter.KEYWORD_ONLY]


# Reports ---------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and (worlds := item.stash.get(WORLDS, [])):
        from cobalt_sandbox.testing.retelling import retold

        report.sections.append(("the world of this test, cobalt", retold(worlds[-1])))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """The worlds of a test outlive its fixtures, for the report of one that fails when those are torn down."""
    try:
        return (yield)
    finally:
        for world in item.stash.get(WORLDS, []):
            _delete(world)


def _delete(world: World) -> None:
    from http.client import HTTPException

    from cobalt_sandbox.client import Refusal

    with suppress(OSError, HTTPException, Refusal):  # it was deleted by the test, or its server has ended
        world.delete()

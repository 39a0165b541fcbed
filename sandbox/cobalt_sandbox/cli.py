"""The command line. Commands import what they need when they run, so that ``ready`` stays light."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from math import isnan
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import socket

    from cobalt_sandbox.config import Config

PREFIX = "COBALT_SANDBOX_"
PORT = 8462
MOST_PACE = 1_000_000


def option(name: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that is an environment variable, too: ``--control-token`` and ``COBALT_SANDBOX_CONTROL_TOKEN``."""
    return click.option(name, envvar=PREFIX + name[2:].upper().replace("-", "_"), show_default=True, **settings)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cobalt-sandbox")
def main() -> None:
    """A local server that behaves as the documented Cobalt API does.

    Every option can also be given as an environment variable COBALT_SANDBOX_<OPTION>; a flag goes before it.
    """
    known = set(_variables(main))
    for name in sorted(os.environ):
        word = name.removeprefix(PREFIX)
        if word != name and word not in known:
            raise click.UsageError(f"unknown environment variable {name}. {_hint(word, known)}")


def _variables(command: click.Command) -> Iterator[str]:
    """The names of all that can be set for a command and those below it, without their prefix."""
    for each in command.params:
        if isinstance(each.envvar, str):
            yield each.envvar.removeprefix(PREFIX)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from _variables(below)


def _hint(word: str, known: set[str]) -> str:
    import difflib  # when it is needed, which is seldom

    if close := difflib.get_close_matches(word, known, 1):
        return f"Did you mean {PREFIX}{close[0]}?"
    return f"Known: {', '.join(sorted(PREFIX + each for each in known))}."


# serve -----------------------------------------------------------------------------------------------------------


def _words(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(word for word in value.replace(",", " ").split() if word)


def _latency(_: click.Context, __: click.Parameter, value: str) -> str:
    from cobalt_sandbox.spec import Latency

    try:
        Latency.of(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


def _fixtures(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    from cobalt_sandbox.bundled import fixture_names

    names = _words(context, parameter, value)
    if unknown := [name for name in names if name not in fixture_names()]:
        raise click.BadParameter(f"no fixture {unknown[0]!r}; there are: {', '.join(fixture_names())}")
    if not names or len(set(names)) < len(names):
        raise click.BadParameter("name each fixture once, and at least one")
    return names


def _number(_: click.Context, __: click.Parameter, value: float) -> float:
    if isnan(value):
        raise click.BadParameter("nan is not a number")
    return value


@main.command()
@option("--host", default="127.0.0.1", help="Address to listen on.")
@option("--port", default=PORT, type=click.IntRange(0, 65535), help="Port to listen on; 0 for any free one.")
@option("--seed", default=0, help="Decides every id and every delay.")
@option("--fixtures", default="documentation,demo-clinic", callback=_fixtures, help="Practices of the default world.")
@option("--latency", default="brisk", callback=_latency, help="Of jobs: instant, brisk, realistic, or A..B in seconds.")
@option("--clock", default="live", type=click.Choice(["live", "frozen"]), help="Whether time passes by itself.")
@option(
    "--rate",
    default=1.0,
    type=click.FloatRange(0, MOST_PACE, min_open=True),
    callback=_number,
    help="Pace of a live clock: 60 is a minute a second.",
)
@option("--control-token", default=None, help="Every call to /_sandbox must then carry it as a bearer token.")
@option("--strict", is_flag=True, help="Take https webhook URLs only, as Cobalt does.")
@option("--webhooks-only", default="", callback=_words, metavar="HOST,…", help="Deliver to these hosts only.")
def serve(**settings: Any) -> None:
    """Run the server until it is told to stop."""
    gc.disable()  # until the server is up: nothing of what is loaded now will ever be garbage
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some would read every installed package
    from cobalt_sandbox.config import Config
    from cobalt_sandbox.logs import log_to_stderr
    from cobalt_sandbox.serving import Serving, listening_socket

    log_to_stderr()
    config = Config(**settings)
    try:
        listener = listening_socket(config.host, config.port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {config.host}:{config.port}: {error.strerror}") from None
    Serving(config, listener, lambda: _announce(config, listener)).start()


def _announce(config: Config, listener: socket.socket) -> None:
    from cobalt_sandbox.serving import url_of

    url = url_of(listener)
    click.echo(json.dumps({"event": "ready", "url": url, "pid": os.getpid()}))
    if sys.stdout.isatty():
        click.echo(_banner(url, config.fixtures))


def _banner(url: str, fixtures: tuple[str, ...]) -> str:
    from cobalt_sandbox.bundled import fixture_document
    from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET

    token = fixture_document(fixtures[0])["access_token"]
    return f"""
  cobalt-sandbox    {url}/v1

  client_id         {CLIENT_ID}
  client_secret     {CLIENT_SECRET}
  access_token      {token}    (practice {fixtures[0]!r})

  curl {url}/v1/providers -H 'client_id: {CLIENT_ID}' \\
    -H 'client_secret: {CLIENT_SECRET}' -H 'access_token: {token}'
"""


# ready, openapi, fixtures ----------------------------------------------------------------------------------------


@main.command()
@option("--url", default=None, help="Where the server is.  [default: on this machine, at COBALT_SANDBOX_PORT or 8462]")
@option("--control-token", default=None, help="If the server wants one.")
@option("--wait", is_flag=True, help="Wait until it is ready.")
@option("--timeout", default=30.0, help="So many seconds at most.")
def ready(*, url: str | None, control_token: str | None, wait: bool, timeout: float) -> None:
    """Succeed once the server is ready."""
    from cobalt_sandbox.client import Control, wait_until_ready

    url = url or f"http://127.0.0.1:{os.environ.get(PREFIX + 'PORT', PORT)}"
    try:
        wait_until_ready(Control(url, token=control_token, patience=5), timeout if wait else 0)
    except Exception as problem:
        raise click.ClickException(f"{url} is not ready: {problem}") from None


@main.command()
def openapi() -> None:
    """Print the OpenAPI document that the code amounts to."""
    from cobalt_sandbox.app import describe

    click.echo(json.dumps(describe(), indent=2, ensure_ascii=False))


SIZE = click.IntRange(0, 100_000)


@main.group()
def fixtures() -> None:
    """Practices to start from."""


@fixtures.command()
@click.argument("name")
@option("--seed", default=None, type=int, help="Another seed, another clinic.  [default: that of the demo clinic]")
@option("--patients", default=40, type=SIZE)
@option("--providers", default=6, type=SIZE)
@option("--referring-providers", default=12, type=SIZE)
@option("--locations", default=3, type=SIZE)
def make(*, name: str, seed: int | None, **counts: int) -> None:
    """Invent a practice and print it: ``fixtures make demo-clinic`` is the bundled one."""
    from cobalt_sandbox.invention.clinic import DEMO_CLINIC_SEED, population, printed

    practice = population(seed=DEMO_CLINIC_SEED if seed is None else seed, name=name, **counts)
    click.echo(printed(practice).encode(), nl=False)  # UTF-8 wherever it goes

"""The command line. Commands import what they need when they run, so that ``ready`` stays light."""

from __future__ import annotations

import difflib
import gc
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import socket

    from cobalt_sandbox.config import Config

PREFIX = "COBALT_SANDBOX_"


def option(name: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that is an environment variable, too: ``--control-token`` and ``COBALT_SANDBOX_CONTROL_TOKEN``."""
    return click.option(name, envvar=PREFIX + name[2:].upper().replace("-", "_"), show_default=True, **settings)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cobalt-sandbox")
def main() -> None:
    """A local server that behaves as the documented Cobalt API does.

    Every option can also be given as an environment variable COBALT_SANDBOX_<OPTION>; a flag goes before it.
    """
    known = {each.envvar for command in main.commands.values() for each in command.params if each.envvar}
    for name in sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        close = difflib.get_close_matches(name, [str(each) for each in known], 1)
        hint = f" Did you mean {close[0]}?" if close else f" Known: {', '.join(sorted(map(str, known)))}."
        raise click.UsageError(f"unknown environment variable {name}.{hint}")


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


@main.command()
@option("--host", default="127.0.0.1", help="Address to listen on.")
@option("--port", default=8462, type=click.IntRange(0, 65535), help="Port to listen on; 0 for any free one.")
@option("--seed", default=0, help="Decides every id and every delay.")
@option("--fixtures", default="documentation,demo-clinic", callback=_fixtures, help="Practices of the default world.")
@option("--latency", default="brisk", callback=_latency, help="Of jobs: instant, brisk, realistic, or A..B in seconds.")
@option("--clock", default="live", type=click.Choice(["live", "frozen"]), help="Whether time passes by itself.")
@option(
    "--rate",
    default=1.0,
    type=click.FloatRange(0, min_open=True),
    help="Pace of a live clock: 60 is a minute a second.",
)
@option("--control-token", default=None, help="Every call to /_sandbox must then carry it as a bearer token.")
@option("--strict", is_flag=True, help="Take https webhook URLs only, as Cobalt does.")
@option("--webhooks-only", default="", callback=_words, metavar="HOST,…", help="Deliver to these hosts only.")
def serve(**settings: Any) -> None:
    """Run the server until it is told to stop."""
    gc.disable()  # until the server is up: nothing of what is loaded now will ever be garbage
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
@option("--url", default="http://127.0.0.1:8462", help="Where the server is.")
@option("--control-token", default=None, help="If the server wants one.")
@click.option("--wait", is_flag=True, help="Wait until it is ready.")
@click.option("--timeout", default=30.0, show_default=True, help="So many seconds at most.")
def ready(*, url: str, control_token: str | None, wait: bool, timeout: float) -> None:
    """Succeed once the server is ready."""
    from cobalt_sandbox.client import Control, wait_until_ready

    try:
        wait_until_ready(Control(url, token=control_token, patience=5), timeout if wait else 0)
    except Exception as problem:
        raise click.ClickException(f"{url} is not ready: {problem}") from None


@main.command()
def openapi() -> None:
    """Print the OpenAPI document that the code amounts to."""
    from cobalt_sandbox.app import describe

    click.echo(json.dumps(describe(), indent=2, ensure_ascii=False))


@main.group()
def fixtures() -> None:
    """Practices to start from."""


@fixtures.command()
@click.argument("name")
@click.option("--seed", default=None, type=int, help="Another seed, another clinic. [default: that of the demo clinic]")
@click.option("--patients", default=40, show_default=True)
@click.option("--providers", default=6, show_default=True)
@click.option("--referring-providers", default=12, show_default=True)
@click.option("--locations", default=3, show_default=True)
def make(*, name: str, seed: int | None, **counts: int) -> None:
    """Invent a practice and print it: ``fixtures make demo-clinic`` is the bundled one."""
    from cobalt_sandbox.ehr.population import DEMO_CLINIC_SEED, population, printed

    click.echo(printed(population(seed=DEMO_CLINIC_SEED if seed is None else seed, name=name, **counts)), nl=False)

"""The command line. Commands import what they need when they run, so that ``ready`` stays light."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cobalt_sandbox.terminal import steering
from cobalt_sandbox.terminal.listening import listen
from cobalt_sandbox.terminal.options import (
    PORT,
    demand_known_variables,
    option,
    server_settings,
    server_url,
    to_server,
)
from cobalt_sandbox.terminal.running import exec_
from cobalt_sandbox.terminal.verifying import verify

if TYPE_CHECKING:
    import socket

    from cobalt_sandbox.config import Config
    from cobalt_sandbox.serving import Encrypted


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cobalt-sandbox")
def main() -> None:
    """A local server that behaves as the documented Cobalt API does.

    Every option can also be given as an environment variable COBALT_SANDBOX_<OPTION>; a flag goes before it.
    """
    demand_known_variables(main)


for command in (exec_, listen, *steering.COMMANDS, verify):
    main.add_command(command)


# serve -----------------------------------------------------------------------------------------------------------


@main.command()
@option("--host", default="127.0.0.1", help="Address to listen on.")
@option("--port", default=PORT, type=click.IntRange(0, 65535), help="Port to listen on; 0 for any free one.")
@server_settings
@option(
    "--snapshot",
    default=None,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep all worlds in this file, and go on from it, whatever the other options say of them.",
)
@option("--tls", is_flag=True, help="Answer https calls as well, under Cobalt's own host names, too.")
@option("--tls-port", default=8443, type=click.IntRange(0, 65535), help="Port for them; 0 for any free one.")
@option(
    "--tls-ca",
    default=None,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write the certificate to that they are to trust; each start makes another.",
)
def serve(**settings: Any) -> None:
    """Run the server until it is told to stop."""
    gc.disable()  # until the server is up: nothing of what is loaded now will ever be garbage
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some would read every installed package
    from cobalt_sandbox.config import Config, Unstartable
    from cobalt_sandbox.logs import log_to_stderr
    from cobalt_sandbox.serving import Serving

    log_to_stderr()
    config = Config(**settings)
    if config.tls_ca is not None and not config.tls:
        raise click.UsageError("--tls-ca is of no use without --tls.")
    listener = _listener(config.host, config.port)
    encrypted = _encrypted(config) if config.tls else None
    try:
        serving = Serving(config, listener, lambda: _announce(config, listener, encrypted), encrypted)
    except Unstartable as problem:
        raise click.ClickException(str(problem)) from None
    serving.start()


def _listener(host: str, port: int) -> socket.socket:
    from cobalt_sandbox.serving import listening_socket

    try:
        return listening_socket(host, port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from None


def _encrypted(config: Config) -> Encrypted:
    from cobalt_sandbox.serving import Encrypted
    from cobalt_sandbox.tls import TLSNotInstalled, new_identity, write_certificate

    try:
        identity = new_identity()
    except TLSNotInstalled as problem:
        raise click.ClickException(str(problem)) from None
    listener = _listener(config.host, config.tls_port)  # before the file, which may be that of whoever has the port
    if config.tls_ca is not None:
        try:
            write_certificate(identity.authority, config.tls_ca)
        except OSError as error:
            raise click.ClickException(f"cannot write {config.tls_ca}: {error.strerror}") from None
    return Encrypted(listener, identity.context)


def _announce(config: Config, listener: socket.socket, encrypted: Encrypted | None) -> None:
    from cobalt_sandbox.serving import url_of

    url = url_of(listener)
    also = {} if encrypted is None else {"tls_url": url_of(encrypted.listener, "https")}
    click.echo(json.dumps({"event": "ready", "url": url, "pid": os.getpid(), **also}))
    if sys.stdout.isatty():
        click.echo(_banner(url, config.fixtures))


def _banner(url: str, fixtures: tuple[str, ...]) -> str:
    from cobalt_sandbox.bundled import fixture_document
    from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET

    token = fixture_document(fixtures[0])["access_token"]
    return f"""
  cobalt-sandbox    {url}/v1
  reference         {url}/_sandbox/docs

  client_id         {CLIENT_ID}
  client_secret     {CLIENT_SECRET}
  access_token      {token}    (practice {fixtures[0]!r})

  curl {url}/v1/providers -H 'client_id: {CLIENT_ID}' \\
    -H 'client_secret: {CLIENT_SECRET}' -H 'access_token: {token}'
"""


# ready, openapi, fixtures ----------------------------------------------------------------------------------------


@main.command()
@to_server
@option("--wait", is_flag=True, help="Wait until it is ready.")
@option("--timeout", default=30.0, help="So many seconds at most.")
def ready(*, url: str | None, control_token: str | None, wait: bool, timeout: float) -> None:
    """Succeed once the server is ready."""
    from cobalt_sandbox.client import Control, wait_until_ready

    where = server_url(url)
    try:
        wait_until_ready(Control(where, token=control_token, patience=5), timeout if wait else 0)
    except Exception as problem:
        raise click.ClickException(f"{where} is not ready: {problem}") from None


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

"""``listen``: a receiver in the terminal, that says of each webhook whether its signature is right, and if not, why."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from cobalt_sandbox.terminal import CHECK_FAILED
from cobalt_sandbox.terminal.options import option
from cobalt_sandbox.terminal.printing import cell, is_for_programs, print_line
from cobalt_sandbox.terminal.signals import Messages

if TYPE_CHECKING:
    from cobalt_sandbox.testing.receiver import Received


@click.command()
@option("--host", default="127.0.0.1", help="Address to listen on.")
@option("--port", default=9000, type=click.IntRange(0, 65535), help="Port to listen on; 0 for any free one.")
@option(
    "--secret",
    multiple=True,
    help="The webhook's secret, with which POST /v1/webhook answered. Given again: one that it had before.",
)
@option("--count", default=None, type=click.IntRange(1), help="End after so many webhooks.")
@option("--json", "as_json", is_flag=True, help="JSON lines, which is the default where no terminal is.")
def listen(*, host: str, port: int, secret: tuple[str, ...], count: int | None, as_json: bool) -> None:
    """Receive webhooks and print them.

    Ctrl-C ends it; the exit code is 3 if a signature was wrong.

    With --secret, signatures are verified, and what that secret did not sign is answered with 401, as a receiver should.
    """
    from cobalt_sandbox.testing.receiver import Receiver

    def note(received: Received, refusal: str | None) -> None:
        protocol.note(received, refusal)
        receiver.received.clear()  # it is not to grow for as long as somebody listens
        receiver.refusals.clear()

    with Messages() as messages:
        protocol = Protocol(messages.tell, verifies=bool(secret), most=count, for_programs=is_for_programs(as_json))
        current, older = (secret[0], secret[1:]) if secret else (None, ())
        receiver = Receiver(secret=current, older_secrets=older, host=host, port=port, witness=note)
        try:
            receiver.start()
        except OSError as error:
            raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from None
        protocol.begin(receiver.url)
        messages.next()
        receiver.stop()
    protocol.end()
    raise click.exceptions.Exit(CHECK_FAILED if protocol.wrong else 0)


class Protocol:
    """What is said of the webhooks, and how many there were. ``ended`` is called after ``most``, or when nobody reads."""

    def __init__(self, ended: Callable[[], None], *, verifies: bool, most: int | None, for_programs: bool) -> None:
        self.count = 0
        self.wrong = 0
        self._problem: OSError | None = None
        self._ended = ended
        self._verifies = verifies
        self._most = most
        self._for_programs = for_programs

    def begin(self, url: str) -> None:
        if self._for_programs:
            print_line({"event": "listening", "url": url, "pid": os.getpid()})
            return
        click.echo(f"Listening at {url}; Ctrl-C ends it.")
        if not self._verifies:
            click.echo("Signatures are not verified without --secret.")

    def note(self, received: Received, refusal: str | None) -> None:
        self.count += 1
        self.wrong += refusal is not None
        try:
            self._print(_facts(received), refusal)
        except OSError as problem:  # who read this has gone
            self._problem = problem
            self._ended()
        if self.count == self._most:
            self._ended()

    def end(self) -> None:
        """Raises OSError when it could not be printed."""
        if self._problem is not None:
            raise self._problem
        if not self._for_programs:
            click.echo(f"{self.count} received, {self.wrong} with a wrong signature")

    def _print(self, facts: Mapping[str, Any], refusal: str | None) -> None:
        verdict = "unchecked" if not self._verifies else "valid" if refusal is None else "wrong"
        if self._for_programs:
            print_line({**facts, "signature": verdict, "why": refusal})
            return
        time, type, id, attempt, job = (cell(facts[name]) for name in ("time", "type", "id", "attempt", "job_id"))
        click.echo(f"{time}  {type}  {id}  attempt {attempt}  job {job}  signature {verdict}")
        if refusal is not None:
            click.echo(f"    {cell(refusal)}")


def _facts(received: Received) -> dict[str, Any]:
    """What tells one webhook from another. ``body`` is text where it is no JSON."""
    try:
        body = received.json
    except ValueError:
        body = received.body.decode("utf-8", "replace")
    event = body if isinstance(body, dict) else {}
    headers = received.headers
    return {
        "time": headers.get("webhook-timestamp"),
        "type": event.get("type"),
        "id": headers.get("webhook-id"),
        "attempt": headers.get("webhook-attempt"),
        "job_id": event.get("job_id"),
        "body": body,
    }

"""Commands that call the control API of a running server: time, worlds, jobs and events in the hands of whoever types."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import click

from cobalt_sandbox.terminal import CHECK_FAILED
from cobalt_sandbox.terminal.options import Function, nearest, option, server_url, to_server
from cobalt_sandbox.terminal.printing import is_for_programs, print_line, print_record, print_table

if TYPE_CHECKING:
    from cobalt_sandbox.client import Control

#: The longest page of events.
PAGE = 100


class Refused(click.ClickException):
    """The server says no; the text names the cure."""


class Desk:
    """From where one world is steered, and how it is printed what became of that."""

    def __init__(self, url: str, control: Control, *, for_programs: bool) -> None:
        self._for_programs = for_programs
        self._url = url
        self._control = control

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The reply. A refusal, or no reply at all, ends the command with 1."""
        from cobalt_sandbox.client import Refusal

        try:
            return self._control.call(method, path, body)
        except Refusal as refusal:
            raise Refused(str(refusal)) from None
        except Exception as problem:  # whatever it is that answers there, or does not
            hint = "Start a server with 'cobalt-sandbox serve', or say with --url where it is."
            raise click.ClickException(f"no sandbox answers at {self._url}: {problem}. {hint}") from None

    def newest(self, what: str, limit: int, **wanted: Any) -> Iterator[Any]:
        """The first of a list that has pages."""
        query = {name: value for name, value in wanted.items() if value is not None} | {"page_size": min(limit, PAGE)}
        return islice(self._pages(what, query), limit)

    def _pages(self, what: str, query: dict[str, Any]) -> Iterator[Any]:
        page, pages = 1, 1
        while page <= pages:
            reply = self.ask("GET", f"/{what}?{urlencode({**query, 'page': page})}")
            yield from reply[what]
            page, pages = page + 1, reply["pagination"]["total_pages"]

    def show(self, record: Any) -> None:
        (print_line if self._for_programs else print_record)(record)

    def show_all(self, rows: Iterable[Any], *columns: str) -> None:
        if self._for_programs:
            for row in rows:
                print_line(row)
        else:
            print_table(rows, columns)

    def show_walk(self, walk: Any) -> None:
        """What happened while time went on."""
        if self._for_programs:
            print_line(walk)
            return
        for name, columns in WALK.items():
            if walk[name]:
                print_table(walk[name], columns)
                click.echo()
        counts = f"{len(walk['ran'])} due, {len(walk['events'])} events, {len(walk['attempts'])} attempts"
        click.echo(f"{counts}; it is {walk['now']}")


WALK = {
    "events": ("created", "type", "job_id", "id"),
    "attempts": ("timestamp", "event_id", "webhook_url", "attempt", "verdict"),
}


def steering(command: Function) -> Function:
    """The options of every such command, and in their place the :class:`Desk` that they lead to."""

    @to_server
    @option("--client-id", default=None, help="Of which world.  [default: the server's own]")
    @option("--json", "as_json", is_flag=True, help="JSON lines, which is the default where no terminal is.")
    @functools.wraps(command)
    def steered(
        *, url: str | None, control_token: str | None, client_id: str | None, as_json: bool, **own: Any
    ) -> None:
        from cobalt_sandbox.client import Control

        where = server_url(url)
        control = Control(where, client_id, control_token, access_token=own.pop("access_token", None))
        command(Desk(where, control, for_programs=is_for_programs(as_json)), **own)

    return steered


# Time ------------------------------------------------------------------------------------------------------------


@click.command()
@option("--limit-s", default=86_400.0, help="So many seconds of the world's time at most.")
@steering
def settle(desk: Desk, limit_s: float) -> None:
    """Move time until nothing is due.

    The exit code is 3 if something is still due after the limit.
    """
    reply = desk.ask("POST", "/clock/settle", {"limit_s": limit_s})
    desk.show_walk(reply)
    if not reply["quiet"]:
        click.echo(f"something is still due after {limit_s:g} seconds", err=True)
        raise click.exceptions.Exit(CHECK_FAILED)


@click.command()
@click.argument("seconds", type=float, required=False)
@option("--to", default=None, metavar="TIME", help="Instead of seconds: until this moment, as 2026-03-10T10:31:00Z.")
@steering
def advance(desk: Desk, seconds: float | None, to: str | None) -> None:
    """Move time by SECONDS.

    It stops at everything that is due on the way, until that is delivered.
    """
    if (seconds is None) == (to is None):
        raise click.UsageError("say how many seconds, or with --to until when")
    desk.show_walk(desk.ask("POST", "/clock/advance", {"to": to} if seconds is None else {"seconds": seconds}))


# The world and what is in it -------------------------------------------------------------------------------------


@click.command()
@option("--keep", type=click.Choice(["webhooks"]), multiple=True, help="What stays.")
@steering
def reset(desk: Desk, keep: tuple[str, ...]) -> None:
    """Make the world as it was when created."""
    desk.show(desk.ask("POST", "/world/reset", {"keep": keep}))


LIMIT = option("--limit", default=50, type=click.IntRange(1), help="So many at most.")


@click.command()
@option("--status", default=None, type=click.Choice(["queued", "held", "succeeded", "failed"]), help="Only these.")
@LIMIT
@steering
def jobs(desk: Desk, status: str | None, limit: int) -> None:
    """List the jobs, newest first."""
    found = desk.newest("jobs", limit, status=status)
    desk.show_all(found, "job_id", "operation", "practice", "status", "submitted", "due", "event_id")


@click.command()
@option("--type", default=None, help="Only these.")
@option("--job", default=None, help="Only that of this job.")
@LIMIT
@steering
def events(desk: Desk, type: str | None, job: str | None, limit: int) -> None:
    """List the events, newest first."""
    found = list(desk.newest("events", limit, type=type, job_id=job))
    if type is not None and not found:
        _demand_known(type)
    desk.show_all(found, "created", "type", "job_id", "id")


def _object(_: click.Context, __: click.Parameter, value: str | None) -> Any:
    if value is None:
        return None
    try:
        data = json.loads(value)
    except ValueError as error:
        raise click.BadParameter(f"it is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise click.BadParameter('it is no JSON object, as {"status": "cancelled"}')
    return data


@click.command()
@click.argument("type", metavar="TYPE")
@option("--data", default=None, metavar="JSON", callback=_object, help="What its data says, where that is to differ.")
@option("--access-token", default=None, help="Of which practice.  [default: the first]")
@steering
def fire(desk: Desk, type: str, data: Any) -> None:
    """Have an event of this TYPE happen.

    It is made from a record of the practice.
    """
    try:
        event = desk.ask("POST", "/events", {"type": type} if data is None else {"type": type, "data": data})
    except Refused:
        _demand_known(type)
        raise
    desk.show(event)


@click.command()
@click.argument("event_id", metavar="ID")
@steering
def redeliver(desk: Desk, event_id: str) -> None:
    """Deliver the event with this ID again."""
    reply = desk.ask("POST", f"/events/{quote(event_id, safe='')}/redeliver")
    desk.show_all(reply["attempts"], *WALK["attempts"])


def _demand_known(type: str) -> None:
    """Once a server knows no such event, say which one was probably meant."""
    from cobalt_sandbox.contracts import events as documented
    from cobalt_sandbox.resources.account_events import AccessTokenLoginRequired, PasswordChangeWarning

    known = {*documented(), AccessTokenLoginRequired.type, PasswordChangeWarning.type}
    if type not in known:
        close = nearest(type, known)
        hint = f"Did you mean {close!r}?" if close else f"There are: {', '.join(sorted(known))}."
        raise click.BadParameter(f"no event is called {type!r}. {hint}", param_hint="type")


COMMANDS = (settle, advance, reset, jobs, events, fire, redeliver)

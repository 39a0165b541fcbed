"""``verify``: the documented exchanges, replayed at a server, and what comes back there otherwise than documented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cobalt_sandbox.terminal import CHECK_FAILED
from cobalt_sandbox.terminal.options import control_token, nearest, number, option
from cobalt_sandbox.terminal.printing import cell

if TYPE_CHECKING:
    from cobalt_sandbox.testing.replay import Target

Json = dict[str, Any]

#: So much of a difference is printed: a reply can be long.
MOST_CHARACTERS = 300
LONGEST_PATIENCE = 3_600


def _address(_: click.Context, __: click.Parameter, value: str) -> str:
    from urllib.parse import urlsplit

    from cobalt_sandbox.spec import is_web_address

    if not (is_web_address(value) and value.isascii()) or any(letter in value for letter in " ?#"):
        raise click.BadParameter("must be an http or https URL, as https://api.usecobalt.com")
    if "@" in urlsplit(value).netloc:
        raise click.BadParameter("must have no credentials in it")
    return value.rstrip("/").removesuffix("/v1")


def _credential(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (value.isascii() and value.isprintable()):
        raise click.BadParameter("must be printable ASCII")
    return value


@click.command()
@option("--target", required=True, callback=_address, metavar="URL", help="Where the API is, with or without its /v1.")
@option("--write", is_flag=True, help="Make all requests, not only GET.")
@option("--only", multiple=True, metavar="TEXT", help="A family, as referrals:, or a part of names; can be repeated.")
@option(
    "--patience",
    default=30.0,
    type=click.FloatRange(0, LONGEST_PATIENCE, min_open=True),
    callback=number,
    help="So many seconds at most without a sign of the server.",
)
@control_token
@option(
    "--client-id", default=None, callback=_credential, help="Of the account to call, where the target is no sandbox."
)
@option("--client-secret", default=None, callback=_credential, help="Likewise.")
@option("--access-token", default=None, callback=_credential, help="Likewise.")
def verify(
    *,
    target: str,
    write: bool,
    only: tuple[str, ...],
    patience: float,
    control_token: str | None,
    **account: str | None,
) -> None:
    """Replay the documented exchanges at a server and print what differs.

    The exit code is 3 if anything does. Only GET requests are made, unless --write is given.

    In a sandbox each exchange has a world of its own, which is removed afterwards and sends no webhooks. Replies and
    events are compared exactly.

    Any other server, as the real one, is called with the credentials that are given, and what is written stays there.
    Refusals are compared exactly. Of other replies it is the status and the form, since the values are those of the
    practice, and events are not waited for. What can only be had of a sandbox is left out, as faults, and so is what
    deactivates the account. Where the practice lacks a record of the documentation's, its reply differs for that reason.
    """
    from cobalt_sandbox.client import UNANSWERED, Refusal
    from cobalt_sandbox.testing.replay import LeftOut, writes

    exchanges = _chosen(only)
    where = _where(target, control_token, account, patience)
    tally = Tally(hears_events=where.hears_events, secrets=[control_token, *account.values()])
    for name, exchange in exchanges.items():
        if writes(exchange) and not write:
            tally.leave_out("that write (see --write)")
            continue
        try:
            found = where.differences(exchange)
        except LeftOut as reason:
            tally.leave_out(f"that need {reason}")
        except Refusal as refusal:
            raise click.ClickException(f"the sandbox at {target} says no to {name!r}: {cell(str(refusal))}") from None
        except UNANSWERED as problem:
            told = f"no answer from {target} at {name!r}, after {tally.replayed} others: {cell(str(problem))}"
            raise click.ClickException(told) from None
        else:
            tally.note(name, exchange, found)
    if not tally.replayed:
        raise click.UsageError(f"there is nothing to replay; {tally.left_out()}")
    click.echo(tally.summary())
    raise click.exceptions.Exit(CHECK_FAILED if tally.otherwise else 0)


def _chosen(only: Sequence[str]) -> Mapping[str, Json]:
    """By family and name."""
    from cobalt_sandbox.contracts import exchanges

    for text in only:
        if not any(_is_meant(name, [text]) for name in exchanges()):
            close = nearest(text, {name.partition(":")[0] for name in exchanges()})
            hint = f" Did you mean {close!r}?" if close else ""
            raise click.BadParameter(f"no exchange is called {text!r}.{hint}", param_hint="--only")
    return {name: exchange for name, exchange in exchanges().items() if not only or _is_meant(name, only)}


def _is_meant(name: str, only: Iterable[str]) -> bool:
    return any(text.casefold() in name.casefold() for text in only)


def _where(target: str, control_token: str | None, account: Mapping[str, str | None], patience: float) -> Target:
    from cobalt_sandbox.testing.account import Account
    from cobalt_sandbox.testing.form import JSONSchemaNotInstalled
    from cobalt_sandbox.testing.replay import FreshWorlds, OnePractice

    if _is_sandbox(target, patience):
        return FreshWorlds(target, control_token, patience)
    if lacking := [f"--{name.replace('_', '-')}" for name, value in account.items() if not value]:
        raise click.UsageError(f"{target} is no sandbox. To call it, {', '.join(lacking)} must be given.")
    given = {name: value or "" for name, value in account.items()}
    try:
        return OnePractice(Account(target, **given, patience=patience))
    except JSONSchemaNotInstalled as problem:
        raise click.ClickException(str(problem)) from None


def _is_sandbox(target: str, patience: float) -> bool:
    """Whether it is one, even if it says no. Any control token stays here, as the target may be anybody's."""
    from cobalt_sandbox.client import UNANSWERED, Control, Refusal

    try:
        return bool(Control(target, patience=patience).call("GET", "/livez") == {"status": "ok"})
    except Refusal as refusal:
        return refusal.status in (401, 403) and "control" in str(refusal)
    except UNANSWERED as problem:
        raise click.ClickException(f"no answer from {target}: {cell(str(problem))}") from None


class Tally:
    """What is said of the exchanges, and how many there were. None of the ``secrets`` is ever printed."""

    def __init__(self, *, hears_events: bool, secrets: Iterable[str | None]) -> None:
        self.replayed = 0
        self.otherwise = 0
        self._unheard = 0
        self._left_out: Counter[str] = Counter()
        self._hears_events = hears_events
        self._secrets = [secret for secret in secrets if secret]

    def leave_out(self, why: str) -> None:
        self._left_out[why] += 1

    def note(self, name: str, exchange: Json, found: Sequence[str]) -> None:
        from cobalt_sandbox.contracts import decisions

        self.replayed += 1
        self.otherwise += bool(found)
        self._unheard += "events" in exchange and not self._hears_events
        if found:
            click.echo(f"{name} ({', '.join([exchange['x-source'], *decisions(exchange)])})")
        for each in found:
            click.echo(f"    {self._printable(each)}")

    def summary(self) -> str:
        """In one line."""
        parts = [
            f"{self.replayed} replayed: {self.replayed - self.otherwise} as documented, {self.otherwise} otherwise"
        ]
        if self._unheard:
            parts.append(f"the events of {self._unheard} were not waited for")
        if self._left_out:
            parts.append(self.left_out())
        return "; ".join(parts)

    def left_out(self) -> str:
        return "left out: " + ", ".join(f"{count} {why}" for why, count in self._left_out.items())

    def _printable(self, difference: str) -> str:
        for secret in self._secrets:
            difference = difference.replace(secret, "***")
        line = cell(difference)
        return line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…"

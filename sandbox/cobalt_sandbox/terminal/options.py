"""Options that are environment variables, too, and those that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from math import isnan
from typing import Any, TypeAlias

import click

PREFIX = "COBALT_SANDBOX_"
PORT = 8462
MOST_PACE = 1_000_000

Function: TypeAlias = Callable[..., None]
Decorator: TypeAlias = Callable[[Function], Function]


def option(name: str, *variable: str, **settings: Any) -> Decorator:
    """An option that is an environment variable, too: ``--control-token`` and ``COBALT_SANDBOX_CONTROL_TOKEN``."""
    return click.option(
        name, *variable, envvar=PREFIX + name[2:].upper().replace("-", "_"), show_default=True, **settings
    )


def each_of(options: Iterable[Decorator]) -> Decorator:
    """Several options at once, in the order in which help lists them."""

    def decorated(command: Function) -> Function:
        for decorate in reversed(list(options)):
            command = decorate(command)
        return command

    return decorated


# The environment -------------------------------------------------------------------------------------------------


def demand_known_variables(main: click.Command) -> None:
    """Stop at a variable with our prefix that sets nothing, as it is most likely mistyped."""
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
    if close := nearest(word, known):
        return f"Did you mean {PREFIX}{close}?"
    return f"Known: {', '.join(sorted(PREFIX + each for each in known))}."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """What was probably meant."""
    import difflib  # when it is needed, which is seldom

    return next(iter(difflib.get_close_matches(word, known, 1)), None)


# Settings of a server --------------------------------------------------------------------------------------------


def words(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
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

    names = words(context, parameter, value)
    if unknown := [name for name in names if name not in fixture_names()]:
        raise click.BadParameter(f"no fixture {unknown[0]!r}; there are: {', '.join(fixture_names())}")
    if not names or len(set(names)) < len(names):
        raise click.BadParameter("name each fixture once, and at least one")
    return names


def _link_callback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from cobalt_sandbox.spec import is_web_address

    if value is not None and not is_web_address(value):
        raise click.BadParameter("must be an http or https URL")
    return value


def _link_fixtures(_: click.Context, __: click.Parameter, value: str) -> dict[str, str]:
    from cobalt_sandbox.bundled import fixture_names

    pairs = [[word.strip() for word in pair.partition("=")] for pair in value.split(",") if pair.strip()]
    for key, _equals, name in pairs:
        if not key or name not in fixture_names():
            raise click.BadParameter(f"no fixture {name!r} for {key!r}; there are: {', '.join(fixture_names())}")
    return {key: name for key, _equals, name in pairs}


def number(_: click.Context, __: click.Parameter, value: float) -> float:
    if isnan(value):
        raise click.BadParameter("nan is not a number")
    return value


#: Of every command that runs a server.
server_settings = each_of(
    [
        option("--seed", default=0, help="Decides every id and every delay."),
        option(
            "--fixtures",
            default="documentation,demo-clinic",
            callback=_fixtures,
            help="Practices of the default world.",
        ),
        option(
            "--latency",
            default="brisk",
            callback=_latency,
            help="Of jobs: instant, brisk, realistic, or A..B in seconds.",
        ),
        option("--clock", default="live", type=click.Choice(["live", "frozen"]), help="Whether time passes by itself."),
        option(
            "--rate",
            default=1.0,
            type=click.FloatRange(0, MOST_PACE, min_open=True),
            callback=number,
            help="Pace of a live clock: 60 is a minute a second.",
        ),
        option("--control-token", default=None, help="Every call to /_sandbox must then carry it as a bearer token."),
        option("--strict", is_flag=True, help="Take https webhook URLs only, as Cobalt does."),
        option("--webhooks-only", default="", callback=words, metavar="HOST,…", help="Deliver to these hosts only."),
        option(
            "--link-callback",
            default=None,
            callback=_link_callback,
            metavar="URL",
            help="Where Link in a new window ends.",
        ),
        option(
            "--link-fixtures",
            default="",
            callback=_link_fixtures,
            metavar="KEY=FIXTURE,…",
            help="What Link connects to: KEY is an EHR, an org_id, or * for all others.  [default: *=demo-clinic]",
        ),
    ]
)


# A server that runs ----------------------------------------------------------------------------------------------

control_token = option("--control-token", default=None, help="If the server wants one.")

#: Of every command that calls one.
to_server = each_of(
    [
        option(
            "--url", default=None, help="Where the server is.  [default: this machine, COBALT_SANDBOX_PORT or 8462]"
        ),
        control_token,
    ]
)


def server_url(url: str | None) -> str:
    return url or f"http://127.0.0.1:{os.environ.get(PREFIX + 'PORT', PORT)}"

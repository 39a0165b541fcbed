"""Documented exchanges, replayed: sent to a server, and what comes back otherwise than documented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from cobalt_sandbox.client import PATIENCE, Answer, Control
from cobalt_sandbox.contracts import value_at
from cobalt_sandbox.errors import NoSuchPath, WrongMethod
from cobalt_sandbox.testing import form
from cobalt_sandbox.testing.account import Account
from cobalt_sandbox.testing.comparison import NO_JSON, NOWHERE, body_of, unlike_events, unlike_reply

Json = dict[str, Any]

#: The fault by which no webhook is sent: those that the documentation registers are at the addresses of others.
UNDELIVERED = {"on": "delivery", "do": {"drop": True}, "times": 1_000}


class LeftOut(Exception):
    """An exchange cannot be replayed there; the text says what it needs that is not there."""


class Unprepared(Exception):
    """What comes before an exchange went otherwise than it must."""


class Target(Protocol):
    """Where exchanges are replayed; ``hears_events``: what happens after the reply is compared, too."""

    hears_events: ClassVar[bool]

    def differences(self, exchange: Json) -> list[str]:
        """One sentence for each. Raises LeftOut, Refusal of the control API, or one of client.UNANSWERED."""


def writes(exchange: Json) -> bool:
    """Whether it calls the documented API by anything but GET. What it asks of the control API is no matter of the API's."""
    calls = [call for call in exchange.get("given", {}).get("calls", ()) if not call.get("control")]
    return any(each["request"]["method"] not in ("GET", "HEAD") for each in (*calls, exchange))


# A sandbox -------------------------------------------------------------------------------------------------------


class FreshWorlds:
    """A sandbox, in which every exchange has a world of its own for as long as it takes."""

    hears_events: ClassVar[bool] = True

    def __init__(self, url: str, control_token: str | None = None, patience: float = PATIENCE) -> None:
        self._url, self._token, self._patience = url, control_token, patience

    def differences(self, exchange: Json) -> list[str]:
        """All that is documented of the reply and the events, exactly."""
        given = exchange.get("given", {})
        wanted = {
            "seed": 1,
            "fixtures": given.get("fixtures", ["documentation"]),
            "latency": "brisk",
            "options": given.get("options"),
            "clock": {"rate": 0},
        }
        made = self._control().call("POST", "/world", wanted)
        token = made["practices"][0]["access_token"]
        account = Account(self._url, made["client_id"], made["client_secret"], token, self._patience)
        control = self._control(account.client_id)
        try:
            return _FreshWorld(account, control, self._token).differences(exchange)
        except Unprepared as problem:
            return [str(problem)]
        finally:
            control.call("DELETE", "/world")

    def _control(self, client_id: str | None = None) -> Control:
        return Control(self._url, client_id, self._token, patience=self._patience)


class _FreshWorld:
    def __init__(self, account: Account, control: Control, control_token: str | None) -> None:
        self._account, self._control = account, control
        self._authorization = None if control_token is None else f"Bearer {control_token}"

    def differences(self, exchange: Json) -> list[str]:
        kept = self._prepared(exchange.get("given", {}))
        before = self._events()["pagination"]["total_count"] if "events" in exchange else 0
        answer = self._account.answer(exchange["request"], kept)
        found = list(unlike_reply(exchange["reply"], answer))
        if "events" in exchange:
            self._settle()
            after = self._events()
            happened = after["events"][: after["pagination"]["total_count"] - before][::-1]
            found += unlike_events(exchange["events"], happened, body_of(answer))
        return found

    def _prepared(self, given: Json) -> Json:
        for fault in (*given.get("faults", ()), UNDELIVERED):
            self._control.call("POST", "/faults", fault)
        kept: Json = {}
        for request in given.get("control", ()):
            kept |= _kept(request, request, self._controlled(request, kept))
        for call in given.get("calls", ()):
            send = self._controlled if call.get("control") else self._account.answer
            answer = send(call["request"], kept)
            self._settle()
            kept |= _kept(call, call["request"], answer)
        return kept

    def _controlled(self, request: Json, kept: Mapping[str, Any]) -> Answer:
        """A call of the control API, which must not be refused."""
        alone = {"client_secret": None, "access_token": None, "authorization": self._authorization}
        answer = self._account.answer({**request, "headers": {**alone, **request.get("headers", {})}}, kept)
        if answer.status >= 300:
            if _message(answer) in (NoSuchPath.template, WrongMethod.template):
                raise LeftOut("a control API that is not there")
            raise Unprepared(f"before it, {_named(request)}: {_outcome(answer)}")
        return answer

    def _settle(self) -> None:
        self._control.call("POST", "/clock/settle", {})

    def _events(self) -> Any:
        """Newest first."""
        return self._control.call("GET", "/events?page_size=100")


# Any other server ------------------------------------------------------------------------------------------------


class OnePractice:
    """A server of which no more is known than that it is to serve the documented API, and one practice there.

    Raises form.JSONSchemaNotInstalled.
    """

    hears_events: ClassVar[bool] = False

    def __init__(self, account: Account) -> None:
        self._account = account
        self._check = form.check()

    def differences(self, exchange: Json) -> list[str]:
        """Of a refusal all that is documented, exactly; of a success the status and the form. Events are not waited for."""
        _demand_bearable(exchange)
        try:
            kept = self._prepared(exchange.get("given", {}))
        except Unprepared as problem:
            return [str(problem)]
        answer, reply = self._account.answer(exchange["request"], kept), exchange["reply"]
        if answer.status != reply["status"]:
            return [f"status: {reply['status']} != {_outcome(answer)}"]
        if reply["status"] >= 400:
            return list(unlike_reply(reply, answer))
        return self._misshapen(exchange, answer)

    def _prepared(self, given: Json) -> Json:
        kept: Json = {}
        for call in given.get("calls", ()):
            kept |= _kept(call, call["request"], self._account.answer(call["request"], kept))
        return kept

    def _misshapen(self, exchange: Json, answer: Answer) -> list[str]:
        schema = form.reply_schema(exchange)
        if schema is None:
            return []
        body = body_of(answer)
        if body is None:
            return [NO_JSON]
        return [f"reply {each}" for each in form.misshapen(body, schema, self._check)]


def _demand_bearable(exchange: Json) -> None:
    """Raises LeftOut where it takes what only a sandbox has, or can have done to it."""
    given = exchange.get("given", {})
    needs = {"faults": "faults", "options": "options of the account", "control": "the control API"}
    for key, what in needs.items():
        if given.get(key):
            raise LeftOut(what)
    if any(call.get("control") for call in given.get("calls", ())):
        raise LeftOut(needs["control"])
    if given.get("fixtures", ["documentation"]) != ["documentation"]:
        raise LeftOut("another practice")
    if any(_named(each["request"]).endswith("/account/deactivate") for each in (*given.get("calls", ()), exchange)):
        raise LeftOut("an account that may be deactivated")


def _kept(call: Json, request: Json, answer: Answer) -> Json:
    """The values that the call is to give. Raises Unprepared when its reply does not have them."""
    kept: Json = {}
    for name, pointer in call.get("keep", {}).items():
        try:
            kept[name] = value_at(body_of(answer), pointer)
        except NOWHERE:
            raise Unprepared(f"before it, {_named(request)}: {_outcome(answer)}, without {pointer}") from None
    return kept


def _named(request: Json) -> str:
    return f"{request['method']} {request['path']}"


def _outcome(answer: Answer) -> str:
    """``200``, or ``404 Not found.``"""
    return f"{answer.status} {_message(answer)}".rstrip()


def _message(answer: Answer) -> str:
    """That of a refusal, empty where there is none."""
    body = body_of(answer)
    return str(body.get("message", "")) if answer.status >= 300 and isinstance(body, dict) else ""

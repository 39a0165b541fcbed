"""The declaration of an endpoint: a decorator, a function, and what follows from their types."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict

from cobalt_sandbox.events import Event, Reason
from cobalt_sandbox.forms import Form
from cobalt_sandbox.validation import Body, Query
from cobalt_sandbox.world import Practice

MIB = 1_048_576


class Row(BaseModel):
    """A part of a reply, read off a record or made by hand. A field with a default is left out unless it is given."""

    model_config = ConfigDict(defer_build=True, frozen=True, from_attributes=True)

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Made in one go, where a value may be a record that a row is read off."""
        made: Self = cls.__pydantic_validator__.validate_python(values)
        return made


class Reply(Row):
    """A reply in the documented envelope: ``success`` first."""

    http_status: ClassVar[int | None] = None
    success: Literal[True] = True

    @property
    def shown_events(self) -> Sequence[str]:
        """The ids of the events that it holds."""
        return ()

    def model_post_init(self, context: object) -> None:
        self.model_fields_set.add("success")


class Report(Row):
    """A reply of the control API, which has no envelope. ``http_status`` is its own where an endpoint has several."""

    http_status: ClassVar[int | None] = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A reply that is a file."""

    http_status: ClassVar[int | None] = None
    filename: str
    content_type: str
    content: bytes


Apply = Callable[[Practice, str], Event]
Refuse = Callable[[Practice, str, Sequence[Reason]], Event]


@dataclass(slots=True, eq=False)
class Endpoint:
    """One operation of the API. Who may call it is the type of its function's first parameter; the rest follows from names:
    ``body``, ``form`` and ``query`` are models, every other parameter is a part of the path."""

    method: str
    path: str
    handler: Callable[..., Any]
    status: int
    emits: tuple[type[Event], ...]
    max_body: int
    ehrs: tuple[str, ...]
    subject: str
    takes: tuple[int, int]
    needs_login: bool
    name: str = field(init=False)
    caller: Any = field(init=False)
    body: type[Body] | None = field(init=False)
    form: type[Form] | None = field(init=False)
    query: type[Query] | None = field(init=False)
    replies: tuple[type[Row | Attachment], ...] = field(init=False)
    extras: tuple[tuple[str, Any], ...] = field(init=False)
    is_async: bool = field(init=False)
    apply: Apply = field(init=False)
    refuse: Refuse = field(init=False)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.handler)
        returned, parts = hints.pop("return"), {part[1:-1] for part in self.path.split("/") if part.startswith("{")}
        self.name = f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__.rstrip('_')}"
        self.body, self.form, self.query = (hints.pop(name, None) for name in ("body", "form", "query"))
        self.replies = tuple(kind for kind in get_args(returned) or (returned,) if kind is not type(None))
        self.caller, *others = [(name, hint) for name, hint in hints.items() if name not in parts] or [("", None)]
        self.caller, self.extras = self.caller[1], tuple(others)
        self.is_async = inspect.iscoroutinefunction(self.handler)

    def ehr(self, apply: Apply) -> Apply:
        """Declare what the EHR does once the job is due."""
        self.apply = apply
        return apply

    def refused(self, refuse: Refuse) -> Refuse:
        """Declare the event of a job that the EHR refuses."""
        self.refuse = refuse
        return refuse


def endpoint(
    route: str,
    *,
    status: int = 200,
    emits: tuple[type[Event], ...] = (),
    max_body: int = 1 * MIB,
    ehrs: tuple[str, ...] = (),
    subject: str = "",
    takes: tuple[int, int] = (0, 0),
    needs_login: bool = True,
) -> Callable[[Callable[..., Any]], Endpoint]:
    """Declare an endpoint: ``"POST /referrals"``.

    ``emits`` are its events, success first; ``takes`` the seconds its job lasts (Table 5); ``max_body`` a size in bytes (D26);
    ``ehrs`` the EHRs that support ``subject``, all if empty (D30); without ``needs_login`` a practice may call it whose EHR
    credentials have expired (D7).
    """
    method, path = route.split()

    def declare(handler: Callable[..., Any]) -> Endpoint:
        return Endpoint(method, path, handler, status, emits, max_body, ehrs, subject, takes, needs_login)

    return declare

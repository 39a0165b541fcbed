"""What the modules of one API declare. Each is imported when something of it is first asked for, so that a start is short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib import import_module

from cobalt_sandbox.endpoint import Endpoint
from cobalt_sandbox.events import Event


class Catalogue:
    """The endpoints and events of one API.

    ``families`` names the modules of ``package`` that serve the paths which begin with a segment: ``patients`` with
    ``/patients/…``; ``unasked`` those that declare events which no operation emits.
    """

    def __init__(self, package: str, families: Mapping[str, Sequence[str]], unasked: Sequence[str] = ()) -> None:
        self._package = package
        self._families = families
        self._unasked = unasked

    def under(self, segment: str) -> Iterator[Endpoint]:
        """Those whose path begins with a segment."""
        for name in self._families.get(segment, ()):
            yield from (each for each in _declared(f"{self._package}.{name}") if each.path.split("/")[1] == segment)

    @cached_property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """All of them by operation name, in the order of the families."""
        modules = dict.fromkeys(name for names in self._families.values() for name in names)
        return {each.name: each for name in modules for each in _declared(f"{self._package}.{name}")}

    @cached_property
    def events(self) -> Mapping[str, type[Event]]:
        """All events by type."""
        emitted = [event for each in self.endpoints.values() for event in each.emits]
        emitted += [event for name in self._unasked for event in _events(f"{self._package}.{name}")]
        return {event.type: event for event in emitted}


@cache
def _declared(module: str) -> tuple[Endpoint, ...]:
    return tuple(value for value in vars(import_module(module)).values() if isinstance(value, Endpoint))


def _events(module: str) -> Iterator[type[Event]]:
    """Those that are defined there."""
    for value in vars(import_module(module)).values():
        if isinstance(value, type) and issubclass(value, Event) and value.__module__ == module:
            yield value

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
    ``/patients/…``.
    """

    def __init__(self, package: str, families: Mapping[str, Sequence[str]]) -> None:
        self._package = package
        self._families = families

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
        return {event.type: event for each in self.endpoints.values() for event in each.emits}


@cache
def _declared(module: str) -> tuple[Endpoint, ...]:
    return tuple(value for value in vars(import_module(module)).values() if isinstance(value, Endpoint))

"""The whole world as one document, and back."""

from __future__ import annotations

import hmac
from typing import Any

from cobalt_sandbox.callers import Address
from cobalt_sandbox.control.world import OtherSecret, WorldMade, WorldState, state_of
from cobalt_sandbox.document import Document
from cobalt_sandbox.ehr import RECORDS
from cobalt_sandbox.endpoint import MIB, Report, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.restoring import Sources, restored
from cobalt_sandbox.server import Server
from cobalt_sandbox.snapshot import all_tables, snapshot
from cobalt_sandbox.world import World


class NoWorldToRestore(CobaltError):
    template = "There is no world of client_id {client_id!r} to restore into. Send the header client_secret, too, and one is made."
    status = 404


class Snapshot(Report, extra="allow", ser_json_bytes="base64"):
    """Everything that decides what the world will do next."""

    version: int
    client_id: str
    generation: int
    practices: list[dict[str, Any]]


@endpoint("GET /snapshot")
def get(world: World) -> Snapshot:
    """The world, whole, without the credentials of its callers"""
    return Snapshot(**snapshot(world, RECORDS, all_tables(RECORDS)))


@endpoint("PUT /snapshot", max_body=100 * MIB)
def put(server: Server, body: Document, address: Address) -> WorldState | WorldMade:
    """Restore a world: its callers keep their credentials; one that is not there yet is made with those of the headers"""
    worlds = server.worlds
    former = worlds.get(address.client_id) if address.client_id else worlds.default
    if former is None:
        if not address.client_secret:
            raise NoWorldToRestore(client_id=address.client_id)
        server.demand_room()
        made = restored(body, _sources(server, address, {}))
        worlds.put(made)
        return state_of(made, WorldMade)
    client_id, client_secret = former.spec.client_id, former.spec.client_secret
    if address.client_secret and not hmac.compare_digest(client_secret.encode(), address.client_secret.encode()):
        raise OtherSecret(client_id=client_id)
    tokens = {practice.name: practice.profile.access_token for practice in former.practices.values()}
    made = restored(body, _sources(server, Address(client_id, client_secret), tokens))
    worlds.put(made)
    return state_of(made)


def _sources(server: Server, address: Address, access_tokens: dict[str, str]) -> Sources:
    return Sources(
        RECORDS, server.documented.endpoints, server.fixture, server.post, *address, access_tokens=access_tokens
    )

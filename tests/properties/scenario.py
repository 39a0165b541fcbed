"""One story with every kind of job, fault and answer in it, told as bytes: the same bytes for the same seed, wherever it is played."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.testing.receiver import Received, Receiver
from properties.anything import Json, Request
from properties.line import Line

REFUSAL = [{"code": "UNKNOWN_ERROR", "description": "Ordered."}]
DOCUMENTS = [{"filename": "a.pdf", "content_base64": "aGVsbG8="}, {"filename": "b.pdf", "content_base64": "aGVsbG8="}]
REFERRAL = {
    "patient_mrn": "1234567",
    "referring_from_provider_ehr_id": "PROV-001",
    "referring_to_provider_ehr_id": "PROV-002",
    "direction": "outgoing",
    "priority": "urgent",
    "reason": "Cardiology consultation",
}
COLLEAGUE = {"first_name": "Max", "last_name": "Prop", "npi": "1234567893"}


def patient(last_name: str) -> Json:
    return {"first_name": "Ada", "last_name": last_name, "dob": "1990-01-31", "sex": "female"}


WRITES: tuple[tuple[str, Json], ...] = (
    ("/referrals", REFERRAL),
    ("/referrals", {**REFERRAL, "documents": DOCUMENTS}),
    ("/referrals", REFERRAL),
    ("/patients", patient("Law")),
    ("/patients", patient("LAW")),
    ("/patients", patient("Ünïcode 𝄞")),
    ("/patients", {"first_name": "incomplete"}),
    ("/referring-providers", COLLEAGUE),
    ("/referring-providers", {**COLLEAGUE, "npi": "12"}),
    ("/referring-providers", {**COLLEAGUE, "last_name": "OtherError"}),
)


def play(seed: int) -> bytes:
    """The events, the deliveries as they were booked and as they arrived, and the whole world at the end."""
    with Sandbox(seed=seed) as sandbox, Receiver() as receiver:
        world = sandbox.world(seed=seed, latency="realistic")
        told = [_act(world, receiver), world.settle(), world.events(), world._json("GET", "/snapshot")]
        arrived = sorted(map(_arrival, receiver.received))
        return to_json([*told, arrived]).replace(receiver.url.encode(), b"http://receiver")


def _arrival(received: Received) -> tuple[str, str, int, str, str]:
    """Two attempts to two URLs may arrive in any order; what arrives may not differ."""
    webhook_id = received.headers["webhook-id"]
    return received.path, webhook_id, received.attempt, received.signature, received.body.decode()


def _act(world: World, receiver: Receiver) -> list[Any]:
    tokens = [practice["access_token"] for practice in world.state()["practices"]]
    with Line(world.url) as line:

        def call(path: str, body: Json | None, token: str) -> Any:
            headers = {**world.headers, "access_token": token, "host": line.host}
            payload = None if body is None else to_json(body)
            return line.send(Request("POST", f"/v1{path}", tuple(headers.items()), payload)).json

        told = [call("/webhook", {"webhook_url": receiver.url + path}, tokens[0]) for path in ("/a", "/b")]
        world.fault("referral.created", {"documents_failed": 1})
        world.fault("referral.created", {"fail": REFUSAL}, after=1)
        for token in tokens:
            told += [call(path, body, token) for path, body in WRITES]
        receiver.answer(500, times=2)
        told += [world.advance(20), call("/webhook/rotate-secret", None, tokens[0])]
        receiver.close_connection()
        receiver.answer(404)
        return [*told, world.advance(60)]

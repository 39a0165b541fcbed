"""What a server tells of itself: the API as OpenAPI, and a world as one document."""

from __future__ import annotations

from typing import Any

import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, Any]

PATIENT = {"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"}
REJECTED = {"fail": [{"code": "EHR_REJECTED", "description": "No."}]}
CONTROL = {
    "/livez": {"get"},
    "/readyz": {"get"},
    "/world": {"get", "post", "put", "patch", "delete"},
    "/world/reset": {"post"},
    "/clock": {"get", "patch"},
    "/clock/advance": {"post"},
    "/clock/settle": {"post"},
    "/faults": {"get", "post", "delete"},
    "/faults/{id}": {"delete"},
    "/events": {"get", "post"},
    "/events/{event_id}/redeliver": {"post"},
    "/jobs": {"get"},
    "/jobs/{job_id}": {"get"},
    "/jobs/{job_id}/finish": {"post"},
    "/wait": {"get"},
    "/requests": {"get"},
    "/deliveries": {"get"},
    "/staff/appointments": {"post"},
    "/staff/appointments/{id}": {"patch"},
    "/staff/patients/{mrn}": {"patch"},
    "/practice/expire-login": {"post"},
    "/practice/password-warning": {"post"},
    "/public-tokens": {"post"},
    "/openapi.json": {"get"},
    "/snapshot": {"get", "put"},
    "/fidelity": {"get"},
}
DOCUMENTED = {
    "/link/token/create": {"post"},
    "/link/token/exchange": {"get"},
    "/account/activate": {"post"},
    "/account/deactivate": {"post"},
    "/last-schedule-sync": {"get"},
    "/patients": {"get", "post"},
    "/providers": {"get"},
    "/referring-providers": {"get", "post"},
    "/referrals": {"post"},
    "/webhook": {"get", "post"},
    "/webhook/{id}": {"delete"},
    "/webhook/{id}/rotate-secret": {"post"},
    "/webhook/rotate-secret": {"post"},
    "/webhook-events": {"get"},
    "/webhook-events/{id}": {"get"},
    "/settings": {"get", "post"},
}


@pytest.fixture(scope="module")
def openapi(sandbox: Sandbox) -> Body:
    reply = loopback.get(f"{sandbox.url}/_sandbox/openapi.json")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    document: Body = reply.json()
    return document


def snapshot(world: World) -> Body:
    headers = {"client_id": world.client_id}
    reply = loopback.get(f"{world.url}/_sandbox/snapshot", headers=headers)
    assert reply.status_code == 200
    document: Body = reply.json()
    return document


def call(world: World, path: str, body: object = None) -> Body:
    reply = loopback.post(f"{world.url}/v1{path}", headers=world.headers, json=body)
    answer: Body = reply.json()
    return answer


def live_in(world: World) -> None:
    """A patient made, one refused, one on the way, a webhook, and a fault left over."""
    call(world, "/webhook", {"webhook_url": "http://127.0.0.1:9"})
    for times in (1, 1):
        world.fault("patient.created", REJECTED, times=times, after=1)
    for day in (1, 2):
        call(world, "/patients", {**PATIENT, "dob": f"1990-01-0{day}"})
    world.settle()
    call(world, "/patients", {**PATIENT, "dob": "1990-01-03"})


# OpenAPI ---------------------------------------------------------------------------------------------------------


def test_the_api_is_described_as_openapi(openapi: Body) -> None:
    assert openapi["openapi"] == "3.1.0"
    assert openapi["info"]["title"] == "cobalt-sandbox"


@pytest.mark.parametrize(("prefix", "paths"), [("/_sandbox", CONTROL), ("/v1", DOCUMENTED)])
def test_every_call_is_described(openapi: Body, prefix: str, paths: dict[str, set[str]]) -> None:
    for path, methods in paths.items():
        assert methods <= set(openapi["paths"][prefix + path])


def test_every_operation_has_a_name_of_its_own(openapi: Body) -> None:
    names = [operation["operationId"] for path in openapi["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_every_event_is_described(openapi: Body) -> None:
    operations = ("patient", "referral", "referring_provider")
    assert {f"{name}.{end}" for name in operations for end in ("created", "failed")} <= set(openapi["webhooks"])


def test_every_operation_belongs_to_a_family_that_is_described(openapi: Body) -> None:
    described = {tag["name"]: tag["description"] for tag in openapi["tags"]}
    used = [operation["tags"] for path in openapi["paths"].values() for operation in path.values()]
    assert [*described] == list(dict.fromkeys(tag for tags in used for tag in tags))
    assert described["referrals"] == "Referrals"
    assert described["faults"] == "Faults: what will go wrong, ordered beforehand."


@pytest.mark.parametrize(
    ("verb", "path", "expected"),
    [
        ("get", "/v1/webhook", [{"client_id", "client_secret"}]),
        ("get", "/_sandbox/readyz", []),
        ("get", "/_sandbox/clock", [set(), {"client_id"}]),
        ("post", "/_sandbox/events", [set(), {"client_id"}, {"access_token"}, {"client_id", "access_token"}]),
        ("put", "/_sandbox/world", [{"client_id", "client_secret"}]),
        ("put", "/_sandbox/snapshot", [set(), {"client_id", "client_secret"}]),
        ("post", "/link/session", []),
    ],
)
def test_the_headers_of_a_call_are_described(openapi: Body, verb: str, path: str, expected: list[set[str]]) -> None:
    header = {name: scheme["name"] for name, scheme in openapi["components"]["securitySchemes"].items()}
    asked = openapi["paths"][path][verb]["security"]
    assert [{header[name] for name in each} for each in asked] == expected


def test_the_documented_api_takes_three_headers_of_which_there_are_samples(openapi: Body, sandbox: Sandbox) -> None:
    [asked] = openapi["security"]
    schemes = openapi["components"]["securitySchemes"]
    assert "security" not in openapi["paths"]["/v1/patients"]["get"]
    samples = {schemes[name]["name"]: schemes[name]["x-example"] for name in asked}
    assert samples == {name: sandbox.default_world.headers[name] for name in samples}
    assert len(samples) == 3


def test_an_event_says_what_it_is_and_which_operations_emit_it(openapi: Body) -> None:
    told = {type: (each["post"]["x-kinds"], each["post"]["x-emitted-by"]) for type, each in openapi["webhooks"].items()}
    assert told["referral.created"] == (["operation"], ["referrals.create"])
    assert told["patient.updated"] == (["operation", "sync"], ["patients.update"])
    assert told["access_token.login_required"] == (["account"], [])


def test_a_documented_call_is_told_in_the_words_of_its_page(openapi: Body) -> None:
    create = openapi["paths"]["/v1/referrals"]["post"]
    assert create["externalDocs"] == {"url": "https://docs.usecobalt.com/api-reference/referrals/create"}
    assert create["description"].startswith("Asynchronous: the reply comes at once")
    assert create["x-ehrs"] == ["eClinicalWorks"]
    assert create["requestBody"]["content"]["application/json"]["example"]["patient_mrn"] == "1234567"
    mrn = openapi["components"]["schemas"]["NewReferral"]["properties"]["patient_mrn"]
    assert mrn["description"].startswith("The patient's medical record number.")
    [start, *_] = openapi["paths"]["/v1/referrals"]["get"]["parameters"]
    assert start["description"].startswith("`referral_date` on or after")


def test_a_documented_call_is_told_with_its_refusals_and_how_well_they_are_known(openapi: Body) -> None:
    responses = openapi["paths"]["/v1/referrals"]["post"]["responses"]
    refusals = responses["400"]["content"]["application/json"]["examples"]
    assert (
        refusals["invalid-priority"]["value"]["message"] == "Invalid priority. Must be one of: routine, urgent, stat."
    )
    assert (refusals["invalid-priority"]["x-source"], refusals["wrong-type"]["x-source"]) == ("seed", "inferred")
    assert responses["401"] == {"$ref": "#/components/responses/Unauthorized"}
    assert openapi["components"]["responses"]["Unauthorized"]["x-status"] == "401"


@pytest.mark.parametrize("name", ["NewWorld", "NewFault", "EventOrder"])
def test_a_body_of_the_control_api_has_a_sample(openapi: Body, name: str) -> None:
    schema = openapi["components"]["schemas"][name]
    [sample] = schema["examples"]
    assert set(schema.get("required", [])) <= set(sample) <= set(schema["properties"])


def test_the_description_is_the_same_for_every_world(sandbox: Sandbox, openapi: Body) -> None:
    url, nobody = f"{sandbox.url}/_sandbox/openapi.json", {"client_id": "nobody"}
    assert loopback.get(url, headers=nobody).json() == openapi


# Snapshot --------------------------------------------------------------------------------------------------------


def test_a_snapshot_has_everything_that_decides_what_happens_next(world: World) -> None:
    live_in(world)
    document = snapshot(world)
    assert document["client_id"] == world.client_id
    assert (document["generation"], document["seed"], document["latency"], document["hold"]) == (1, 1, "brisk", False)
    assert document["clock"] == {name: world.clock()[name] for name in ("now", "rate")}
    assert [webhook["url"] for webhook in document["webhooks"]] == ["http://127.0.0.1:9"]
    assert [fault["used"] for fault in document["faults"]] == [1, 0]
    assert sorted(job["status"] for job in document["jobs"]) == ["failed", "queued", "succeeded"]
    assert len(document["timeline"]) == 1
    practice, _ = document["practices"]
    assert [event["type"] for event in practice["events"]] == [event["type"] for event in world.events()]
    assert len(practice["tables"]["patients"]) == 13


def test_a_job_of_a_snapshot_tells_its_way(world: World) -> None:
    live_in(world)
    *ended, queued = snapshot(world)["jobs"]
    assert queued == {
        "job_id": 12347,
        "operation": "patients.create",
        "practice": "documentation",
        "subject": queued["subject"],
        "extra": 0,
        "after": None,
        "submitted": world.clock()["now"],
        "due": world.clock()["next_due"],
        "status": "queued",
        "event_id": None,
        "ending": None,
    }
    assert {job["event_id"] for job in ended} == {event["id"] for event in world.events()}


def test_a_held_job_is_never_due(sandbox: Sandbox) -> None:
    world = sandbox.world(hold=True)
    call(world, "/patients", PATIENT)
    [job] = snapshot(world)["jobs"]
    assert (job["status"], job["due"], snapshot(world)["timeline"]) == ("held", None, [])
    world.delete()


def test_the_same_seed_and_the_same_calls_give_the_same_snapshot(sandbox: Sandbox) -> None:
    worlds = [sandbox.world(seed=9) for _ in range(2)]
    for world in worlds:
        live_in(world)
    first, second = ({**snapshot(world), "client_id": ""} for world in worlds)
    assert first == second
    for world in worlds:
        world.delete()


def test_looking_changes_nothing(world: World) -> None:
    live_in(world)
    first = snapshot(world)
    world.state(), world.clock(), world.events(), world.faults()
    assert snapshot(world) == first


def test_the_secrets_of_callers_are_in_no_snapshot(sandbox: Sandbox) -> None:
    world = sandbox.world(fixtures=["documentation", {"name": "own", "access_token": "at_of_its_own"}])
    live_in(world)
    text = str(snapshot(world))
    tokens = [practice["access_token"] for practice in world.state()["practices"]]
    assert [secret for secret in (world.client_secret, *tokens) if secret in text] == []
    world.delete()


def test_the_secrets_of_webhooks_are_in_it_since_nothing_could_be_signed_without_them(world: World) -> None:
    secret = call(world, "/webhook", {"webhook_url": "http://127.0.0.1:9"})["webhook_secret"]
    call(world, "/webhook/rotate-secret")
    [webhook] = snapshot(world)["webhooks"]
    assert (webhook["previous"], webhook["secret"]) == (secret, snapshot(world)["webhook_secret"])


def test_a_snapshot_without_a_client_id_is_of_the_default_world(sandbox: Sandbox) -> None:
    reply = loopback.get(f"{sandbox.url}/_sandbox/snapshot")
    assert reply.json()["client_id"] == sandbox.default_world.client_id

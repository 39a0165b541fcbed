"""Create and List Referrals: what the pages promise, refusal by refusal, and what becomes of a referral afterwards."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World

Body = dict[str, object]

QUEUED = "Referral queued for creation. A webhook event will be sent upon completion."
REQUIRED = (
    "patient_mrn",
    "referring_from_provider_ehr_id",
    "referring_to_provider_ehr_id",
    "direction",
    "priority",
    "reason",
)
INVALID_PRIORITY = "Invalid priority. Must be one of: routine, urgent, stat."
INVALID_DIRECTION = "Invalid direction. Must be one of: incoming, outgoing."
NO_EXTENSION = '{place}.filename must include a file extension (e.g. "report.pdf").'
NO_BASE64 = "{place}.content_base64 must be non-empty, valid base64."
ECW_REJECTED = "Unable to create referral in eCW. ECW rejected the request or returned an unexpected response."
MIB = 1_048_576


def document(filename: object = "consult-note.pdf", content: object = "JVBERi0xLjQK") -> Body:
    return {"filename": filename, "content_base64": content}


def refusal(message: str) -> str:
    return json.dumps({"success": False, "message": message}, separators=(",", ":"), ensure_ascii=False)


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    assert (reply.text, reply.status_code) == (refusal(message), status)


def post(world: World, body: object, **headers: str) -> httpx2.Response:
    return loopback.post(
        f"{world.url}/v1/referrals",
        headers={**world.headers, **headers},
        json=body,
    )


def created(world: World, body: Body) -> dict[str, Any]:
    """The data of the event in which the referral ends."""
    job_id = post(world, body).json()["job_id"]
    world.settle()
    [event] = world.events(job_id=job_id)
    assert event["type"] == "referral.created"
    return dict(event["data"])


def rejecting(*descriptions: str) -> dict[str, Any]:
    return {"fail": [{"code": "EHR_REJECTED", "description": text} for text in descriptions]}


def seconds_until_due(world: World) -> float:
    clock = world.clock()
    return (datetime.fromisoformat(clock["next_due"]) - datetime.fromisoformat(clock["now"])).total_seconds()


# Success ---------------------------------------------------------------------------------------------------------


def test_a_referral_is_queued(api: httpx2.Client, referral: Body) -> None:
    reply = api.post("/referrals", json=referral)
    queued = reply.json()
    expected = {"success": True, "message": QUEUED, "referral_id": queued["referral_id"], "job_id": 12345}
    assert reply.status_code == 200
    assert reply.text == json.dumps(expected, separators=(",", ":"))
    assert reply.headers["content-type"] == "application/json"


def test_a_referral_id_is_a_uuid_without_dashes(api: httpx2.Client, referral: Body) -> None:
    assert re.fullmatch("[0-9a-f]{32}", api.post("/referrals", json=referral).json()["referral_id"])


def test_a_repeated_request_makes_another_referral(api: httpx2.Client, referral: Body) -> None:
    """D19."""
    first, second = (api.post("/referrals", json=referral).json() for _ in range(2))
    assert second["job_id"] == first["job_id"] + 1
    assert second["referral_id"] != first["referral_id"]


def test_the_event_of_success_echoes_the_referral(world: World, api: httpx2.Client, referral: Body) -> None:
    queued = api.post("/referrals", json=referral).json()
    due = world.clock()["next_due"]
    world.settle()
    [event] = world.events()
    assert event == {
        "id": event["id"],
        "access_token_reference_id": "at_ref_123456789",
        "object": "event",
        "created": due,
        "type": "referral.created",
        "job_id": str(queued["job_id"]),
        "data": {
            "referral_id": queued["referral_id"],
            "ehr_id": event["data"]["ehr_id"],
            "patient_mrn": "1234567",
            "from_provider_ehr_id": "PROV-001",
            "to_provider_ehr_id": "PROV-002",
            "direction": "outgoing",
        },
    }


def test_the_event_has_its_keys_in_the_order_of_the_page(world: World, referral: Body) -> None:
    post(world, {**referral, "documents": [document()]})
    world.settle()
    [event] = world.events()
    assert list(event) == ["id", "access_token_reference_id", "object", "created", "type", "job_id", "data"]
    assert list(event["data"]) == [
        "referral_id",
        "ehr_id",
        "patient_mrn",
        "from_provider_ehr_id",
        "to_provider_ehr_id",
        "direction",
        "documents_attached",
        "documents_failed",
    ]


def test_an_event_id_is_a_uuid_with_dashes(world: World, referral: Body) -> None:
    """D29."""
    post(world, referral)
    world.settle()
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", world.events()[0]["id"])


def test_an_event_is_stamped_in_utc_with_milliseconds(world: World, referral: Body) -> None:
    """D259."""
    post(world, referral)
    world.settle()
    assert re.fullmatch(r"2026-03-10T10:30:0\d\.\d{3}Z", world.events()[0]["created"])


def test_the_ehr_numbers_its_referrals(world: World, referral: Body) -> None:
    numbers = [created(world, referral)["ehr_id"] for _ in range(2)]
    assert all(re.fullmatch(r"REF-\d{5}", number) for number in numbers)
    assert len(set(numbers)) == 2


@pytest.mark.parametrize("priority", ["routine", "urgent", "stat"])
def test_every_priority_of_the_page_is_taken(world: World, referral: Body, priority: str) -> None:
    assert post(world, {**referral, "priority": priority}).status_code == 200


def test_what_is_not_on_the_page_is_ignored(api: httpx2.Client, referral: Body) -> None:
    """D12."""
    assert api.post("/referrals", json={**referral, "note": 1}).status_code == 200


def test_the_body_is_json_whatever_its_content_type_says(api: httpx2.Client, referral: Body) -> None:
    """D11."""
    reply = api.post("/referrals", content=json.dumps(referral), headers={"content-type": "text/plain"})
    assert reply.status_code == 200


@pytest.mark.parametrize("codes", [None, [], ["I10"]])
def test_diagnosis_codes_are_optional(world: World, referral: Body, codes: object) -> None:
    assert post(world, {**referral, "diagnosis_codes": codes}).status_code == 200


# What is missing -------------------------------------------------------------------------------------------------


def test_all_missing_fields_are_named_at_once_in_the_order_of_the_page(api: httpx2.Client) -> None:
    refused(api.post("/referrals", json={}), 400, f"Missing required fields: {', '.join(REQUIRED)}.")


def test_an_empty_body_misses_every_field(api: httpx2.Client) -> None:
    """D11."""
    refused(api.post("/referrals"), 400, f"Missing required fields: {', '.join(REQUIRED)}.")


@pytest.mark.parametrize("absent", [None, ""])
@pytest.mark.parametrize("field", REQUIRED)
def test_null_and_the_empty_text_are_missing(world: World, referral: Body, field: str, absent: object) -> None:
    refused(post(world, {**referral, field: absent}), 400, f"Missing required fields: {field}.")


def test_the_documented_example_of_missing_fields(api: httpx2.Client, referral: Body) -> None:
    sent = {field: value for field, value in referral.items() if field not in ("patient_mrn", "reason")}
    refused(api.post("/referrals", json=sent), 400, "Missing required fields: patient_mrn, reason.")


# Priority, direction ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("priority", ["asap", "Urgent", "urgent ", 1, True, ["urgent"], {}])
def test_no_other_priority_is_taken(world: World, referral: Body, priority: object) -> None:
    """D15: letter case counts."""
    refused(post(world, {**referral, "priority": priority}), 400, INVALID_PRIORITY)


@pytest.mark.parametrize("direction", ["sideways", "Outgoing", "INCOMING", 0, False, ["incoming"], {}])
def test_no_other_direction_is_taken(world: World, referral: Body, direction: object) -> None:
    """D15."""
    refused(post(world, {**referral, "direction": direction}), 400, INVALID_DIRECTION)


# Documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "filename",
    ["report.pdf", "x.tar.gz", "ünïcode.pdf", "two words.docx", "a.b", "..pdf", "報告.pdf", "a/b.pdf", "C:\\a.pdf"],
)
def test_a_filename_with_an_extension_is_taken(world: World, referral: Body, filename: str) -> None:
    assert created(world, {**referral, "documents": [document(filename)]})["documents_attached"] == 1


@pytest.mark.parametrize("filename", ["report", "a", "a.", ".pdf", ".", "", "x.tar.", "a.pdf/", "a.d/b", "a.\x00"])
def test_a_filename_must_include_an_extension(world: World, referral: Body, filename: str) -> None:
    refused(
        post(world, {**referral, "documents": [document(filename)]}), 400, NO_EXTENSION.format(place="documents[0]")
    )


@pytest.mark.parametrize("content", ["YQ==", "YWI=", "YWJj", "+/+/", base64.b64encode(bytes(range(256))).decode()])
def test_base64_is_taken(world: World, referral: Body, content: str) -> None:
    assert created(world, {**referral, "documents": [document(content=content)]})["documents_attached"] == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        " ",
        "\n",
        "=",
        "====",
        "YWJj YWJj",
        "YWJj\n",
        " YWJj",
        "-_-_",
        "YQ",
        "YQ=",
        "YWJ",
        "YQ===",
        "Y",
        "YQ==YQ==",
        "data:application/pdf;base64,JVBERi0xLjQK",
        "JVBERi0xLjQKJ...",
        "not base64!",
        "ünïcode",
    ],
)
def test_anything_else_is_no_base64(world: World, referral: Body, content: str) -> None:
    """D222."""
    refused(
        post(world, {**referral, "documents": [document(content=content)]}),
        400,
        NO_BASE64.format(place="documents[0]"),
    )


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([document(), document("a")], NO_EXTENSION.format(place="documents[1]")),
        ([document(), document(), document(content="")], NO_BASE64.format(place="documents[2]")),
        ([document(content="-"), document("a")], NO_BASE64.format(place="documents[0]")),
        ([document("a", "-")], NO_EXTENSION.format(place="documents[0]")),
        ([{"content_base64": "YQ=="}], "documents[0].filename is required."),
        ([document(None)], "documents[0].filename is required."),
        ([document(), {}], "documents[1].filename is required."),
        ([{"filename": "a.pdf"}], "documents[0].content_base64 is required."),
        ([document(content=None)], "documents[0].content_base64 is required."),
        ([document(1)], "Invalid documents[0].filename. Must be a string."),
        ([document(content=1)], "Invalid documents[0].content_base64. Must be a string."),
        (["a.pdf"], "documents[0] must be an object."),
        ([None], "documents[0] is required."),
        ("a.pdf", "documents must be an array."),
        ({}, "documents must be an array."),
        (1, "documents must be an array."),
        ("", "documents must be an array."),
    ],
)
def test_the_first_thing_wrong_with_the_documents_is_named_by_its_place(
    world: World, referral: Body, documents: object, message: str
) -> None:
    """D222; D13 for types."""
    refused(post(world, {**referral, "documents": documents}), 400, message)


@pytest.mark.parametrize("documents", [None, []])
def test_without_documents_nothing_is_counted(world: World, referral: Body, documents: object) -> None:
    data = created(world, {**referral, "documents": documents})
    assert "documents_attached" not in data
    assert "documents_failed" not in data


def test_documents_are_counted_in_the_event(world: World, referral: Body) -> None:
    data = created(world, {**referral, "documents": [document(), document("scan.png")]})
    assert (data["documents_attached"], data["documents_failed"]) == (2, 0)


@pytest.mark.parametrize(("failing", "attached", "failed"), [(1, 2, 1), (3, 0, 3), (9, 0, 3)])
def test_documents_that_fail_are_counted_and_change_nothing_else(
    world: World, referral: Body, failing: int, attached: int, failed: int
) -> None:
    world.fault("referral.created", {"documents_failed": failing})
    data = created(world, {**referral, "documents": [document()] * 3})
    assert (data["documents_attached"], data["documents_failed"]) == (attached, failed)


def test_a_fault_of_documents_waits_for_a_referral_that_has_some(world: World, referral: Body) -> None:
    world.fault("referral.created", {"documents_failed": 1})
    assert "documents_failed" not in created(world, referral)
    assert created(world, {**referral, "documents": [document()]})["documents_failed"] == 1


@pytest.mark.parametrize("codes", ["I10", {}, 1, [1], ["I10", None], [["I10"]]])
def test_diagnosis_codes_are_an_array_of_strings(world: World, referral: Body, codes: object) -> None:
    """D222."""
    refused(post(world, {**referral, "diagnosis_codes": codes}), 400, "diagnosis_codes must be an array of strings.")


# Patient ---------------------------------------------------------------------------------------------------------


def unknown_patient(mrn: str) -> str:
    return f"Patient with MRN '{mrn}' not found. Ensure the patient has been synced."


@pytest.mark.parametrize("mrn", ["7654321", "01234567", "1234567 ", "PAT-456", "8d85d732fc4b4b19855c2f6419daf748"])
def test_the_patient_must_be_synced(world: World, referral: Body, mrn: str) -> None:
    """D223: 404. Neither the EHR's id nor Cobalt's is an MRN."""
    refused(post(world, {**referral, "patient_mrn": mrn}), 404, unknown_patient(mrn))


def test_a_patient_of_another_practice_is_unknown(world: World, referral: Body) -> None:
    refused(post(world, {**referral, "patient_mrn": "48014"}), 404, unknown_patient("48014"))


def test_a_patient_can_be_referred_once_created(world: World, api: httpx2.Client, referral: Body) -> None:
    api.post("/patients", json={"first_name": "Ida", "last_name": "Vance", "dob": "1990-01-02", "sex": "female"})
    world.settle()
    [event] = world.events(type="patient.created")
    assert created(world, {**referral, "patient_mrn": event["data"]["mrn"]})["patient_mrn"] == event["data"]["mrn"]


@pytest.mark.parametrize("field", ["patient_mrn", "reason", "referring_to_provider_ehr_id"])
@pytest.mark.parametrize("value", [1234567, True, ["x"], {}])
def test_nothing_is_converted_into_text(world: World, referral: Body, field: str, value: object) -> None:
    """D13."""
    refused(post(world, {**referral, field: value}), 400, f"Invalid {field}. Must be a string.")


# Providers -------------------------------------------------------------------------------------------------------

FROM, TO = "referring_from_provider_ehr_id", "referring_to_provider_ehr_id"
OWN, REFERRING = "PROV-001", "PROV-002"


def not_found(*parts: tuple[str, str, str]) -> str:
    which = "; ".join(f"{side} '{ehr_id}' was not found in {directory}" for side, ehr_id, directory in parts)
    return f"Unknown provider(s): {which}. Ensure the provider has been synced."


@pytest.mark.parametrize(
    ("direction", "sender", "receiver"),
    [
        ("outgoing", OWN, REFERRING),
        ("incoming", REFERRING, OWN),
        ("outgoing", "99999", "12345"),
        ("incoming", "12345", "12345"),
        ("outgoing", "12345", "12345"),
    ],
)
def test_the_direction_decides_which_directory_each_provider_is_in(
    world: World, referral: Body, direction: str, sender: str, receiver: str
) -> None:
    data = created(world, {**referral, "direction": direction, FROM: sender, TO: receiver})
    assert (data["direction"], data["from_provider_ehr_id"], data["to_provider_ehr_id"]) == (
        direction,
        sender,
        receiver,
    )


@pytest.mark.parametrize(
    ("direction", "sides", "message"),
    [
        ("outgoing", (REFERRING, REFERRING), not_found((FROM, REFERRING, "providers"))),
        ("outgoing", (OWN, OWN), not_found((TO, OWN, "referring providers"))),
        ("incoming", (OWN, OWN), not_found((FROM, OWN, "referring providers"))),
        ("incoming", (REFERRING, REFERRING), not_found((TO, REFERRING, "providers"))),
        ("outgoing", (REFERRING, OWN), not_found((FROM, REFERRING, "providers"), (TO, OWN, "referring providers"))),
        ("incoming", (OWN, REFERRING), not_found((FROM, OWN, "referring providers"), (TO, REFERRING, "providers"))),
        ("outgoing", ("0", "nobody"), not_found((TO, "nobody", "referring providers"))),
        ("incoming", ("nobody", "0"), not_found((FROM, "nobody", "referring providers"))),
        ("outgoing", ("00", "0"), not_found((FROM, "00", "providers"))),
    ],
)
def test_an_unknown_provider_is_named_with_its_side_and_directory(
    world: World, referral: Body, direction: str, sides: tuple[str, str], message: str
) -> None:
    """D223: 404. D224: both in one message."""
    refused(post(world, {**referral, "direction": direction, FROM: sides[0], TO: sides[1]}), 404, message)


def test_the_documented_example_of_an_unknown_provider(sandbox: Sandbox, referral: Body) -> None:
    practice = {
        "name": "small",
        "patients": [{"mrn": "1234567", "ehr_id": "1", "first_name": "Jane", "last_name": "Smith"}],
        "providers": [{"ehr_id": "PROV-001", "name": "Doe, John"}],
    }
    world = sandbox.world(fixtures=[practice])
    refused(
        post(world, referral),
        404,
        "Unknown provider(s): referring_to_provider_ehr_id 'PROV-002' was not found in referring providers."
        " Ensure the provider has been synced.",
    )
    world.delete()


@pytest.mark.parametrize("direction", ["incoming", "outgoing"])
@pytest.mark.parametrize(("sender", "receiver"), [("0", "0"), (0, 0), (0, "0")])
def test_zero_means_nobody_on_either_side(
    world: World, referral: Body, direction: str, sender: object, receiver: object
) -> None:
    """D225: as text or as a number; the event has text."""
    data = created(world, {**referral, "direction": direction, FROM: sender, TO: receiver})
    assert (data["from_provider_ehr_id"], data["to_provider_ehr_id"]) == ("0", "0")


@pytest.mark.parametrize(("sender", "receiver"), [(0, REFERRING), (OWN, "0")])
def test_zero_may_stand_beside_a_provider(world: World, referral: Body, sender: object, receiver: object) -> None:
    """D225."""
    data = created(world, {**referral, FROM: sender, TO: receiver})
    assert (data["from_provider_ehr_id"], data["to_provider_ehr_id"]) == (str(sender), str(receiver))


@pytest.mark.parametrize("value", [1, -1, 0.0, False])
def test_no_number_but_zero_is_a_provider(world: World, referral: Body, value: object) -> None:
    refused(post(world, {**referral, FROM: value}), 400, f"Invalid {FROM}. Must be a string.")


def test_a_new_referring_provider_can_be_referred_to_once_created(
    world: World, api: httpx2.Client, referral: Body
) -> None:
    """D187."""
    api.post("/referring-providers", json={"first_name": "Ada", "last_name": "Quill", "npi": "1234567890"})
    world.settle()
    [event] = world.events(type="referring_provider.created")
    ehr_id = event["data"]["ehr_id"]
    assert created(world, {**referral, TO: ehr_id})["to_provider_ehr_id"] == ehr_id


# Order -----------------------------------------------------------------------------------------------------------


def repaired() -> Iterator[tuple[Body, str]]:
    """What is put right, one field after the other, and the complaint that then answers."""
    yield {}, "Missing required fields: reason."
    yield {"reason": "Cardiology consultation"}, INVALID_PRIORITY
    yield {"priority": "stat"}, INVALID_DIRECTION
    yield {"direction": "outgoing"}, NO_EXTENSION.format(place="documents[0]")
    yield {"documents": [document("a.pdf", "-")]}, NO_BASE64.format(place="documents[0]")
    yield {"documents": [document()]}, "diagnosis_codes must be an array of strings."
    yield {"diagnosis_codes": ["I10"]}, unknown_patient("nobody")
    yield (
        {"patient_mrn": "1234567"},
        not_found((FROM, "nobody", "providers"), (TO, "nobody", "referring providers")),
    )
    yield {FROM: "PROV-001"}, not_found((TO, "nobody", "referring providers"))


def test_the_first_check_that_fails_answers_in_the_order_of_the_page(api: httpx2.Client) -> None:
    """D8, D223: missing, priority, direction, documents, then patient, then providers."""
    body: Body = {
        "patient_mrn": "nobody",
        FROM: "nobody",
        TO: "nobody",
        "direction": "sideways",
        "priority": "asap",
        "diagnosis_codes": "I10",
        "documents": [document("a", "-")],
    }
    for repair, message in repaired():
        body = {**body, **repair}
        reply = api.post("/referrals", json=body)
        assert reply.text == refusal(message)
    assert api.post("/referrals", json={**body, TO: "PROV-002"}).status_code == 200


def test_a_wrong_access_token_answers_before_anything_in_the_body(world: World) -> None:
    """D6, D8."""
    refused(post(world, {}, access_token="nobody"), 404, "User not found.")


def test_the_access_token_of_another_client_is_unknown(sandbox: Sandbox, world: World, referral: Body) -> None:
    """D6."""
    practice = {"name": "elsewhere", "access_token": "at_elsewhere"}
    other = sandbox.world(fixtures=[practice])
    refused(post(world, referral, access_token="at_elsewhere"), 404, "User not found.")
    other.delete()


def test_without_an_access_token_there_is_no_user(world: World, referral: Body) -> None:
    """D6."""
    two = {name: value for name, value in world.headers.items() if name != "access_token"}
    reply = loopback.post(f"{world.url}/v1/referrals", headers=two, json=referral)
    refused(reply, 404, "User not found.")


@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"a":}', b"{} {}"])
def test_bad_json_is_refused(api: httpx2.Client, raw: bytes) -> None:
    """D11."""
    refused(api.post("/referrals", content=raw), 400, "Invalid JSON in request body.")


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"text"', b"null"])
def test_a_body_is_an_object(api: httpx2.Client, raw: bytes) -> None:
    refused(api.post("/referrals", content=raw), 400, "Request body must be a JSON object.")


def test_other_ehrs_than_eclinicalworks_are_not_supported(sandbox: Sandbox, referral: Body) -> None:
    """D30."""
    world = sandbox.world(fixtures=[{"name": "other", "ehr": "NextGen"}])
    message = "Creating referrals is not supported for NextGen. Currently supported: eClinicalWorks."
    refused(post(world, referral), 400, message)
    world.delete()


def test_nothing_that_is_refused_becomes_a_job(world: World, referral: Body) -> None:
    post(world, {})
    post(world, {**referral, "patient_mrn": "nobody"})
    assert world.state()["jobs"] == {"queued": 0, "held": 0, "succeeded": 0, "failed": 0}


# Size ------------------------------------------------------------------------------------------------------------


def of_size(size: int, referral: Body) -> bytes:
    """A request of exactly so many bytes, filled up by the reason."""
    bare = len(json.dumps({**referral, "reason": ""}))
    return json.dumps({**referral, "reason": "x" * (size - bare)}).encode()


def chunks(body: bytes) -> Iterator[bytes]:
    yield from (body[start : start + MIB] for start in range(0, len(body), MIB))


def test_a_body_of_25_mb_is_taken(api: httpx2.Client, referral: Body) -> None:
    """D26."""
    body = of_size(25 * MIB, referral)
    assert len(body) == 25 * MIB
    assert api.post("/referrals", content=body).status_code == 200


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_more_than_25_mb_is_refused(api: httpx2.Client, referral: Body, *, announced: bool) -> None:
    """D26: by its announced length, or as soon as it is exceeded."""
    body = of_size(25 * MIB + 1, referral)
    reply = api.post("/referrals", content=body if announced else chunks(body))
    refused(reply, 413, "Request body too large. Maximum size is 25 MB.")


def test_a_large_document_is_attached(world: World, referral: Body) -> None:
    content = base64.b64encode(b"%PDF-1.4" + bytes(8 * MIB)).decode()
    assert created(world, {**referral, "documents": [document(content=content)]})["documents_attached"] == 1


# What the EHR refuses --------------------------------------------------------------------------------------------


def test_a_referral_can_fail(world: World, api: httpx2.Client, referral: Body) -> None:
    """D226: referral.failed has no reasons."""
    world.fault("referral.created", rejecting(ECW_REJECTED))
    queued = api.post("/referrals", json=referral).json()
    world.settle()
    [event] = world.events(job_id=queued["job_id"])
    assert event == {
        "id": event["id"],
        "access_token_reference_id": "at_ref_123456789",
        "object": "event",
        "created": event["created"],
        "type": "referral.failed",
        "job_id": str(queued["job_id"]),
        "data": {
            "referral_id": queued["referral_id"],
            "patient_mrn": "1234567",
            "failure_reason": ECW_REJECTED,
        },
    }


def test_several_reasons_are_joined_by_one_space(world: World, referral: Body) -> None:
    """D260."""
    world.fault("referral.created", rejecting("The patient is deceased.", "The chart is locked."))
    post(world, referral)
    world.settle()
    [event] = world.events()
    assert event["data"]["failure_reason"] == "The patient is deceased. The chart is locked."
    assert "reasons" not in event["data"]


def test_documents_are_not_counted_in_a_failure(world: World, referral: Body) -> None:
    world.fault("referral.created", rejecting(ECW_REJECTED))
    post(world, {**referral, "documents": [document()]})
    world.settle()
    assert list(world.events()[0]["data"]) == ["referral_id", "patient_mrn", "failure_reason"]


# Time ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def realistic(sandbox: Sandbox) -> Iterator[World]:
    """A world whose EHR takes its time."""
    slow = sandbox.world(seed=7, latency="realistic")
    yield slow
    slow.delete()


def test_creating_a_referral_takes_10_to_60_seconds(realistic: World, referral: Body) -> None:
    """Table 5."""
    waits = []
    for _ in range(12):
        post(realistic, referral)
        waits.append(seconds_until_due(realistic))
        realistic.settle()
    assert all(10 <= wait <= 60 for wait in waits)
    assert max(waits) - min(waits) > 10


@pytest.mark.parametrize("documents", [1, 4])
def test_each_document_takes_five_seconds_more(
    sandbox: Sandbox, realistic: World, referral: Body, documents: int
) -> None:
    """Table 5: the twin world of the same seed draws the same time."""
    twin = sandbox.world(seed=7, latency="realistic")
    post(realistic, referral)
    post(twin, {**referral, "documents": [document()] * documents})
    assert seconds_until_due(twin) == pytest.approx(seconds_until_due(realistic) + 5 * documents)
    twin.delete()


def test_nothing_happens_before_its_time(world: World, referral: Body) -> None:
    post(world, referral)
    world.advance(0.999)
    assert world.events() == []
    assert world.clock()["pending"]["jobs"] == 1


# Polling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [int, str])
def test_a_job_is_polled_by_its_id_until_it_has_ended(
    world: World, api: httpx2.Client, referral: Body, kind: type
) -> None:
    """D253, D258: as a number or as text."""
    job_id = kind(api.post("/referrals", json=referral).json()["job_id"])
    before = api.get("/webhook-events", params={"job_id": job_id})
    assert (before.status_code, before.json()["webhook_events"]) == (200, [])
    world.settle()
    [row] = api.get("/webhook-events", params={"job_id": job_id}).json()["webhook_events"]
    assert (row["event_type"], row["job_id"]) == ("referral.created", str(job_id))


def test_a_job_ends_in_exactly_one_event(world: World, api: httpx2.Client, referral: Body) -> None:
    """D254."""
    world.fault("referral.created", rejecting(ECW_REJECTED), after=1)
    jobs = [api.post("/referrals", json=referral).json()["job_id"] for _ in range(3)]
    world.settle()
    world.advance(86_400)
    assert sorted(event["job_id"] for event in world.events()) == [str(job) for job in jobs]
    assert [world.events(job_id=job)[0]["type"] for job in jobs].count("referral.failed") == 1


# What becomes of the documents -----------------------------------------------------------------------------------


def get_document(world: World, document_id: str) -> httpx2.Response:
    return loopback.get(f"{world.url}/v1/documents/{document_id}", headers=world.headers)


def document_ids(world: World, referral_id: str) -> list[str]:
    [ids] = [row["document_ids"] for row in listing(world)["referrals"] if row["id"] == referral_id]
    return list(ids)


def test_the_documents_of_a_referral_can_be_read_byte_for_byte_in_their_order(world: World, referral: Body) -> None:
    contents = [bytes(range(256)), b"%PDF-1.4"]
    files = [document(f"{n}.pdf", base64.b64encode(each).decode()) for n, each in enumerate(contents)]
    ids = document_ids(world, created(world, {**referral, "documents": files})["referral_id"])
    assert [get_document(world, id).content for id in ids] == contents


@pytest.mark.parametrize(
    ("filename", "kept", "kind"),
    [
        ("a.pdf", "a.pdf", "application/pdf"),
        ("../../scan.JPG", "scan.JPG", "image/jpeg"),
        ("C:\\x\\y.dcm", "y.dcm", "application/dicom"),
        ("a\x00\n.b", "a.b", "application/octet-stream"),
    ],
)
def test_the_type_of_a_document_follows_from_its_name(
    world: World, referral: Body, filename: str, kept: str, kind: str
) -> None:
    [id] = document_ids(world, created(world, {**referral, "documents": [document(filename)]})["referral_id"])
    headers = get_document(world, id).headers
    assert (headers["content-type"], headers["content-disposition"]) == (kind, f'attachment; filename="{kept}"')


def stored_documents(world: World) -> list[Body]:
    reply = loopback.get(f"{world.url}/_sandbox/snapshot", headers={"client_id": world.client_id})
    rows: list[Body] = reply.json()["practices"][0]["tables"]["documents"]
    return rows[2:]  # but for those of the documentation


def test_a_document_is_there_after_the_event_and_not_before(world: World, referral: Body) -> None:
    """D228."""
    post(world, {**referral, "documents": [document()]})
    [pending] = stored_documents(world)
    assert get_document(world, str(pending["id"])).status_code == 404
    world.settle()
    assert get_document(world, str(pending["id"])).content == b"%PDF-1.4\n"


def test_a_document_that_cannot_be_attached_is_not_kept(world: World, referral: Body) -> None:
    world.fault("referral.created", {"documents_failed": 1})
    files = [document("a.pdf"), document("b.pdf")]
    ids = document_ids(world, created(world, {**referral, "documents": files})["referral_id"])
    first, second = stored_documents(world)
    assert ids == [first["id"]]
    assert (second["content"], get_document(world, str(second["id"])).status_code) == ("", 404)


def test_the_documents_of_a_referral_that_fails_are_not_kept(world: World, referral: Body) -> None:
    world.fault("referral.created", rejecting(ECW_REJECTED))
    post(world, {**referral, "documents": [document(), document()]})
    world.settle()
    assert [(row["status"], row["content"]) for row in stored_documents(world)] == [("failed", "")] * 2


# List Referrals --------------------------------------------------------------------------------------------------

RANGE = {"start_date": "2000-01-01", "end_date": "2099-12-31"}


def listing(world: World, **query: object) -> dict[str, Any]:
    params = {name: str(value) for name, value in {**RANGE, **query}.items()}
    reply = loopback.get(f"{world.url}/v1/referrals", headers=world.headers, params=params)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def listed(world: World, **query: object) -> list[Body]:
    rows: list[Body] = listing(world, **query)["referrals"]
    return rows


def numbers(world: World, **query: object) -> list[object]:
    return [row["ehr_id"] for row in listed(world, **query)]


@pytest.fixture
def archive(sandbox: Sandbox) -> Iterator[World]:
    """A practice in Hawaii with referrals of three days, two of them of the same."""
    rows = [
        {"ehr_id": "A", "referral_date": "2026-03-02", "direction": "outgoing", "patient_mrn": "1", "priority": "stat"},
        {"ehr_id": "B", "referral_date": "2026-03-01", "direction": "incoming", "patient_mrn": "2"},
        {
            "ehr_id": "C",
            "referral_date": "2026-03-02",
            "direction": "incoming",
            "patient_mrn": "1",
            "status": "completed",
        },
        {"ehr_id": "D", "referral_date": "2026-03-05", "direction": "outgoing", "patient_mrn": "1"},
    ]
    world = sandbox.world(fixtures=[{"name": "archive", "timezone": "Pacific/Honolulu", "referrals": rows}])
    yield world
    world.delete()


def test_the_newest_referral_comes_first_and_of_a_day_the_one_made_last(archive: World) -> None:
    """D24."""
    assert numbers(archive) == ["D", "C", "A", "B"]
    assert numbers(archive, sort="created_at") == ["B", "A", "C", "D"]
    assert numbers(archive, sort="anything else") == ["D", "C", "A", "B"]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-03-02", "2026-03-02", ["C", "A"]),
        ("2026-03-01", "2026-03-02", ["C", "A", "B"]),
        ("2026-03-03", "2026-03-04", []),
        ("2026-03-03T05:00:00Z", "2026-03-03T09:59:59Z", ["C", "A"]),
        ("2026-03-02T23:00:00", "2026-03-05T00:00:00", ["D", "C", "A"]),
        ("0001-01-01", "9999-12-31", ["D", "C", "A", "B"]),
        ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", ["D", "C", "A", "B"]),
    ],
)
def test_a_range_is_of_whole_days_in_the_zone_of_the_practice(
    archive: World, start: str, end: str, found: list[str]
) -> None:
    """D21, D22."""
    assert numbers(archive, start_date=start, end_date=end) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"patient_mrn": "1"}, ["D", "C", "A"]),
        ({"patient_mrn": "1", "start_date": "2026-03-03"}, ["D"]),
        ({"patient_mrn": "1", "sort": "created_at"}, ["A", "C", "D"]),
        ({"patient_mrn": "1", "page_size": 2, "page": 2}, ["A"]),
        ({"patient_mrn": "nobody"}, []),
        ({"ehr_id": "C"}, ["C"]),
        ({"ehr_id": "C", "patient_mrn": "1"}, ["C"]),
        ({"ehr_id": "C", "patient_mrn": "2"}, []),
        ({"ehr_id": "C", "end_date": "2026-03-01"}, []),
        ({"ehr_id": "c"}, []),
        ({"status": "completed"}, ["C"]),
        ({"priority": "routine"}, ["D", "C", "B"]),
        ({"direction": "incoming"}, ["C", "B"]),
        ({"direction": "incoming", "priority": "routine", "status": "open"}, ["B"]),
    ],
)
def test_a_referral_is_listed_that_passes_every_filter(archive: World, query: Body, found: list[str]) -> None:
    """D227."""
    assert numbers(archive, **query) == found


def test_what_a_fixture_leaves_out_follows_from_what_it_says(archive: World) -> None:
    row = listed(archive, ehr_id="A")[0]
    assert (row["urgency"], row["synced_at"]) == ("stat", "2026-03-02T00:00:00.000Z")
    assert {row[name] for name in ("patient_ehr_id", "from_provider_name", "last_activity_at")} == {None}


@pytest.mark.parametrize("day", ["2026-3-1", "20260301", "2026-02-30", "2026-03-01T00:00:00Z", ""])
def test_a_referral_of_a_fixture_has_a_day(sandbox: Sandbox, day: str) -> None:
    row = {"referral_date": day, "direction": "incoming"}
    with pytest.raises(Exception, match=r"at referrals\.0\.referral_date"):
        sandbox.world(fixtures=[{"name": "one", "referrals": [row]}])


def test_a_created_referral_is_listed_with_the_names_of_all_concerned(world: World, referral: Body) -> None:
    data = created(world, {**referral, "reason": "Röntgen", "documents": [document()]})
    [row] = [row for row in listed(world) if row["id"] == data["referral_id"]]
    now = world.events()[-1]["created"]
    assert row == {
        "id": data["referral_id"],
        "ehr_id": data["ehr_id"],
        "patient_ehr_id": "PAT-456",
        "patient_mrn": "1234567",
        "patient_first_name": "Jane",
        "patient_last_name": "Smith",
        "patient_dob": "1985-03-15",
        "from_provider_ehr_id": "PROV-001",
        "from_provider_name": "Doe, John",
        "to_provider_ehr_id": "PROV-002",
        "to_provider_name": "Lee, Sarah",
        "direction": "outgoing",
        "priority": "urgent",
        "urgency": "urgent",
        "reason": "Röntgen",
        "diagnosis_codes": ["I10", "Z87.39"],
        "document_ids": row["document_ids"],
        "status": "open",
        "referral_date": "2026-03-10",
        "last_activity_at": now,
        "synced_at": now,
    }


def test_nobody_has_neither_id_nor_name_in_the_list(world: World, referral: Body) -> None:
    data = created(world, {**referral, FROM: "0", TO: 0})
    [row] = [row for row in listed(world) if row["id"] == data["referral_id"]]
    sides = ("from_provider_ehr_id", "from_provider_name", "to_provider_ehr_id", "to_provider_name")
    assert {row[name] for name in sides} == {None}


def test_the_day_of_a_referral_is_that_of_the_practice(sandbox: Sandbox, referral: Body) -> None:
    people: Body = {
        "patients": [{"mrn": "1234567", "first_name": "Jane", "last_name": "Smith"}],
        "providers": [],
    }
    for zone, day in (("Pacific/Honolulu", "2026-03-09"), ("Pacific/Auckland", "2026-03-10")):
        practice = {"name": "far away", "timezone": zone, **people}
        world = sandbox.world(fixtures=[practice], now="2026-03-10T04:00:00Z")
        created(world, {**referral, FROM: "0", TO: "0"})
        assert [row["referral_date"] for row in listed(world)] == [day]
        world.delete()


def test_a_referral_is_listed_after_its_event_and_never_when_it_failed(world: World, referral: Body) -> None:
    before = listed(world)
    world.fault("referral.created", rejecting(ECW_REJECTED), after=1)
    post(world, referral)
    post(world, referral)
    assert listed(world) == before
    world.settle()
    assert len(listed(world)) == len(before) + 1


def test_a_number_that_is_taken_is_passed_over(sandbox: Sandbox, referral: Body) -> None:
    taken = [{"ehr_id": f"REF-0000{n}", "referral_date": "2026-03-01", "direction": "incoming"} for n in (1, 2)]
    patient = {"mrn": "1234567", "first_name": "Jane", "last_name": "Smith"}
    world = sandbox.world(fixtures=[{"name": "one", "referrals": taken, "patients": [patient]}])
    assert created(world, {**referral, FROM: "0", TO: "0"})["ehr_id"] == "REF-00003"
    world.delete()


def test_the_referrals_of_a_fixture_move_with_its_day(sandbox: Sandbox) -> None:
    row = {"referral_date": "2026-03-02", "last_activity_at": "2026-03-03T10:00:00.000Z", "direction": "incoming"}
    world = sandbox.world(
        fixtures=[{"name": "one", "as_of": "2026-03-04", "referrals": [row]}], now="2026-03-18T12:00:00Z"
    )
    [moved] = listed(world)
    assert (moved["referral_date"], moved["last_activity_at"]) == ("2026-03-16", "2026-03-17T10:00:00.000Z")
    assert moved["synced_at"] == "2026-03-16T00:00:00.000Z"
    world.delete()


def test_a_page_says_where_it_stands(archive: World) -> None:
    """D23."""
    assert listing(archive, page=2, page_size=3)["pagination"] == {
        "page": 2,
        "page_size": 3,
        "total_count": 4,
        "total_pages": 2,
    }
    assert numbers(archive, page=2, page_size=3) == ["B"]
    assert numbers(archive, page=3, page_size=3) == []


def test_every_ehr_lists_its_referrals(sandbox: Sandbox) -> None:
    world = sandbox.world(fixtures=[{"name": "other", "ehr": "NextGen"}])
    assert listing(world)["pagination"] == {"page": 1, "page_size": 100, "total_count": 0, "total_pages": 0}
    world.delete()

"""Upload Document and Get Document: what is sent comes back byte for byte, and what cannot be taken says why."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import re
import socket
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import httpx2
import pytest

import loopback
from cobalt_sandbox import Sandbox, World
from cobalt_sandbox.config import CLIENT_ID, CLIENT_SECRET
from cobalt_sandbox.ehr import RECORDS
from cobalt_sandbox.ehr.clinical import Document
from cobalt_sandbox.errors import TooManyBytes
from cobalt_sandbox.faults import Fail
from cobalt_sandbox.fixture import Fixture
from cobalt_sandbox.forms import Upload
from cobalt_sandbox.resources import documents, referrals
from cobalt_sandbox.snapshot import all_tables, snapshot
from cobalt_sandbox.spec import Bounds, Spec
from cobalt_sandbox.world import World as Inside

Body = dict[str, Any]

TAKEN = "Document uploaded successfully. It will be processed soon."
NOT_FOUND = "Patient not found. Please check the patient MRN and try again."
PDF = b"%PDF-1.4\n"
PARTS = {"folder_name": "MedicalRecords", "patient_mrn": "123456"}
FIXED = "4c1f0b7e9d3a4e58a6b2c7d8e9f01234"
MIB = 1_048_576
REJECTED = {"fail": [{"code": "EHR_REJECTED", "description": "The EHR rejected the request."}]}


def post(world: World, content: bytes = PDF, texts: Mapping[str, str] = PARTS) -> httpx2.Response:
    return loopback.post(
        f"{world.url}/v1/documents",
        headers=world.headers,
        data={**PARTS, **texts},
        files={"document": ("document.pdf", content, "application/pdf")},
        timeout=60,
    )


def raw(world: World, body: Any, boundary: str = "edge", **headers: str) -> httpx2.Response:
    kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return loopback.post(f"{world.url}/v1/documents", headers={**world.headers, **kind, **headers}, content=body)


def form(disposition: str, content: bytes = PDF, *headers: str) -> bytes:
    """A form as it goes over the wire, its file under a Content-Disposition of one's own."""
    texts = "".join(f'--edge\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in PARTS.items())
    head = "\r\n".join(["--edge", f"Content-Disposition: form-data; {disposition}", *headers, "", ""])
    return (texts + head).encode() + content + b"\r\n--edge--\r\n"


def get(world: World, document_id: str) -> httpx2.Response:
    return loopback.get(f"{world.url}/v1/documents/{document_id}", headers=world.headers, timeout=60)


def read_back(world: World, reply: httpx2.Response) -> httpx2.Response:
    assert reply.status_code == 200, reply.text
    world.settle()
    answer = get(world, reply.json()["document_id"])
    assert answer.status_code == 200, answer.text
    return answer


def refused(reply: httpx2.Response, status: int, message: str) -> None:
    assert (reply.status_code, reply.json()) == (status, {"success": False, "message": message})


def name_of(answer: httpx2.Response) -> str:
    """As a client reads it that knows RFC 6266."""
    plain, _, extended = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
    return unquote(extended) or str(plain.removeprefix("attachment; filename=")).strip('"')


# Upload ----------------------------------------------------------------------------------------------------------


def test_an_upload_is_answered_at_once_with_the_id_of_the_document_and_of_its_job(world: World) -> None:
    reply = post(world)
    taken = reply.json()
    assert reply.text == json.dumps(
        {"success": True, "message": TAKEN, "document_id": taken["document_id"], "job_id": 12345}, separators=(",", ":")
    )
    assert re.fullmatch("[0-9a-f]{32}", taken["document_id"])


def test_the_event_repeats_what_the_document_is(world: World) -> None:
    taken = post(world, texts={"folder_name": "Lab"}).json()
    world.settle()
    [event] = world.events()
    assert (event["type"], event["job_id"]) == ("document.uploaded", str(taken["job_id"]))
    assert list(event["data"].items()) == [
        ("document_id", taken["document_id"]),
        ("patient_mrn", "123456"),
        ("folder_name", "Lab"),
    ]


def test_an_unknown_patient_fails_in_the_event(world: World) -> None:
    """D200."""
    taken = post(world, texts={"patient_mrn": "nobody"}).json()
    world.settle()
    [event] = world.events()
    assert event["type"] == "document.upload_failed"
    assert list(event["data"].items()) == [
        ("document_id", taken["document_id"]),
        ("patient_mrn", "nobody"),
        ("folder_name", "MedicalRecords"),
        ("failure_reason", NOT_FOUND),
        ("reasons", [{"code": "PATIENT_NOT_FOUND", "description": NOT_FOUND}]),
    ]


def test_a_repeated_upload_is_another_document(world: World) -> None:
    """D19."""
    first, second = post(world).json(), post(world).json()
    assert first["document_id"] != second["document_id"]
    assert second["job_id"] == first["job_id"] + 1


@pytest.mark.parametrize("names", ["uploaded", "created"])
@pytest.mark.parametrize("mrn", ["1", "nobody"])
def test_an_option_names_the_events_as_the_index_does(
    sandbox: Sandbox, names: Literal["uploaded", "created"], mrn: str
) -> None:
    """D198."""
    practice = {
        "name": "one",
        "options": {"document_event_names": names},
        "patients": [{"mrn": "1", "first_name": "Ada", "last_name": "Quill"}],
    }
    world = sandbox.world(fixtures=[practice])
    post(world, texts={"patient_mrn": mrn})
    world.settle()
    sent = {
        ("uploaded", "1"): "document.uploaded",
        ("uploaded", "nobody"): "document.upload_failed",
        ("created", "1"): "document.created",
        ("created", "nobody"): "document.failed",
    }
    assert [event["type"] for event in world.events()] == [sent[names, mrn]]
    world.delete()


def test_an_upload_takes_15_to_120_seconds(sandbox: Sandbox) -> None:
    """Table 5."""
    world = sandbox.world(seed=3, latency="realistic")
    waits = []
    for _ in range(8):
        post(world)
        clock = world.clock()
        due, now = (datetime.fromisoformat(clock[name]) for name in ("next_due", "now"))
        waits.append((due - now).total_seconds())
        world.settle()
    assert all(15 <= wait <= 120 for wait in waits)
    assert max(waits) - min(waits) > 20
    world.delete()


# What is missing, or no form -------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["folder_name", "patient_mrn"])
def test_a_text_that_is_missing_or_empty_is_named(world: World, field: str) -> None:
    """D194."""
    refused(post(world, texts={field: ""}), 400, f"Missing required field: {field}")


@pytest.mark.parametrize(
    "body",
    [
        form('name="Document"; filename="a.pdf"'),
        form('name="document"'),
        form('name="document"; filename=""'),
        form('name="document"; filename=""', b""),
        form('name="document"; filename="../"'),
        form('name="document"; filename="a.pdf"', b""),
    ],
    ids=["misspelt", "a text", "nameless", "none chosen", "a folder", "empty"],
)
def test_a_document_is_a_file_that_has_a_name_and_some_bytes(world: World, body: bytes) -> None:
    refused(raw(world, body), 400, "Missing required field: document")


def test_a_misspelt_field_is_ignored_and_so_missed(world: World) -> None:
    body = form('name="document"; filename="a.pdf"').replace(b"patient_mrn", b"patientMrn")
    refused(raw(world, body), 400, "Missing required field: patient_mrn")


INVALID = "Invalid multipart/form-data in request body: "


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "it ends before its last boundary."),
        (form('name="document"; filename="a.pdf"')[:-6], "it ends before its last boundary."),
        (b"%PDF-1.4 garbage", "it does not begin with the boundary."),
        (
            form('name="document"; filename="a.pdf"').replace(b"--edge", b"--other"),
            "it does not begin with the boundary.",
        ),
        (
            form('name="document"; filename="\udce4.pdf"'.replace("\udce4", "?")).replace(b"?", b"\xe4"),
            "part 3 cannot be read.",
        ),
        (form('name="document"; filename="a.pdf"', PDF, "X: " + "x" * 5000), "part 3 cannot be read."),
        (b"--edge\r\n\r\n\r\n" * 65 + b"--edge--", "part 1 cannot be read."),
        (
            b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 65 + b"--edge--",
            "it has more than 64 parts.",
        ),
    ],
    ids=["empty", "cut off", "garbage", "another boundary", "no UTF-8", "head too large", "nameless", "too many parts"],
)
def test_a_form_that_is_broken_says_where(world: World, body: bytes, message: str) -> None:
    refused(raw(world, body), 400, INVALID + message)
    assert world.state()["jobs"]["queued"] == 0


def test_a_form_without_a_boundary_says_so(world: World) -> None:
    reply = raw(world, form('name="document"; filename="a.pdf"'), **{"content-type": "multipart/form-data"})
    refused(reply, 400, "Content-Type must name a boundary of 1 to 70 characters.")


def test_a_client_that_leaves_in_the_middle_leaves_nothing(world: World) -> None:
    url = urlsplit(world.url)
    headers = {
        **world.headers,
        "host": "x",
        "content-type": "multipart/form-data; boundary=edge",
        "content-length": "500",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=10) as caller:
        caller.sendall(f"POST /v1/documents HTTP/1.1\r\n{head}\r\n".encode() + form('name="document"')[:200])
    assert (world.state()["jobs"]["queued"], world.state()["requests"]) == (0, 0)


# Files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 65_536, 262_144, 262_145, 20_000_000])
def test_a_file_comes_back_byte_for_byte(world: World, size: int) -> None:
    content = (PDF + bytes(range(256)) * (size // 256 + 1))[:size]
    answer = read_back(world, post(world, content))
    assert answer.content == content
    assert answer.headers["content-length"] == str(size)


def test_no_header_is_there_but_the_documented_ones_and_the_mark(world: World) -> None:
    assert set(get(world, FIXED).headers) == {
        *("content-type", "content-disposition", "content-length", "cobalt-sandbox-fidelity")
    }


@pytest.mark.parametrize(
    ("sent", "header"),
    [
        ("document.pdf", 'attachment; filename="document.pdf"'),
        ("C:\\x\\y.pdf", 'attachment; filename="y.pdf"'),
        ("../../x.pdf", 'attachment; filename="x.pdf"'),
        ("/etc/x.pdf", 'attachment; filename="x.pdf"'),
        ('say \\"ah\\".pdf', "attachment; filename=\"say _ah_.pdf\"; filename*=UTF-8''say%20%22ah%22.pdf"),
        ("a\tb\x1b\x7f.pdf", 'attachment; filename="ab.pdf"'),
        ("Röntgen.pdf", "attachment; filename=\"R_ntgen.pdf\"; filename*=UTF-8''R%C3%B6ntgen.pdf"),
        ("\N{BONE}.pdf", "attachment; filename=\"_.pdf\"; filename*=UTF-8''%F0%9F%A6%B4.pdf"),
        ("two words; x=1.pdf", 'attachment; filename="two words; x=1.pdf"'),
        ("no extension", 'attachment; filename="no extension"'),
        ("x" * 400 + ".pdf", f'attachment; filename="{"x" * 251}.pdf"'),
    ],
    ids=ascii,
)
def test_a_file_keeps_the_last_component_of_its_name(world: World, sent: str, header: str) -> None:
    answer = read_back(world, raw(world, form(f'name="document"; filename="{sent}"')))
    assert answer.headers["content-disposition"] == header


@pytest.mark.parametrize("name", ['a"b.pdf', "Röntgen \N{BONE}.pdf", "100%.pdf", "it's.pdf", "報告.pdf"])
def test_a_client_reads_the_name_that_was_sent(world: World, name: str) -> None:
    disposition = 'name="document"; filename="{}"'.format(name.replace('"', '\\"'))
    assert name_of(read_back(world, raw(world, form(disposition)))) == name


@pytest.mark.parametrize(
    ("filename", "header", "kind"),
    [
        ("a.pdf", (), "application/pdf"),
        ("a.PDF", (), "application/pdf"),
        ("a.png", (), "image/png"),
        ("a.unheard", (), "application/octet-stream"),
        ("pdf", (), "application/octet-stream"),
        ("a.pdf", ("Content-Type: text/plain; charset=utf-8",), "text/plain; charset=utf-8"),
        ("a.pdf", ("Content-Type: nonsense",), "application/pdf"),
        ("a.pdf", ("Content-Type: text/plain\nset-cookie: a=b",), "application/pdf"),
        ("a.pdf", ("Content-Type: text/pläin",), "application/pdf"),
        ("a.pdf", ("Content-Type: text/" + "x" * 300,), "application/pdf"),
    ],
)
def test_a_file_has_the_type_that_its_sender_says_else_that_of_its_name(
    world: World, filename: str, header: tuple[str, ...], kind: str
) -> None:
    answer = read_back(world, raw(world, form(f'name="document"; filename="{filename}"', PDF, *header)))
    assert answer.headers["content-type"] == kind


def test_the_newer_fields_are_stored_as_they_are(world: World) -> None:
    """D195."""
    more = {"emr_assigned_to_id": "404", "is_reviewed": "maybe", "notes": "by fax", "is_high_priority": "very"}
    taken = post(world, texts=more).json()
    kept = stored(world, taken["document_id"])
    assert {name: kept[name] for name in more} == more


# Get -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", ["nothing", "0" * 32, "%2e%2e", FIXED[:-1]])
def test_an_unknown_document_is_not_found(world: World, id: str) -> None:
    refused(get(world, id), 404, "Document not found")


def test_a_document_of_another_practice_is_not_found(sandbox: Sandbox) -> None:
    """D17."""
    practices: list[Body] = [
        {"name": "one", "access_token": "at_1", "documents": [{"id": "a", "filename": "a.pdf", "content": "YQ=="}]},
        {"name": "two", "access_token": "at_2"},
    ]
    world = sandbox.world(fixtures=practices)
    assert get(world, "a").content == b"a"
    headers = {**world.headers, "access_token": "at_2"}
    refused(loopback.get(f"{world.url}/v1/documents/a", headers=headers), 404, "Document not found")
    world.delete()


def test_a_document_is_there_after_its_event_and_not_before(world: World) -> None:
    """D228."""
    document_id = post(world).json()["document_id"]
    refused(get(world, document_id), 404, "Document not found")
    world.settle()
    assert get(world, document_id).content == PDF


def test_a_document_that_the_ehr_refuses_is_not_kept(world: World) -> None:
    world.fault("document.uploaded", REJECTED)
    document_id = post(world).json()["document_id"]
    world.settle()
    refused(get(world, document_id), 404, "Document not found")
    assert (stored(world, document_id)["status"], stored(world, document_id)["content"]) == ("failed", "")


# Fixtures and snapshots ------------------------------------------------------------------------------------------


def stored(world: World, document_id: str) -> Body:
    reply = loopback.get(f"{world.url}/_sandbox/snapshot", headers={"client_id": world.client_id})
    rows = reply.json()["practices"][0]["tables"]["documents"]
    [row] = [row for row in rows if row["id"] == document_id]
    return dict(row)


def test_what_a_snapshot_holds_can_stand_in_a_fixture(sandbox: Sandbox, world: World) -> None:
    content = bytes(range(256))
    document_id = post(world, content).json()["document_id"]
    world.settle()
    row = stored(world, document_id)
    assert base64.urlsafe_b64decode(row["content"]) == content
    other = sandbox.world(fixtures=[{"name": "other", "documents": [row]}])
    assert get(other, document_id).content == content
    assert stored(other, document_id) == row
    other.delete()


def test_an_empty_file_of_a_fixture_is_read(sandbox: Sandbox) -> None:
    world = sandbox.world(fixtures=[{"name": "one", "documents": [{"id": "a", "filename": "a.txt", "content": ""}]}])
    answer = get(world, "a")
    assert (answer.content, answer.headers["content-type"]) == (b"", "application/octet-stream")
    assert answer.headers["content-length"] == "0"
    world.delete()


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"content": "####"}, "Data should be valid base64"),
        ({"content": 1}, "Input should be a valid bytes"),
        ({"filename": "../a.pdf"}, "'../a.pdf' is no name of a file"),
        ({"filename": ""}, "'' is no name of a file"),
        ({"content_type": "pdf\n"}, "'pdf\\\\n' is no media type such as 'application/pdf'"),
    ],
)
def test_a_document_of_a_fixture_is_checked(sandbox: Sandbox, changed: Body, complaint: str) -> None:
    row = {"filename": "a.pdf", "content": "YQ==", **changed}
    with pytest.raises(Exception, match=complaint):
        sandbox.world(fixtures=[{"name": "one", "documents": [row]}])


# Sizes -----------------------------------------------------------------------------------------------------------

TOO_LARGE = "Request body too large. Maximum size is 25 MB."


def of_size(size: int) -> bytes:
    bare = len(form('name="document"; filename="a.pdf"', b""))
    return form('name="document"; filename="a.pdf"', bytes(size - bare))


def test_a_form_of_25_mb_is_taken(world: World) -> None:
    """D26."""
    assert raw(world, of_size(25 * MIB)).status_code == 200


@pytest.mark.parametrize("announced", [True, False])
def test_a_form_of_more_than_25_mb_is_refused(world: World, *, announced: bool) -> None:
    body = of_size(25 * MIB + 1)
    pieces = (body[start : start + MIB] for start in range(0, len(body), MIB))
    refused(raw(world, body if announced else pieces), 413, TOO_LARGE)


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=edge", "text/plain"])
def test_a_form_that_is_announced_too_large_is_refused_before_it_is_sent(world: World, kind: str) -> None:
    """D8: the size before the rest."""
    url = urlsplit(world.url)
    headers = {**world.headers, "host": "x", "content-type": kind, "content-length": str(25 * MIB + 1)}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=10) as caller:
        caller.sendall(f"POST /v1/documents HTTP/1.1\r\n{head}\r\n".encode())
        assert caller.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_many_upload_and_read_at_once(world: World) -> None:
    contents = [bytes([number]) * 3_000_000 for number in range(8)]
    ids: dict[int, str] = {}
    read: dict[int, bytes] = {}

    def upload(number: int) -> None:
        ids[number] = post(world, contents[number]).json()["document_id"]

    def read_it(number: int) -> None:
        read[number] = get(world, ids[number]).content

    for step in (upload, read_it):
        threads = [threading.Thread(target=step, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        world.settle()
    assert [read[number] for number in range(8)] == contents


# Memory ----------------------------------------------------------------------------------------------------------


def cut_off(_: Body) -> tuple[str, str, bytes]:
    return "/v1/documents", "multipart/form-data; boundary=edge", of_size(4 * MIB)[:-8]


def without_a_patient(_: Body) -> tuple[str, str, bytes]:
    return "/v1/documents", "multipart/form-data; boundary=edge", of_size(4 * MIB).replace(b"patient_mrn", b"patient")


def no_base64(referral: Body) -> tuple[str, str, bytes]:
    files = [{"filename": "a.pdf", "content_base64": "QUJD" * MIB + "!"}]
    return "/v1/referrals", "application/json", json.dumps({**referral, "documents": files}).encode()


@pytest.mark.parametrize("refusable", [cut_off, without_a_patient, no_base64])
def test_what_is_refused_is_let_go_without_a_search_for_garbage(
    world: World, referral: Body, refusable: Callable[[Body], tuple[str, str, bytes]]
) -> None:
    path, kind, body = refusable(referral)
    headers = {**world.headers, "content-type": kind}
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(4):
            reply = loopback.post(world.url + path, headers=headers, content=body)
            assert reply.status_code == 400
        assert tracemalloc.get_traced_memory()[0] < 4 * MIB
    finally:
        tracemalloc.stop()
        gc.enable()


@pytest.fixture
def process() -> Iterator[tuple[World, Path]]:
    """A world of a server in a process of its own, and where the machine tells what that takes."""
    command = [sys.executable, "-c", "from cobalt_sandbox.cli import main; main()", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        yield (
            World(json.loads(server.stdout.readline())["url"], CLIENT_ID, CLIENT_SECRET),
            Path(f"/proc/{server.pid}/status"),
        )
        server.terminate()


def peak(status: Path) -> int:
    """The most bytes of memory so far."""
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024


def test_ten_uploads_of_20_mb_at_once_take_little_more_than_themselves(process: tuple[World, Path]) -> None:
    world, status = process
    body = of_size(20_000_000)
    assert raw(world, of_size(1000)).status_code == 200
    before = peak(status)
    almost_sent = threading.Barrier(10)

    def pieces() -> Iterator[bytes]:
        yield from (body[start : start + MIB] for start in range(0, len(body) - MIB, MIB))
        almost_sent.wait()
        yield body[-(len(body) % MIB or MIB) :]

    with ThreadPoolExecutor(10) as clients:
        replies = list(clients.map(lambda _: raw(world, pieces()), range(10)))
    assert [reply.status_code for reply in replies] == [200] * 10
    assert peak(status) - before <= 1.3 * 10 * len(body) + len(body)


def test_a_referral_of_25_mb_takes_three_times_its_size_at_most(process: tuple[World, Path], referral: Body) -> None:
    world, status = process
    files = [{"filename": "scan.pdf", "content_base64": "QUJD" * (25 * 262_144 - 1024)}]
    body = json.dumps({**referral, "documents": files}).encode()
    assert world.state()["client_id"] == CLIENT_ID
    before = peak(status)
    reply = loopback.post(f"{world.url}/v1/referrals", headers=world.headers, content=body, timeout=60)
    assert reply.status_code == 200
    assert peak(status) - before <= 3 * len(body)


# How much a practice keeps ---------------------------------------------------------------------------------------


@pytest.fixture
def full() -> Iterator[Inside]:
    """A world whose practice keeps 100 bytes of documents, 40 of them from the beginning."""
    begun = {"filename": "a.pdf", "content": base64.b64encode(bytes(40)).decode()}
    people = {
        "patients": [{"mrn": "1", "first_name": "Ada", "last_name": "Quill"}],
        "providers": [{"ehr_id": "P", "name": "Doe, John"}],
    }
    fixture = Fixture({"name": "small", "documents": [begun], **people})
    no_post: Any = None
    world = Inside(Spec("ci", "cs", 1, (fixture,), rate=0, bounds=Bounds(document_bytes=100)), post=no_post)
    yield world
    world.stop()


def sent(world: Inside, size: int, mrn: str = "1") -> documents.DocumentTaken:
    file = Upload("b.pdf", None, bytes(size))
    wanted = documents.NewDocument.read({"folder_name": "F", "patient_mrn": mrn, "document": file})
    taken: documents.DocumentTaken = documents.upload.handler(world.first_practice, wanted)
    return taken


def referred(world: Inside, *sizes: int) -> None:
    files = [{"filename": "b.pdf", "content_base64": base64.b64encode(bytes(size)).decode()} for size in sizes]
    body = {"patient_mrn": "1", "direction": "outgoing", "priority": "stat", "reason": "x", "documents": files}
    sides = {"referring_from_provider_ehr_id": "P", "referring_to_provider_ehr_id": "0"}
    wanted = referrals.NewReferral.read(json.dumps({**body, **sides}).encode())
    referrals.create.handler(world.first_practice, wanted)


def test_past_the_most_bytes_an_upload_is_refused_before_anything_is_written(full: Inside) -> None:
    sent(full, 60)
    before = snapshot(full, RECORDS, all_tables(RECORDS))
    with pytest.raises(TooManyBytes) as raised:
        sent(full, 1)
    says = "This practice has no room for 1 bytes more of documents; 100 are the most it holds. Reset the world."
    assert (raised.value.status, raised.value.message) == (503, says)
    assert snapshot(full, RECORDS, all_tables(RECORDS)) == before


def test_the_documents_of_a_referral_are_counted_together(full: Inside) -> None:
    before = snapshot(full, RECORDS, all_tables(RECORDS))
    with pytest.raises(TooManyBytes, match="no room for 61 bytes"):
        referred(full, 30, 31)
    assert snapshot(full, RECORDS, all_tables(RECORDS)) == before
    referred(full, 30, 30)


def test_what_the_ehr_refuses_makes_room_again(full: Inside) -> None:
    sent(full, 60, mrn="nobody")
    asyncio.run(full.settle(60_000))
    referred(full, 60)
    full.faults.order("referral.created", Fail.model_validate(REJECTED), times=1, after=0, practice=None)
    asyncio.run(full.settle(60_000))
    assert full.first_practice.table(Document).weight == 40
    sent(full, 60)


def test_a_reset_makes_room_again(full: Inside) -> None:
    sent(full, 60)
    again = Inside(replace(full.spec), post=full.courier._post)
    sent(again, 60)
    assert full.first_practice.table(Document).weight == 100


def test_a_world_that_has_stopped_lets_its_documents_go_at_once(full: Inside) -> None:
    sent(full, 60)
    full.stop()
    assert all(not table.weight for table in full.first_practice._tables.values())

"""Codes, numbers and dates, right, wrong and absurd: each is taken whole or refused whole, and whatever is taken ends in one event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cobalt_sandbox import Sandbox, World
from properties.anything import SCALARS, TEXT, Json, Request
from properties.line import Line

Strategy = st.SearchStrategy[Any]

ICD_10 = st.from_regex(r"[A-TV-Z][0-9][0-9AB](\.[0-9A-TV-Z]{1,4})?", fullmatch=True)
CPT = st.from_regex(r"[0-9]{4}[0-9FTU]|[A-V][0-9]{4}", fullmatch=True)
NPI = st.from_regex(r"[12][0-9]{9}", fullmatch=True)
PHONE = st.from_regex(r"[2-9][0-9]{2}-[0-9]{3}-[0-9]{4}|\([0-9]{3}\) [0-9]{3}-[0-9]{4}|\+?[0-9]{7,15}", fullmatch=True)
DATE = st.dates().map(str) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True)
DATE_TIME = st.datetimes().map(lambda when: f"{when.isoformat()}Z") | st.from_regex(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9][+-][0-2][0-9]:[0-5][0-9]", fullmatch=True
)
ABSURD = (
    SCALARS | TEXT | st.sampled_from(("9" * 400, "A" * 5_000, "I10;I10", "\u0661\u0662\u0663", "2026-02-30", "\x00"))
)

REFERRAL = {
    "patient_mrn": "1234567",
    "referring_from_provider_ehr_id": "0",
    "referring_to_provider_ehr_id": "0",
    "direction": "outgoing",
    "priority": "stat",
    "reason": "Cough",
}
NOTE = {"appointment_id": "728948", "note": {"plan": "Rest."}}
PATIENT = {"first_name": "Ada", "last_name": "Quill", "dob": "1980-01-01", "sex": "female"}
COLLEAGUE = {"first_name": "Ada", "last_name": "Quill", "npi": "1999999984"}
PAYMENT = {
    "patient_mrn": "1234567",
    "payment_method": "Card",
    "reference_number": "1",
    "location": "25",
    "amount": 12.5,
}
VISIT = {"mrn": "1234567", "location": "25", "provider": "12241", "type": "new_patient"}

FIELDS: dict[str, tuple[str, Json, Strategy]] = {
    "diagnosis_codes": ("/referrals", REFERRAL, st.lists(ICD_10, max_size=3)),
    "icd_10_codes": ("/notes", NOTE, st.lists(ICD_10, max_size=3)),
    "cpt_codes": ("/notes", NOTE, st.lists(CPT, max_size=3)),
    "npi": ("/referring-providers", COLLEAGUE, NPI),
    "fax": ("/referring-providers", COLLEAGUE, PHONE),
    "phone": ("/patients", PATIENT, PHONE),
    "dob": ("/patients", PATIENT, DATE),
    "deposit_date": ("/payments", PAYMENT, DATE),
    "amount": ("/payments", PAYMENT, st.floats() | st.decimals(0, 10_000, places=2).map(float)),
    "datetime": ("/appointments", VISIT, DATE_TIME),
}
#: Made once, because making strategies takes longer than drawing from them.
VALUES = {field: right | right | st.lists(ABSURD, max_size=2) | ABSURD for field, (_, _, right) in FIELDS.items()}


@pytest.fixture(scope="module")
def clinic(sandbox: Sandbox) -> Iterator[World]:
    world = sandbox.world(seed=1, fixtures=["documentation"], latency="instant")
    yield world
    world.delete()


@pytest.mark.parametrize("field", FIELDS)
@given(data=st.data())
def test_what_is_sent_is_taken_whole_or_refused_whole(field: str, data: st.DataObject, clinic: World) -> None:
    path, body, _ = FIELDS[field]
    value = data.draw(VALUES[field])
    with Line(clinic.url) as line:
        before = _snapshot(line, clinic)
        headers = (("host", line.host), ("content-type", "application/json"), *clinic.headers.items())
        answer = line.send(Request("POST", f"/v1{path}", headers, json.dumps({**body, field: value}).encode()))
        assert answer.status in (200, 400), answer.body
        if answer.status == 400:
            assert answer.json["success"] is False
            assert _snapshot(line, clinic) == before
            return
        clinic.settle()
        (event,) = clinic.events(job_id=answer.json["job_id"])
    assert event["type"].endswith((".created", ".failed"))
    assert ("failure_reason" in event["data"]) is event["type"].endswith(".failed")


def _snapshot(line: Line, world: World) -> bytes:
    return line.send(
        Request("GET", "/_sandbox/snapshot", (("host", line.host), ("client_id", world.client_id)), None)
    ).body


@given(
    zone=TEXT
    | st.sampled_from(("America/Denver", "america/denver", "UTC", "EST5EDT", "Etc/GMT+12", "../UTC", "Mars/X"))
)
def test_a_time_zone_is_known_or_refused(zone: str, sandbox: Sandbox) -> None:
    with Line(sandbox.url) as line:
        head = (("host", line.host), ("content-type", "application/json"))
        asked = {"fixtures": [{"name": "own", "timezone": zone}]}
        made = line.send(Request("POST", "/_sandbox/world", head, json.dumps(asked).encode()))
        assert made.status in (201, 400), made.body
        if made.status == 400:
            halves = any(
                "\ud800" <= each <= "\udfff" for each in zone
            )  # of a surrogate pair, which no JSON may have alone
            assert ("Invalid JSON" if halves else "Input should be") in made.json["message"]
            return
        own = (("client_id", made.json["client_id"]), ("client_secret", made.json["client_secret"]))
        token = ("access_token", made.json["practices"][0]["access_token"])
        query = "start_date=2026-03-01&end_date=2026-03-31"
        shown = line.send(Request("GET", f"/v1/availability?{query}", (head[0], *own, token), None))
        assert (shown.status, shown.json["timezone"]) == (200, zone)
        assert line.send(Request("DELETE", "/_sandbox/world", (*head, own[0]), None)).status == 204

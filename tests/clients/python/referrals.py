"""A client team's own suite, written with requests: of the sandbox it knows what its environment says."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import requests

BASE_URL = os.environ["COBALT_BASE_URL"]
REFERRAL = {
    "patient_mrn": "1234567",
    "referring_from_provider_ehr_id": "PROV-001",
    "referring_to_provider_ehr_id": "PROV-002",
    "direction": "outgoing",
    "priority": "urgent",
    "reason": "Cardiology consultation",
}


@pytest.fixture
def cobalt() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(
            {name: os.environ[f"COBALT_{name.upper()}"] for name in ("client_id", "client_secret", "access_token")}
        )
        yield session


def test_providers_are_listed(cobalt: requests.Session) -> None:
    listed = cobalt.get(f"{BASE_URL}/providers").json()
    assert "PROV-001" in [provider["ehr_id"] for provider in listed["providers"]]


def test_a_referral_is_created_later(cobalt: requests.Session) -> None:
    queued = cobalt.post(f"{BASE_URL}/referrals", json=REFERRAL).json()
    cobalt.post(f"{os.environ['COBALT_SANDBOX_URL']}/_sandbox/clock/settle")
    polled = cobalt.get(f"{BASE_URL}/webhook-events", params={"job_id": queued["job_id"]}).json()
    [event] = polled["webhook_events"]
    assert (event["event_type"], event["data"]["referral_id"]) == ("referral.created", queued["referral_id"])


def test_an_unknown_patient_is_refused(cobalt: requests.Session) -> None:
    refused = cobalt.post(f"{BASE_URL}/referrals", json={**REFERRAL, "patient_mrn": "nobody"})
    assert (refused.status_code, refused.json()["success"]) == (404, False)

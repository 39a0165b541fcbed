"""What is written about patients: referrals."""

from __future__ import annotations

from typing import Literal

from cobalt_sandbox.table import Record

#: The provider of nobody.
NOBODY = "0"


class Referral(Record, table="referrals"):
    """A referral, of which a provider id of ``"0"`` is nobody's. ``ehr_id`` is the EHR's to give."""

    id: str
    patient_mrn: str
    from_provider_ehr_id: str
    to_provider_ehr_id: str
    direction: Literal["incoming", "outgoing"]
    priority: Literal["routine", "urgent", "stat"]
    reason: str
    diagnosis_codes: tuple[str, ...] = ()
    documents: int = 0
    ehr_id: str | None = None
    status: Literal["pending", "failed", "created"] = "pending"

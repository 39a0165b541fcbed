"""The places and payers that a practice's EHR knows: locations, pharmacies, insurance providers."""

from __future__ import annotations

from typing import Any, Literal

from cobalt_sandbox.table import Record


class Location(Record, table="locations", index=("ehr_id",)):
    """A place where the practice sees patients."""

    id: str
    ehr_id: str
    name: str
    address: dict[str, Any]
    phone: str
    fax: str
    status: Literal["active", "inactive"] = "active"


class Pharmacy(Record, table="pharmacies", index=("ehr_id",)):
    """A pharmacy to which the practice sends prescriptions."""

    id: str
    ehr_id: str
    name: str
    address: dict[str, Any]
    phone: str | None = None
    email: str | None = None
    status: Literal["active", "inactive"] = "active"


class InsuranceProvider(Record, table="insurance_providers", listed_by=("name",)):
    """A payer."""

    id: str
    ehr_id: str | None
    name: str
    payer_id: str | None
    active: bool = True

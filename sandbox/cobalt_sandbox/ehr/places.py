"""The places and payers that a practice's EHR knows: locations, pharmacies, insurance providers."""

from __future__ import annotations

from dataclasses import field

from pydantic import with_config
from typing_extensions import TypedDict

from cobalt_sandbox.ehr.people import Activity
from cobalt_sandbox.table import Record


@with_config(extra="forbid")
class LocationAddress(TypedDict, total=False):
    """Where a location is."""

    address1: str
    address2: str
    city: str
    state: str
    zip: str


class Location(Record, table="locations", index=("ehr_id",)):
    """A place where the practice sees patients."""

    id: str
    ehr_id: str
    name: str
    address: LocationAddress = field(default_factory=LocationAddress)
    phone: str | None = None
    fax: str | None = None
    status: Activity = "active"

    def __post_init__(self) -> None:
        """What is not set of an address is ``""`` (D25)."""
        unset = LocationAddress(address1="", address2="", city="", state="", zip="")
        object.__setattr__(self, "address", unset | self.address)


@with_config(extra="forbid")
class PharmacyAddress(TypedDict, total=False):
    """Where a pharmacy is; there is no second line (D181)."""

    address1: str | None
    city: str | None
    state: str | None
    zip: str | None


class Pharmacy(Record, table="pharmacies", index=("ehr_id",)):
    """A pharmacy to which the practice sends prescriptions."""

    id: str
    ehr_id: str
    name: str
    address: PharmacyAddress = field(default_factory=PharmacyAddress)
    phone: str | None = None
    email: str | None = None
    status: Activity = "active"

    def __post_init__(self) -> None:
        """What is not known of an address is ``None`` (D181)."""
        unknown = PharmacyAddress(address1=None, city=None, state=None, zip=None)
        object.__setattr__(self, "address", unknown | self.address)


class InsuranceProvider(Record, table="insurance_providers", index=("name",)):
    """A payer. ``ehr_id`` is the EHR's own id of it, if it is set up there."""

    id: str
    ehr_id: str | None = None
    name: str
    payer_id: str = ""
    active: bool = True
    created_at: str = "2023-11-07T05:31:56Z"

"""Pharmacies: https://docs.usecobalt.com/api-reference/pharmacies/get"""

from __future__ import annotations

from cobalt_sandbox.ehr.people import Activity
from cobalt_sandbox.ehr.places import Pharmacy
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.world import Practice


class PharmacyAddress(Row):
    address1: str | None
    city: str | None
    state: str | None
    zip: str | None


class PharmacyRow(Row):
    id: str
    ehr_id: str
    name: str
    address: PharmacyAddress
    phone: str | None
    email: str | None
    status: Activity


class PharmacyList(Reply):
    pharmacies: list[PharmacyRow]


@endpoint("GET /pharmacies")
def list_(practice: Practice) -> PharmacyList:
    """List Pharmacies"""
    return PharmacyList.of(pharmacies=practice.table(Pharmacy)[:])

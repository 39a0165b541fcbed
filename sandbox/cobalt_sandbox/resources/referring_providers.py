"""Referring providers: https://docs.usecobalt.com/api-reference/referring-providers/get and …/create"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cobalt_sandbox.ehr.numbers import free_number
from cobalt_sandbox.ehr.people import ReferringProvider
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import DashedNumber, Required
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.resources.listing import contains, same_number
from cobalt_sandbox.validation import Body, Query
from cobalt_sandbox.world import Practice

# List Referring Providers ----------------------------------------------------------------------------------------


class ReferringProviderQuery(Query):
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    fax: str | None = None
    npi: str | None = None


class ReferringProviderRow(Row):
    id: str
    ehr_id: str
    name: str
    first_name: str
    last_name: str
    middle_initial: str | None
    speciality: str | None
    phone: str | None
    fax: str | None
    email: str | None
    npi: str | None
    address_street: str | None
    address_city: str | None
    address_state: str | None
    address_zip: str | None


class ReferringProviderList(Reply):
    referring_providers: list[ReferringProviderRow]


@endpoint("GET /referring-providers")
def list_(practice: Practice, query: ReferringProviderQuery) -> ReferringProviderList:
    """List referring providers"""
    directory = practice.table(ReferringProvider)
    candidates = directory[:] if query.npi is None else directory.find("npi", query.npi)
    found = [each for each in candidates if each.ehr_id is not None and _matches(each, query)]
    return ReferringProviderList.of(referring_providers=found)


def _matches(each: ReferringProvider, query: ReferringProviderQuery) -> bool:
    return (
        contains(each.first_name, query.first_name)
        and contains(each.last_name, query.last_name)
        and same_number(each.phone, query.phone)
        and same_number(each.fax, query.fax)
    )


# Create Referring Provider ---------------------------------------------------------------------------------------


class NewReferringProvider(Body):
    """The NPI is the EMR's to check. Some names differ from those of the list, as on the two pages."""

    first_name: Required
    last_name: Required
    npi: Required
    phone: DashedNumber | None = None
    fax: DashedNumber | None = None
    email: str | None = None
    address: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None


class ReferringProviderQueued(Reply):
    message: str
    referring_provider_id: str
    job_id: int


class ReferringProviderCreated(Event, type="referring_provider.created"):
    referring_provider_id: str
    ehr_id: str


class ReferringProviderFailed(Event, type="referring_provider.failed"):
    referring_provider_id: str
    failure_reason: str
    reasons: list[Reason]


@endpoint("POST /referring-providers", emits=(ReferringProviderCreated, ReferringProviderFailed), takes=(10, 45))
def create(practice: Practice, body: NewReferringProvider) -> ReferringProviderQueued:
    """Create Referring Provider"""
    provider = practice.table(ReferringProvider).add(
        ReferringProvider(
            id=practice.new_id(ReferringProvider),
            first_name=body.first_name,
            last_name=body.last_name,
            phone=body.phone,
            fax=body.fax,
            email=body.email,
            npi=body.npi,
            address_street=body.address,
            address_city=body.city,
            address_state=body.state,
            address_zip=body.zip_code,
        )
    )
    return ReferringProviderQueued(
        message="Referring provider processing. A webhook event will be sent upon completion.",  # D184
        referring_provider_id=provider.id,
        job_id=practice.submit(create, provider.id),
    )


#: Last names with which the EHR refuses, for the page's two other failures (D186).
REFUSED_LAST_NAMES = {
    "ValidationError": Reason(code="EHR_VALIDATION_ERROR", description="ECW validation error: invalid last name."),
    "OtherError": Reason(code="UNKNOWN_ERROR", description="An unknown error occurred."),
}


@create.ehr
def apply(practice: Practice, referring_provider_id: str) -> ReferringProviderCreated:
    """Check the NPI as eClinicalWorks does, ten digits, and take the provider into the directory (D186, D187)."""
    directory = practice.table(ReferringProvider)
    pending = directory.the(referring_provider_id)
    if not re.fullmatch(r"[0-9]{10}", pending.npi or ""):
        raise Refused(Reason(code="INVALID_NPI", description=f"NPI '{pending.npi}' is not valid."))
    if refusal := REFUSED_LAST_NAMES.get(pending.last_name):
        raise Refused(refusal)
    ehr_id = free_number(practice, ReferringProvider, "ehr_id", above=700_000)
    directory.replace(pending, ehr_id=ehr_id)
    return ReferringProviderCreated(referring_provider_id=pending.id, ehr_id=ehr_id)


@create.refused
def refuse(practice: Practice, referring_provider_id: str, reasons: Sequence[Reason]) -> ReferringProviderFailed:
    return ReferringProviderFailed(
        referring_provider_id=referring_provider_id,
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )

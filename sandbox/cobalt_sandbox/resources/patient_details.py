"""What can be said of a patient: everything when they are created, less when they are changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, cast

from pydantic import ValidationInfo, WithJsonSchema, model_validator

from cobalt_sandbox.ehr.people import Patient
from cobalt_sandbox.ehr.registration import RESPONSIBLE
from cobalt_sandbox.fields import CalendarDate, DashedNumber, TrueFalse
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.resources.addresses import StateCode, ZipCode
from cobalt_sandbox.validation import ALL_FIELDS, Body, complaint
from cobalt_sandbox.world import Practice

Sex = Literal["male", "female", "unknown"]
Birthday = Annotated[CalendarDate, WithJsonSchema({"type": "string", "format": "date"})]
ResponsibleParty = Literal[
    "self",
    "spouse",
    "child",
    "adopted_child",
    "step_child",
    "foster_child",
    "ward_of_court",
    "employee",
    "unknown",
    "handicapped_dependent",
    "organ_donor",
    "cadaver_donor",
    "grandchild",
    "niece_nephew",
    "injured_plaintiff",
    "sponsored_dependent",
    "minor_dependent",
    "parent",
    "grandparent",
    "life_partner",
    "other",
]


class NewPatient(Body, extra="allow"):
    """Which fields are required is the account's own rule (D105). A further ``responsible_party_…`` field is kept (D108)."""

    first_name: str | None = None
    last_name: str | None = None
    dob: CalendarDate | None = None
    sex: Sex | None = None
    phone: str | None = None
    cell_phone: str | None = None
    email: str | None = None
    no_email_reason: str | None = None
    address_street: str | None = None
    address_city: str | None = None
    address_state: str | None = None
    address_zip: str | None = None
    emergency_contact_first_name: str | None = None
    emergency_contact_last_name: str | None = None
    emergency_contact_relation: str | None = None
    emergency_contact_phone: str | None = None
    pharmacy_id: str | None = None
    check_eligibility: TrueFalse | None = None
    insurance_name: str | None = None
    insurance_provider_id: str | None = None
    insurance_subscriber_number: str | None = None
    insurance_sequence: Literal["primary", "secondary", "tertiary"] | None = None
    secondary_insurance_name: str | None = None
    secondary_insurance_subscriber_number: str | None = None
    referring_provider_first_name: str | None = None
    referring_provider_last_name: str | None = None
    pcp_first_name: str | None = None
    pcp_last_name: str | None = None
    referring_provider_id: str | None = None
    pcp_id: str | None = None
    referred_to_provider_id: str | None = None
    responsible_party: ResponsibleParty | None = None
    responsible_party_first_name: str | None = None
    responsible_party_last_name: str | None = None
    referring_provider: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _required_by_the_account(cls, sent: Any, info: ValidationInfo) -> Any:
        if isinstance(sent, dict) and (missing := list(_missing(cast("Practice", info.context), sent))):
            raise complaint(ALL_FIELDS.format(names=", ".join(missing)))
        return sent


def _missing(practice: Practice, sent: dict[str, Any]) -> Iterator[str]:
    required = practice.profile.required_patient_fields
    if practice.profile.ehr == ECLINICALWORKS and sent.get("responsible_party") not in (None, "self"):
        required = (*required, "responsible_party_first_name", "responsible_party_last_name")  # D108
    return (name for name in required if sent.get(name) in (None, ""))


class PatientChanges(Body):
    """What may be changed, and in which form, depends on whether the patient is in the EHR yet; ``null`` changes nothing."""

    address_city: str | None = None
    address_line2: str | None = None
    address_state: str | None = None
    address_street: str | None = None
    address_zip: str | None = None
    cell_phone: str | None = None
    dob: Birthday | None = None
    email: str | None = None
    first_name: str | None = None
    insurance_name: str | None = None
    insurance_sequence: Literal["primary", "secondary", "tertiary"] | None = None
    insurance_subscriber_number: str | None = None
    last_name: str | None = None
    phone: str | None = None
    referred_to_provider_id: str | None = None
    referring_provider_first_name: str | None = None
    referring_provider_last_name: str | None = None
    referring_provider_id: str | None = None
    sex: Sex | None = None
    save_previous_address: TrueFalse | None = None
    pcp_first_name: str | None = None
    pcp_last_name: str | None = None
    pcp_id: str | None = None
    referring_provider: str | None = None


class ContactDetails(Body):
    """The forms in which the EHR takes the details of those who are in it, checked in the page's order (D123)."""

    phone: DashedNumber | None = None
    cell_phone: DashedNumber | None = None
    address_state: StateCode | None = None
    address_zip: ZipCode | None = None


#: Set when a patient is created, for good.
FIXED = (
    "dob",
    "first_name",
    "insurance_name",
    "insurance_sequence",
    "insurance_subscriber_number",
    "last_name",
    "sex",
    "referring_provider",
)


def told_of(practice: Practice, body: Body) -> dict[str, Any]:
    """What a body says of a patient: declared fields and guarantor fields, those of eClinicalWorks only there (D30, D108)."""
    return {name: value for name, value in body if value is not None and _is_kept(practice, type(body), name)}


def _is_kept(practice: Practice, model: type[Body], name: str) -> bool:
    if name.startswith(RESPONSIBLE) or name in ("referring_provider_id", "pcp_id"):
        return practice.profile.ehr == ECLINICALWORKS
    return name in model.model_fields


def sorted_out(told: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields of the patient's own record, and the others."""
    own = {name: value for name, value in told.items() if name in Patient.__annotations__}
    return own, {name: value for name, value in told.items() if name not in own}


def replaced_ids(told: dict[str, Any]) -> dict[str, str]:
    """Ids that are to be forgotten, since a name was sent in their place."""
    ids = {
        "insurance_name": "insurance_provider_id",
        "referring_provider_first_name": "referring_provider_id",
        "referring_provider_last_name": "referring_provider_id",
        "pcp_first_name": "pcp_id",
        "pcp_last_name": "pcp_id",
    }
    return {id: "" for name, id in ids.items() if name in told}

"""Settings: https://docs.usecobalt.com/api-reference/settings/get and …/update"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fields import Required
from cobalt_sandbox.validation import Body, complaint
from cobalt_sandbox.world import Practice


class SettingsNotFound(CobaltError):
    template = "Settings not found."  # D52
    status = 404


class Code(Row):
    code: str
    description: str


class SettingsData(Row):
    access_token_reference_id: str
    visit_types: list[Code]
    visit_statuses: list[Code]
    required_patient_fields: list[str]
    timezone: str


class Settings(Reply):
    data: SettingsData


@endpoint("GET /settings")
def get(practice: Practice) -> Settings:
    """Get Settings"""
    profile = practice.profile
    if profile.settings is False:
        raise SettingsNotFound
    return Settings(
        data=SettingsData.of(
            access_token_reference_id=practice.access_token_reference_id,
            visit_types=profile.visit_types,
            visit_statuses=profile.visit_statuses,
            required_patient_fields=profile.required_patient_fields,
            timezone=profile.timezone,
        )
    )


def not_too_long(text: str) -> str:
    if len(text) > 255:
        raise complaint("Invalid {place}. Must be at most 255 characters.")  # D55
    return text


Reference = Annotated[Required, AfterValidator(not_too_long)]


class NewSettings(Body, extra="forbid"):
    access_token_reference_id: Reference


class UpdatedData(Row):
    access_token_reference_id: str


class UpdatedSettings(Reply):
    """Only the field that was updated."""

    data: UpdatedData


@endpoint("POST /settings")
def update(practice: Practice, body: NewSettings) -> UpdatedSettings:
    """Update Settings"""
    practice.access_token_reference_id = body.access_token_reference_id
    return UpdatedSettings(data=UpdatedData(access_token_reference_id=body.access_token_reference_id))

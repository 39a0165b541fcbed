"""Who took out an insurance, as a request tells it: the relationship, and the person."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from cobalt_sandbox.resources.addresses import StateCode, ZipCode
from cobalt_sandbox.validation import complaint

RELATIONSHIPS = {
    "01": "self",
    "02": "spouse",
    "03": "child",
    "32": "mother",
    "33": "father",
    "17": "step parent",
    "20": "employee",
    "53": "life partner",
    "25": "other",
}


def _relationship(value: str) -> str:
    name = RELATIONSHIPS.get(value, value.lower())
    if name not in RELATIONSHIPS.values():
        raise complaint("Invalid relationship_to_subscriber.")
    return name


#: A code, or a name in any case; as the name in lower case (D140).
Relationship = Annotated[str, AfterValidator(_relationship)]

Sex = Literal["M", "F", "U", "male", "female", "unknown"]


class Subscriber(BaseModel):
    """Who took out the insurance."""

    model_config = ConfigDict(strict=True, defer_build=True, frozen=True)
    first_name: str | None = None
    last_name: str | None = None
    street_line_1: str | None = None
    city: str | None = None
    state: StateCode | None = None
    zip: ZipCode | None = None
    sex: Sex | None = None
    dob: str | None = None
    phone: str | None = None


def _object(value: object) -> object:
    if value is not None and not isinstance(value, dict):
        raise complaint("Invalid {place}. Must be an object.")  # D13
    return value


#: For a field that holds a :class:`Subscriber`.
IsObject = BeforeValidator(_object)

NO_NAMES = "subscriber_demographics.first_name and subscriber_demographics.last_name are required."


def is_named(subscriber: Subscriber | None) -> bool:
    return subscriber is not None and bool(subscriber.first_name and subscriber.last_name)


class NamedSubscriber(Subscriber):
    """In a change both names are required (§7)."""

    model_config = ConfigDict(json_schema_extra={"required": ["first_name", "last_name"]})

    @model_validator(mode="after")
    def _has_names(self) -> NamedSubscriber:
        if not is_named(self):
            raise complaint(NO_NAMES)
        return self

"""Locations: https://docs.usecobalt.com/api-reference/locations/get and …/update"""

from __future__ import annotations

from typing import Annotated

from cobalt_sandbox.ehr.people import Activity
from cobalt_sandbox.ehr.places import Location
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fields import AnyCase
from cobalt_sandbox.validation import Body
from cobalt_sandbox.world import Practice

# List Locations --------------------------------------------------------------------------------------------------


class LocationAddress(Row):
    address1: str
    address2: str
    city: str
    state: str
    zip: str


class LocationRow(Row):
    id: str
    ehr_id: str
    name: str
    address: LocationAddress
    phone: str | None
    fax: str | None
    status: Activity


class LocationList(Reply):
    locations: list[LocationRow]


@endpoint("GET /locations")
def list_(practice: Practice) -> LocationList:
    """Get Locations"""
    return LocationList.of(locations=practice.table(Location)[:])


# Update Location -------------------------------------------------------------------------------------------------


class UpdateLocation(Body):
    status: Annotated[Activity, AnyCase]


class LocationUpdated(Reply):
    message: str
    location_id: str


class LocationNotFound(CobaltError):
    template = "Location not found."  # D180
    status = 404


@endpoint("PATCH /locations/{id}")
def update(practice: Practice, id: str, body: UpdateLocation) -> LocationUpdated:
    """Update Location"""
    location = practice.table(Location).get(id)
    if location is None:
        raise LocationNotFound
    practice.table(Location).replace(location, status=body.status)
    return LocationUpdated(message="Location status updated successfully.", location_id=location.id)

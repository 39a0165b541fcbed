"""Providers: https://docs.usecobalt.com/api-reference/providers/get"""

from __future__ import annotations

from typing import Literal

from cobalt_sandbox.ehr.people import Provider
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.world import Practice


class Recurrence(Row):
    rec_start_date: str
    recur_interval_type: str
    recur_interval_amount: str
    recur_interval_description: str


class VisitTypeRule(Row):
    end_time: str
    start_time: str
    total_visits: int
    visit_type_id: str
    visit_type_desc: str


class Shift(Row):
    """What is optional is left out when absent (D25)."""

    end: str
    start: str
    facility_id: str = ""
    recurrence: Recurrence | None = None
    set_end_date: str = ""
    facility_name: str = ""
    set_start_date: str
    set_description: str
    visit_type_rules: list[VisitTypeRule] | None = None


class Day(Row):
    day: str
    shifts: list[Shift]


class ProviderRow(Row):
    id: str
    ehr_id: str
    timezone: str
    npi: str | None
    name: str
    status: Literal["active", "inactive"]
    hide_in_availability: bool
    hours: list[Day]


class ProviderList(Reply):
    providers: list[ProviderRow]


@endpoint("GET /providers")
def list_(practice: Practice) -> ProviderList:
    """Get Providers"""
    return ProviderList.of(providers=practice.table(Provider)[:])

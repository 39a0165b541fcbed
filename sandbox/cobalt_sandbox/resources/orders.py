"""Orders: https://docs.usecobalt.com/api-reference/orders/get"""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from cobalt_sandbox.ehr.billing import LabResults, OrderDetails, orders_of
from cobalt_sandbox.endpoint import Reply, endpoint
from cobalt_sandbox.fields import RangeEdge
from cobalt_sandbox.resources.listing import AsRead, days_as_written, read_off
from cobalt_sandbox.validation import Query
from cobalt_sandbox.world import Practice


class OrderQuery(Query):
    patient_mrn: str
    start_date: RangeEdge | None = None
    end_date: RangeEdge | None = None


class OrderRow(TypedDict):
    """The newest keys, and those that the older page has in their place (D220)."""

    order_id: str
    order_name: str
    order_date: str
    provider_id: str | None
    patient_mrn: str
    patient_name: str
    patient_dob: str
    appointment_id: str | None
    lab_results: LabResults | None
    id: str
    type: Literal["lab", "imaging", "medication", "procedure"]
    status: Literal["pending", "completed", "cancelled"]
    ordered_date: str
    details: OrderDetails


class OrderList(Reply):
    orders: AsRead[list[OrderRow]]


@endpoint("GET /orders")
def list_(practice: Practice, query: OrderQuery) -> OrderList:
    """List Orders"""
    first, last = days_as_written(query.start_date, query.end_date)
    orders = orders_of(practice, query.patient_mrn)
    return OrderList(orders=read_off(OrderRow, [order for order in orders if first <= order.order_date <= last]))

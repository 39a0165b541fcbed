"""Fee schedules: https://docs.usecobalt.com/api-reference/fee-schedules/get and …/items"""

from __future__ import annotations

from typing import Annotated, Literal

from typing_extensions import TypedDict

from cobalt_sandbox.ehr.billing import FeeSchedule, FeeScheduleItem, Ndc, items_of
from cobalt_sandbox.endpoint import Reply, Row, endpoint
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.fields import PageNumber, up_to
from cobalt_sandbox.resources.listing import AsRead, RecordPages, contains, page_of, read_off
from cobalt_sandbox.table import Stretch
from cobalt_sandbox.validation import Query
from cobalt_sandbox.world import Practice

Validity = Literal["valid", "invalid"]

# List Fee Schedules ----------------------------------------------------------------------------------------------


class FeeScheduleRow(Row):
    id: str
    emr_id: str
    name: str
    description: str
    sub_name: str
    is_master: bool
    taxable: bool
    effective_from: str | None
    effective_to: str | None
    item_count: int


class FeeScheduleList(Reply):
    fee_schedules: list[FeeScheduleRow]


@endpoint("GET /fee-schedules")
def list_(practice: Practice) -> FeeScheduleList:
    """List Fee Schedules"""
    schedules = practice.table(FeeSchedule)[:]
    return FeeScheduleList.of(
        fee_schedules=[{**vars(each), "item_count": len(items_of(practice, each))} for each in schedules]
    )


# List Fee Schedule Items -----------------------------------------------------------------------------------------


class ItemQuery(Query):
    page: PageNumber = 1
    page_size: Annotated[int, up_to(500)] = 100
    search: str | None = None
    validity: Validity | None = None


class FeeScheduleItemRow(TypedDict):
    item_id: str
    code: str
    name: str
    fee: float
    allowed_fee: float
    cost: float
    patient_portion: float
    bill_to_patient: bool
    modifiers: tuple[str, ...]
    pos: str | None
    tos: str | None
    ndc: Ndc
    exclude_cpt: bool
    validity: Validity


class FeeScheduleItemList(Reply):
    items: AsRead[list[FeeScheduleItemRow]]
    pagination: RecordPages


class UnknownFeeSchedule(CobaltError):
    template = "Fee schedule not found."  # D237
    status = 404


@endpoint("GET /fee-schedules/{feeScheduleId}/items")
def list_items(practice: Practice, feeScheduleId: str, query: ItemQuery) -> FeeScheduleItemList:  # noqa: N803  # the page's
    """List Fee Schedule Items"""
    schedule = practice.table(FeeSchedule).get(feeScheduleId)
    if schedule is None:
        raise UnknownFeeSchedule
    page, pages = page_of(_found(items_of(practice, schedule), query), query.page, query.page_size)
    return FeeScheduleItemList(items=read_off(FeeScheduleItemRow, page), pagination=RecordPages.after(pages))


def _found(items: Stretch[FeeScheduleItem], query: ItemQuery) -> Stretch[FeeScheduleItem] | list[FeeScheduleItem]:
    """By code (D24). Texts match in part, and most codes are valid, so that no index would help."""
    if query.search is None and query.validity is None:
        return items
    return [each for each in items if _matches(each, query)]


def _matches(item: FeeScheduleItem, query: ItemQuery) -> bool:
    """The page searches "code or description"; what describes an item is its name."""
    return query.validity in (None, item.validity) and (
        contains(item.code, query.search) or contains(item.name, query.search)
    )

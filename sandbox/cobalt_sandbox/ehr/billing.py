"""What is ordered, charged and paid: orders, claims, payments, fee schedules."""

from __future__ import annotations

import re
from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, with_config
from typing_extensions import TypedDict

from cobalt_sandbox.ehr.people import Day
from cobalt_sandbox.table import Record, Stretch
from cobalt_sandbox.world import Practice


def _money(value: str) -> str:
    if not _AMOUNT.fullmatch(value):
        raise ValueError(f"{value!r} is no amount with two decimals")
    return value


_AMOUNT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]{2}")
#: Dollars and cents as text, ``"350.00"`` (D217).
Money = Annotated[str, AfterValidator(_money)]


@with_config(extra="forbid")
class ClaimInsurance(TypedDict):
    """An insurance to which a claim goes. Of the values only those up to ``subscriber_name`` are documented."""

    insurance_id: str
    insurance_name: str
    insurance_type: str | None
    claim_indicator: str | None
    claim_indicator_description: str | None
    sequence_number: str
    subscriber_name: str | None
    subscriber_number: str | None
    subscriber_dob: str | None
    subscriber_relation: str | None
    group_name: str | None
    group_number: str | None
    provider_number: str | None
    payment_source: str | None
    assign_benefits: str | None
    insurance_address_1: str | None
    insurance_address_2: str | None
    insurance_city: str | None
    insurance_state: str | None
    insurance_zip: str | None
    medicaid_id: str | None


@with_config(extra="forbid")
class Balances(TypedDict):
    """The amounts of a claim once more."""

    invoice_amount: Money
    total_payment: Money
    net_payment: Money
    balance: Money
    patient_balance: Money


@with_config(extra="forbid")
class LineItem(TypedDict):
    """What is charged for one code, and what has become of the charge (D218)."""

    line_number: int
    code: str
    name: str
    modifiers: list[str]
    units: int
    charge: Money
    payment: Money
    adjustment: Money
    balance: Money


@with_config(extra="forbid")
class ClaimPayment(TypedDict):
    """What an insurer or the patient has paid for a claim (D218)."""

    emr_payment_id: str
    payment_date: Day
    payer: str
    payment_method: str
    reference_number: str
    amount: Money


@with_config(extra="forbid")
class BillingActivity(TypedDict):
    """A step in the life of a claim. A negative ``amount`` lowers what is owed (D218)."""

    date: Day
    description: str
    amount: Money


class Claim(
    Record,
    table="claims",
    index=("emr_appointment_id", "emr_claim_id"),
    listed_by=("service_date",),
    dated=("service_date", "claim_date", "payments.payment_date", "billing_activity.date"),
):
    """A claim in the EHR, in the form in which it is listed. What is charged is paid, adjusted, or owed."""

    id: str
    emr_claim_id: str
    emr_appointment_id: str | None = None
    service_date: Day
    claim_date: Day | None = None
    claim_status: str = ""
    claim_status_description: str | None = None
    claim_type: str | None = None
    void_flag: bool = False
    emr_patient_id: str
    patient_name: str
    emr_provider_id: str | None = None
    provider_name: str | None = None
    total_charge: Money = "0.00"
    total_payment: Money = "0.00"
    net_payment: Money = "0.00"
    balance: Money = "0.00"
    net_adjustment: Money = "0.00"
    patient_responsibility: Money = "0.00"
    insurances: tuple[ClaimInsurance, ...] = ()
    balances: Balances | None = None
    pdf_urls: tuple[str, ...] = ()
    line_items: tuple[LineItem, ...] = ()
    payments: tuple[ClaimPayment, ...] = ()
    billing_activity: tuple[BillingActivity, ...] = ()

    def __post_init__(self) -> None:
        """The balances repeat the amounts, unless they are given."""
        if self.balances is None:
            repeated = Balances(
                invoice_amount=self.total_charge,
                total_payment=self.total_payment,
                net_payment=self.net_payment,
                balance=self.balance,
                patient_balance=self.patient_responsibility,
            )
            object.__setattr__(self, "balances", repeated)


class ClaimRequest(Record, table="claim_requests", index=("appointment_id",)):
    """A claim that was asked for. Once the EHR has made it, there is a :class:`Claim` with the same id."""

    id: str
    appointment_id: str
    status: Literal["pending", "failed", "created"] = "pending"


@with_config(extra="forbid")
class LabResult(TypedDict):
    """One value that a laboratory found. ``flag`` is ``H`` or ``L``, or ``None`` for a normal one (D221)."""

    name: str
    value: str
    unit: str | None
    reference_range: str | None
    flag: str | None


@with_config(extra="forbid")
class LabResults(TypedDict):
    """What came back from a laboratory."""

    results: list[LabResult]


@with_config(extra="forbid")
class OrderDetails(TypedDict):
    """What the older page says of an order, by its type: ``code`` and ``results_url`` of a lab order, the others of imaging."""

    name: NotRequired[str]
    code: NotRequired[str]
    results_url: NotRequired[str]
    location: NotRequired[str]
    scheduled_date: NotRequired[str]


class Order(
    Record,
    table="orders",
    index=("patient_mrn",),
    dated=("order_date", "ordered_date", "details.scheduled_date"),
):
    """An order, in the form in which it is listed: the newest keys, and those of the older page (D220).

    ``order_date`` is the day of ``ordered_date``; ``order_id`` is the older ``id``.
    """

    id: str
    order_id: str
    order_name: str
    order_date: str
    provider_id: str | None = None
    patient_mrn: str
    patient_name: str
    patient_dob: str
    appointment_id: str | None = None
    lab_results: LabResults | None = None
    type: Literal["lab", "imaging", "medication", "procedure"]
    status: Literal["pending", "completed", "cancelled"]
    ordered_date: str
    details: OrderDetails


def orders_of(practice: Practice, mrn: str) -> list[Order]:
    """The orders of one patient, newest first."""
    return sorted(practice.table(Order).find("patient_mrn", mrn), key=_when, reverse=True)


def _when(order: Order) -> tuple[str, str]:
    return order.order_date, order.ordered_date


class Payment(Record, table="payments", index=("patient_mrn", "emr_payment_id")):
    """A payment of a patient. ``emr_payment_id`` is the EHR's to give."""

    id: str
    emr_payment_id: str | None = None
    patient_mrn: str
    payment_method: str
    reference_number: str
    location: str
    amount: Money
    notes: str | None = None
    deposit_date: Day
    status: Literal["pending", "failed", "created"] = "created"


class FeeSchedule(Record, table="fee_schedules"):
    """What a practice charges for each code, from one day to another."""

    id: str
    emr_id: str
    name: str
    description: str = ""
    sub_name: str = ""
    is_master: bool = False
    taxable: bool = False
    effective_from: str | None = None
    effective_to: str | None = None


@with_config(extra="forbid")
class Ndc(TypedDict):
    """The drug behind a code, by its National Drug Code. All are texts."""

    code: str | None
    units: str | None
    uom: str | None
    unit_price: str | None


class FeeScheduleItem(Record, table="fee_schedule_items", listed_by=("fee_schedule_id", "code")):
    """One code of one schedule, by the schedule's own id. Amounts are in dollars."""

    id: str
    fee_schedule_id: str
    item_id: str
    code: str
    name: str
    fee: float
    allowed_fee: float = 0.0
    cost: float = 0.0
    patient_portion: float = 0.0
    bill_to_patient: bool = False
    modifiers: tuple[str, ...] = ()
    pos: str | None = None
    tos: str | None = None
    ndc: Ndc
    exclude_cpt: bool = False
    validity: Literal["valid", "invalid"] = "valid"


def items_of(practice: Practice, schedule: FeeSchedule) -> Stretch[FeeScheduleItem]:
    """The items of one schedule, by code."""
    id = schedule.id.lower()  # as the table sorts by it
    return Stretch(practice.table(FeeScheduleItem), _schedule_id, id, id)


def _schedule_id(item: FeeScheduleItem) -> str:
    return item.fee_schedule_id.lower()

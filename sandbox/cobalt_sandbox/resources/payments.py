"""Payments: https://docs.usecobalt.com/api-reference/payments/create"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import isfinite
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, WithJsonSchema

from cobalt_sandbox.ehr import unknown
from cobalt_sandbox.ehr.billing import Payment
from cobalt_sandbox.ehr.charging import money
from cobalt_sandbox.ehr.numbers import free_number
from cobalt_sandbox.ehr.schedule import local
from cobalt_sandbox.endpoint import Reply, endpoint
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import CalendarDate, Required
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.validation import FIRST_FIELD, Body, complaint
from cobalt_sandbox.world import Practice


def _dollars(amount: float) -> float:
    if not isfinite(amount) or Decimal(_text(amount)) <= 0:
        raise complaint("amount must be a positive number.")  # D235
    return amount


def _text(amount: float) -> str:
    """The very digits that were sent, rounded to cents."""
    return money(Decimal(repr(amount)))


class NewPayment(Body, missing=FIRST_FIELD):
    """The reference number may repeat. Ids and the name of the method are the EHR's to check."""

    patient_mrn: Required
    payment_method: Required
    reference_number: Required
    location: Required
    amount: Annotated[float, AfterValidator(_dollars), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
    notes: str | None = None
    deposit_date: CalendarDate | None = None


class PaymentQueued(Reply):
    message: str
    payment_id: str
    job_id: int


class PaymentCreated(Event, type="payment.created"):
    payment_id: str
    patient_mrn: str
    emr_payment_id: str


class PaymentFailed(Event, type="payment.failed"):
    payment_id: str
    patient_mrn: str
    failure_reason: str
    reasons: list[Reason]


@endpoint("POST /payments", emits=(PaymentCreated, PaymentFailed), takes=(5, 45))
def create(practice: Practice, body: NewPayment) -> PaymentQueued:
    """Create Payment"""
    today = local(practice.now, ZoneInfo(practice.profile.timezone)).date().isoformat()
    payment = practice.table(Payment).add(
        Payment(
            id=practice.new_id(Payment),
            patient_mrn=body.patient_mrn,
            payment_method=body.payment_method,
            reference_number=body.reference_number,
            location=body.location,
            amount=_text(body.amount),
            notes=body.notes,
            deposit_date=body.deposit_date or today,
            status="pending",
        )
    )
    return PaymentQueued(
        message="Payment processing. A webhook event will be sent upon completion.",  # D236
        payment_id=payment.id,
        job_id=practice.submit(create, payment.id),
    )


@create.ehr
def apply(practice: Practice, payment_id: str) -> PaymentCreated:
    """Post it, unless the EHR does not know the patient, the method or the location."""
    payments = practice.table(Payment)
    payment = payments.the(payment_id)
    if reasons := list(_unknown(practice, payment)):
        raise Refused(*reasons)
    number = free_number(practice, Payment, "emr_payment_id", above=800_500)
    payments.replace(payment, emr_payment_id=number, status="created")
    return PaymentCreated(payment_id=payment.id, patient_mrn=payment.patient_mrn, emr_payment_id=number)


def _unknown(practice: Practice, payment: Payment) -> Iterator[Reason]:
    """One reason for each, in the page's order; the texts are those of Table 3."""
    method = payment.payment_method
    yield from unknown.patient(practice, payment.patient_mrn)
    if method not in practice.profile.payment_methods:
        yield Reason(code="PAYMENT_METHOD_NOT_FOUND", description=f"Payment method '{method}' not found.")
    yield from unknown.location(practice, payment.location)


@create.refused
def refuse(practice: Practice, payment_id: str, reasons: Sequence[Reason]) -> PaymentFailed:
    payments = practice.table(Payment)
    payment = payments.replace(payments.the(payment_id), status="failed")
    return PaymentFailed(
        payment_id=payment.id,
        patient_mrn=payment.patient_mrn,
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )

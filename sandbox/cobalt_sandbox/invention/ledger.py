"""Invents the claims of a clinic: what was charged for its visits, who has paid, and what is still open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from cobalt_sandbox.invention.accounts import STATUSES, Account, account_of, formal_name
from cobalt_sandbox.invention.draw import Draw
from cobalt_sandbox.invention.visits import Visit

Record = dict[str, Any]

#: X12 claim filing codes of plans; of all others it is CI, commercial.
SOURCES: Final = {"HMO": "HM", "Medicare Advantage": "16"}


def invented_claims(
    draw: Draw, visits: Iterable[Visit], insurances: Iterable[Record], insurers: Iterable[Record], domain: str
) -> Iterator[Record]:
    """One for most visits, and none yet for the newest. Forms lie under ``domain``."""
    held = _by_patient(insurances)
    addresses = {each["ehr_id"]: _address(draw) for each in insurers}
    numbers, payments = draw.numbers(300_000), draw.numbers(800_000)
    for visit in visits:
        if visit.days_ago >= 2 and draw.often(96):
            payers = held.get(visit.patient["mrn"], [])
            account = account_of(draw, visit, payers)
            yield {
                "id": draw.id(),
                "emr_claim_id": (number := next(numbers)),
                **_heading(visit, account),
                **_totals(account),
                "insurances": list(_insurances(visit, payers, addresses)) if account.lines else [],
                "pdf_urls": [f"{domain}/claims/{number}.pdf"] if account.submitted else [],
                "line_items": list(_lines(account)),
                "payments": list(_payments(account, payments)),
                "billing_activity": list(_activity(visit, account)),
            }


def _by_patient(insurances: Iterable[Record]) -> Mapping[str, list[Record]]:
    """In the order in which they are claimed from."""
    ordered = sorted(insurances, key=lambda each: (each["patient_mrn"], each["priority"]))
    return {mrn: list(group) for mrn, group in groupby(ordered, key=lambda each: each["patient_mrn"])}


def _address(draw: Draw) -> Record:
    return {
        "insurance_address_1": f"PO Box {draw.dice.randint(1000, 9999)}",
        "insurance_address_2": draw.dice.choice((None, None, "Claims Department")),
        "insurance_city": "Springfield",
        "insurance_state": "IL",
        "insurance_zip": f"627{draw.dice.randint(1, 12):02d}",
    }


def _heading(visit: Visit, account: Account) -> Record:
    is_void = account.status == "VOID"
    return {
        "emr_appointment_id": visit.ehr_appointment_id,
        "service_date": visit.day.isoformat(),
        "claim_date": account.submitted.isoformat() if account.submitted else None,
        "claim_status": account.status,
        "claim_status_description": STATUSES[account.status],
        "claim_type": None if is_void else "0",
        "void_flag": is_void,
        "emr_patient_id": visit.patient["ehr_id"],
        "patient_name": formal_name(visit.patient),
        "emr_provider_id": visit.provider["ehr_id"],
        "provider_name": visit.provider["name"],
    }


def _totals(account: Account) -> Record:
    return {
        "total_charge": _money(*account.charged),
        "total_payment": _money(*account.paid),
        "net_payment": _money(*account.paid),
        "balance": _money(*account.open),
        "net_adjustment": _money(*account.adjusted),
        "patient_responsibility": _money(*account.open) if account.is_owed_by_patient else _money(),
    }


def _money(*cents: int) -> str:
    return f"{sum(cents) / 100:.2f}"


def _insurances(visit: Visit, held: Sequence[Record], addresses: Mapping[str, Record]) -> Iterator[Record]:
    for place, (insurance, words) in enumerate(zip(held, ("Primary", "Secondary"), strict=False), start=1):
        name = insurance["insurance_name"]
        yield {
            "insurance_id": insurance["insurance_ehr_id"],
            "insurance_name": name,
            "insurance_type": "C1",
            "claim_indicator": words[0],
            "claim_indicator_description": words,
            "sequence_number": str(place),
            "subscriber_name": formal_name(visit.patient),
            "subscriber_number": insurance["insurance_subscriber_number"],
            "subscriber_dob": visit.patient["dob"],
            "subscriber_relation": insurance["relationship_to_subscriber"].capitalize(),
            "group_name": None,
            "group_number": insurance["group_id"],
            "provider_number": None,
            "payment_source": next((code for plan, code in SOURCES.items() if plan in name), "CI"),
            "assign_benefits": "Y",
            **addresses[insurance["insurance_ehr_id"]],
            "medicaid_id": None,
        }


def _lines(account: Account) -> Iterator[Record]:
    amounts = zip(account.lines, account.paid, account.adjusted, account.open, strict=True)
    for number, (line, paid, adjusted, balance) in enumerate(amounts, start=1):
        yield {
            "line_number": number,
            "code": line.code.code,
            "name": line.code.name,
            "modifiers": list(line.modifiers),
            "units": line.units,
            "charge": _money(line.charge),
            "payment": _money(paid),
            "adjustment": _money(adjusted),
            "balance": _money(balance),
        }


def _payments(account: Account, numbers: Iterator[str]) -> Iterator[Record]:
    for posting in account.postings:
        if posting.payer is not None:
            yield {
                "emr_payment_id": next(numbers),
                "payment_date": posting.day.isoformat(),
                "payer": posting.payer,
                "payment_method": posting.method,
                "reference_number": posting.reference,
                "amount": _money(*posting.amounts),
            }


def _activity(visit: Visit, account: Account) -> Iterator[Record]:
    """By day. What was charged is entered once, and the rest takes from it or leaves it as it is."""
    entries = [(each.day, each.words, -sum(each.amounts)) for each in account.postings]
    if account.submitted:
        entries.append((account.submitted, "Claim submitted", sum(account.charged)))
    elif account.lines:
        entries.insert(0, (visit.day, STATUSES["NEW"], sum(account.charged)))
    for day, words, cents in sorted(entries, key=lambda each: each[0]):
        yield {"date": day.isoformat(), "description": words, "amount": _money(cents)}

"""Invents how a claim fares: what is posted to its lines by insurers and by the patient, day by day.

Of every line the charge is what was paid, what was adjusted, and what is still open. Money is counted in cents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from cobalt_sandbox.invention.calendar import TODAY
from cobalt_sandbox.invention.draw import Draw
from cobalt_sandbox.invention.services import Service, services
from cobalt_sandbox.invention.visits import Visit

Record = dict[str, Any]

#: How patients pay, and how often in a hundred times.
PAYMENT_METHODS: Final = {"Card": 60, "Cash": 10, "Check": 20, "Patient portal": 10}
STATUSES: Final = {
    "NEW": "Charges entered",
    "SUBM": "Submitted",
    "SECD": "Submitted to secondary insurance",
    "DENY": "Denied",
    "PTDU": "Patient balance due",
    "SELF": "Self-pay balance due",
    "SETL": "Settled",
    "48CL": "Closed (48-hour rule)",
    "VOID": "Voided",
}
#: So many days after a visit nobody waits for the patient any more.
CLOSED_AFTER: Final = 120


class Posting(NamedTuple):
    """What was entered on a day, in cents for each line. An adjustment has no payer."""

    day: date
    words: str
    amounts: tuple[int, ...]
    payer: str | None = None
    method: str = ""
    reference: str = ""


@dataclass
class Account:
    """One claim, and what has been posted to it so far. A voided one has no lines."""

    status: str
    lines: list[Service] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    submitted: date | None = None
    is_owed_by_patient: bool = False

    @property
    def charged(self) -> list[int]:
        return [line.charge for line in self.lines]

    @property
    def paid(self) -> list[int]:
        return self._posted(by_payers=True)

    @property
    def adjusted(self) -> list[int]:
        return self._posted(by_payers=False)

    @property
    def open(self) -> list[int]:
        posted = zip(self.charged, self.paid, self.adjusted, strict=True)
        return [charge - paid - adjusted for charge, paid, adjusted in posted]

    def _posted(self, *, by_payers: bool) -> list[int]:
        postings = [each.amounts for each in self.postings if (each.payer is not None) == by_payers]
        return [sum(amounts) for amounts in zip(*postings, self.nothing, strict=True)]

    @property
    def nothing(self) -> tuple[int, ...]:
        return (0,) * len(self.lines)

    def note(self, day: date, words: str) -> None:
        """Post something that moves no money."""
        self.postings.append(Posting(day, words, self.nothing))


def formal_name(patient: Record) -> str:
    """``DOE, JANE, M``"""
    names = (patient["last_name"], patient["first_name"], patient.get("middle_name", "")[:1])
    return ", ".join(filter(None, names)).upper()


def account_of(draw: Draw, visit: Visit, insurances: Sequence[Record]) -> Account:
    """What has become of the claim for a visit until today. The insurances are those of the patient, in their order."""
    if draw.often(3):
        return Account("VOID")
    by_medicare = bool(insurances) and "Medicare" in insurances[0]["insurance_name"]
    account = Account("NEW", services(draw, visit, by_medicare=by_medicare))
    if insurances:
        _bill_insurers(draw, visit, account, insurances)
    else:
        account.status, account.is_owed_by_patient = "SELF", True
        day = _working_day(visit.day, draw.dice.choice((0, 0, 15, 40)))
        _patient_pays(draw, visit, account, day, 75)
    return account


def _bill_insurers(draw: Draw, visit: Visit, account: Account, insurances: Sequence[Record]) -> None:
    """The copayment, the first insurer, and then the second one or the patient, each in their time."""
    copayment = _copayment(account.lines, insurances[0])
    if copayment and draw.often(90):
        amounts = (copayment, *account.nothing[1:])
        account.postings.append(_patient_payment(draw, visit, visit.day, "Copayment received", amounts))
    submitted = _working_day(visit.day, draw.dice.randint(1, 6))
    answered = _working_day(submitted, draw.dice.randint(10, 30))
    if submitted > TODAY:
        return
    account.status, account.submitted = "SUBM", submitted
    if answered > TODAY:
        return
    if draw.often(8):
        account.status = "DENY"
        account.note(answered, "Claim denied")
        return
    _first_insurer_pays(draw, account, insurances[0], copayment, answered)
    if not any(account.open):
        account.status = "SETL"
    elif len(insurances) > 1:
        _second_insurer_pays(draw, account, insurances[1], answered)
    else:
        account.status, account.is_owed_by_patient = "PTDU" if visit.days_ago < CLOSED_AFTER else "48CL", True
        account.note(answered, "Statement sent to patient")
        _patient_pays(draw, visit, account, _working_day(answered, draw.dice.randint(8, 45)), 80)


def _copayment(lines: Sequence[Service], insurance: Record) -> int:
    """It is owed for the visit itself, unless that was to prevent something."""
    return 0 if lines[0].is_preventive else min(int(insurance["copayment"]) * 100, lines[0].allowed)


def _first_insurer_pays(draw: Draw, account: Account, insurance: Record, copayment: int, day: date) -> None:
    """What is allowed without the patient's share; the rest of the charge is given up by contract."""
    percent = draw.dice.choice((0, 0, 10, 20))
    shares = [0 if line.is_preventive else line.allowed * percent // 100 for line in account.lines]
    shares[0] = max(shares[0], copayment)
    amounts = tuple(line.allowed - share for line, share in zip(account.lines, shares, strict=True))
    given_up = tuple(line.charge - line.allowed for line in account.lines)
    account.postings.append(_transfer(draw, insurance, day, "Insurance payment posted", amounts))
    account.postings.append(Posting(day, "Contractual adjustment", given_up))


def _second_insurer_pays(draw: Draw, account: Account, insurance: Record, answered: date) -> None:
    account.status = "SECD"
    account.note(answered, "Claim sent to secondary insurance")
    day = _working_day(answered, draw.dice.randint(20, 60))
    if day <= TODAY:
        account.status = "SETL"
        rest = tuple(account.open)
        account.postings.append(_transfer(draw, insurance, day, "Secondary insurance payment posted", rest))


def _patient_pays(draw: Draw, visit: Visit, account: Account, day: date, percent: int) -> None:
    """All that is open, if the day has come and the patient is one of those who pay."""
    if draw.often(percent) and day <= TODAY:
        account.status, account.is_owed_by_patient = "SETL", False
        rest = tuple(account.open)
        account.postings.append(_patient_payment(draw, visit, day, "Patient payment posted", rest))


def _patient_payment(draw: Draw, visit: Visit, day: date, words: str, amounts: tuple[int, ...]) -> Posting:
    number = str(draw.dice.randint(10_000, 99_999))
    return Posting(day, words, amounts, formal_name(visit.patient), draw.weighted(PAYMENT_METHODS), number)


def _transfer(draw: Draw, insurance: Record, day: date, words: str, amounts: tuple[int, ...]) -> Posting:
    number = f"EFT-{draw.dice.randint(10**7, 10**8 - 1)}"
    return Posting(day, words, amounts, insurance["insurance_name"], "EFT", number)


def _working_day(since: date, days: int) -> date:
    """So many days later, or the Monday after."""
    day = since + timedelta(days=days)
    return day + timedelta(days=7 - day.weekday() if day.weekday() > 4 and days else 0)

"""Faults: consumed in the order in which they were ordered, and not before their time."""

from __future__ import annotations

import pytest

from cobalt_sandbox import Refusal
from cobalt_sandbox.events import Reason
from cobalt_sandbox.faults import DocumentsFailed, Fail, Faults
from kernel.story import Client

ON = "patient.created"


def fail(code: str) -> Fail:
    return Fail(fail=[Reason(code=code, description=f"{code}.")])


def order(
    faults: Faults, do: Fail | DocumentsFailed, *, times: int = 1, after: int = 0, practice: str | None = None
) -> None:
    faults.order(ON, do, times=times, after=after, practice=practice)


def taken(faults: Faults, count: int, *, practice: str = "one") -> list[str | None]:
    drawn = [faults.take(ON, Fail, practice) for _ in range(count)]
    return [each.fail[0].code if each else None for each in drawn]


def test_without_a_fault_nothing_goes_wrong() -> None:
    assert taken(Faults(), 2) == [None, None]


def test_faults_are_consumed_in_order() -> None:
    faults = Faults()
    order(faults, fail("A"), times=2)
    order(faults, fail("B"))
    assert taken(faults, 4) == ["A", "A", "B", None]
    assert [(fault.fault_id, fault.used, fault.seen) for fault in faults] == [(1, 2, 4), (2, 1, 4)]


def test_a_fault_waits_until_so_many_occasions_have_passed() -> None:
    faults = Faults()
    order(faults, fail("A"), after=2)
    assert taken(faults, 4) == [None, None, "A", None]


def test_a_fault_that_has_to_wait_does_not_hold_up_the_next() -> None:
    faults = Faults()
    order(faults, fail("A"), after=1)
    order(faults, fail("B"), times=2)
    assert taken(faults, 4) == ["B", "A", "B", None]


def test_another_occasion_effect_or_practice_is_left_alone() -> None:
    faults = Faults()
    order(faults, fail("A"), practice="one")
    order(faults, DocumentsFailed(documents_failed=2))
    assert taken(faults, 1, practice="two") == [None]
    assert faults.take("referral.created", Fail, "one") is None
    assert [fault.seen for fault in faults] == [0, 0]
    assert faults.take(ON, DocumentsFailed, "two") == DocumentsFailed(documents_failed=2)
    assert taken(faults, 2) == ["A", None]


def test_a_fault_can_be_withdrawn() -> None:
    faults = Faults()
    order(faults, fail("A"))
    order(faults, fail("B"))
    withdrawn = faults.withdraw(1)
    assert withdrawn is not None
    assert (withdrawn.do, faults.withdraw(1)) == (fail("A"), None)
    assert taken(faults, 2) == ["B", None]
    faults.clear()
    assert list(faults) == []
    order(faults, fail("C"))
    assert [fault.fault_id for fault in faults] == [3]


def test_a_job_fails_for_the_reasons_ordered_and_the_next_succeeds(client: Client) -> None:
    reasons = [{"code": "A", "description": "First."}, {"code": "B", "description": "Second."}]
    client.world.fault(ON, {"fail": reasons})
    first, second = client.admit(2)
    client.world.settle()
    (failed,), (created,) = client.world.events(job_id=first), client.world.events(job_id=second)
    outcomes = {event["type"]: event for event in (failed, created)}
    assert sorted(outcomes) == ["patient.created", "patient.failed"]
    assert outcomes["patient.failed"]["data"]["reasons"] == reasons
    assert outcomes["patient.failed"]["data"]["failure_reason"] == "First. Second."
    assert [fault["used"] for fault in client.world.faults()] == [1]


def test_a_fault_of_one_practice_spares_the_other(client: Client) -> None:
    client.world.fault(ON, {"fail": [{"code": "A", "description": "First."}]}, practice="demo-clinic")
    client.admit()
    client.world.settle()
    assert [event["type"] for event in client.world.events()] == [ON]


@pytest.mark.parametrize(
    ("on", "order", "says"),
    [
        ("nothing", {"fail": [{"code": "A", "description": "A."}]}, "No fault can be set on 'nothing'. Known: "),
        (ON, {"fail": []}, "No fault does this. Known: "),
        (ON, {"documents_failed": 1}, "No fault does this. Known: "),
        ("referral.created", {"documents_failed": 0}, "No fault does this. Known: "),
    ],
)
def test_a_fault_that_cannot_be_is_refused_with_what_can(
    client: Client, on: str, order: dict[str, object], says: str
) -> None:
    with pytest.raises(Refusal, match=says):
        client.world.fault(on, order)
    with pytest.raises(Refusal, match=r"no practice 'x' in this world. Its practices: documentation, demo-clinic"):
        client.world.fault(ON, {"fail": [{"code": "A", "description": "A."}]}, practice="x")

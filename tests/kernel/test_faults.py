"""Faults: consumed in the order in which they were ordered, and not before their time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from cobalt_sandbox import Sandbox
from cobalt_sandbox.events import Reason
from cobalt_sandbox.faults import MOST_ORDERS, DocumentsFailed, Drop, Fail, Faults, OnCall, Status, TooManyFaults
from cobalt_sandbox.testing.receiver import Receiver, verifies
from kernel.story import Client, client_of

ON = "patient.created"
MINUTE = timedelta(seconds=60)


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


def test_a_world_holds_only_so_many_faults() -> None:
    faults = Faults()
    for _ in range(MOST_ORDERS):
        order(faults, fail("A"))
    with pytest.raises(TooManyFaults) as refusal:
        order(faults, fail("A"))
    most = "There are 1000 faults in this world, which is the most it holds. Withdraw those that are used up."
    assert str(refusal.value) == most
    faults.withdraw(1)
    order(faults, fail("A"))


def test_nothing_has_to_be_looked_for_unless_something_is_left_to_be_used() -> None:
    faults = Faults()

    def looked_for() -> tuple[bool, bool]:
        return faults.on_calls, faults.on_deliveries

    order(faults, fail("A"))
    assert looked_for() == (False, False)
    faults.order("*", Status(status=503), times=1, after=0, practice=None)
    assert looked_for() == (True, False)
    assert faults.take("patients.create", OnCall, None, any_key="*") == Status(status=503)
    assert looked_for() == (False, False)
    for _ in range(2):
        faults.order("delivery", Drop(drop=True), times=1, after=0, practice=None)
    faults.withdraw(3)
    assert looked_for() == (False, True)
    faults.clear()
    assert looked_for() == (False, False)


# On deliveries ---------------------------------------------------------------------------------------------------


class Mailbox:
    """A client with a webhook, and what has come to it."""

    def __init__(self, client: Client, receiver: Receiver) -> None:
        self.client, self.world, self.receiver = client, client.world, receiver
        self.webhook = client.register(receiver.url)
        receiver.secret = self.webhook["webhook_secret"]

    def arrived(self) -> list[int]:
        """The jobs whose events have been received, in order of arrival."""
        return [int(received.json["job_id"]) for received in self.receiver.received]

    def used(self) -> list[int]:
        return [fault["used"] for fault in self.world.faults()]

    def deliveries(self) -> list[tuple[str, str | None, int]]:
        """Status, fault and number of attempts of each delivery."""
        return [(each["status"], each["fault"], len(each["attempts"])) for each in self.world.deliveries()]


@pytest.fixture
def mailbox(instant: Client, receiver: Receiver) -> Mailbox:
    """In a world in which jobs are due as soon as they are submitted."""
    return Mailbox(instant, receiver)


FAIR = ("success", None, 1)


def test_an_event_that_is_dropped_is_there_but_never_arrives(mailbox: Mailbox) -> None:
    mailbox.world.fault("delivery", {"drop": True})
    first, second = mailbox.client.admit(2)
    mailbox.world.settle()
    assert mailbox.arrived() == [second]
    assert mailbox.deliveries() == [("failed", "dropped", 0), FAIR]
    newest, oldest = mailbox.client.rows()
    assert (oldest["job_id"], oldest["delivery_status"]) == (str(first), "failed")
    assert (newest["job_id"], newest["delivery_status"]) == (str(second), "success")
    assert mailbox.client.audited(oldest["event_id"])["audit_trail"] == []
    assert mailbox.world.state()["deliveries"] == {"pending": 0, "success": 1, "failed": 1}
    assert mailbox.used() == [1]


def test_an_event_that_was_dropped_can_be_redelivered(mailbox: Mailbox) -> None:
    mailbox.world.fault("delivery", {"drop": True})
    (job,) = mailbox.client.admit()
    mailbox.world.settle()
    (event,) = mailbox.world.events()
    mailbox.world.redeliver(event["id"])
    assert mailbox.arrived() == [job]
    assert mailbox.client.rows()[0]["delivery_status"] == "success"


@pytest.mark.parametrize("count", [2, 5])
def test_an_event_arrives_so_many_times_with_one_id(mailbox: Mailbox, count: int) -> None:
    mailbox.world.fault(ON, {"duplicate": count})
    first, second = mailbox.client.admit(2)
    mailbox.world.settle()
    assert sorted(mailbox.arrived()) == [first] * count + [second]
    twins = [received for received in mailbox.receiver.received if int(received.json["job_id"]) == first]
    assert len({received.headers["webhook-id"] for received in twins}) == 1
    assert len({(received.body, received.signature, received.attempt) for received in twins}) == 1
    assert mailbox.deliveries() == [("success", f"one of {count}", 1)] * count + [FAIR]
    assert [row["delivery_status"] for row in mailbox.client.rows()] == ["success"] * 2
    assert mailbox.used() == [1]


def test_each_of_two_twins_is_tried_again_by_itself(mailbox: Mailbox) -> None:
    mailbox.receiver.answer(500, times=2)
    mailbox.world.fault(ON, {"duplicate": 2})
    mailbox.client.admit()
    mailbox.world.settle()
    assert sorted(received.attempt for received in mailbox.receiver.received) == [1, 1, 2, 2]
    assert mailbox.deliveries() == [("success", "one of 2", 2)] * 2


def test_an_event_is_delayed_on_the_clock_of_the_world(mailbox: Mailbox) -> None:
    mailbox.world.fault("delivery", {"delay_s": 60})
    first, second = mailbox.client.admit(2)
    mailbox.world.advance(59.999)
    assert mailbox.arrived() == [second]
    assert mailbox.deliveries() == [("pending", "delayed by 60 s", 0), FAIR]
    assert mailbox.world.clock()["pending"] == {"jobs": 0, "deliveries": 1}
    told = mailbox.world.settle()
    assert mailbox.arrived() == [second, first]
    (attempt,) = told["attempts"]
    assert (attempt["attempt"], attempt["verdict"]) == (1, "delivered")
    assert [(ran["what"], ran["at"]) for ran in told["ran"]] == [("attempt", attempt["timestamp"])]
    (event,) = mailbox.world.events(job_id=first)
    assert datetime.fromisoformat(attempt["timestamp"]) == datetime.fromisoformat(event["created"]) + MINUTE
    assert mailbox.receiver.received[1].headers["webhook-timestamp"] == event["created"]
    assert mailbox.used() == [1]


def test_an_event_that_was_delayed_is_tried_again_a_second_later(mailbox: Mailbox) -> None:
    mailbox.receiver.answer(500)
    mailbox.world.fault("delivery", {"delay_s": 60})
    mailbox.client.admit()
    first, second = (datetime.fromisoformat(each["timestamp"]) for each in mailbox.world.settle()["attempts"])
    assert second - first == timedelta(seconds=1)


@pytest.mark.parametrize("do", [{"delay_s": 60}, {"swap": True}])
def test_an_event_that_waits_does_not_reach_a_webhook_that_is_gone(mailbox: Mailbox, do: dict[str, object]) -> None:
    mailbox.world.fault("delivery", do)
    mailbox.client.admit()
    mailbox.world.advance(1)
    mailbox.client.call("DELETE", f"/webhook/{mailbox.webhook['webhook_id']}")
    assert mailbox.world.settle()["quiet"] is True
    assert (mailbox.arrived(), mailbox.world.state()["deliveries"]["failed"]) == ([], 1)


def test_an_event_arrives_after_the_next_one(mailbox: Mailbox) -> None:
    mailbox.world.fault("delivery", {"swap": True})
    first, second, third = mailbox.client.admit(3)
    told = mailbox.world.settle()
    assert mailbox.arrived().index(second) < mailbox.arrived().index(first)
    assert sorted(mailbox.arrived()) == [first, second, third]
    of = {event["id"]: int(event["job_id"]) for event in mailbox.world.events()}
    assert [of[attempt["event_id"]] for attempt in told["attempts"]] == [second, third, first]
    assert [of[event["id"]] for event in mailbox.world.events()] == [first, second, third]
    assert mailbox.deliveries() == [("success", "swapped with the next", 1), FAIR, FAIR]
    assert mailbox.used() == [1]


def test_an_event_lets_the_next_one_pass_whenever_that_comes(mailbox: Mailbox) -> None:
    mailbox.world.fault("delivery", {"swap": True})
    (first,) = mailbox.client.admit()
    mailbox.world.advance(3_600)
    assert mailbox.arrived() == []
    assert mailbox.world.clock()["pending"] == {"jobs": 0, "deliveries": 1}
    (second,) = mailbox.client.admit()
    mailbox.world.advance(0)
    assert mailbox.arrived() == [second, first]


def test_without_a_next_one_an_event_arrives_when_the_world_settles(mailbox: Mailbox) -> None:
    mailbox.world.fault("delivery", {"swap": True})
    mailbox.receiver.answer(500)
    (job,) = mailbox.client.admit()
    told = mailbox.world.settle()
    assert mailbox.arrived() == [job, job]
    assert [each["attempt"] for each in told["attempts"]] == [1, 2]
    assert told["quiet"] is True
    assert mailbox.world.clock()["pending"] == {"jobs": 0, "deliveries": 0}


def test_a_world_is_not_settled_while_a_next_one_may_come(client: Client, receiver: Receiver) -> None:
    mailbox = Mailbox(client, receiver)
    mailbox.world.fault("delivery", {"swap": True})
    mailbox.world.fault("delivery", {"delay_s": 60})
    first, second = client.admit(2)
    assert mailbox.world.settle(limit_s=30)["quiet"] is False
    assert mailbox.arrived() == []
    assert mailbox.world.settle()["quiet"] is True
    assert len(mailbox.arrived()) == 2
    assert set(mailbox.arrived()) == {first, second}
    assert mailbox.arrived()[1] == int(mailbox.world.events()[0]["job_id"])


def test_several_events_let_the_same_one_pass(mailbox: Mailbox) -> None:
    mailbox.world.fault("delivery", {"swap": True}, times=2)
    first, second, third = mailbox.client.admit(3)
    mailbox.world.settle()
    assert mailbox.arrived()[0] == third
    assert set(mailbox.arrived()[1:]) == {first, second}


def test_an_event_that_was_under_way_before_is_no_next_one(mailbox: Mailbox) -> None:
    mailbox.receiver.stall(0.05)
    mailbox.world.fault("delivery", {"swap": True}, after=1)
    first, second = mailbox.client.admit(2)
    mailbox.world.advance(0)
    assert mailbox.arrived() == [first]
    (third,) = mailbox.client.admit()
    mailbox.world.advance(0)
    assert mailbox.arrived() == [first, third, second]


def test_a_next_one_at_another_webhook_is_none(mailbox: Mailbox, other_receiver: Receiver) -> None:
    mailbox.client.register(other_receiver.url)
    mailbox.world.fault("delivery", {"swap": True})
    (job,) = mailbox.client.admit()
    mailbox.world.advance(0)
    assert (len(mailbox.receiver.received), len(other_receiver.received)) == (0, 1)
    mailbox.world.settle()
    assert mailbox.arrived() == [job]


def test_in_a_running_world_the_next_event_brings_the_one_that_waits(live: Client, receiver: Receiver) -> None:
    mailbox = Mailbox(live, receiver)
    mailbox.world.fault("delivery", {"swap": True})
    (first,) = live.admit()
    mailbox.world.wait(first)
    (second,) = live.admit()
    receiver.wait(2)
    assert mailbox.arrived() == [second, first]


def test_in_a_running_world_an_event_is_late_by_itself(sandbox: Sandbox, receiver: Receiver) -> None:
    world = sandbox.world(seed=1, latency="instant", rate=600)
    with client_of(world) as client:
        mailbox = Mailbox(client, receiver)
        world.fault("delivery", {"delay_s": 30})
        client.admit()
        (received,) = receiver.wait(1)
        assert received.attempt == 1
        assert mailbox.used() == [1]
    world.delete()


def test_a_signature_is_wrong_at_both_attempts(mailbox: Mailbox) -> None:
    secret = mailbox.receiver.secret
    assert secret is not None
    mailbox.receiver.secret = None
    mailbox.receiver.answer(500)
    mailbox.world.fault("delivery", {"bad_signature": True})
    mailbox.client.admit()
    mailbox.world.advance(1)
    mailbox.client.admit()
    mailbox.world.settle()
    assert [verifies(secret, each.body, each.signature) for each in mailbox.receiver.received] == [False, False, True]
    assert all(len(each.signature) == 64 for each in mailbox.receiver.received)
    assert mailbox.deliveries() == [("success", "badly signed", 2), FAIR]
    assert mailbox.used() == [1]


def test_a_receiver_that_verifies_refuses_a_wrong_signature(mailbox: Mailbox) -> None:
    mailbox.world.fault(ON, {"bad_signature": True})
    mailbox.client.admit()
    (attempt,) = mailbox.world.settle()["attempts"]
    assert attempt["response_status_code"] == 401
    assert mailbox.deliveries() == [("failed", "badly signed", 1)]


def test_a_fault_on_a_type_of_event_leaves_other_types_alone(mailbox: Mailbox) -> None:
    mailbox.world.fault("patient.failed", {"drop": True})
    mailbox.world.fault(ON, {"fail": [{"code": "A", "description": "A."}]}, after=1)
    first, _ = mailbox.client.admit(2)
    mailbox.world.settle()
    assert mailbox.arrived() == [first]
    assert mailbox.used() == [1, 1]


def test_an_event_that_staff_cause_can_be_dropped_as_well(mailbox: Mailbox) -> None:
    mailbox.world.fault("access_token.password_change_warning", {"drop": True})
    for _ in range(2):
        mailbox.world.password_warning()
    mailbox.world.settle()
    assert mailbox.deliveries() == [("failed", "dropped", 0), FAIR]


def test_a_job_and_the_delivery_of_its_event_have_faults_of_their_own(mailbox: Mailbox) -> None:
    mailbox.world.fault(ON, {"duplicate": 2})
    mailbox.world.fault(ON, {"fail": [{"code": "A", "description": "A."}]})
    mailbox.client.admit(2)
    mailbox.world.settle()
    assert sorted(received.json["type"] for received in mailbox.receiver.received) == [ON, ON, "patient.failed"]
    assert mailbox.used() == [1, 1]


def test_each_webhook_is_an_occasion_of_its_own(mailbox: Mailbox, other_receiver: Receiver) -> None:
    mailbox.client.register(other_receiver.url)
    mailbox.world.fault("delivery", {"drop": True}, after=1)
    mailbox.client.admit(2)
    mailbox.world.settle()
    assert (len(mailbox.receiver.received), len(other_receiver.received)) == (2, 1)


def test_a_fault_of_one_practice_spares_the_deliveries_of_the_other(mailbox: Mailbox) -> None:
    mailbox.world.fault("delivery", {"drop": True}, practice="demo-clinic")
    (job,) = mailbox.client.admit()
    mailbox.world.settle()
    assert (mailbox.arrived(), mailbox.used()) == ([job], [0])


def test_the_same_faults_give_the_same_story(sandbox: Sandbox, receiver: Receiver, other_receiver: Receiver) -> None:
    stories = []
    for _ in range(2):
        world = sandbox.world(seed=5)
        with client_of(world) as client:
            for each in (receiver, other_receiver):
                client.register(each.url)
            for do in ({"swap": True}, {"delay_s": 2}, {"duplicate": 3}, {"bad_signature": True}, {"drop": True}):
                world.fault("delivery", do, times=3, after=2)
            receiver.stall(0.02, times=3)
            client.admit(10)
            stories.append((world.settle(), world.deliveries(), world.faults()))
        world.delete()
    assert stories[0] == stories[1]
    assert [fault["used"] for fault in stories[0][2]] == [3, 3, 3, 3, 3]

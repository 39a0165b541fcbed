"""Events: their envelope on the wire, and the log that keeps the newest."""

from __future__ import annotations

import pytest

from cobalt_sandbox.delivery import Delivery, Status, Webhook
from cobalt_sandbox.events import Envelope, Event, EventLog, Reason, failure_reason


class Opened(Event, type="door.opened"):
    door: str
    by: str = ""


class Closed(Event, type="door.closed"):
    door: str


def happened(number: int, event: Event | None = None, *, job: int | None = None) -> Envelope:
    """The event of that number, so many seconds after 1970."""
    return Envelope(
        number=number,
        id=f"event-{number}",
        access_token_reference_id="at_ref",
        created=number * 1_000,
        event=event or Opened(door="front"),
        job_id=job,
        practice="practice",
    )


# Envelope --------------------------------------------------------------------------------------------------------


def test_the_body_has_the_documented_keys_in_the_documented_order() -> None:
    assert happened(1, job=12345).body == (
        b'{"id":"event-1","access_token_reference_id":"at_ref","object":"event","created":"1970-01-01T00:00:01.000Z",'
        b'"type":"door.opened","job_id":"12345","data":{"door":"front"}}'
    )


def test_an_event_that_no_job_caused_has_no_job_id() -> None:
    assert "job_id" not in happened(1).wire()


def test_a_field_with_a_default_is_sent_only_if_it_is_given() -> None:
    assert happened(1).data == {"door": "front"}
    assert happened(1, Opened(door="front", by="")).data == {"door": "front", "by": ""}


def test_a_variant_of_an_event_has_its_name() -> None:
    class Slammed(Closed):
        loudly: bool = True

    assert (Slammed.type, happened(1, Slammed(door="back")).type) == ("door.closed", "door.closed")


def test_text_is_written_as_it_is() -> None:
    assert "Türe 門 \u2028".encode() in happened(1, Opened(door="Türe 門 \u2028")).body


def test_the_descriptions_of_reasons_are_joined_by_one_space() -> None:
    reasons = [Reason(code="A", description="The first."), Reason(code="B", description="The second.")]
    assert failure_reason(reasons) == "The first. The second."


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([], None),
        (["pending"], None),
        (["success", "pending"], None),
        (["failed", "pending"], None),
        (["success"], "success"),
        (["success", "success"], "success"),
        (["success", "failed"], "failed"),
    ],
)
def test_an_event_is_delivered_when_every_webhook_has_accepted_it(statuses: list[Status], status: str | None) -> None:
    envelope = happened(1)
    webhook = Webhook("wh_1", "http://x", "secret")
    envelope.deliveries = [Delivery(number, envelope, webhook, status=each) for number, each in enumerate(statuses)]
    assert envelope.delivery_status() == status


# Log -------------------------------------------------------------------------------------------------------------


def log_of(count: int, bound: int = 1_000) -> EventLog:
    """Odd events open a door, even ones close it; event n is of job n + 100, but every third is of none."""
    log = EventLog(bound)
    for number in range(1, count + 1):
        event = Opened(door="front") if number % 2 else Closed(door="front")
        log.append(happened(number, event, job=number + 100 if number % 3 else None))
    return log


def found(
    log: EventLog, *, type: str | None = None, job: str | None = None, start: int | None = None, end: int | None = None
) -> list[int]:
    return [each.number for each in log.select(type=type, job_id=job, start=start, end=end)]


def test_events_are_found_oldest_first() -> None:
    assert found(log_of(5)) == [1, 2, 3, 4, 5]
    assert found(log_of(0)) == []


def test_events_are_found_by_type() -> None:
    assert found(log_of(5), type="door.opened") == [1, 3, 5]
    assert found(log_of(5), type="door.painted") == []


def test_events_are_found_by_job_and_its_id_is_text() -> None:
    assert found(log_of(5), job="102") == [2]
    assert found(log_of(5), job="0102") == []
    assert found(log_of(5), job="None") == []
    assert found(log_of(5), job="102", type="door.closed") == [2]
    assert found(log_of(5), job="102", type="door.opened") == []


def test_events_are_found_by_time_from_the_first_moment_to_before_the_last() -> None:
    log = log_of(6)
    assert found(log, start=2_000) == [2, 3, 4, 5, 6]
    assert found(log, end=3_000) == [1, 2]
    assert found(log, start=2_000, end=2_001) == [2]
    assert found(log, start=2_001, end=3_000) == []
    assert found(log, type="door.closed", start=2_001, end=6_001) == [4, 6]
    assert found(log, job="104", start=4_001) == []
    assert found(log, job="104", start=4_000) == [4]


def test_an_event_is_found_by_its_id() -> None:
    log = log_of(3)
    event = log.get("event-2")
    assert event is not None
    assert event.number == 2
    assert log.get("event-4") is None


def test_the_oldest_are_trimmed_when_the_log_is_full_and_counted() -> None:
    log = log_of(25, bound=20)
    assert (len(log), log.trimmed, log.total) == (19, 6, 25)
    assert found(log) == list(range(7, 26))


def test_what_is_trimmed_is_found_by_nothing() -> None:
    log = log_of(21, bound=20)
    assert log.trimmed == 3
    assert log.get("event-2") is None
    assert found(log, job="102") == []
    assert found(log, type="door.opened") == [5, 7, 9, 11, 13, 15, 17, 19, 21]
    assert found(log, type="door.closed", end=6_001) == [4, 6]


def test_the_smallest_log_keeps_the_newest() -> None:
    log = log_of(5, bound=1)
    assert (found(log), log.trimmed) == ([5], 4)

"""What happened in a world, told in few enough lines for the report of a failed test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http.client import HTTPException
from itertools import islice
from json import dumps
from typing import Any

from cobalt_sandbox.client import Refusal
from cobalt_sandbox.testing.world import World

Json = dict[str, Any]

#: Of each kind only the last ones are told.
MOST_JOBS, MOST_CALLS, MOST_DELIVERIES, MOST_FAULTS = 20, 20, 20, 20
#: Of the calls in which those are looked for that did not go well.
MOST_CALLS_READ = 1_000
MOST_LINES, MOST_CHARACTERS = 150, 300


def retold(world: World) -> str:
    """Its clock and counts; its jobs, each with its end, its event and every attempt; refusals; faults and how often used."""
    try:
        lines = list(islice(_lines(world), MOST_LINES + 1))
    except (OSError, HTTPException, Refusal) as problem:
        return f"It cannot be told what happened in it: {problem}"
    if len(lines) > MOST_LINES:
        lines[-1] = "…"
    return "\n".join(map(_bounded, lines))


def _bounded(line: str) -> str:
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def _lines(world: World) -> Iterator[str]:
    state = world.state()
    clock = state["clock"]
    pace = "standing still" if clock["rate"] == 0 else f"at rate {clock['rate']:g}"
    yield f"{clock['now']}, {pace}; seed {state['seed']}, latency {state['latency']}, generation {state['generation']}"
    yield f"jobs: {_counted(state['jobs'])}; events: {state['events']}; deliveries: {_counted(state['deliveries'])}"
    jobs = world.jobs(limit=MOST_JOBS)
    yield from _omitted(sum(state["jobs"].values()) - len(jobs), "earlier jobs")
    for job in jobs:
        yield from _job(world.trace(job["job_id"]), clock["rate"])
    own = [each for each in world.deliveries(limit=MOST_DELIVERIES) if "job_id" not in each]
    yield from _titled("deliveries of events without a job", (line for each in own for line in _delivery(each)))
    yield from _titled("calls that did not go well", _trouble(world))
    yield from _titled("faults", map(_fault, world.faults()[-MOST_FAULTS:]))


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "none"


def _omitted(count: int, what: str) -> Iterator[str]:
    if count > 0:
        yield f"({count} {what} are left out)"


def _titled(title: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield f"{title}:"
        yield f"  {line}"


def _job(trace: Json, rate: float) -> Iterator[str]:
    job, deed, event = trace["job"], trace["ehr"], trace["event"]
    yield f"job {job['job_id']} {job['operation']} ({job['practice']}), submitted {job['submitted']}: {_end(job, deed, rate)}"
    if event is not None:
        seen = f"seen by {trace['polled'] or 'no'} polls"
        webhooks = "" if trace["deliveries"] else ", and there was no webhook to deliver it to"
        yield f"  {event['type']} {event['id']}, {seen}{webhooks}"
    for delivery in trace["deliveries"]:
        for line in _attempts(delivery):
            yield f"    {line}"


def _end(job: Json, deed: Json | None, rate: float) -> str:
    if deed is None and job["status"] == "held":
        return "held: finish it, or let the world hold no longer"
    if deed is None:
        cure = ", and the clock stands still: settle or advance it" if rate == 0 else ""
        return f"queued until {job['due']}{cure}"
    reasons = "; ".join(f"{reason['code']}: {reason['description']}" for reason in deed["reasons"])
    by = "" if deed["by"] == "itself" else f" by {deed['by']}"
    return f"{deed['did']}{by} {deed['at']}{f' ({reasons})' if reasons else ''}"


def _delivery(delivery: Json) -> Iterator[str]:
    yield f"{delivery['event_type']} {delivery['event_id']}"
    for line in _attempts(delivery):
        yield f"  {line}"


def _attempts(delivery: Json) -> Iterator[str]:
    fault = f", by a fault: {delivery['fault']}" if delivery["fault"] else ""
    yield f"to {delivery['webhook_url']}: {delivery['status']}{fault}"
    for attempt in delivery["attempts"]:
        answer = attempt["response_status_code"] or attempt["problem"]
        yield f"  attempt {attempt['attempt']} {attempt['timestamp']}: {answer}, {attempt['verdict']}"


def _trouble(world: World) -> Iterator[str]:
    calls = world.requests(limit=MOST_CALLS_READ)
    trouble = [call for call in calls if call["fault"] or call["status"] is None or call["status"] >= 400]
    yield from _omitted(len(trouble) - MOST_CALLS, "earlier ones")
    for call in trouble[-MOST_CALLS:]:
        job = "" if call["job_id"] is None else f", job {call['job_id']}"
        why = "".join(f", {call[key]}" for key in ("refusal", "fault") if call[key])
        yield f"{call['at']} {call['method']} {call['path']}: {call['status'] or 'no answer'}{why}{job}"


def _fault(fault: Json) -> str:
    unused = ", never used" if fault["used"] == 0 else ""
    return f"{fault['fault_id']}: {dumps(fault['do'])} on {fault['on']}, used {fault['used']} of {fault['times']} times{unused}"

"""Accounts: https://docs.usecobalt.com/api-reference/account/activate, …/deactivate and …/system/last-schedule-sync"""

from __future__ import annotations

from cobalt_sandbox.clock import SECOND, Moment, iso
from cobalt_sandbox.endpoint import Reply, endpoint
from cobalt_sandbox.fixture import BY_THE_CLOCK
from cobalt_sandbox.world import Practice

#: How often the schedule is synced.
SYNCED_EVERY: Moment = 15 * 60 * SECOND


class AccountActivated(Reply):
    message: str


@endpoint("POST /account/activate")
def activate(practice: Practice) -> AccountActivated:
    """Activate Account"""
    practice.inactive_since = None
    return AccountActivated(message="Account activated successfully.")  # D49


class AccountDeactivated(Reply):
    message: str


@endpoint("POST /account/deactivate")
def deactivate(practice: Practice) -> AccountDeactivated:
    """Deactivate Account"""
    if practice.is_active:
        practice.inactive_since = practice.now
    return AccountDeactivated(message="Account deactivated successfully.")  # D49


class LastScheduleSync(Reply):
    """``null`` before the first one (D51)."""

    last_schedule_sync: str | None


@endpoint("GET /last-schedule-sync")
def last_schedule_sync(practice: Practice) -> LastScheduleSync:
    """Last Schedule Sync"""
    told = practice.profile.last_schedule_sync
    return LastScheduleSync(last_schedule_sync=_by_the_clock(practice) if told == BY_THE_CLOCK else told)


def _by_the_clock(practice: Practice) -> str:
    """At every full quarter of an hour, and when the account was linked; not while it is inactive (D50)."""
    until = practice.now if practice.inactive_since is None else practice.inactive_since
    return iso(max(practice.began, until // SYNCED_EVERY * SYNCED_EVERY))

"""What live fetches have in common: for how many providers and days one is made, and the reply that accepts it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator

from cobalt_sandbox.endpoint import Reply
from cobalt_sandbox.errors import CobaltError
from cobalt_sandbox.validation import complaint
from cobalt_sandbox.world import Practice

ACCEPTED = "Live fetch request accepted. Results will be sent via webhook when ready."


class TooLongForOne(CobaltError):
    template = "Date range cannot exceed 5 days for a single provider."  # D90


class NotOneDay(CobaltError):
    template = "start_date must equal end_date when more than one provider is requested."  # D90


def _one_to_ten(ids: list[str]) -> list[str]:
    if not 1 <= len(ids) <= 10:
        raise complaint("{place} must contain between 1 and 10 ids.")  # D90
    return ids


ProviderIds = Annotated[list[str], AfterValidator(_one_to_ten)]


def check_days(first: date, last: date, providers: int) -> None:
    """Refuse more days than may be fetched for so many providers."""
    if providers > 1 and first != last:
        raise NotOneDay
    if (last - first).days > 5:
        raise TooLongForOne


class FetchTaken(Reply):
    """``job_id`` is text here; ``job_execution_id``, its older name, comes with the option ``older_fields`` (D91, D133)."""

    message: str
    job_id: str
    job_execution_id: str = ""


def taken(practice: Practice, job_id: int) -> FetchTaken:
    if practice.profile.options.older_fields:
        return FetchTaken(message=ACCEPTED, job_id=str(job_id), job_execution_id=str(job_id))
    return FetchTaken(message=ACCEPTED, job_id=str(job_id))

"""Refusals: one class per sentence that the API says no with."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from pydantic_core import to_json


class CobaltError(Exception):
    """A refusal in the documented envelope, ``{"success": false, "message": …}`` (D9).

    A subclass is one sentence: ``template`` is its text, with ``{names}`` for what varies; ``status`` its HTTP status code,
    ``error`` a word for machines, which only few have.
    """

    template: ClassVar[str]
    status: int = 400
    error: ClassVar[str | None] = None

    def __init__(self, **values: object) -> None:
        self.message = self.template.format_map(values)
        super().__init__(self.message)

    @property
    def phrase(self) -> str:
        return HTTPStatus(self.status).phrase

    @property
    def body(self) -> bytes:
        error = {} if self.error is None else {"error": self.error}
        return to_json({"success": False, **error, "message": self.message})


# Who is calling --------------------------------------------------------------------------------------------------


class MissingHeaders(CobaltError):
    template = "Missing required headers: {names}."  # D4
    status = 401


class WrongClientCredentials(CobaltError):
    template = "Invalid client_id or client_secret."  # D5
    status = 401


class AccountInactive(CobaltError):
    template = "Account is inactive."  # D50
    status = 403
    error = "account_inactive"


class UserNotFound(CobaltError):
    template = "User not found."  # Create Referral; the status is D6
    status = 404


class UserNotFound401(UserNotFound):
    status = 401


class LoginRequired(CobaltError):
    template = "Account link expired. Please go through the integration setup again."  # Link's update mode, D7
    status = 403
    error = "login_required"


# What was sent ---------------------------------------------------------------------------------------------------


class NoSuchPath(CobaltError):
    template = "Not found."  # D16
    status = 404


class WrongMethod(CobaltError):
    template = "Method not allowed."  # D16
    status = 405


class BodyTooLarge(CobaltError):
    template = "Request body too large. Maximum size is {megabytes} MB."  # D26
    status = 413


class HeadTooLarge(CobaltError):
    template = "Request headers too large. Maximum size is {kilobytes} KB."
    status = 431


class NotHTTP(CobaltError):
    template = "This is no HTTP request that can be read."


class InvalidJSON(CobaltError):
    template = "Invalid JSON in request body."  # D11


class NotAnObject(CobaltError):
    template = "Request body must be a JSON object."


class Invalid(CobaltError):
    """A body, query or form that breaks a rule of its fields; validation.py finds the words."""

    template = "{complaint}"


class NotSupported(CobaltError):
    template = "{what} is not supported for {ehr}. Currently supported: {supported}."  # D30


class TooManyPending(CobaltError):
    template = "{count} jobs are pending in this world, which is the most it holds. Settle, advance or reset it."
    status = 503


class TooManyBytes(CobaltError):
    template = (
        "This practice has no room for {size} bytes more of documents; {bound} are the most it holds. Reset the world."
    )
    status = 503


class UnknownPatient(CobaltError):
    template = "Patient with MRN '{mrn}' not found. Ensure the patient has been synced."  # Create Referral, D138
    status = 404


class UnknownAppointment(CobaltError):
    template = "Appointment not found."  # D17, D189
    status = 404


class InternalError(CobaltError):
    template = "Internal server error."  # Table 1
    status = 500


class TooManyRequests(CobaltError):
    """Only by a fault (D20), as the next."""

    template = "Too many requests."  # Table 1
    status = 429


class ServiceUnavailable(CobaltError):
    template = "Service temporarily unavailable."  # Table 1
    status = 503

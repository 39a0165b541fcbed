"""Refusals: one class per sentence that the API says no with."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from pydantic_core import to_json


class CobaltError(Exception):
    """A refusal in the documented envelope, ``{"success": false, "message": …}`` (D9).

    A subclass is one sentence: ``template`` is its text, with ``{names}`` for what varies; ``status`` its HTTP status code.
    """

    template: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, **values: object) -> None:
        self.message = self.template.format_map(values)
        super().__init__(self.message)

    @property
    def phrase(self) -> str:
        return HTTPStatus(self.status).phrase

    @property
    def body(self) -> bytes:
        return to_json({"success": False, "message": self.message})


# Who is calling --------------------------------------------------------------------------------------------------


class MissingHeaders(CobaltError):
    template = "Missing required headers: {names}."  # D4
    status = 401


class WrongClientCredentials(CobaltError):
    template = "Invalid client_id or client_secret."  # D5
    status = 401


class UserNotFound(CobaltError):
    template = "User not found."  # Create Referral; the status is D6
    status = 404


class UserNotFound401(UserNotFound):
    status = 401


# What was sent ---------------------------------------------------------------------------------------------------


class NoSuchPath(CobaltError):
    template = "Not found."  # D16
    status = 404


class WrongMethod(CobaltError):
    template = "Method not allowed."  # D16
    status = 405


class NotBuilt(CobaltError):
    template = "{method} {path} is documented, but this version of cobalt-sandbox does not serve it yet."
    status = 501


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


class InternalError(CobaltError):
    template = "Internal server error."  # Table 1
    status = 500

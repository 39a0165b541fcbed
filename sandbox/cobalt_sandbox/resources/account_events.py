"""What is told of an account whose credentials have a problem: https://docs.usecobalt.com/docs/webhooks/account-events"""

from __future__ import annotations

from typing import Literal

from cobalt_sandbox.errors import NotSupported
from cobalt_sandbox.events import Event
from cobalt_sandbox.fixture import ECLINICALWORKS
from cobalt_sandbox.world import Practice

ErrorType = Literal["password_expired", "password_changed", "account_locked"]  # D266


class AccessTokenLoginRequired(Event, type="access_token.login_required", kinds=("account",)):
    """The EHR takes the credentials no more; operations fail until the user has gone through Link's update mode."""

    access_token_reference_id: str
    emr_instance_domain: str
    message: str
    error_type: ErrorType = "password_expired"


class PasswordChangeWarning(Event, type="access_token.password_change_warning", kinds=("account",)):
    """The EHR asks for another password soon (D265)."""

    access_token_reference_id: str
    emr_instance_domain: str
    message: str


# The page has no text of either message.
_PROBLEMS: dict[ErrorType, str] = {
    "password_expired": "The password of your {ehr} account has expired.",
    "password_changed": "The password of your {ehr} account was changed.",
    "account_locked": "Your {ehr} account is locked.",
}
_NEXT = "Please go through the integration setup again."
_WARNING = (
    "The password of your {ehr} account expires soon. Please change it and go through the integration setup again."
)


def login_required(practice: Practice, error_type: ErrorType) -> AccessTokenLoginRequired:
    return AccessTokenLoginRequired(
        access_token_reference_id=practice.access_token_reference_id,
        emr_instance_domain=practice.profile.emr_instance_domain,
        message=f"{_PROBLEMS[error_type].format(ehr=practice.profile.ehr)} {_NEXT}",
        error_type=error_type,
    )


def password_change_warning(practice: Practice) -> PasswordChangeWarning:
    """Raises NotSupported: only one EHR is documented to warn."""
    ehr = practice.profile.ehr
    if ehr != ECLINICALWORKS:
        what = f"The event {PasswordChangeWarning.type}"
        raise NotSupported(what=what, ehr=ehr, supported=ECLINICALWORKS)
    return PasswordChangeWarning(
        access_token_reference_id=practice.access_token_reference_id,
        emr_instance_domain=practice.profile.emr_instance_domain,
        message=_WARNING.format(ehr=ehr),
    )

"""What a state and a ZIP code must look like where the documentation asks for a form of them (D123, D141)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from cobalt_sandbox.validation import complaint

_STATE = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|"
    "MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY"
)


def _state(code: str) -> str:
    if not re.fullmatch(_STATE, code, re.IGNORECASE):
        raise complaint("Invalid {place}. Must be a two-letter state code.")
    return code.upper()


def _zip(code: str) -> str:
    if not re.fullmatch(r"[0-9]{5}(-[0-9]{4})?", code):
        raise complaint("Invalid {place}. Use 12345 or 12345-6789.")
    return code


#: One of the fifty states or ``DC``, in any case, as two capital letters.
StateCode = Annotated[str, AfterValidator(_state)]

#: ``12345`` or ``12345-6789``.
ZipCode = Annotated[str, AfterValidator(_zip)]

"""Lists that are written straight from their records."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from cobalt_sandbox.ehr.bookings import Appointment
from cobalt_sandbox.ehr.people import Patient
from cobalt_sandbox.resources.appointment_rows import AppointmentRow
from cobalt_sandbox.resources.patients import PatientRow


@pytest.mark.parametrize(("row", "record"), [(PatientRow, Patient), (AppointmentRow, Appointment)])
def test_such_a_record_has_the_fields_of_its_row_in_the_same_order(row: Any, record: Any) -> None:
    documented = list(row.__annotations__)
    assert [field.name for field in fields(record) if field.name in documented] == documented

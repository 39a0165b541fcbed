"""The documented API: one module a family, in the documentation's order.

What is documented but not built yet is listed by its route, and answers 501.
"""

from __future__ import annotations

from cobalt_sandbox.resources import (
    appointments,
    availability,
    eligibility_checks,
    insurance_providers,
    locations,
    patient_insurances,
    patients,
    pharmacies,
    providers,
    referrals,
    referring_providers,
    settings,
    visit_statuses,
    visit_types,
    webhook_events,
    webhooks,
)

FAMILIES = (
    appointments,
    patients,
    patient_insurances,
    providers,
    availability,
    locations,
    visit_types,
    visit_statuses,
    insurance_providers,
    eligibility_checks,
    pharmacies,
    referring_providers,
    referrals,
    webhooks,
    webhook_events,
    settings,
)

#: Never served, though another verb of the path is (D119).
NOT_SERVED = ("GET /patients/{id}",)

NOT_BUILT = (
    "POST /link/token/create",
    "GET /link/token/exchange",
    "POST /account/activate",
    "POST /account/deactivate",
    "GET /last-schedule-sync",
    "POST /notes",
    "POST /patient-notes",
    "POST /documents",
    "GET /documents/{id}",
    "POST /messages",
    "POST /tasks",
    "POST /tasks/notes",
    "POST /telephone-encounters",
    "POST /telephone-encounters/actions",
    "GET /claims",
    "POST /claims",
    "GET /orders",
    "GET /referrals",
    "POST /payments",
    "GET /fee-schedules",
    "GET /fee-schedules/{feeScheduleId}/items",
)

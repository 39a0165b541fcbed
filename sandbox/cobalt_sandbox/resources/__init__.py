"""The documented API: one module a family, in the documentation's order.

What is documented but not built yet is listed by its route, and answers 501.
"""

from __future__ import annotations

from cobalt_sandbox.resources import (
    patients,
    providers,
    referrals,
    referring_providers,
    settings,
    webhook_events,
    webhooks,
)

FAMILIES = (patients, providers, referring_providers, referrals, webhooks, webhook_events, settings)

#: Never served, though another verb of the path is (D119).
NOT_SERVED = ("GET /patients/{id}",)

NOT_BUILT = (
    "POST /link/token/create",
    "GET /link/token/exchange",
    "POST /account/activate",
    "POST /account/deactivate",
    "GET /last-schedule-sync",
    "POST /appointments",
    "GET /appointments",
    "GET /appointments/{id}",
    "GET /appointment/{id}",
    "PATCH /appointments/{id}",
    "POST /appointments/fetch",
    "PATCH /patients/{id}",
    "POST /patients/fetch",
    "POST /patients/{patient_mrn}/insurances",
    "PATCH /patients/{patient_mrn}/insurances/{emr_insurance_id}",
    "PATCH /providers/{id}",
    "PATCH /providers/ehr/{ehr_id}",
    "GET /availability",
    "POST /availability/fetch",
    "GET /locations",
    "PATCH /locations/{id}",
    "GET /visit-types",
    "GET /visit-statuses",
    "GET /insurance-providers",
    "GET /eligibility-checks",
    "GET /eligibility-checks/{id}/benefits",
    "GET /pharmacies",
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

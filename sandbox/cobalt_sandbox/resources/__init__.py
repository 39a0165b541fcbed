"""The documented API: one module a family.

What is documented but not built yet is listed by its route, and answers 501.
"""

from __future__ import annotations

#: The modules that serve the paths which begin with a segment, in the documentation's order.
FAMILIES = {
    "appointments": ("appointments",),
    "appointment": ("appointments",),
    "patients": ("patients", "patient_insurances"),
    "providers": ("providers",),
    "availability": ("availability",),
    "locations": ("locations",),
    "visit-types": ("visit_types",),
    "visit-statuses": ("visit_statuses",),
    "insurance-providers": ("insurance_providers",),
    "eligibility-checks": ("eligibility_checks",),
    "pharmacies": ("pharmacies",),
    "referring-providers": ("referring_providers",),
    "referrals": ("referrals",),
    "webhook": ("webhooks",),
    "webhook-events": ("webhook_events",),
    "settings": ("settings",),
}

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

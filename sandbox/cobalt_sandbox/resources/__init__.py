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
    "notes": ("notes",),
    "patient-notes": ("patient_notes",),
    "documents": ("documents",),
    "messages": ("messages",),
    "tasks": ("tasks",),
    "telephone-encounters": ("telephone_encounters",),
    "claims": ("claims",),
    "orders": ("orders",),
    "referrals": ("referrals",),
    "payments": ("payments",),
    "fee-schedules": ("fee_schedules",),
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
)

"""The documented API: one module a family."""

from __future__ import annotations

#: The modules that serve the paths which begin with a segment, in the documentation's order.
FAMILIES = {
    "link": ("link",),
    "account": ("accounts",),
    "last-schedule-sync": ("accounts",),
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

#: The modules of events that no operation emits.
UNASKED = ("account_events",)

#: Never served, though another verb of the path is (D119).
NOT_SERVED = ("GET /patients/{id}",)

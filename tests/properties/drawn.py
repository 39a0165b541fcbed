"""What a client of the clinic in :mod:`properties.books` may write: only what the documentation or a decision settles."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from properties.anything import Json
from properties.books import PRACTICE, ZONE

ASSISTANT: Final = "702"
DATES: Final = ("2026-03-06", "2026-03-09")
DAYTIMES: Final = ("08:00", "08:30", "09:30", "10:15", "19:30")
CARRIERS: Final[list[Json]] = PRACTICE["insurance_providers"]

which = st.integers(0, 11)
seldom = st.sampled_from((False, False, False, True))
names = st.sampled_from((("Ada", "Law"), ("ADA", "law"), ("Max", "Prop"), ("Zoë", "O'Ther"), ("Mary", "LAW")))
birthdays = st.sampled_from(("1990-01-31", "1985-03-15"))
contact = st.fixed_dictionaries(
    {},
    optional={
        "phone": st.sampled_from(("555-555-0101", "555-555-0102")),
        "cell_phone": st.sampled_from(("555-555-0103", "555-555-0104")),
        "email": st.sampled_from(("a@mail.example", "b@mail.example")),
        "address_street": st.sampled_from(("1 Elm St", "2 Oak St")),
        "address_city": st.sampled_from(("Boston", "Salem")),
        "address_state": st.sampled_from(("MA", "DC")),
        "address_zip": st.sampled_from(("02108", "01970-1234")),
    },
)
contact_of_some_kind = contact.filter(bool)
demographics = st.builds(
    lambda name, dob, phone: {"first_name": name[0], "last_name": name[1], "dob": dob, "sex": "female", "phone": phone},
    names,
    birthdays,
    st.sampled_from(("555-555-0101", "555-555-0105")),
)
starts = st.builds("{}T{}".format, st.sampled_from(DATES), st.sampled_from(DAYTIMES)).map(datetime.fromisoformat)
forms = st.sampled_from(("local", "utc", "elsewhere", "date and time"))


def when(start: datetime, form: str) -> Json:
    """One time on the clinic's clock, in the ways in which it can be sent."""
    here = start.replace(tzinfo=ZoneInfo(ZONE))
    if form == "date and time":
        return {"date": f"{start:%Y-%m-%d}", "time": f"{start:%I:%M} {'am' if start.hour < 12 else 'pm'}"}
    zones = {"local": here.tzinfo, "utc": UTC, "elsewhere": timezone(timedelta(hours=5, minutes=30))}
    return {"datetime": here.astimezone(zones[form]).isoformat()}


@st.composite
def shifts(draw: st.DrawFn, day: date) -> tuple[list[Json], list[Json]]:
    """The shifts of a day as they are sent, and as they are listed then (D152, D157)."""
    spans = draw(st.sampled_from(((8, 12), (13, 17), (8, 17)))), draw(st.sampled_from((None, (18, 19))))
    sent, listed = [], []
    for start, end in filter(None, spans):
        place = draw(st.sampled_from(PRACTICE["locations"]))
        own = {"start": f"T{start:02}:00:00", "end": f"T{end:02}:00:00"}
        own["set_start_date"] = draw(st.sampled_from(("2025-01-01T00:00:00", "2026-03-07T00:00:00")))
        if draw(seldom):  # pragma: no branch  # not every run draws it
            own["set_end_date"] = "2026-03-08T00:00:00"  # pragma: no cover  # nor this
        repeats = {"recur_interval_type": "days", "recur_interval_description": "Every so often."}
        repeats["rec_start_date"] = f"{day - timedelta(days=7)}T00:00:00"
        every = draw(st.sampled_from((None, None, 1, 2)))
        named = draw(st.sampled_from((place["ehr_id"], place["id"], str(UUID(place["id"])))))
        shown = {**own, "facility_id": place["ehr_id"], "facility_name": place["name"]}
        sent.append({**own, "facility_id": named})
        listed.append(shown)
        if every:
            sent[-1]["set_recur"] = {**repeats, "rec_end_date": "2027-01-01T00:00:00", "recur_interval_amount": every}
            shown["recurrence"] = {**repeats, "recur_interval_amount": str(every)}
    return sent, listed


@st.composite
def schedules(draw: st.DrawFn) -> tuple[list[Json], list[Json]]:
    sent, listed = [], []
    for day in draw(st.lists(st.sampled_from((6, 8, 9)), unique=True)):
        weekday = date(2026, 3, day)
        told, shown = draw(shifts(weekday))
        sent.append({"day": f"{weekday:%A}", "shifts": told})
        listed.append({"day": f"{weekday:%A}", "shifts": shown})
    return sent, listed


# Requests, and what is to be read of them ------------------------------------------------------------------------


@st.composite
def bookings(draw: st.DrawFn) -> tuple[Json, Json]:
    """The body of `POST /appointments`, but for patient and time, and the appointment as it goes into the books."""
    minutes, assistant = draw(st.sampled_from((None, 15, 90))), draw(st.sampled_from((None, None, ASSISTANT)))
    told = {"reason": "Cough"} if draw(st.booleans()) else {"note": "Late"}
    place = {"location": draw(st.sampled_from(("1", "25")))}
    provider = draw(st.sampled_from(("700", "701")))
    body = {**told, **place, "provider": provider, "type": "NP"}
    body |= {"duration": str(minutes)} if minutes else {}
    body |= {"secondary_provider": assistant} if assistant else {}
    return body, {
        **told,
        **place,
        "provider_ehr_id": provider,
        "secondary_provider_ehr_id": assistant,
        "appointment_type": "NP",
        "duration": minutes or 30,
    }


def amended(start: datetime, form: str) -> tuple[Json, Json]:
    """New values for an appointment that is not in the EHR yet, as they are sent, and as they are written down."""
    same = {"location": "25", "reason": "Rash"}
    return (
        {**same, **when(start, form), "mrn": "100", "type": "FU"},
        {**same, "datetime": when(start, "local")["datetime"], "patient_mrn": "100", "appointment_type": "FU"},
    )


amendments = st.builds(amended, starts, forms)


@st.composite
def insurances(draw: st.DrawFn) -> tuple[Json, Json]:
    """The body of `POST /patients/{patient_mrn}/insurances`, but for the priority, and what a live fetch shows of it."""
    carrier = draw(st.sampled_from(CARRIERS))
    named_by = draw(st.sampled_from((("id",), ("name",), ("name", "payer_id"))))
    fields = {"id": "insurance_provider_id", "name": "insurance_name", "payer_id": "insurance_payer_id"}
    facts = {"group_id": "GRP2", "plan_begin_date": "2026-01-01"}
    body = {**facts, "member_id": "MEM2", **{fields[name]: carrier[name] for name in named_by}}
    body["subscriber_demographics"] = {"first_name": "Sam", "last_name": "Law"}
    shown: Json = {**facts, "insurance_subscriber_number": "MEM2", "copayment": None}
    shown |= {"insurance_name": carrier["name"], "insurance_ehr_id": carrier["ehr_id"]}
    if draw(st.booleans()):
        body["copayment"] = shown["copayment"] = draw(st.sampled_from((0, 25)))
    if draw(st.booleans()):
        sent, name = draw(st.sampled_from((("self", "self"), ("01", "self"), ("SPOUSE", "spouse"))))
        body["relationship_to_subscriber"], shown["relationship_to_subscriber"] = sent, name
    return body, shown


@st.composite
def insurance_changes(draw: st.DrawFn) -> tuple[Json, Json]:
    """Some new values, and what a live fetch shows of them."""
    body: Json = {}
    if draw(st.booleans()):
        body["insurance_name"] = draw(st.sampled_from([each["name"] for each in CARRIERS]))
    body |= draw(
        st.fixed_dictionaries(
            {"group_id": st.sampled_from(("GRP3", "GRP4"))},
            optional={
                "member_id": st.sampled_from(("MEM3", "MEM4")),
                "plan_begin_date": st.just("2026-02-01"),
                "copayment": st.sampled_from((10, 30.5)),
            },
        )
    )
    shown = {{"member_id": "insurance_subscriber_number"}.get(name, name): value for name, value in body.items()}
    of_carrier = {each["name"]: {"insurance_ehr_id": each["ehr_id"]} for each in CARRIERS}
    return body, {**shown, **of_carrier.get(body.get("insurance_name", ""), {})}


@st.composite
def provider_changes(draw: st.DrawFn) -> tuple[Json, Json]:
    """The body of `PATCH /providers/{id}`, one thing at least, and what is listed of it."""
    body: Json = {}
    shown: Json = {}
    what = draw(st.sets(st.sampled_from(("status", "hide_in_availability", "hours")), min_size=1))
    if "status" in what:
        body["status"], shown["status"] = draw(st.sampled_from((("active", "active"), ("Inactive", "inactive"))))
    if "hide_in_availability" in what:
        shown["hide_in_availability"] = draw(st.booleans())
        body["hide_in_availability"] = str(shown["hide_in_availability"]).lower()
    if "hours" in what:
        body["hours"], shown["hours"] = draw(schedules())
    return body, shown

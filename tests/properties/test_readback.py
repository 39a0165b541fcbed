"""What was written is read, and nothing else has changed: one clinic and its books, compared after each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from pydantic_core import to_json

from cobalt_sandbox import Sandbox, World
from properties.anything import Json, Request
from properties.books import (
    CONTACT,
    DAYS,
    NOW,
    PRACTICE,
    TWIN,
    ZONE,
    Books,
    fetched_patient,
    identity,
    instant,
    listed_appointment,
    listed_patient,
    listed_provider,
    new_appointment,
    new_patient,
    shows,
)
from properties.drawn import (
    ASSISTANT,
    amendments,
    bookings,
    contact,
    contact_of_some_kind,
    demographics,
    forms,
    insurance_changes,
    insurances,
    names,
    provider_changes,
    seldom,
    starts,
    when,
    which,
)
from properties.effort import tries
from properties.line import Line

REFUSAL = [{"code": "EHR_REJECTED", "description": "Ordered."}]
LIVE = "patient of a live fetch"
#: The older words stand for the account's own codes (D79).
STATUSES = {"CONF": "CONF", "XPT": "XPT", "MVD": "MVD", "cancelled": "XPT", "rescheduled": "MVD"}
#: What a live fetch of patients needs to know, by what it searches.
SEARCHES = {"mrn": ("mrn",), "phone": ("phone",), "name": ("first_name", "last_name"), "dob": ("dob",)}
LIVE_FETCHES = ("date_range", "mrn", "provider")

Ending = Callable[[Json], None]


def demand_failure(event: Json, type: str, **data: object) -> None:
    assert event["event_type"] == type
    assert shows(data, event["data"])
    assert event["data"]["failure_reason"] == " ".join(each["description"] for each in event["data"]["reasons"]) != ""


class Readback(RuleBasedStateMachine):
    """A client writes to a clinic through the API, keeps books of it, and reads everything again."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox

    @initialize()
    def open(self) -> None:
        self.world: World = self.sandbox.world(seed=7, fixtures=[PRACTICE, TWIN], latency="1..1", now=NOW)
        self.line = Line(self.world.url)
        self.books = Books()
        self.jobs: dict[int, Ending] = {}
        self.last: dict[tuple[str, str], Json] = {}
        self.beginning, self.twin = self.all_of("at_books"), self.all_of("at_twin")

    def teardown(self) -> None:
        """In the end all is undone: nothing was written into what the world began with."""
        self.world.reset()
        assert self.all_of("at_books") == self.beginning
        self.line.close()
        self.world.delete()

    def call(self, method: str, path: str, body: object = None, token: str = "at_books", **query: Any) -> Json:
        headers = {**self.world.headers, "access_token": token, "host": self.line.host}
        target = f"/v1{path}?{urlencode(query)}" if query else f"/v1{path}"
        payload = None if body is None else to_json(body)
        answer = self.line.send(Request(method, target, tuple(headers.items()), payload))
        assert answer.status in (200, 202), answer.body
        reply: Json = answer.json
        return reply

    def page_by_page(self, table: str, **query: Any) -> list[Json]:
        rows: list[Json] = []
        page, pages = 1, 1
        while page <= pages:
            reply = self.call("GET", f"/{table}", **query, page=page, page_size=2)
            rows += reply[table]
            page, pages = page + 1, reply["pagination"]["total_pages"]
        return rows

    # Jobs and their ends ---------------------------------------------------------------------------------------------

    def submitted(self, reply: Json, ends: Ending) -> None:
        """The EHR takes one job after the other, each of them a second later than it was submitted; time stands still."""
        job_id = int(reply["job_id"])
        assert job_id > max(self.jobs, default=0)
        assert self.call("GET", "/webhook-events", job_id=job_id)["webhook_events"] == []
        self.jobs[job_id] = ends

    @rule()
    def let_all_jobs_end(self) -> None:
        """Nothing of it shows in the other practice."""
        self.settle()
        assert self.all_of("at_twin") == self.twin

    def settle(self) -> None:
        self.world.settle()
        for job_id, ends in self.jobs.items():
            (event,) = self.call("GET", "/webhook-events", job_id=job_id)["webhook_events"]
            ends(event)
        self.jobs.clear()

    def order_a_refusal(self, on: str, *, refused: bool) -> None:
        if refused:
            self.settle()
            self.world.fault(on, {"fail": REFUSAL})

    def one_of(self, records: Mapping[str, Json], number: int) -> Json:
        return list(records.values())[number % len(records)]

    # Patients --------------------------------------------------------------------------------------------------------

    @rule(who=demographics, details=contact, is_insured=seldom)
    def create_a_patient(self, who: Json, details: Json, *, is_insured: bool) -> None:
        told = {**who, **details}
        insurance = {"insurance_name": "Aetna", "insurance_subscriber_number": "NEW1"} if is_insured else {}
        reply = self.call("POST", "/patients", {**told, **insurance})
        patient = new_patient(told, id=reply["patient_id"], status="pending", job=reply["job_id"], sent=insurance)
        assert patient["id"] not in self.books.patients
        self.books.patients[patient["id"]] = patient
        self.submitted(reply, partial(self.patient_is_created, patient))

    def patient_is_created(self, patient: Json, event: Json) -> None:
        self.touch(patient)
        if self.books.is_duplicate(patient):
            demand_failure(event, "patient.failed", patient_id=patient["id"])
            patient["status"] = "failed"
        else:
            mrn = event["data"]["mrn"]
            assert event["event_type"] == "patient.created"
            assert event["data"] == {"patient_id": patient["id"], "mrn": mrn}
            assert not self.books.knows(mrn)
            patient |= {"status": "active", "mrn": mrn}

    @rule(which=which, details=contact_of_some_kind, name=names, refused=seldom)
    def change_a_patient(self, which: int, details: Json, name: tuple[str, str], *, refused: bool) -> None:
        patient = self.one_of(self.books.patients, which)
        if patient["status"] in ("pending", "failed"):
            self.amend_a_patient(patient, {**details, "first_name": name[0], "last_name": name[1]})
            return
        self.order_a_refusal("patient.updated", refused=refused)
        reply = self.call("PATCH", f"/patients/{patient['id']}", details)
        self.touch(patient)
        patient["status"] = "pending_update"
        self.submitted(reply, partial(self.patient_is_changed, patient, {} if refused else details, refused=refused))
        if refused:
            self.settle()

    def amend_a_patient(self, patient: Json, changes: Json) -> None:
        """Whom the EHR does not have yet; once that failed, it is tried again (D121)."""
        failed = patient["status"] == "failed"
        if failed:
            self.settle()
        reply = self.call("PATCH", f"/patients/{patient['id']}", changes)
        self.touch(patient)
        patient |= changes
        if failed:
            self.submitted(reply, partial(self.patient_is_created, patient))
            self.settle()
        else:
            assert reply["job_id"] == patient["job"]

    def patient_is_changed(self, patient: Json, changes: Json, event: Json, *, refused: bool) -> None:
        self.touch(patient)
        patient |= {**changes, "status": "active"}
        if refused:
            demand_failure(event, "patient.failed", patient_id=patient["id"])
            return
        assert event["event_type"] == "patient.updated"
        assert shows({name: patient[name] for name in ("id", "mrn", "first_name", "dob", *CONTACT)}, event["data"])

    @rule(which=which)
    def look_for_a_patient(self, which: int) -> None:
        """By MRN and birthday as they are, by part of a name in any case, by the digits of a phone number."""
        wanted = self.one_of(self.books.patients, which)
        patients = self.books.patients.values()
        exactly = {"dob": wanted["dob"], "phone": wanted["phone"].replace("-", "")}
        for by, value in {**exactly, **({"mrn": wanted["mrn"]} if wanted["mrn"] else {})}.items():
            asked: Json = {by: value}
            found = self.call("GET", "/patients", **asked)["patients"]
            assert ids(found) == ids(each for each in patients if each[by] == wanted[by])
        assert self.page_by_page("patients") == self.call("GET", "/patients")["patients"]
        for by, part in (("first_name", wanted["first_name"][1:].upper()), ("last_name", wanted["last_name"][:3])):
            asked = {by: part}
            found = self.call("GET", "/patients", **asked)["patients"]
            assert ids(found) == ids(each for each in patients if part.lower() in each[by].lower())

    @rule(which=which, by=st.sampled_from(tuple(SEARCHES)))
    def fetch_patients(self, which: int, by: str) -> None:
        self.settle()
        self.read_live(self.books.in_the_ehr()[which % len(self.books.in_the_ehr())], by)

    def read_live(self, wanted: Json, by: str = "mrn") -> None:
        """Whoever is like somebody, in one way. Whether the letter case of names counts is not told."""
        search = {name: wanted[name] for name in SEARCHES[by]}
        body = {"search_by": by, **search, "include": ["insurances"]}
        alike = [each for each in self.books.in_the_ehr() if all(each[name] == search[name] for name in search)]
        near = [each for each in self.books.in_the_ehr() if by == "name" and identity(each)[:2] == identity(wanted)[:2]]
        reply = self.call("POST", "/patients/fetch", body)
        self.submitted(reply, partial(self.patients_are_fetched, ids(alike), ids([*alike, *near])))
        self.settle()

    def patients_are_fetched(self, alike: list[str], near: list[str], event: Json) -> None:
        found = event["data"]["patients"]
        rows = {self.books.with_mrn(row["mrn"])["id"]: row for row in found}
        assert event["data"]["success"] is True
        assert event["data"]["patient_count"] == len(found) == len(rows)
        assert set(alike) <= rows.keys() <= set(near)
        for id, row in rows.items():
            self.demand_insurances(self.books.patients[id], row["insurances"])
        self.compare(LIVE, rows, {id: fetched_patient(self.books.patients[id]) for id in rows})

    # Insurances ------------------------------------------------------------------------------------------------------

    def demand_insurances(self, patient: Json, rows: list[Json]) -> None:
        """With the insurance with which somebody arrived, whose id in the EHR is only told here."""
        told = {
            row["emr_insurance_id"]: {**row, "copayment": row["copayment"] and float(row["copayment"])} for row in rows
        }
        known = patient["insurances"]
        if patient.get("sent"):
            (id,) = told.keys() - known.keys()
            known[id] = {"emr_insurance_id": id, "priority": 1, **patient.pop("sent")}
        assert told.keys() == known.keys()
        assert shows(known, told), (known, told)

    @rule(which=which, told=insurances(), as_text=st.booleans(), refused=seldom)
    def add_an_insurance(self, which: int, told: tuple[Json, Json], *, as_text: bool, refused: bool) -> None:
        """As the first, the second or the third; which one it is without a priority is the EHR's to say."""
        body, shown = told
        patient = self.books.in_the_ehr()[which % len(self.books.in_the_ehr())]
        self.settle()
        self.read_live(patient)
        used = {each["priority"] for each in patient["insurances"].values()}
        for priority in sorted({1, 2, 3} - used)[:1]:
            self.order_a_refusal("patient.insurance.added", refused=refused)
            sent = {**body, "priority": str(priority) if as_text else priority}
            reply = self.call("POST", f"/patients/{patient['mrn']}/insurances", sent)
            insurance = {**shown, "priority": priority}
            self.await_insurance("added", patient, insurance, reply, refused=refused)

    @rule(which=which, told=insurance_changes(), refused=seldom)
    def change_an_insurance(self, which: int, told: tuple[Json, Json], *, refused: bool) -> None:
        body, shown = told
        insured = [each for each in self.books.in_the_ehr() if each["insurances"]]
        patient = insured[which % len(insured)]
        insurance = self.one_of(patient["insurances"], which)
        self.order_a_refusal("patient.insurance.updated", refused=refused)
        reply = self.call("PATCH", f"/patients/{patient['mrn']}/insurances/{insurance['emr_insurance_id']}", body)
        self.await_insurance("updated", patient, {**insurance, **shown}, reply, refused=refused)

    def await_insurance(self, done: str, patient: Json, insurance: Json, reply: Json, *, refused: bool) -> None:
        cobalt_id = reply["patient_insurance_id"]
        self.submitted(reply, partial(self.insurance_is_written, done, patient, insurance, cobalt_id, refused=refused))
        self.settle()
        self.read_live(patient)

    def insurance_is_written(
        self, done: str, patient: Json, insurance: Json, cobalt_id: str, event: Json, *, refused: bool
    ) -> None:
        if refused:
            demand_failure(event, "patient.insurance.failed", patient_insurance_id=cobalt_id)
            return
        id = event["data"]["emr_insurance_id"]
        assert event["event_type"] == f"patient.insurance.{done}"
        assert insurance.get("emr_insurance_id", id) == id
        assert (id in patient["insurances"]) == (done == "updated")
        self.touch(patient)
        patient["insurances"][id] = {**insurance, "emr_insurance_id": id}

    # Appointments ----------------------------------------------------------------------------------------------------

    @rule(which=which, told=bookings(), start=starts, form=forms)
    def book(self, which: int, told: tuple[Json, Json], start: datetime, form: str) -> None:
        """At any time, and sometimes for somebody whom the EHR does not know."""
        if self.books.is_guarded():
            self.settle()
        mrns = [*(each["mrn"] for each in self.books.in_the_ehr()), "NOBODY"]
        self.submit_appointment(mrns[which % len(mrns)], start, form, *told, guarded=False)

    @rule(which=which, told=bookings(), edge=st.sampled_from((0, 1)), minutes=st.sampled_from((-15, 0, 15)), form=forms)
    def book_what_may_be_taken(self, which: int, told: tuple[Json, Json], edge: int, minutes: int, form: str) -> None:
        """Near to where something begins or ends, provided that it does not become a double booking.

        Whether a visit that is itself on its way would be in the way is not told: so none is.
        """
        self.settle()
        taken = list(self.books.taken(told[0]["provider"]))
        start = local(taken[which % len(taken)][edge] + timedelta(minutes=minutes))
        patient = self.books.in_the_ehr()[which % len(self.books.in_the_ehr())]
        self.submit_appointment(patient["mrn"], start, form, *told, guarded=True)

    def submit_appointment(
        self, mrn: str, start: datetime, form: str, body: Json, shown: Json, *, guarded: bool
    ) -> None:
        asked = {"prevent_double_booking": "true"} if guarded else {}
        reply = self.call("POST", "/appointments", {"mrn": mrn, **body, **when(start, form), **asked})
        assert reply["appointment_id"] not in self.books.appointments
        appointment = new_appointment(
            shown,
            id=reply["appointment_id"],
            ehr_appointment_id=None,
            datetime=when(start, "local")["datetime"],
            status="pending",
            patient_mrn=mrn,
            source="cobalt_operation",
            job=reply["job_id"],
            guarded=guarded,
        )
        self.books.appointments[appointment["id"]] = appointment
        self.submitted(reply, partial(self.appointment_is_booked, appointment))

    def appointment_is_booked(self, appointment: Json, event: Json) -> None:
        self.touch(appointment)
        del appointment["ehr_appointment_id"]
        mrn = appointment["patient_mrn"]
        conflicts = self.books.conflicts(appointment) if appointment["guarded"] else []
        if conflicts or not self.books.knows(mrn):
            demand_failure(event, "appointment.failed", appointment_id=appointment["id"], mrn=mrn)
            appointment["status"] = "failed"
            assert ("conflict_type" in event["data"]) == ("conflict_details" in event["data"]) == bool(conflicts)
            assert not conflicts or named(event["data"]["conflict_details"]) in conflicts
        else:
            assert event["event_type"] == "appointment.created"
            assert instant(event["data"].pop("date_time")) == instant(appointment["datetime"])
            told = {"appointment_id": appointment["id"], "mrn": mrn, "provider_id": appointment["provider_ehr_id"]}
            told["secondary_provider_id"] = appointment["secondary_provider_ehr_id"]
            assert shows(told, event["data"])
            appointment["status"] = "scheduled"

    @rule(which=which, status=st.sampled_from((None, *STATUSES)), told=amendments, refused=seldom)
    def change_an_appointment(self, which: int, status: str | None, told: tuple[Json, Json], *, refused: bool) -> None:
        appointment = self.one_of(self.books.appointments, which)
        if appointment["status"] in ("pending", "failed"):
            self.amend_an_appointment(appointment, *told)
            return
        changes = {"note": f"Note {which}"} if status is None else {"status": status}
        self.order_a_refusal("appointment.updated", refused=refused)
        reply = self.call("PATCH", f"/appointments/{appointment['id']}", changes)
        shown = changes if status is None else {"status": STATUSES[status]}
        changed = partial(self.appointment_is_changed, appointment, {} if refused else shown, refused=refused)
        self.submitted(reply, changed)
        self.settle()

    def amend_an_appointment(self, appointment: Json, body: Json, shown: Json) -> None:
        """One that the EHR does not have yet; once that failed, it is tried again (D82)."""
        failed = appointment["status"] == "failed"
        if failed:
            self.settle()
        reply = self.call("PATCH", f"/appointments/{appointment['id']}", body)
        self.touch(appointment)
        appointment |= shown
        if failed:
            appointment["ehr_appointment_id"] = None
            self.submitted(reply, partial(self.appointment_is_booked, appointment))
            self.settle()
        else:
            assert reply["job_id"] == appointment["job"]

    def appointment_is_changed(self, appointment: Json, changes: Json, event: Json, *, refused: bool) -> None:
        self.touch(appointment)
        appointment |= changes
        if refused:
            demand_failure(event, "appointment.failed", appointment_id=appointment["id"])
            return
        assert event["event_type"] == "appointment.updated"
        shown = {name: appointment[name] for name in ("id", "patient_mrn", "status", "duration", "appointment_type")}
        assert shows(shown, event["data"])
        assert instant(event["data"]["datetime"]) == instant(appointment["datetime"])

    @rule(which=which)
    def look_for_appointments(self, which: int) -> None:
        wanted = self.one_of(self.books.appointments, which)
        all_of_them = self.books.appointments.values()
        day = str(local_day(wanted))
        found = self.call("GET", "/appointments", start_date=day, end_date=day)["appointments"]
        assert ids(found) == ids(each for each in all_of_them if str(local_day(each)) == day)
        assert self.page_by_page("appointments", **DAYS) == self.call("GET", "/appointments", **DAYS)["appointments"]
        mrn = wanted["patient_mrn"]
        found = self.call("GET", "/appointments", **DAYS, patient_mrn=mrn)["appointments"]
        assert ids(found) == ids(each for each in all_of_them if each["patient_mrn"] == mrn)

    @rule(which=which, search_by=st.sampled_from(LIVE_FETCHES))
    def fetch_appointments(self, which: int, search_by: str) -> None:
        """What is in the EHR, and as it is listed (D93)."""
        self.settle()
        self.appointments_are_listed_and_shown_as_written()
        wanted = self.one_of(self.books.appointments, which)
        mrn, provider = wanted["patient_mrn"], wanted["provider_ehr_id"]
        limits: dict[str, Json] = {
            "date_range": DAYS,
            "mrn": {"mrn": mrn},
            "provider": {**DAYS, "provider_ids": [provider]},
        }
        reply = self.call("POST", "/appointments/fetch", {"search_by": search_by, **limits[search_by]})
        expected = {
            id: self.last["appointment", id]
            for id, each in self.books.appointments.items()
            if each["status"] != "failed"
            and (search_by != "mrn" or each["patient_mrn"] == mrn)
            and (search_by != "provider" or each["provider_ehr_id"] == provider)
        }
        self.submitted(reply, partial(self.appointments_are_fetched, expected))

    def appointments_are_fetched(self, expected: Json, event: Json) -> None:
        rows = {row["id"]: {**row, "datetime": instant(row["datetime"])} for row in event["data"]["appointments"]}
        assert event["data"]["success"] is True
        assert event["data"]["appointment_count"] == len(rows)
        assert rows.keys() == expected.keys()
        assert shows(expected, rows), (expected, rows)

    # Providers and locations -----------------------------------------------------------------------------------------

    @rule(
        which=which,
        path=st.sampled_from(("/providers/{0}", "/providers/{1}", "/providers/ehr/{2}")),
        told=provider_changes(),
    )
    def change_a_provider(self, which: int, path: str, told: tuple[Json, Json]) -> None:
        body, shown = told
        provider = self.one_of(self.books.providers, which)
        named = path.format(provider["id"], UUID(provider["id"]), provider["ehr_id"])
        assert self.call("PATCH", named, body)["provider_id"] == provider["id"]
        self.touch(provider)
        provider |= shown

    @rule(which=which, status=st.sampled_from(("active", "ACTIVE", "inactive")))
    def change_a_location(self, which: int, status: str) -> None:
        location = self.one_of(self.books.locations, which)
        assert self.call("PATCH", f"/locations/{location['id']}", {"status": status})["location_id"] == location["id"]
        self.touch(location)
        location["status"] = status.lower()

    # What holds after each step --------------------------------------------------------------------------------------

    def touch(self, record: Json) -> None:
        """It was written: it need not look as it did. An appointment may show what is written of its patient."""
        touched = {record["id"]}
        mrn = record.get("mrn")
        touched |= {id for id, each in self.books.appointments.items() if mrn and each["patient_mrn"] == mrn}
        self.last = {key: row for key, row in self.last.items() if key[1] not in touched}

    def compare(self, kind: str, rows: Mapping[str, Json], expected: Mapping[str, Json]) -> None:
        """What was written is read; what was not is as it was, to the last key."""
        assert rows.keys() == expected.keys()
        for id, row in rows.items():
            assert shows(expected[id], row), (expected[id], row)
            assert self.last.get((kind, id), row) == row
            self.last[kind, id] = row

    def read(self) -> None:
        self.read_lists()
        self.read_live(self.books.with_mrn("100"))

    def read_lists(self) -> None:
        self.patients_are_listed_as_written()
        self.appointments_are_listed_and_shown_as_written()
        self.providers_and_locations_are_listed_as_written()
        self.what_is_free_is_available()

    @invariant()
    def patients_are_listed_as_written(self) -> None:
        reply = self.call("GET", "/patients", page_size=100)
        rows = {row["id"]: row for row in reply["patients"]}
        assert reply["pagination"]["total_count"] == len(reply["patients"]) == len(rows)
        sorted_by = [(row["last_name"].lower(), row["first_name"].lower()) for row in reply["patients"]]
        assert sorted_by == sorted(sorted_by)
        self.compare("patient", rows, {id: listed_patient(each) for id, each in self.books.patients.items()})

    @invariant()
    def appointments_are_listed_and_shown_as_written(self) -> None:
        found = self.call("GET", "/appointments", **DAYS)["appointments"]
        rows = {row["id"]: {**row, "datetime": instant(row["datetime"])} for row in found}
        begins = [instant(row["datetime"]) for row in found]
        assert begins == sorted(begins)
        written = [id for id in rows if ("appointment", id) not in self.last]
        self.compare(
            "appointment", rows, {id: listed_appointment(each) for id, each in self.books.appointments.items()}
        )
        for id, each in self.books.appointments.items():
            each.setdefault("ehr_appointment_id", rows[id]["ehr_appointment_id"])
        for id in {next(iter(rows)), *written}:
            shown = self.call("GET", f"/appointments/{id}")["appointments"]
            assert shows(rows[id], {**shown, "datetime": instant(shown["datetime"])})
        in_the_ehr = [row["ehr_appointment_id"] for row in rows.values() if row["status"] not in ("pending", "failed")]
        assert len(set(in_the_ehr) - {None}) == len(in_the_ehr)

    @invariant()
    def providers_and_locations_are_listed_as_written(self) -> None:
        providers = self.call("GET", "/providers")["providers"]
        shown = {id: listed_provider(each) for id, each in self.books.providers.items()}
        assert {row["id"]: listed_provider(row) for row in providers} == shown
        self.compare("provider", {row["id"]: row for row in providers}, {id: {"id": id} for id in shown})
        locations = self.call("GET", "/locations")["locations"]
        self.compare("location", {row["id"]: row for row in locations}, self.books.locations)

    @invariant()
    def what_is_free_is_available(self) -> None:
        """Whatever is booked, pending or not, is gone; what was cancelled or failed is back; a changed schedule is followed."""
        assisting = {**DAYS, "provider_type": "secondary", "provider_ids": ASSISTANT}
        for query in (DAYS, assisting):
            rows = self.call("GET", "/availability", **query)["results"]["availability"]
            assert sorted(map(to_json, rows)) == sorted(map(to_json, self.books.free_time(query)))

    def all_of(self, token: str) -> list[Json]:
        lists = ("/patients", "/providers", "/locations", "/webhook-events")
        every = [self.call("GET", path, token=token) for path in lists]
        return every + [self.call("GET", path, token=token, **DAYS) for path in ("/appointments", "/availability")]


def ids(rows: Iterable[Json]) -> list[str]:
    return sorted(row["id"] for row in rows)


def local(moment: datetime) -> datetime:
    """What the clinic's clock shows."""
    return moment.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)


def local_day(appointment: Json) -> date:
    return local(instant(appointment["datetime"])).date()


def named(details: Json) -> tuple[Any, ...]:
    """The times that the details of a conflict name, whatever their keys are called: tests must not pin them (D65)."""
    times = []
    for value in details.values():
        try:
            times.append(instant(value))
        except (TypeError, ValueError):
            continue
    return tuple(sorted(times))


def test_what_was_written_is_read(sandbox: Sandbox) -> None:
    bounds = settings(max_examples=tries(10), stateful_step_count=40)
    run_state_machine_as_test(lambda: Readback(sandbox), settings=bounds)  # type: ignore[arg-type]  # a factory will do

"""Tasks: https://docs.usecobalt.com/api-reference/tasks/create and …/tasks/notes/create"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, cast

from pydantic import ValidationInfo, model_validator

from cobalt_sandbox.ehr import unknown
from cobalt_sandbox.ehr.clinical import TaskNote
from cobalt_sandbox.ehr.people import Task, colleague
from cobalt_sandbox.endpoint import Reply, endpoint
from cobalt_sandbox.events import Event, Reason, failure_reason
from cobalt_sandbox.fields import Required
from cobalt_sandbox.jobs import Refused
from cobalt_sandbox.validation import FIRST_FIELD, Body, Says, complaint
from cobalt_sandbox.world import Practice

# Create Task -----------------------------------------------------------------------------------------------------


class NewTask(Body, missing=FIRST_FIELD):
    """Besides the first two, the EHR of the practice requires some combination of the next three (D204)."""

    description: Required
    patient_mrn: Required
    subject: str | None = None
    assignee_user_id: str | None = None
    phone_call_type_id: str | None = None
    notify_list: Annotated[list[str] | None, Says("notify_list must be an array of strings.")] = None

    @model_validator(mode="before")
    @classmethod
    def _required_by_the_ehr(cls, sent: Any, info: ValidationInfo) -> Any:
        if isinstance(sent, dict):
            names = ("description", "patient_mrn", *_conditional(cast("Practice", info.context), sent))
            if missing := [name for name in names if sent.get(name) in (None, "")]:
                raise complaint(FIRST_FIELD.format(first=missing[0]))
        return sent


def _conditional(practice: Practice, sent: dict[str, Any]) -> tuple[str, ...]:
    """What is required of this practice; if it does not say, one of two combinations (D204)."""
    names = practice.profile.options.task_required_fields
    if names is not None:
        return names
    return ("subject", "assignee_user_id") if sent.get("phone_call_type_id") in (None, "") else ()


class TaskQueued(Reply):
    message: str
    task_id: str
    job_id: int


class TaskCreated(Event, type="task.created"):
    """The page is known up to ``description`` (D206)."""

    task_id: str
    emr_task_id: str
    subject: str | None
    description: str
    assignee_user_id: str | None
    patient_mrn: str


class TaskFailed(Event, type="task.failed"):
    task_id: str
    patient_mrn: str
    failure_reason: str
    reasons: list[Reason]


@endpoint("POST /tasks", emits=(TaskCreated, TaskFailed), takes=(5, 30))
def create(practice: Practice, body: NewTask) -> TaskQueued:
    """Create Task"""
    task = practice.table(Task).add(
        Task(
            id=practice.new_id(Task),
            patient_mrn=body.patient_mrn,
            subject=body.subject or None,
            description=body.description,
            status="pending",
            assignee_user_id=body.assignee_user_id or None,
            phone_call_type_id=body.phone_call_type_id or None,
            notify_list=tuple(body.notify_list or ()),
        )
    )
    return TaskQueued(
        message="Task processing. A webhook event will be sent upon completion.",
        task_id=task.id,
        job_id=practice.submit(create, task.id),
    )


@create.ehr
def apply(practice: Practice, task_id: str) -> TaskCreated:
    """Open the task for its patient, unless one of those who are named is not known there."""
    tasks = practice.table(Task)
    pending = tasks.the(task_id)
    if reasons := list(_unknown(practice, pending)):
        raise Refused(*reasons)
    task = tasks.replace(pending, emr_task_id=practice.stream("emr task ids").uuid(), status="open")
    return TaskCreated(
        task_id=task.id,
        emr_task_id=task.emr_task_id or "",
        subject=task.subject,
        description=task.description or "",
        assignee_user_id=task.assignee_user_id,
        patient_mrn=task.patient_mrn or "",
    )


def _unknown(practice: Practice, task: Task) -> Iterator[Reason]:
    yield from unknown.patient(practice, task.patient_mrn)
    assignee = task.assignee_user_id
    if assignee is not None and colleague(practice, assignee) is None:
        yield Reason(code="ASSIGNEE_NOT_FOUND", description=f"Assignee {assignee} not found.")


@create.refused
def refuse(practice: Practice, task_id: str, reasons: Sequence[Reason]) -> TaskFailed:
    tasks = practice.table(Task)
    task = tasks.replace(tasks.the(task_id), status="failed")
    return TaskFailed(
        task_id=task.id,
        patient_mrn=task.patient_mrn or "",
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )


# Create Task Note ------------------------------------------------------------------------------------------------


class NewTaskNote(Body, missing=FIRST_FIELD, extra="forbid"):
    emr_task_id: Required
    note: Required


class TaskNoteQueued(Reply):
    message: str
    task_note_id: str
    job_id: int


class TaskNoteCreated(Event, type="task_note.created"):
    task_note_id: str
    emr_task_id: str


class TaskNoteFailed(Event, type="task_note.failed"):
    task_note_id: str
    emr_task_id: str
    failure_reason: str
    reasons: list[Reason]


@endpoint("POST /tasks/notes", emits=(TaskNoteCreated, TaskNoteFailed), takes=(5, 30))
def create_note(practice: Practice, body: NewTaskNote) -> TaskNoteQueued:
    """Create Task Note"""
    note = practice.table(TaskNote).add(
        TaskNote(id=practice.new_id(TaskNote), emr_task_id=body.emr_task_id, note=body.note, status="pending")
    )
    return TaskNoteQueued(
        message="Task note processing. A webhook event will be sent upon completion.",
        task_note_id=note.id,
        job_id=practice.submit(create_note, note.id),
    )


@create_note.ehr
def append(practice: Practice, task_note_id: str) -> TaskNoteCreated:
    """Put the note after those that the task has."""
    notes, tasks = practice.table(TaskNote), practice.table(Task)
    pending = notes.the(task_note_id)
    task = tasks.first("emr_task_id", pending.emr_task_id)
    if task is None:
        raise Refused(Reason(code="TASK_NOT_FOUND", description=f"Task {pending.emr_task_id} not found."))
    tasks.replace(task, notes=(*task.notes, pending.note))
    notes.replace(pending, status="created")
    return TaskNoteCreated(task_note_id=pending.id, emr_task_id=pending.emr_task_id)


@create_note.refused
def leave_out(practice: Practice, task_note_id: str, reasons: Sequence[Reason]) -> TaskNoteFailed:
    notes = practice.table(TaskNote)
    note = notes.replace(notes.the(task_note_id), status="failed")
    return TaskNoteFailed(
        task_note_id=note.id,
        emr_task_id=note.emr_task_id,
        failure_reason=failure_reason(reasons),
        reasons=list(reasons),
    )

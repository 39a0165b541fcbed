"""The files of a practice: taken in while there is room, kept once the EHR has them, thrown away when it has refused."""

from __future__ import annotations

from typing import Any

from cobalt_sandbox.ehr.clinical import Document
from cobalt_sandbox.errors import TooManyBytes
from cobalt_sandbox.filenames import is_media_type, type_of
from cobalt_sandbox.world import Practice


def demand_room(practice: Practice, size: int) -> None:
    """Refuse before anything is written, when so many bytes more do not fit."""
    bound = practice.bounds.document_bytes
    if practice.table(Document).weight + size > bound:
        raise TooManyBytes(size=size, bound=bound)


def take_in(
    practice: Practice, filename: str, content: bytes, *, told_type: str | None = None, **more: Any
) -> Document:
    """A file on its way to the EHR. Its type is what its sender called it, else what its name tells."""
    kind = told_type if told_type is not None and is_media_type(told_type) else type_of(filename)
    return practice.table(Document).add(
        Document(
            id=practice.new_id(Document),
            filename=filename,
            content_type=kind,
            content=content,
            status="pending",
            **more,
        )
    )


def keep(practice: Practice, document_id: str) -> Document:
    documents = practice.table(Document)
    return documents.replace(documents.the(document_id), status="created")


def throw_away(practice: Practice, document_id: str) -> Document:
    documents = practice.table(Document)
    return documents.replace(documents.the(document_id), status="failed", content=b"")

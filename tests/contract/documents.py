"""The contract files: the documents, the families, and the exchanges."""

from __future__ import annotations

from pathlib import Path

from cobalt_sandbox.contracts import (
    FILES,
    Json,
    decisions,
    events,
    exchanges,
    facts,
    inlined,
    of_any_call,
    operations,
    value_at,
)

__all__ = [
    "FOLDER",
    "MARKS",
    "Json",
    "decisions",
    "events",
    "exchanges",
    "facts",
    "families",
    "files",
    "inlined",
    "of_any_call",
    "operations",
    "value_at",
]

FOLDER = Path(__file__).parents[2] / "contracts"
MARKS = ("seed", "doc", "older", "inferred")


def files() -> dict[str, Json]:
    """The OpenAPI documents by file name."""
    return {path.name: FILES[path.name] for path in sorted(FOLDER.glob("*.json")) if path.name != "decisions.json"}


def families() -> dict[str, Json]:
    return {name: document for name, document in files().items() if "paths" in document and name != "openapi.json"}

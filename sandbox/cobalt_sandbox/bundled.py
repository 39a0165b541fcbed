"""What the package carries beside its code: fixtures, contracts and pages, found in a wheel and in a checkout alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """``fixtures``, ``contracts`` or ``pages/link``: inside the package when it is installed, at the root of a checkout otherwise."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent.parent / name


def fixture_names() -> list[str]:
    return sorted(path.stem for path in folder("fixtures").glob("*.json"))


def fixture_document(name: str) -> Mapping[str, Any]:
    """The JSON of a bundled fixture. Raises FileNotFoundError."""
    document: Mapping[str, Any] = from_json((folder("fixtures") / f"{name}.json").read_bytes())
    return document

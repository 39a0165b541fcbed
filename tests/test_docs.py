"""The README says what the code and the contracts say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import readme

EMPTY = "".join(f"<!-- {name}:begin -->\n<!-- {name}:end -->\n" for name in ("endpoints", "guesses"))


def test_the_tables_of_the_readme_are_up_to_date() -> None:
    text = readme.README.read_text()
    assert readme.updated(text) == text, "run: make docs"


def test_every_endpoint_has_a_row_and_every_guess_a_reason() -> None:
    assert (
        "| `POST /v1/referrals` | Create Referral | `referral.created`, `referral.failed` | seed |"
        in readme.endpoints()
    )
    assert "400 wrong-type (D13)" in readme.guesses()


def test_stale_tables_are_found_and_rewritten(tmp_path: Path) -> None:
    stale = tmp_path / "README.md"
    stale.write_text(EMPTY)
    assert readme.main([], stale) == 1
    assert readme.main(["--write"], stale) == 0
    assert readme.main([], stale) == 0


def test_a_readme_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="the README has no <!-- endpoints:begin -->"):
        readme.updated("# cobalt-sandbox")


def test_the_script_checks_unless_it_is_told_to_write() -> None:
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(readme.__file__, run_name="__main__")
    assert ended.value.code == 0

"""What is missing skips a test on a developer's machine, and fails it on CI."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser.equipment import packages, program

ON_CI = {"CI": "true"}


def test_a_program_is_found() -> None:
    assert Path(program("sh", environment=ON_CI)).name == "sh"


def test_the_next_best_is_taken_for_one_that_is_missing() -> None:
    assert program("no-such-browser", "sh", environment=ON_CI) == program("sh")


def test_without_a_program_a_test_is_skipped() -> None:
    with pytest.raises(pytest.skip.Exception, match="needs no-such-browser, which is not installed"):
        program("no-such-browser", environment={})


def test_without_a_program_ci_fails() -> None:
    with pytest.raises(pytest.fail.Exception, match="needs no-such-browser or none-either, which is not installed"):
        program("no-such-browser", "none-either", environment=ON_CI)


def test_without_a_package_ci_fails(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="npm cannot install"):
        packages(tmp_path, (str(tmp_path / "no-such-folder"),), ON_CI)

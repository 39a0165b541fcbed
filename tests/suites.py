"""Suites that know nothing of this one, run by a pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PYTEST = (sys.executable, "-m", "pytest", "-c", os.devnull, "--noconftest", "-p", "no:cacheprovider")


def alone() -> dict[str, str]:
    """Other plugins stay outside, and so does what is set for the sandbox where this suite runs."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("COBALT_SANDBOX_")}
    return {**ours, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def ran(folder: Path, *arguments: str, **environment: str) -> str:
    """What pytest prints of the suites in a folder."""
    command = [*PYTEST, f"--rootdir={folder}", *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**alone(), **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr

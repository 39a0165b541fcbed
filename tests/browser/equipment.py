"""What these tests need beside Python: a browser of the machine's, and packages from npm, which are never committed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

#: The browser; the one without a window is the same but for what shows it, and takes a third of the time.
CHROMIUM = ("chromium-headless-shell", "chromium")
#: The checker of accessibility, and what a client's page in React is made of.
PACKAGES = ("axe-core@4", "react@18", "react-dom@18")


def program(*names: str, environment: Mapping[str, str] = os.environ) -> str:
    """The path of the first that there is. Without any the test that asks is skipped, and fails on CI, which must have one."""
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        missing(f"this test needs {' or '.join(names)}, which is not installed", environment)
    return path


def packages(folder: Path, names: tuple[str, ...] = PACKAGES, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder with the modules that npm has put there, those that it remembers without a network."""
    quietly = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error")
    command = [program("npm", environment=environment), "install", *quietly, "--prefix", str(folder), *names]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        missing(f"npm cannot install {' '.join(names)}: {done.stderr.strip()}", environment)
    return folder / "node_modules"


def missing(what: str, environment: Mapping[str, str]) -> NoReturn:
    if environment.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)

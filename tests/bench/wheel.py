"""The built wheel, installed in a virtual environment of its own, and the README's suite beside it: ``make wheel``.

It needs the package index. Every test but the first has to take less than a second, with what it sets up and tears down.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from zipfile import ZipFile

import readme

ROOT = readme.README.parent
SLOWEST = 1.0
#: Nothing of the environment that runs this: what is installed there must not be found.
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if name != "PYTHONPATH" and not name.startswith(("COBALT_", "COVERAGE_"))
}


def run(*command: str | Path, folder: Path) -> str:
    return subprocess.run(command, cwd=folder, env=CLEAN, check=True, stdout=subprocess.PIPE, text=True).stdout


def installed(folder: Path) -> Path:
    """Build, look into the wheel, and install it with what the suite needs. Returns the folder of the commands."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT, folder=folder)
    [wheel] = folder.glob("*.whl")
    carried = set(ZipFile(wheel).namelist())
    for name in ("contracts", "fixtures"):
        for path in (ROOT / name).rglob("*.json"):
            assert f"cobalt_sandbox/{path.relative_to(ROOT)}" in carried, path
    print(f"{wheel.name}: {wheel.stat().st_size / 1024:.0f} KiB, with contracts and fixtures")
    run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    commands = folder / "venv" / "bin"
    run(commands / "python", *pip[1:], "install", wheel, "pytest", "requests", folder=folder)
    return commands


def seconds_of_tests(output: str) -> dict[str, float]:
    """Each test's, with what it sets up and tears down, in the order in which they ran."""
    seconds: dict[str, float] = defaultdict(float)
    for name in re.findall(r"^\S+::(\S+) PASSED", output, re.MULTILINE):
        seconds[name] = 0.0
    for taken, name in re.findall(r"^([\d.]+)s (?:setup|call|teardown) +\S+::(\S+)$", output, re.MULTILINE):
        seconds[name] += float(taken)
    return seconds


def start(pytest: Path, folder: Path, *arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([pytest, *arguments], cwd=folder, env=CLEAN, check=False, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pytest = installed(folder) / "pytest"
        suite, empty = folder / "suite", folder / "empty"
        empty.mkdir()
        readme.write_suites(readme.README.read_text(), suite)
        output = run(pytest, "-vv", "--durations=0", folder=suite)
        seconds = seconds_of_tests(output)
        for test, taken in seconds.items():
            print(f"  {test}: {taken:.2f} s")
        for what, arguments in {"--version": ["--version"], "an empty suite": ["-q"]}.items():
            pairs = [
                (start(pytest, empty, *arguments), start(pytest, empty, *arguments, "-p", "no:cobalt"))
                for _ in range(9)
            ]
            with_it, without = (median(column) * 1000 for column in zip(*pairs, strict=True))
            print(f"pytest, {what}: {with_it:.0f} ms, without the plugin {without:.0f} ms")
    return int(not seconds or max(list(seconds.values())[1:]) >= SLOWEST)


if __name__ == "__main__":
    sys.exit(main())

"""Holds worlds and generations apart under load: 16 workers of pytest-xdist on one server, 100 tests each, ten times over.

``make crowd``; for other numbers ``ROUNDS WORKERS TESTS``, which is how many tests each worker has.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from cobalt_sandbox.client import Control

SUITE = Path(__file__).parents[1] / "clients" / "plugin" / "isolation.py"
SERVE = (sys.executable, "-c", "from cobalt_sandbox.cli import main; main()", "serve", "--port=0", "--clock=frozen")
PLUGINS = ("-p", "no:cacheprovider", "-p", "cobalt", "-p", "xdist")
ENVIRONMENT = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def played(url: str, order: int, workers: int, tests: int) -> bool:
    """Whether all tests have passed, in an order of their own."""
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--noconftest", f"--rootdir={SUITE.parent}"]
    arguments = [*PLUGINS, f"-n{workers}", f"--cobalt-url={url}", str(SUITE)]
    wanted = {"ISOLATION_TESTS": str(workers * tests), "ISOLATION_ORDER": str(order)}
    started = time.perf_counter()
    done = subprocess.run(
        [*command, *arguments], env={**ENVIRONMENT, **wanted}, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    said = done.stdout.rstrip().splitlines() or [done.stderr]
    print(f"order {order:2}: {re.sub(' in .*', '', said[-1].strip('= '))}, {seconds:.1f} s", flush=True)
    if done.returncode:
        print(done.stdout, done.stderr)
    return done.returncode == 0


def main(rounds: int = 10, workers: int = 16, tests: int = 100) -> int:
    with subprocess.Popen(SERVE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        try:
            passed = [played(url, order, workers, tests) for order in range(rounds)]
            worlds = Control(url).call("GET", "/readyz")["worlds"]
        finally:
            server.terminate()
    print(f"{sum(passed)} of {rounds} rounds passed; {worlds} world is left, the default one")
    return 0 if all(passed) and worlds == 1 else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))

"""The README says what the code and the contracts say, and what it tells a reader to run, runs."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

import readme
from cobalt_sandbox import Receiver, Sandbox
from commands import COMMAND
from suites import ran

TEXT = readme.README.read_text()
EMPTY = "".join(f"<!-- {name}:begin -->\n<!-- {name}:end -->\n" for name in ("endpoints", "guesses"))


def test_the_tables_of_the_readme_are_up_to_date() -> None:
    assert readme.updated(TEXT) == TEXT, "run: make docs"


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


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def printed(block: str) -> re.Pattern[str]:
    """What the README prints, with … for what differs each time."""
    return re.compile(re.escape(block.strip()).replace("…", ".+"))


def test_the_shell_blocks_run_and_answer_what_is_printed_below_them() -> None:
    commands = "".join(line for line in "".join(blocks("sh")).splitlines(keepends=True) if not line.startswith("make "))
    [reply], [webhook] = blocks("json"), blocks("http")
    head, _, body = webhook.partition("\n\n")
    with Sandbox() as sandbox, Receiver() as receiver:
        here = commands.replace("http://127.0.0.1:8462", sandbox.url)
        here = here.replace("http://127.0.0.1:9000/webhook", receiver.url)
        said = subprocess.run(["bash", "-euc", here], check=True, capture_output=True, text=True, timeout=30).stdout
        [received] = receiver.received
    assert printed(reply).search(said)
    assert '"type":"referral.created"' in said
    assert printed(body).fullmatch(received.body.decode())
    assert [line.split(":")[0] for line in head.splitlines()[1:]] == [
        name for name in received.headers if name not in ("host", "content-length")
    ]


SUITES = readme.suites(TEXT)


@pytest.mark.parametrize("block", [block for block in blocks("python") if block not in SUITES.values()])
def test_the_python_blocks_run(block: str) -> None:
    exec(compile(block, readme.README, "exec"), {})


# Suites of tests -------------------------------------------------------------------------------------------------

NODE = Path(__file__).with_name("clients") / "node"


def outcome(folder: Path, suite: str) -> str:
    """What pytest prints of a suite."""
    (folder / "test_referrals.py").write_text(suite)
    return ran(folder, "-p", "cobalt")


def test_the_suites_can_be_had_as_files(tmp_path: Path) -> None:
    assert readme.main(["--suites", str(tmp_path)]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == SUITES
    assert set(SUITES) == {"test_referrals.py", "referrals.test.js"}


def test_the_suite_of_pytest_passes(tmp_path: Path) -> None:
    assert "4 passed" in outcome(tmp_path, SUITES["test_referrals.py"])


def test_without_settling_it_is_reported_as_printed(tmp_path: Path) -> None:
    output = outcome(tmp_path, SUITES["test_referrals.py"].replace("    cobalt.settle()\n", "", 1))
    [report] = blocks("text")
    assert "1 failed, 3 passed" in output
    assert printed(report).search(output)


def test_the_suite_of_jest_passes(tmp_path: Path) -> None:
    """With what Jest gives it, which CI installs, from the test runner of Node."""
    node = shutil.which("node")
    if node is None and not os.environ.get("CI"):  # pragma: no cover  # with node
        pytest.skip("node is not installed; CI does not do without it")
    assert node is not None
    suite = tmp_path / "referrals.test.js"
    suite.write_text(SUITES[suite.name])
    command = [str(COMMAND), "exec", "--", node, "--require", str(NODE / "jest.cjs"), "--test-reporter=tap", str(suite)]
    assert "# pass 1\n" in subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def test_the_service_of_github_is_the_one_of_the_workflow() -> None:
    workflow = (readme.README.parent / ".github/workflows/service-container.yml").read_text()
    assert [block for block in blocks("yaml") if block.rstrip() not in workflow] == []


def test_every_make_target_it_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (readme.README.parent / "Makefile").read_text(), re.MULTILINE))
    contributing = (readme.README.parent / ".github/CONTRIBUTING.md").read_text()
    assert set(re.findall(r"(?:^|[`$] ?)make ([a-z]+)", TEXT + contributing, re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", ["README.md", "contracts/README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md"])
def test_every_relative_link_leads_somewhere(page: str) -> None:
    path = readme.README.parent / page
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text())
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []

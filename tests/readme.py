"""Derives the tables of the README: what is served, and which of it is a guess. ``--write`` puts them there.

``--suites FOLDER`` writes the suites of tests that it shows, so that they can be run.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from cobalt_sandbox import fidelity
from cobalt_sandbox.app import DOCUMENTED
from cobalt_sandbox.contracts import events, operations, reasons
from contract.documents import exchanges
from contract.printed import PRINTED

README = Path(__file__).parents[1] / "README.md"


def endpoints() -> str:
    """One row for each documented endpoint, in the order of the code."""
    rows = [
        f"| `{each.method} /v1{each.path}` | {operations()[name].declared['summary']} | {_emitted(name)} "
        f"| {operations()[name].declared['x-source']} |"
        for name, each in DOCUMENTED.endpoints.items()
    ]
    head = ["| call | page | events | mark |", "|---|---|---|---|"]
    held = f"{len(operations())} operations, {len(events())} events, {len(PRINTED)} messages and {len(exchanges())} exchanges"
    count = f"All {len(rows)} are served. The contract tests hold {held} against them."
    return "\n".join([*head, *rows, "", count])


def guesses() -> str:
    """Every guess, below the operation or event that it is part of, and the reasons of the decisions that they rest on."""
    found = fidelity.guesses()
    lines = [f"- **{_code(title)}**: {'; '.join(map(_told, each))}" for title, each in found.items()]
    used = {number for each in found.values() for guess in each for number in guess.decisions}
    why = [f"- **{number} {each['title']}**: {each['why']}" for number, each in reasons().items() if number in used]
    return "\n".join([*lines, "", "The decisions, each with what speaks for it:", "", *why])


def updated(text: str) -> str:
    """The README with its tables as they must be."""
    for name, table in {"endpoints": endpoints(), "guesses": guesses()}.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        before, opening, rest = text.partition(begin)
        _, closing, after = rest.partition(end)
        if not (opening and closing):
            raise ValueError(f"the README has no {begin} … {end}")
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


def suites(text: str) -> dict[str, str]:
    """The blocks that are files of tests, by their names, which stand in their first lines."""
    found = re.findall(r"^```\w+\n((?:#|//) (\S*test\S*)\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return {name: block for block, name in found}


def _emitted(name: str) -> str:
    return ", ".join(f"`{event.type}`" for event in DOCUMENTED.endpoints[name].emits)


def _code(title: str) -> str:
    return title if " " in title else f"`{title}`"


def _told(guess: fidelity.Guess) -> str:
    why = ", ".join(guess.decisions) or str(guess.reason or "").rstrip(".")
    return f"{guess.what} ({why})"


def write_suites(text: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, suite in suites(text).items():
        (folder / name).write_text(suite)


def main(arguments: list[str], readme: Path = README) -> int:
    text = readme.read_text()
    if "--suites" in arguments:
        write_suites(text, Path(arguments[-1]))
        return 0
    wanted = updated(text)
    if "--write" in arguments:
        readme.write_text(wanted)
        return 0
    return int(text != wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

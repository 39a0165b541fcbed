"""Derives the tables of the README: what is served, and which of it is a guess. ``--write`` puts them there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from cobalt_sandbox.app import DOCUMENTED
from cobalt_sandbox.resources import NOT_BUILT
from contract.documents import Json, decisions, events, facts, files, inlined, operations

README = Path(__file__).parents[1] / "README.md"
#: Keys that say where something stands in OpenAPI, but nothing about the API.
_STRUCTURE = {
    *("post", "parameters", "requestBody", "responses", "content", "application/json"),
    *("schema", "properties", "items", "allOf", "anyOf", "examples"),
}


def endpoints() -> str:
    """One row for each documented endpoint, in the order of the code; what is not built comes last."""
    rows = [
        f"| `{each.method} /v1{each.path}` | {operations()[name].declared['summary']} | {_emitted(name)} "
        f"| {operations()[name].declared['x-source']} |"
        for name, each in DOCUMENTED.endpoints.items()
    ]
    unbuilt = [f"| `{method} /v1{path}` | *not built: answers 501* | | |" for method, path in map(str.split, NOT_BUILT)]
    head = ["| call | page | events | mark |", "|---|---|---|---|"]
    count = f"{len(rows)} are served, {len(unbuilt)} are not built."
    return "\n".join([*head, *rows, *unbuilt, "", count])


def guesses() -> str:
    """Every inferred fact of the contracts, below the operation or event that it is part of."""
    sections: dict[str, Json] = {"any call": {"responses": _of_any_call()}}
    sections |= {f"`{name}`": {"post": _own(operation.declared)} for name, operation in operations().items()}
    sections |= {f"`{type}`": {"post": event} for type, event in events().items()}
    guessed = {title: list(dict.fromkeys(_guesses(section))) for title, section in sections.items()}
    return "\n".join(f"- **{title}**: {'; '.join(found)}" for title, found in guessed.items() if found)


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


def _emitted(name: str) -> str:
    return ", ".join(f"`{event.type}`" for event in DOCUMENTED.endpoints[name].emits)


def _own(declared: Json) -> Json:
    """Without the refusals that any call can meet."""
    shared = _of_any_call().values()
    responses = {status: each for status, each in declared["responses"].items() if each not in shared}
    return {**declared, "responses": responses}


def _of_any_call() -> Json:
    responses: Json = inlined(files()["common.json"], files())["components"]["responses"]
    return responses


def _guesses(section: Json) -> Iterator[str]:
    """A fact inside another guess, made for the same reason, is not said again."""
    said: dict[tuple[str, ...], str] = {}
    for place, fact in facts(section):
        why = ", ".join(decisions(fact)) or str(fact.get("x-reason", "")).rstrip(".")
        if fact.get("x-source") == "inferred":
            said[place] = why
            if all(said.get(place[:length]) != why for length in range(len(place))):
                yield f"{_title(place)} ({why})"
        elif fact.get("x-status-source") == "inferred":
            yield f"{_title(place)} as the status ({why})"


def _title(place: tuple[str, ...]) -> str:
    return " ".join(part for part in place if part and part not in _STRUCTURE) or "the whole"


def main(arguments: list[str], readme: Path = README) -> int:
    text = readme.read_text()
    wanted = updated(text)
    if "--write" in arguments:
        readme.write_text(wanted)
        return 0
    return int(text != wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

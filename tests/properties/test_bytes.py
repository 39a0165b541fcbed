"""The body of a webhook is what JavaScript makes of it: ``JSON.stringify(JSON.parse(body)) === body``, as the receivers compute it."""

from __future__ import annotations

import os
import shutil
import subprocess
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from annotated_types import Ge, Le
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import from_json
from typing_extensions import is_typeddict

from cobalt_sandbox.app import DOCUMENTED
from cobalt_sandbox.events import Envelope, Event
from properties.effort import tries

BODIES_PER_TYPE = tries(25)
#: Prints the places of the lines that are not what JavaScript would have written.
CHECK = """
const lines = require("fs").readFileSync(0, "utf8").split("\\n");
const differs = (line) => JSON.stringify(JSON.parse(line)) !== line;
console.log(JSON.stringify(lines.flatMap((line, place) => (differs(line) ? [place] : []))));
"""

#: All but halves of surrogate pairs; those that writers of JSON disagree about come often.
CHARACTERS = st.characters(codec="utf-8") | st.sampled_from(
    "\x00\x08\t\n\x0b\x0c\r\x1f\x7f\x85\"\\/<>&'\u2028\u2029\ufeff\ufffe𝄞"
)
TEXT = st.text(CHARACTERS, max_size=8)
#: Those that a number of JavaScript holds exactly.
WHOLE_NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return st.sampled_from(arguments)
    if get_origin(annotation) in (list, tuple):
        return st.lists(values_of(arguments[0]), max_size=3)
    if get_origin(annotation) in (Union, UnionType):
        return st.one_of([values_of(each) for each in arguments])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return models(annotation)
    if is_typeddict(annotation):
        return typed_dicts(annotation)
    return {str: TEXT, int: WHOLE_NUMBERS, bool: st.booleans(), NoneType: st.none()}[annotation]


def models(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    fields = {name: _within(each, values_of(each.annotation)) for name, each in model.model_fields.items()}
    required = {name: each for name, each in fields.items() if model.model_fields[name].is_required()}
    optional = {name: each for name, each in fields.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional).map(lambda given: model(**given))


def _within(field: FieldInfo, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Numbers of a field that has bounds."""
    lowest = next((each.ge for each in field.metadata if isinstance(each, Ge)), None)
    highest = next((each.le for each in field.metadata if isinstance(each, Le)), None)
    return values if lowest is None and highest is None else st.integers(lowest, highest)  # type: ignore[arg-type]  # whole numbers


def typed_dicts(kind: type[Any]) -> st.SearchStrategy[Any]:
    fields = {name: values_of(each) for name, each in get_type_hints(kind).items()}
    required = {name: each for name, each in fields.items() if name in kind.__required_keys__}
    return st.fixed_dictionaries(required, optional={name: fields[name] for name in fields.keys() - required.keys()})


def bodies_of(type: type[Event]) -> list[bytes]:
    """Some bodies of one type of event."""
    found: list[bytes] = []

    @settings(max_examples=BODIES_PER_TYPE)
    @given(
        event=models(type), id=TEXT, reference=TEXT, job_id=st.none() | WHOLE_NUMBERS, created=st.integers(0, 10**14)
    )
    def collect(event: Event, id: str, reference: str, job_id: int | None, created: int) -> None:
        found.append(Envelope(1, id, reference, created, event, job_id, "practice").body)

    collect()
    return found


def changed_by_javascript(bodies: list[bytes]) -> list[bytes]:
    node = shutil.which("node")
    if node is None and "CI" not in os.environ:
        pytest.skip("node is not installed")
    assert node is not None, "CI has node"
    ran = subprocess.run([node, "-e", CHECK], input=b"\n".join(bodies), capture_output=True, check=True)
    places: list[int] = from_json(ran.stdout)
    return [bodies[place] for place in places]


def test_javascript_reads_and_writes_every_body_to_the_same_bytes() -> None:
    bodies = [body for type in DOCUMENTED.events.values() for body in bodies_of(type)]
    assert len(bodies) > 20 * len(DOCUMENTED.events)
    assert changed_by_javascript(bodies) == []


def test_a_body_that_javascript_would_write_otherwise_is_noticed() -> None:
    bodies = [b'{"a":1}', b'{"a": 1}', b'{"a":1.0}', b'{"a":"\\u00e9"}']
    assert changed_by_javascript(bodies) == bodies[1:]


def test_without_node_the_check_is_skipped_but_in_ci_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "1")
    with pytest.raises(AssertionError, match="CI has node"):
        changed_by_javascript([])
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="node is not installed"):
        changed_by_javascript([])

"""The arrows: who may import whom, who opens connections, who reads the machine's time; read from the source."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

import cobalt_sandbox

PACKAGE = "cobalt_sandbox"
ROOT = Path(cobalt_sandbox.__file__).parent
#: What is put together from kernel and slices; every other module that lies directly in the package is the kernel.
ABOVE = {"__init__", "app", "cli", "serving"}
SLICES = ("resources", "ehr", "invention", "control", "pages", "testing", "terminal")
MOST_LINES = 350


@dataclass(frozen=True)
class Module:
    """One source file. ``name`` is dotted, within the package: ``resources.patients``."""

    name: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def family(self) -> str:
        """``kernel``, ``above``, or the folder it lies in."""
        folder, dot, _ = self.name.partition(".")
        return folder if dot else "above" if folder in ABOVE else "kernel"

    @cached_property
    def imports(self) -> set[str]:
        """The dotted names of everything that is imported anywhere in it."""
        return set(imported(ast.walk(self.tree)))

    @cached_property
    def imports_at_once(self) -> set[str]:
        """Only what is imported when it is itself imported: not within functions, and not for types alone."""
        return set(imported(outside_of_functions(self.tree.body)))

    @cached_property
    def dotted(self) -> set[str]:
        """Every ``name.attribute`` that is written in it, and what it imports."""
        attributes = (each for each in ast.walk(self.tree) if isinstance(each, ast.Attribute))
        return {ast.unparse(each) for each in attributes} | self.imports


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def outside_of_functions(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from outside_of_functions(node.orelse)
        else:
            yield node
            yield from outside_of_functions(ast.iter_child_nodes(node))


def within(names: Iterable[str], *forbidden: str) -> list[str]:
    """Those of the names that are a forbidden one or lie within it."""
    return sorted(name for name in names if any(f"{name}.".startswith(f"{each}.") for each in forbidden))


@cache
def modules() -> tuple[Module, ...]:
    paths = sorted(ROOT.rglob("*.py"))
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)
    return tuple(Module(name, path.read_text("utf-8")) for name, path in zip(names, paths, strict=True))


# The rules: what is wrong with a module --------------------------------------------------------------------------


def kernel_below_slices(module: Module) -> list[str]:
    """The kernel imports no slice, and nothing that is put together from slices."""
    above = (f"{PACKAGE}.{name}" for name in (*SLICES, *ABOVE))
    return within(module.imports, *above) if module.family == "kernel" else []


def slices_without_http(module: Module) -> list[str]:
    """A slice of the documented API knows no HTTP and never awaits: each request is atomic."""
    if module.family != "resources":
        return []
    http = ("starlette", "uvicorn", "h11", "http", "socket", "asyncio")
    own = (f"{PACKAGE}.{name}" for name in ("gate", "callers", "outbound", "control", "testing", *ABOVE))
    awaiting = [node.name for node in ast.walk(module.tree) if isinstance(node, ast.AsyncFunctionDef)]
    return within(module.imports, *http, *own) + awaiting


def ehr_below_resources(module: Module) -> list[str]:
    above = (
        f"{PACKAGE}.{name}" for name in ("resources", "invention", "control", "testing", "gate", "outbound", *ABOVE)
    )
    return within(module.imports, *above) if module.family == "ehr" else []


def connections_by_outbound_alone(module: Module) -> list[str]:
    """The client of the control API dials its own server, and nothing else."""
    if module.name in ("outbound", "client") or module.family == "testing":
        return []
    clients = within(module.imports, "urllib.request", "http.client", "httpx2", "httpcore2", "requests", "aiohttp")
    dialling = ("open_connection", "open_unix_connection", "create_connection", "connect", "connect_ex")
    return clients + sorted(name for name in module.dotted if name.rpartition(".")[2] in dialling)


def time_from_the_clock_alone(module: Module) -> list[str]:
    if module.name == "clock":
        return []
    clocks = within(module.dotted, *(f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns")))
    clocks += within(module.dotted, "time.perf_counter", "time.perf_counter_ns", "time.localtime", "time.gmtime")
    today = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
    return clocks + sorted(name for name in module.dotted if name.endswith(today))


def chance_from_streams_alone(module: Module) -> list[str]:
    """Invented people come from Faker and a seeded random; nothing else is drawn but from a Stream."""
    if module.name == "invention.draw":
        return []
    return within(module.dotted, "random", "secrets", "uuid.uuid1", "uuid.uuid4", "os.urandom")


def opened_by_a_sentence(module: Module) -> list[str]:
    docstring = ast.get_docstring(module.tree) or ""
    return [] if docstring.partition("\n")[0].strip() else ["no docstring"]


def not_too_long(module: Module) -> list[str]:
    lines = len(module.source.splitlines())
    return [f"{lines} lines"] if lines > MOST_LINES else []


def named_for_a_concept(module: Module) -> list[str]:
    vague = {"utils", "util", "helpers", "helper", "manager", "managers", "data", "info", "common", "misc"}
    return [part for part in module.name.split(".") if part in vague]


RULES: tuple[Callable[[Module], list[str]], ...] = (
    kernel_below_slices,
    slices_without_http,
    ehr_below_resources,
    connections_by_outbound_alone,
    time_from_the_clock_alone,
    chance_from_streams_alone,
    opened_by_a_sentence,
    not_too_long,
    named_for_a_concept,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule: Callable[[Module], list[str]]) -> None:
    assert {module.name: found for module in modules() if (found := rule(module))} == {}


def test_every_part_of_the_package_is_there_to_be_judged() -> None:
    families = {module.family for module in modules()}
    assert {"kernel", "above", "resources", "ehr", "control", "testing"} <= families
    kernel = {module.name for module in modules() if module.family == "kernel"}
    assert {"clock", "chance", "table", "events", "delivery", "outbound", "world", "gate", "endpoint"} <= kernel


# Cycles ----------------------------------------------------------------------------------------------------------


def arrows(all_modules: Iterable[Module]) -> dict[str, set[str]]:
    """Who imports whom of the given modules at import time."""
    by_name = {module.name: module for module in all_modules}
    return {
        name: {other for other in by_name if within(module.imports_at_once, f"{PACKAGE}.{other}")}
        for name, module in by_name.items()
    }


def in_cycles(graph: dict[str, set[str]]) -> set[str]:
    """What is left when, again and again, whoever imports nobody that is left is taken away."""
    left = dict(graph)
    while free := {name for name, imports in left.items() if not imports & left.keys()}:
        left = {name: imports for name, imports in left.items() if name not in free}
    return set(left)


def test_no_module_of_the_kernel_imports_itself_in_a_circle() -> None:
    assert in_cycles(arrows(module for module in modules() if module.family == "kernel")) == set()


# The public face -------------------------------------------------------------------------------------------------


def test_the_public_names_are_sorted_and_there() -> None:
    public = importlib.import_module(PACKAGE)
    assert public.__all__ == sorted(public.__all__)
    assert [name for name in public.__all__ if not hasattr(public, name)] == []
    assert not hasattr(public, "NoSuchName")


# These rules can fail --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "name", "source", "found"),
    [
        (kernel_below_slices, "gate", "from cobalt_sandbox import control", "cobalt_sandbox.control"),
        (kernel_below_slices, "gate", "import cobalt_sandbox.ehr.people as p", "cobalt_sandbox.ehr.people"),
        (kernel_below_slices, "gate", "def f():\n from cobalt_sandbox.app import x", "cobalt_sandbox.app.x"),
        (slices_without_http, "resources.x", "from http import HTTPStatus", "http.HTTPStatus"),
        (slices_without_http, "resources.x", "from cobalt_sandbox import gate", "cobalt_sandbox.gate"),
        (slices_without_http, "resources.x", "async def create(): ...", "create"),
        (ehr_below_resources, "ehr.x", "from cobalt_sandbox.resources import y", "cobalt_sandbox.resources.y"),
        (connections_by_outbound_alone, "gate", "import http.client", "http.client"),
        (connections_by_outbound_alone, "gate", "from urllib import request", "urllib.request"),
        (connections_by_outbound_alone, "gate", "from asyncio import open_connection", "asyncio.open_connection"),
        (connections_by_outbound_alone, "gate", "socket.socket().connect(a)", "socket.socket().connect"),
        (time_from_the_clock_alone, "gate", "import time\ntime.time()", "time.time"),
        (time_from_the_clock_alone, "gate", "from time import monotonic", "time.monotonic"),
        (time_from_the_clock_alone, "gate", "datetime.datetime.now(UTC)", "datetime.datetime.now"),
        (time_from_the_clock_alone, "gate", "date.today()", "date.today"),
        (chance_from_streams_alone, "gate", "from uuid import uuid4", "uuid.uuid4"),
        (chance_from_streams_alone, "gate", "import random", "random"),
        (chance_from_streams_alone, "gate", "os.urandom(8)", "os.urandom"),
        (chance_from_streams_alone, "gate", "import secrets", "secrets"),
        (opened_by_a_sentence, "gate", "x = 1", "no docstring"),
        (opened_by_a_sentence, "gate", '"""   """', "no docstring"),
        (not_too_long, "gate", "x = 1\n" * 351, "351 lines"),
        (named_for_a_concept, "control.helpers", "", "helpers"),
    ],
)
def test_a_bad_source_is_found(rule: Callable[[Module], list[str]], name: str, source: str, found: str) -> None:
    assert rule(Module(name, source)) == [found]


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (connections_by_outbound_alone, "outbound", "asyncio.open_connection(h, p)"),
        (time_from_the_clock_alone, "clock", "import time\ntime.time()"),
        (chance_from_streams_alone, "invention.draw", "import random"),
        (chance_from_streams_alone, "chance", "from uuid import UUID"),
    ],
)
def test_who_may_do_it_does_it(rule: Callable[[Module], list[str]], name: str, source: str) -> None:
    assert rule(Module(name, source)) == []


def test_a_circle_is_found_unless_it_is_for_types_or_within_a_function() -> None:
    one = Module("one", "class A:\n from cobalt_sandbox.two import x")
    assert in_cycles(arrows([one, Module("two", "import cobalt_sandbox.one")])) == {"one", "two"}
    for source in (
        "if TYPE_CHECKING:\n from cobalt_sandbox.one import A",
        "def f():\n from cobalt_sandbox import one",
        "async def f():\n from cobalt_sandbox import one",
    ):
        assert in_cycles(arrows([one, Module("two", source)])) == set()

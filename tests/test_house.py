"""The shape of the house: its import graph, its names, its sizes. What a reader relies on without having read everything."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

import harness
from harness.catalog import KINDS, stub
from harness.core.registry import base_class

ROOT = Path(__file__).parents[1]
LAYERS = (
    {"__main__"},
    {"cli", "catalog"},
    {"verification"},
    {"report", "protocol"},
    {"analysis", "execution"},
    {"engine", "tracking"},
    {"probes"},
    {
        "optimizers",
        "regularizers",
        "models",
        "data",
        "losses",
        "metrics",
        "schedules",
        "averages",
        "trainers",
    },
    {"stats", "spec"},
    {"core"},
)
"""Rooms from the top down; a room imports from its own layer only by itself, and from those below."""
LONGEST_LINE = 100
LONGEST_FUNCTION = 50
LOOSE_MODULES = 3
REPORTS_MB = 15


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name."""
    listed = subprocess.run(
        ["git", "ls-files", "harness/*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    paths = [ROOT / name for name in listed if (ROOT / name).exists()]
    return {_dotted(path): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def _dotted(path: Path) -> str:
    return str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__")


@cache
def imports() -> dict[str, set[str]]:
    """The modules that each module imports: at its top, inside functions, and for types alone."""
    known, graph = modules(), {}
    for name, tree in known.items():
        wanted: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                wanted |= (inner & known.keys()) or {node.module}
            elif isinstance(node, ast.Import):
                wanted |= {alias.name for alias in node.names}
        graph[name] = (wanted & known.keys()) - {name, "harness"}
    return graph


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules that reach each other (Tarjan 1972, by repeated closure: the graph is small)."""
    reached = {name: set(after) for name, after in graph.items()}
    for middle in graph:
        for name in graph:
            if middle in reached[name]:
                reached[name] |= reached[middle]
    return [
        {name, other} for name in graph for other in reached[name] if name < other and name in reached[other]
    ]  # fmt: skip


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "harness"


def test_no_circle_of_imports():
    assert circles(imports()) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}}), "the check finds a circle"


def test_imports_go_down_the_layers():
    place = {name: depth for depth, layer in enumerate(LAYERS) for name in layer}
    assert {room(name) for name in modules()} - {"harness"} == place.keys()
    upward = [
        f"{name} imports {other}"
        for name, wanted in imports().items()
        for other in wanted
        if name != "harness"
        and room(name) != room(other)
        and place[room(name)] >= place[room(other)]
    ]
    assert upward == []


def test_modules_are_named_in_strings_only_by_the_catalogue():
    named = [
        f"{name}: {node.value}"
        for name, tree in modules().items()
        if name not in ("harness.catalog", "harness.tracking.schema")  # tags begin as modules do
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.partition(":")[0] in modules()
        and "." in node.value
    ]
    assert named == []


def test_few_loose_modules():
    loose = [n for n in modules() if n.count(".") == 1 and not _is_package(n) and "__" not in n]
    assert len(loose) <= LOOSE_MODULES, loose


def _is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/")).is_dir()


def test_no_line_is_long():
    long = [
        f"{path}:{number}"
        for path in sorted((ROOT / "harness").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []


def test_no_function_is_long():
    long = [
        f"{name}.{node.name}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _lines(node) > LONGEST_FUNCTION
    ]  # fmt: skip
    assert long == []


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its docstring left out."""
    said = ast.get_docstring(node, clean=False)
    end = node.end_lineno or node.lineno
    return end - node.lineno + 1 - (said.count("\n") + 1 if said else 0)


def public_names(tree: ast.Module) -> set[str]:
    """The classes, functions and constants that a module defines for others."""
    names = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def test_no_public_name_is_defined_twice():
    where = defaultdict(list)
    for module, tree in modules().items():
        for name in public_names(tree):
            where[name].append(module)
    assert {name: places for name, places in where.items() if len(places) > 1} == {}


def test_reports_are_light():
    listed = subprocess.run(
        ["git", "ls-files", "reports"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    weight = sum((ROOT / name).stat().st_size for name in listed if (ROOT / name).exists())
    assert weight <= REPORTS_MB * 1e6


def test_editors_know_the_public_names():
    assert (ROOT / "harness" / "__init__.pyi").read_text(encoding="utf-8") == stub(), "make names"
    assert all(getattr(harness, name) is not None for name in dir(harness))


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_is_of_its_kind_and_final(kind):
    for name in KINDS[kind].parts:
        part = getattr(harness, name)
        assert part.kind == kind
        assert part.__dict__.get("__final__"), f"{name} is neither abstract nor final"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "regularizer"])
def test_the_base_of_a_kind_is_abstract(kind):
    """A part without its one method is refused when it is made; a regularizer needs no hook."""
    assert inspect.isabstract(base_class(kind))


def test_importing_changes_nothing_in_the_process():
    script = (
        "import os, sys, signal, logging, warnings\n"
        "before = dict(os.environ), sys.excepthook, signal.getsignal(signal.SIGTERM), list(sys.path)\n"
        "import harness\n"
        "after = dict(os.environ), sys.excepthook, signal.getsignal(signal.SIGTERM), list(sys.path)\n"
        "assert before == after\n"
        "heavy = {'torch', 'mlflow', 'pydantic', 'optuna', 'pandas', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)

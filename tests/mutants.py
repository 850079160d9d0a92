"""Mutants: modules with one small change to their syntax tree each (DeMillo, Lipton & Sayward 1978)."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

PAIRS = "Lt LtE, Gt GtE, Eq NotEq, Is IsNot, In NotIn, Add Sub, Mult Div, And Or"
FLIPPED = {"Pow": "Mult", "FloorDiv": "Div", "Mod": "Mult"}
"""Operators by the names of their syntax nodes, and what each is changed into."""
for one, other in map(str.split, PAIRS.split(",")):
    FLIPPED |= {one: other, other: one}


class Mutant(NamedTuple):
    """A module with one change."""

    path: Path
    line: int
    change: str
    source: str


def flipped(operator: ast.AST) -> ast.AST:
    """Return another operator; the same where there is no other."""
    name = type(operator).__name__
    return getattr(ast, FLIPPED.get(name, name))()


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the node with one change each."""
    other = copy.deepcopy(node)
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                operators = [*node.ops[:place], flipped(operator), *node.ops[place + 1 :]]
                yield ast.Compare(node.left, operators, node.comparators)
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign():
            other.op = flipped(node.op)
            if type(other.op) is not type(node.op):
                yield other
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
        case ast.Return(value=ast.AST()):
            yield ast.Return(ast.Constant(None))
        case ast.If() | ast.IfExp() | ast.While():
            other.test = ast.UnaryOp(ast.Not(), other.test)
            yield other


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, Callable[[ast.AST], None]]]:
    """Yield each node with what puts another in its place; types, asserts and zip's ``strict`` are left out."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns") or isinstance(tree, ast.Assert):
            continue
        if isinstance(value, list):
            holders = [
                (item, partial(value.__setitem__, place)) for place, item in enumerate(value)
            ]
        else:
            holders = [(value, partial(setattr, tree, field))]
        for child, put in holders:
            if isinstance(child, ast.AST) and not _left_out(child):
                yield child, put
                yield from places(child)


def _left_out(node: ast.AST) -> bool:
    types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    return types or (isinstance(node, ast.keyword) and node.arg == "strict")


def mutants(path: Path) -> list[Mutant]:
    """Return every mutant of a module."""
    tree, made = ast.parse(path.read_text(encoding="utf-8")), []
    for node, put in places(tree):
        for other in variants(node):
            put(other)
            source = ast.unparse(ast.fix_missing_locations(tree))
            made.append(Mutant(path, node.lineno, f"{_short(node)}  →  {_short(other)}", source))
            put(node)
    return made


def _short(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0][:60]

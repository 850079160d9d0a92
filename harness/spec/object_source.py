"""The source text of a function or class, of a notebook's cell too, where there is any."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from types import FunctionType
from typing import Any, cast


def source_text(value: object) -> str:
    """Return the source of a function or class; of a lambda the lines that it stands in.

    Args:
        value: any object.

    Returns:
        The text; empty where there is none, as for code that was executed from a text.
    """
    try:
        # of a class the text is found by its methods: inspect looks for a module's file, which a
        # notebook has not
        text = _of_class(value) if isinstance(value, type) else inspect.getsource(cast(Any, value))
    except (OSError, TypeError):
        return ""
    return textwrap.dedent(text)


def functions_of(cls: type) -> list[FunctionType]:
    """Return the functions that a class's own body defines."""
    own = [member for member in vars(cls).values() if isinstance(member, FunctionType)]
    return [f for f in own if f.__module__ == cls.__module__]


def _of_class(cls: type) -> str:
    """Return a class's source by the file, or the cell, that one of its methods is from."""
    for function in functions_of(cls):
        code = function.__code__
        lines = linecache.getlines(code.co_filename, function.__globals__)
        try:
            nodes = list(ast.walk(ast.parse("".join(lines))))
        except SyntaxError:  # a cell with a notebook's own commands
            continue
        for node in nodes:
            if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
                last = node.end_lineno or node.lineno
                if node.lineno <= code.co_firstlineno <= last:
                    return "".join(lines[node.lineno - 1 : last])
    return ""

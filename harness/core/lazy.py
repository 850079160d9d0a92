"""Modules that are imported when they are first used: specs and ``--help`` need no torch."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Lazy:
    """Stands for a module: ``torch = Lazy("torch")``, beside the true import for type checkers.

    Args:
        module: dotted name of the module.

    >>> json = Lazy("json")
    >>> json.dumps([1])
    '[1]'
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self._module), name)
        # kept as an attribute of this object, so that Python looks it up here only once
        setattr(self, name, value)
        return value

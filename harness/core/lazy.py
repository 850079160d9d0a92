"""Modules that are imported when they are first used, so that specs, plans and ``--help`` do without them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Lazy:
    """Stands for a module; names are looked up once and kept."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self._module), name)
        setattr(self, name, value)
        return value

"""Modules that are imported when they are first used: specs and ``--help`` need no torch."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Lazy:
    """Stands for a module that is imported at the first use of one of its attributes.

    A file that needs torch only inside its functions writes, so that type checkers see the true
    module and the process does not load it::

        if TYPE_CHECKING:
            import torch
        else:
            torch = Lazy("torch")

    Nothing of the module may be used while the file itself is imported: no base class, no default
    argument, no annotation that is evaluated.

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
        # Python calls __getattr__ only for attributes that an object lacks: with the value kept
        # here, the next use costs no more than that of any attribute
        setattr(self, name, value)
        return value

"""Importing what a dotted name in a spec names: a user's own code, or a library's.

Whatever goes wrong with it is the spec's mistake, and told as one.
"""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic_core import PydanticCustomError

from harness.core.errors import HarnessError, nearest
from harness.spec.objects import Missing, find_object, is_left_alone, may_be_missing
from harness.spec.trusted_names import refuse_found, refuse_name


def import_dotted(name: str) -> Any:
    """Import ``package.module.attribute`` and return the attribute.

    Args:
        name: of an object that was given in this process, or of an attribute at a module's top
            level; one of a class (``module.Class.method``) is not found, since all but the last
            part is taken for the module.

    Raises:
        PydanticCustomError: the module or the attribute is missing; the message says which, and the
            nearest name.
    """
    if is_left_alone(name):
        return Missing(name, f"{name} is not imported where results are read")
    try:
        return _find_or_import(name)
    except PydanticCustomError as error:
        if may_be_missing(name):
            return Missing(name, str(error))
        raise


def _find_or_import(name: str) -> Any:
    """Return what the table has under a name, or what importing it gives; see
    :func:`import_dotted`."""
    try:
        if (kept := find_object(name)) is not None:
            return kept.value
    except HarnessError as error:
        raise PydanticCustomError("dotted", "{said}", {"said": str(error)}) from None
    module, _, attribute = name.rpartition(".")
    if not all(name.split(".")):  # none may be empty, as in ..x
        raise PydanticCustomError(
            "dotted",
            "can't import {name}: expected a module and a name in it, such as mine.Net",
            {"name": name},
        )
    refuse_name(name)
    try:
        found = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        # The module that is missing may be one that the named module itself imports.
        missing = {"name": name, "module": error.name or module}
        raise PydanticCustomError(
            "dotted",
            "can't import {name}: there is no module {module} "
            "(files beside the spec are found by their name)",
            missing,
        ) from None
    # the module's code is the user's: it raises errors of every class
    except (Exception, SystemExit) as error:
        loaded = sys.modules.get(module)
        if isinstance(error, AttributeError) and loaded is not None:
            raise _no_such_name(name, loaded) from None
        said = {"name": name, "said": f"{type(error).__name__}: {error}{_place_of(error)}"}
        raise PydanticCustomError(
            "dotted", "can't import {name}: its module fails: {said}", said
        ) from None
    refuse_found(name, found)
    return found


def _no_such_name(name: str, module: ModuleType) -> PydanticCustomError:
    """Return the error of a module that lacks a name."""
    attribute = name.rpartition(".")[2]
    known = [n for n in dir(module) if not n.startswith("_")]
    # The names of a large library such as torch would fill the screen.
    hint = nearest(attribute, known) if len(known) < 400 else ""
    missing = {"name": name, "module": module.__name__, "hint": hint}
    return PydanticCustomError(
        "dotted", "can't import {name}: {module} has no such name; {hint}", missing
    )


def _place_of(error: BaseException) -> str:
    """Return the line that raised an error, in brackets; a syntax error tells its own."""
    if isinstance(error, SyntaxError):
        return ""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f" ({Path(last.filename).name}:{last.lineno})"

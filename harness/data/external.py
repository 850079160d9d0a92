"""Data sets given by a user's function.

The function's source is part of a run's key, and so is the fingerprint of the arrays it returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import Field

from harness.core.errors import HarnessError
from harness.data.base import Data
from harness.data.dataset import Raw, Task, TaskChoice
from harness.data.given import raw_of_arrays, task_of_arrays
from harness.spec.component import External


class ExternalData(External, Data):
    """Arrays from a function by dotted name: it returns ``(x, y)`` or ``(x, y, x_test, y_test)``,
    or a mapping with these names, ``x_valid``, ``y_valid`` and arrays to split by.

    Integers, booleans or texts ``y`` of shape (N,) are classes, and so are rows of a single 1;
    floats are numbers to be predicted, (N, 1) where they are few whole numbers. Whole numbers of
    the shape of token inputs (N, T), or of three axes and more, are one class for each token or
    pixel. A mapping or tuple of arrays ``x`` is for a module that takes them by name or place, and
    such ``y`` for a loss of the user's own. Arguments that are
    options of every data set (``train_size``, ``label_noise``, …) are taken by the harness, the
    rest by the function. The function must give the same arrays for the same arguments: a run's key
    has their fingerprint.
    """

    task: TaskChoice = Field(  # type: ignore[misc, assignment]  # fixed for most kinds of data
        default="auto", exclude_if=lambda task: task == "auto"
    )
    """Whether targets are classes or numbers to be predicted; "auto" goes by their type and shape,
    which takes whole numbers (N, D) beside fractions for numbers."""

    def __init__(self, target: str | None = None, /, **fields: Any) -> None:
        """Sort the arguments into the harness's options and the function's own.

        Args:
            target: the function's dotted name, with all arguments as ``fields``; None where
                ``fields`` has it.
            fields: all arguments by name, as written in Python; or ``target`` and ``args``, as
                reading a spec's file gives them.
        """
        # ExternalData("my.function", count=3, seed=1), or ExternalData(target=…, args={…})
        given = fields if target is not None else fields.get("args", {})
        options = set(Data.model_fields)
        if given.get("task") in get_args(TaskChoice):  # else an argument of the function's own
            options.add("task")
        common = {name: value for name, value in given.items() if name in options}
        arguments = {name: value for name, value in given.items() if name not in common}
        External.__init__(self, target=target or fields["target"], args=arguments, **common)

    def dump(self) -> dict[str, Any]:
        """Return the mapping for specs: the harness's options beside the function's arguments."""
        common = self.model_dump(mode="json", include={*Data.model_fields, "task"})
        return {**common, **External.dump(self)}

    def raw(self) -> Raw:
        """Call the function and return its arrays.

        Raises:
            HarnessError: it returns neither two arrays nor four nor a mapping, or no arrays.
        """
        given = self.load()(**self.args)
        if not isinstance(given, Mapping):
            if not isinstance(given, (tuple, list)) or len(given) not in (2, 4):
                what = f"{len(given)} values" if isinstance(given, (tuple, list)) else type(given)
                raise HarnessError(
                    f"data {self.target}: expected (x, y) or (x, y, x_test, y_test), got {what}"
                )
            given = dict(zip(("x", "y", "x_test", "y_test"), given, strict=False))
        return raw_of_arrays(self, given)

    def task_of(self, raw: Raw) -> Task:
        """Return what is learnt: by the targets' type and shape, unless ``task`` says it."""
        return task_of_arrays(self.target, raw, self.task)

"""Arrays from a file of NumPy's."""

from __future__ import annotations

import zipfile
from typing import final

import numpy as np

from harness.core.errors import HarnessError
from harness.data.dataset import Raw, Task, TaskChoice
from harness.data.files import FileData
from harness.data.given import raw_of_arrays, task_of_arrays


@final
class Arrays(FileData):
    """Arrays of a .npz file: x and y; optionally x_valid, y_valid, x_test, y_test, groups.

    An array ``groups`` keeps the samples of a group in one part. ``groups`` and ``order_by`` name
    others to split by. Integers, booleans or texts ``y`` of shape (N,) are classes, as are rows of
    a single 1.
    """

    x: str = "x"
    """Name of the inputs, (N, *shape); parts of their own are called ``<x>_valid`` and so on."""
    y: str = "y"
    """Name of the targets, (N,) or (N, D)."""
    task: TaskChoice = "auto"  # type: ignore[misc, assignment]  # fixed for most kinds of data
    """Whether targets are classes or numbers to be predicted; "auto" goes by their type."""

    def raw(self) -> Raw:
        """Read the file.

        Raises:
            HarnessError: it is missing or no .npz file, or has no array of a name that is asked
                for.
        """
        path = self.place()
        if path.suffix == ".npy":
            raise HarnessError(
                f"data Arrays: expected a file of several arrays, got the single one of {self.path}"
                f"; write numpy.savez({path.stem + '.npz'!r}, {self.x}=..., {self.y}=...)"
            )
        try:
            with np.load(path) as stored:
                given = {name: stored[name] for name in stored.files}
        # objects would be unpickled, which runs code
        except (
            OSError,
            ValueError,
            EOFError,
            TypeError,
            AttributeError,
            zipfile.BadZipFile,
        ) as why:
            raise HarnessError(
                f"data Arrays: expected arrays of numbers in {self.path} as numpy.savez writes "
                f"them, got {type(why).__name__}: {why}"
            ) from None
        return raw_of_arrays(self, given, self.x, self.y)

    def task_of(self, raw: Raw) -> Task:
        """Return what is asked for, else "classification" for labels and "regression" for
        numbers."""
        return task_of_arrays("Arrays", raw, self.task)

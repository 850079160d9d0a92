"""Data sets given by a user's function, or as they are.

A function's source is part of a run's key, and so is the fingerprint of the arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from pydantic import Field

from harness.core.errors import HarnessError
from harness.data.base import Data, own_errors
from harness.data.dataset import Dataset, Raw, Task, TaskChoice
from harness.data.given import raw_of_arrays, task_of_arrays
from harness.data.objects import is_dataset, named_arrays
from harness.spec.calls import check_call
from harness.spec.component import External
from harness.spec.dotted_names import import_dotted
from harness.spec.streaming import Streaming


class ExternalData(External, Data):
    """Arrays, map-style data sets, or a function that returns such.

    Arrays are ``(x, y)`` or ``(x, y, x_test, y_test)``, or a mapping with these names, ``x_valid``,
    ``y_valid`` and arrays to split by, from NumPy, torch or pandas. Data sets of torch are read
    into memory: one, a pair for training and test, or a mapping of train, valid and test.

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

    stream: Streaming | None = Field(default=None, exclude_if=lambda stream: stream is None)
    """Samples are read when they are trained on, and never lie in memory as a whole: data sets and
    loaders larger than memory, and transforms that are drawn anew every epoch. Such runs train
    alone. None reads all samples once."""

    @classmethod
    def _is_own(cls, name: str, value: object) -> bool:
        # any other task or stream is an argument of the function's own
        if name == "stream":
            return value is None or isinstance(value, (Mapping, Streaming))
        return super()._is_own(name, value) and (name != "task" or value in get_args(TaskChoice))

    def objects(self) -> list[str]:
        transform = self.stream and self.stream.transform
        return [*super().objects(), *([transform] if transform else [])]

    def streamed(self) -> Dataset | None:
        """Return the data whose samples are read when they are needed; None where all are read.

        Raises:
            HarnessError: they can't be read so.
        """
        if self.stream is None:
            return None
        from harness.data.open_streams import open_streams

        transform = import_dotted(self.stream.transform) if self.stream.transform else None
        with own_errors(self.target):
            return open_streams(self, self._given(), self.stream, transform, self.task)

    @classmethod
    def check_target(cls, target: object) -> None:
        """Refuse what is neither data nor a function that returns some.

        Raises:
            HarnessError: the target is such.
        """
        if hasattr(target, "batch_size") and hasattr(target, "dataset"):
            raise HarnessError(
                "expected arrays, a Dataset or a function, got a loader, whose batches the"
                " recipe makes (batch_size); give its data set: loader.dataset"
            )
        arrays = isinstance(target, (tuple, list, dict)) or is_dataset(target)
        if not arrays and not callable(target):
            raise HarnessError(
                f"expected (x, y), a Dataset, or a function that returns such, got a "
                f"{type(target).__name__}"
            )

    def raw(self) -> Raw:
        """Return the arrays, or those that the function returns.

        Raises:
            HarnessError: they are no data.
        """
        return raw_of_arrays(self, named_arrays(self.target, self._given()))

    def _given(self) -> object:
        """Return what the function returns, or the target itself.

        Raises:
            HarnessError: it is called with arguments that it does not take.
        """
        target, arguments = self.load(), self.arguments()
        if callable(target) and not is_dataset(target):
            check_call(f"data {self.target}", target, arguments)
            return target(**arguments)
        if arguments:
            raise HarnessError(
                f"data {self.target}: expected options of data, such as valid_fraction, got "
                f"{', '.join(arguments)}"
            )
        return target

    def task_of(self, raw: Raw) -> Task:
        """Return what is learnt: by the targets' type and shape, unless ``task`` says it."""
        return task_of_arrays(self.target, raw, self.task)

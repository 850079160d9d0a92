"""What a user's training function is given: ``train(run)``.

It lives in the run's own process and imports nothing but the standard library, since it is started
for every run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.trainers.noted_config import NotedConfig

PARTS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "test": "test",
    "batch": "batch",
}
"""The words that names of metrics begin with, and the parts of the data that they are of."""
POSITIONS = ("epoch", "samples")
"""Names of :meth:`TrainerRun.log` that are no metrics: where the run is, beside its step."""


DRY_STEPS = 2
"""Steps that a loop which is only tried is let go on for."""


class Assignment(NamedTuple):
    """What a run is to do, in plain values."""

    config: dict[str, Any]
    """Values by path: the recipe's ``config``, and its other fields."""
    seed: int
    split: int
    """Number of the split into training and validation data: each search has its own."""
    device: str
    """``cpu`` or ``cuda``, or the recipe's own."""
    unit: str
    """What the length is given in: steps, epochs, samples or seconds."""
    length: float
    confirming: bool
    """Whether test data are evaluated at the end."""
    folder: str
    """Where the run's checkpoint is, which need not exist."""
    spent: float = 0.0
    """Seconds that the run had trained before it was interrupted."""
    dry: bool = False
    """Whether it is to stop after a few steps, since the loop is only tried."""
    undefined: tuple[str, ...] = ()
    """Metrics, without the part of the data, that may have no value in a run that goes well."""

    def has_diverged(self, name: str, value: float) -> bool:
        """Return whether a value of a metric says that the run has diverged."""
        allowed = name in self.undefined or name.partition("/")[2] in self.undefined
        return not math.isfinite(value) and not allowed


class TrainerRun:
    """One run, as a training function sees it.

    Args:
        assignment: what the run is to do.
        tell: sends an event to the harness.
    """

    def __init__(
        self, assignment: Assignment, tell: Callable[[Mapping[str, object]], None]
    ) -> None:
        self._asked, self._tell = assignment, tell
        self._began = time.perf_counter()
        self._step = -1.0
        self._over, self._tested = False, False
        self.asked = 0
        """How often :meth:`should_stop` was asked."""
        self.config = NotedConfig(assignment.config) if assignment.dry else assignment.config
        """The arm's values by name: the recipe's ``config``, and its other fields by path."""
        self.seed = assignment.seed
        """Seed of the run. Python's, NumPy's and torch's global generators have it already."""
        self.split = assignment.split
        """Number of the split into training and validation data: shuffle them by it, not by the
        seed. The test data must not depend on it."""
        self.device = assignment.device
        """``cpu``, ``cuda`` or ``cuda:1``."""
        self.confirming = assignment.confirming
        """Whether the run is of the confirmation: only then :meth:`test` may be called."""

    @property
    def steps(self) -> int | None:
        """Length of the run in steps; None where it is given otherwise."""
        return self._length("steps")

    @property
    def epochs(self) -> int | None:
        """Length of the run in epochs; None where it is given otherwise."""
        return self._length("epochs")

    @property
    def samples(self) -> int | None:
        """Length of the run in samples; None where it is given otherwise."""
        return self._length("samples")

    @property
    def seconds(self) -> float | None:
        """Length of the run in seconds; None where it is given otherwise."""
        return self._asked.length if self._asked.unit == "seconds" else None

    def _length(self, unit: str) -> int | None:
        return int(self._asked.length) if self._asked.unit == unit else None

    def log(self, step: float, metrics: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Record metrics.

        Args:
            step: how far the run is, counted in the unit of its length: 1 after the first step or
                epoch. Steps rise; those past the length are refused, since other arms have no more.
            metrics: numbers by name, such as ``{"valid/loss": 0.3}``.
            more: the same, as ``valid_loss=0.3``. ``epoch`` and ``samples`` say where the run is
                where its length is in another unit.

        Raises:
            ValueError: a step or a name is not as it must be; test data are told to :meth:`test`.
            TypeError: a value is no number.
        """
        self._check_step(step)
        values = numbers_of({**(metrics or {}), **more})
        if tested := [name for name in values if name.startswith("test/")]:
            raise ValueError(
                f"run.log: expected metrics of training or validation data, got {tested[0]!r}; test"
                " data are evaluated once, at the end: run.test(accuracy=...)"
            )
        self._step = float(step)
        self._tell({"step": step, "metrics": values})
        if any(self._asked.has_diverged(name, value) for name, value in values.items()):
            self._over = True

    def _check_step(self, step: float) -> None:
        """Refuse steps that do not rise, and those past the length.

        Raises:
            ValueError: so it is.
        """
        unit, length = self._asked.unit, self._asked.length
        if not 0 <= step < math.inf or step < self._step:
            raise ValueError(
                f"run.log: expected steps from 0 that rise, got {step} after {self._step:g}"
            )
        if unit != "seconds" and step > length:
            raise ValueError(
                f"run.log: expected at most {length:g} {unit}, the length that every arm has, got "
                f"{step}; end the loop at run.{unit}, or ask run.should_stop(step)"
            )

    def should_stop(self, step: float | None = None) -> bool:
        """Return whether the run is at its end: its length is over, or it has diverged.

        Args:
            step: how far the run is; by default as it was logged last.
        """
        self.asked += 1
        if self._asked.dry:
            return self.asked > DRY_STEPS
        if self._over:
            return True
        if self._asked.unit == "seconds":
            spent = self._asked.spent + time.perf_counter() - self._began
            return spent >= self._asked.length
        return (self._step if step is None else step) >= self._asked.length

    def checkpoint(self) -> Path:
        """Return a folder that is found again when an interrupted study is started again.

        Save there what the loop needs to go on, whole files by :func:`os.replace`, and look there
        at the beginning. Metrics are logged again from the step that it goes on from. The folder
        goes when the run ends.
        """
        folder = Path(self._asked.folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._tell({"checkpoint": str(folder)})
        return folder

    def test(self, metrics: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Record the metrics of the test data: once, at the end, and only where
        :attr:`confirming`.

        Args:
            metrics: numbers by name, such as ``{"accuracy": 0.9}``.
            more: the same, as ``accuracy=0.9``.

        Raises:
            PermissionError: the run is of the search, or has been tested.
        """
        given = {**(metrics or {}), **more}
        full = {name if _part_of(name) else f"test/{name}": v for name, v in given.items()}
        values = numbers_of(full)
        if wrong := [name for name in values if not name.startswith("test/")]:
            raise ValueError(f"run.test: expected metrics of test data, got {wrong[0]!r}")
        if not self.confirming:
            raise PermissionError(
                "run.test: expected to be called in the confirmation alone, since a search that "
                "sees test data is no search; write 'if run.confirming: run.test(...)'"
            )
        if self._tested:
            raise PermissionError(
                "run.test: expected to be called once, since whoever sees test data twice chooses "
                "between them; call it after the loop"
            )
        self._tested = True
        self._tell({"test": values})


def numbers_of(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return metrics as numbers by their full names.

    Args:
        metrics: numbers, or what ``float`` takes, by names such as ``valid_loss``.

    Raises:
        ValueError: a name is of no part of the data.
        TypeError: a value is no number.

    >>> numbers_of({"val_loss": 0.5, "train/accuracy": 1, "epoch": 2})
    {'valid/loss': 0.5, 'train/accuracy': 1.0, 'epoch': 2.0}
    """
    values = {}
    for name, value in metrics.items():
        full = name if name in POSITIONS else full_name(name)
        if full is None:
            raise ValueError(
                "run.log: expected names such as valid_loss, 'train/accuracy' or 'gradient/norm', "
                f"got {name!r}"
            )
        try:
            values[full] = float(value)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"run.log: expected a number for {name}, got {type(value).__name__}: {error}"
            ) from None
    return values


def full_name(name: str) -> str | None:
    """Return a metric's name as ``part/name``; None where it says no part.

    >>> full_name("val_loss"), full_name("gradient/norm"), full_name("lr")
    ('valid/loss', 'gradient/norm', None)
    """
    part = _part_of(name)
    if part:
        return f"{PARTS[part]}/{name[len(part) + 1 :]}"
    return name if "/" in name.strip("/") else None


def _part_of(name: str) -> str:
    """Return the word for a part of the data that a name begins with; empty where there is none."""
    for separator in "/_":
        word, _, rest = name.partition(separator)
        if word in PARTS and rest:
            return word
    return ""

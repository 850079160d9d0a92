"""How a study is executed, as against what it asks: nothing here changes its results.

What does change them belongs in the spec, and so in the keys of its runs.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

from harness.core.errors import SpecError


class Options(NamedTuple):
    """How a study is executed; nothing here changes its results."""

    workers: int | None = None
    """Worker processes; by default one a core or GPU, 0 trains in this process."""
    cohort: int | None = None
    """Members of a cohort at most; by default as the model's size and the machine allow. A run's
    numbers do not depend on it but for rounding."""
    fresh: bool = False
    """Train everything anew, whatever the store has; the new runs take the old ones' places."""
    storage: str | None = None
    """Optuna's storage, a file or a URL; by default ``HARNESS_STORAGE`` or ``optuna.journal``."""
    uri: str | None = None
    """MLflow's tracking URI; by default ``MLFLOW_TRACKING_URI`` or ``mlflow.db``."""
    take_over: bool = False
    """Take the study from a driver on another machine, which stops at its next cohort."""
    join: bool = False
    """Share the study's cohorts with other drivers that were started so, on any machine that has
    the same store. The first of them writes the answer."""
    executor: Executor | Callable[[], Executor] | None = None
    """Where cohorts are trained instead of this machine's worker processes: any executor, which is
    left open, or a function that makes one, and makes another where a worker's death has broken it.
    Runs of own training loops stay on this machine."""


def check_options(options: Options) -> None:
    """Refuse what is no number of workers or members, which the command line checks itself, and
    what does not go together.

    Raises:
        SpecError: so it is.
    """
    for name, least in (("workers", 0), ("cohort", 1)):
        value = getattr(options, name)
        if value is not None and (type(value) is not int or value < least):
            raise SpecError(f"{name}: expected a whole number from {least} on, got {value!r}")
    if options.join and (options.fresh or options.take_over):
        raise SpecError("join: expected neither fresh nor take_over beside it; leave one out")

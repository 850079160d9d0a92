"""The workers of a study, which start before anything else of it.

torch's import takes them a second or more. Meanwhile this process imports the rest of what it
needs; then one of them looks for mistakes (:mod:`harness.protocol.examine`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial

from harness.core.errors import SpecError
from harness.execution.forked import end_ahead
from harness.execution.given import GivenExecutor
from harness.execution.local import default_workers, local_executor
from harness.execution.pool import Pool
from harness.protocol.object_notes import parcel_of
from harness.protocol.options import Options
from harness.protocol.progress import Progress
from harness.spec.arms import build_arms
from harness.spec.study import Study


def start_workers(study: Study, options: Options, progress: Progress) -> Pool:
    """Return the pool that a study is trained by; its workers have begun to start.

    Args:
        study: what is asked; it need not have been checked.
        options: how it is executed.
        progress: is told the updates that workers make.

    Raises:
        SpecError: what was given as an executor is none.
        HarnessError: an object of the study can't be sent to workers on other machines.
    """
    workers = default_workers() if options.workers is None else options.workers
    return Pool(_executor(study, options, workers), progress.made, max(1, workers))


def _executor(study: Study, options: Options, workers: int) -> Callable[[], Executor]:
    """Return what makes the executor that cohorts are trained on.

    Raises:
        SpecError: what was given as one is none.
        HarnessError: an object of the study can't be sent to workers on other machines.
    """
    given = options.executor
    if given is not None and not (isinstance(given, Executor) or callable(given)):
        raise SpecError(
            "executor: expected a concurrent.futures.Executor or a function that makes one, got"
            f" {given!r}"
        )
    recipes = [arm.recipe for arm in build_arms(study)]
    # runs of a user's own trainers have processes of their own, and need no workers beside them
    if all(recipe.trainer is not None for recipe in recipes):
        workers, given = 0, None
    if workers == 0 or given is not None:
        end_ahead()
    if given is not None:
        return partial(GivenExecutor, given, parcel_of(study))
    # a GPU that is asked for by its number is the same one to all workers
    numbered = any(recipe.device.startswith("cuda:") for recipe in recipes)
    return partial(local_executor, workers, share_gpus=not numbered)

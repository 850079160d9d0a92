"""What a worker does: train one cohort, whole or up to a rung; a failure inside one run stays that run's."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from harness.records import Outcome
from harness.spec.plan import Run


class Job(NamedTuple):
    """One cohort's work."""

    runs: tuple[Run, ...]
    test: bool
    """Whether test data are evaluated at the end."""
    until: int | None = None
    """Update to stop at and hand the cohort back, or None for the end."""
    cohort: Any = None
    """The cohort as an earlier job handed it back, or None for a new one."""
    board: Path | None = None
    """File of counters that progress is written to."""
    slot: int = 0
    """Counter of this job."""


class Done(NamedTuple):
    """What became of a job."""

    outcomes: dict[int, Outcome]
    """Ended runs by their place in the job."""
    cohort: Any
    """The rest, where the job was to stop early; None otherwise."""
    splits: int = 0
    """How often the cohort had to be halved."""


def perform(job: Job) -> Done:
    """Train the job's cohort on one thread; halve it and go on when it fails or runs out of memory."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _attempt(job)
    finally:
        torch.set_num_threads(threads)


def _attempt(job: Job) -> Done:
    from harness.train.cohort import advance, start

    try:
        cohort = job.cohort or start(job.runs, job.test)
        if cohort.members:
            advance(cohort, job.until, _counter(job))
        return Done(cohort.outcomes, cohort if job.until is not None and cohort.members else None)
    except Exception as error:
        said = _said(error)
    _free()
    if job.cohort is not None:
        return Done(job.cohort.outcomes | {m.index: Outcome("failed", (), {}, said) for m in job.cohort.members}, None)
    if len(job.runs) == 1 or job.until is not None:
        return Done({i: Outcome("failed", (), {}, said) for i in range(len(job.runs))}, None)
    return _halved(job)


def _halved(job: Job) -> Done:
    middle = len(job.runs) // 2
    first, second = (_attempt(job._replace(runs=part)) for part in (job.runs[:middle], job.runs[middle:]))
    shifted = {i + middle: outcome for i, outcome in second.outcomes.items()}
    return Done(first.outcomes | shifted, None, first.splits + second.splits + 1)


def _said(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


def _free() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _counter(job: Job) -> Any:
    if job.board is None:
        return lambda updates: None
    board = np.memmap(job.board, dtype=np.int64, mode="r+")

    def count(updates: int) -> None:
        board[job.slot] += updates

    return count


def chunks(count: int, largest: int) -> list[range]:
    """Cut ``count`` runs into cohorts of nearly equal size, at most ``largest``, an even number of them where that helps.

    The cut does not depend on the number of workers, so neither do the results.

    >>> [len(c) for c in chunks(40, 16)], [len(c) for c in chunks(5, 16)]
    ([10, 10, 10, 10], [5])
    """
    parts = -(-count // largest)
    if count >= 8 and parts % 2:
        parts += 1
    bounds = [round(i * count / parts) for i in range(parts + 1)]
    return [range(a, b) for a, b in zip(bounds, bounds[1:], strict=False) if a < b]


def cohort_limit(recipe: Any, memory: int | None = None) -> int:
    """Return the largest cohort for a recipe: what fits the cache on a CPU, half of the memory on a GPU; at most 512."""
    import torch

    from harness.train.program import member_bytes, program_of

    program = program_of(recipe)
    if program.device.type == "cuda":
        free = memory or torch.cuda.get_device_properties(program.device).total_memory
        return max(1, min(512, free // 2 // member_bytes(program)))
    return max(1, min(20, (memory or CACHE) // member_bytes(program)))


CACHE = 24 * 2**20
"""Bytes that a CPU cohort works in: about a shared last-level cache."""


def total_updates(runs: Sequence[Run]) -> int:
    """Return the updates that the runs make together."""
    from harness.train.program import timetable

    return sum(timetable(run.recipe, samples_of(run)).steps for run in runs)


def samples_of(run: Run) -> int:
    """Return the number of training samples of a run."""
    from harness.data.base import load

    return len(load(run.recipe.data).train.x)

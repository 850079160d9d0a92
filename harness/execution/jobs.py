"""What a worker does: train one cohort, to the end or up to a rung."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from harness.core.records import Outcome
from harness.spec.arms import Run
from harness.spec.resolved import ResolvedRecipe

CACHE = 48 * 2**20
"""Bytes that a CPU cohort works in: about a shared last-level cache."""
CPU_LIMIT, GPU_LIMIT = 96, 512
"""Members beyond which a larger cohort brings nothing more."""


class Job(NamedTuple):
    """One cohort's work."""

    members: tuple[int, ...]
    """What the caller knows the runs by."""
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

    def halves(self) -> tuple[Job, Job]:
        """Return two jobs that train the same runs from their start."""
        cut = len(self.runs) // 2
        first = self._replace(members=self.members[:cut], runs=self.runs[:cut], cohort=None)
        return first, self._replace(members=self.members[cut:], runs=self.runs[cut:], cohort=None)


class Done(NamedTuple):
    """What became of a job."""

    outcomes: dict[int, Outcome]
    """Ended runs by member."""
    cohort: Any = None
    """The rest, where the job was to stop early and some runs go on."""
    error: str = ""
    """Why nothing came of it; then there are no outcomes."""


def perform(job: Job) -> Done:
    """Train the job's cohort on one thread; an error is returned and not raised."""
    try:
        with one_thread():
            return _train(job)
    except Exception as error:
        said = _said(error)
    _free()
    return Done({}, None, said)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, as it does in a worker."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _train(job: Job) -> Done:
    from harness.engine.cohort import start
    from harness.engine.loop import advance

    cohort = job.cohort or start(job.runs, job.test)
    if cohort.members:
        advance(cohort, job.until, _counter(job))
    if cohort.members:
        return Done({}, cohort)
    return Done({job.members[i]: outcome for i, outcome in sorted(cohort.outcomes.items())})


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


def chunks(count: int, largest: int, alone: bool = True) -> list[range]:
    """Cut ``count`` runs into cohorts of nearly equal size, at most ``largest``.

    Where no other shape is trained beside them (``alone``), many runs make an even number of cohorts, for two workers.
    The cut does not depend on the number of workers, so neither do the results.

    >>> [len(c) for c in chunks(40, 16)], [len(c) for c in chunks(12, 16)], [len(c) for c in chunks(40, 16, alone=False)]
    ([10, 10, 10, 10], [12], [13, 14, 13])
    """
    parts = -(-count // largest)
    if alone and count >= 16 and parts % 2:
        parts += 1
    bounds = [round(i * count / parts) for i in range(parts + 1)]
    return [range(a, b) for a, b in pairwise(bounds) if a < b]


def cohort_limit(recipe: ResolvedRecipe) -> int:
    """Return the largest cohort for a recipe: one where it can't be batched, else what fits the cache or half the GPU."""
    import torch

    from harness.engine.batching import batched, member_bytes
    from harness.engine.program import program_of

    if not batched(recipe)[0]:
        return 1
    program = program_of(recipe)
    if program.device.type == "cuda":
        memory = torch.cuda.get_device_properties(program.device).total_memory
        return max(1, min(GPU_LIMIT, memory // 2 // member_bytes(program)))
    return max(1, min(CPU_LIMIT, CACHE // member_bytes(program)))

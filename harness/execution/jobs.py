"""What a worker does: train one cohort, to the end or up to a rung of the search.

Also how runs are cut into cohorts. torch and the engine are imported inside the functions: the
driver, which makes jobs, does without them, and only workers pay for them.
"""

from __future__ import annotations

import gc
import math
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.core.error_words import error_in_words
from harness.core.gpus import surely_no_gpu
from harness.core.records import Keep, Outcome
from harness.execution.checkpoints import Keeper, Saving
from harness.execution.signals import EndingSignal, noted_signals
from harness.execution.watch import LONGEST_SILENCE, Allowed, bounded_output, watched
from harness.spec.arms import Run, has_own_code
from harness.spec.resolved import ResolvedRecipe

if TYPE_CHECKING:  # the engine imports torch, which the driver does without until it trains
    from harness.engine.cohort import Cohort
    from harness.execution.own_run import OwnRun

CACHE = 48 * 2**20
"""Bytes that a CPU cohort works in, as ``member_bytes`` counts them: about a last-level cache that
cores share. Found by trying cohort sizes: in smaller cohorts Python's share of an update grows, in
larger ones the arithmetic waits for memory. Half as much was slower for wide networks; ``python -m
benchmarks.overhead`` shows an update's time over that of its arithmetic by cohort size."""
CPU_LIMIT, GPU_LIMIT = 96, 512
"""Members beyond which a larger cohort brings nothing more, since Python's share is small by then;
and the larger the cohort, the fewer there are to share among workers."""
GPU_SHARE = 2
"""A cohort takes one in so many bytes of a GPU: ``member_bytes`` is an estimate, and evaluations
and probes need room beside it. A cohort that needs more all the same comes back as halves."""
EVEN_FROM = 8
"""Number of runs from which they are cut for two workers.

A search asks for a dozen at a time, and a worker without any waits: halves of a dozen MLPs end a
quarter sooner on two workers. They cost a lone worker a seventh more, of which nothing is left
where compiled code trains them (``python -m benchmarks.throughput``)."""


class Job(NamedTuple):
    """One cohort's work; it goes to a worker process and back by pickle."""

    members: tuple[int, ...]
    """The numbers that the caller knows the runs by, in the order of ``runs``."""
    runs: tuple[Run, ...]
    """The runs, all of one shape."""
    test: bool
    """Whether test data are evaluated at the end."""
    until: int | None = None
    """Update to stop at and hand the cohort back, or None for the end."""
    cohort: Cohort | OwnRun | None = None
    """The cohort as an earlier job handed it back, or None for a new one; a paused run of a user's
    own trainer, which stays in the driver."""
    board: Path | None = None
    """File of counters that progress is written to (see ``harness.execution.pool.Board``)."""
    slot: int = 0
    """This job's counter on the board."""
    saving: Saving | None = None
    """Where its checkpoints are; None for none."""
    keep: Keep = None
    """Which weights its runs keep when they end."""
    patience: float = LONGEST_SILENCE
    """Seconds that an update or a piece of an evaluation may take where code is a user's own."""
    data: tuple[str, ...] = ()
    """Fingerprints of the runs' data where a user's own code makes them, which a worker compares;
    empty for others."""

    @property
    def started(self) -> Cohort | OwnRun:
        """The cohort, of a job that goes on with one."""
        assert self.cohort is not None, "a job that was handed back has a cohort"
        return self.cohort

    @property
    def own(self) -> bool:
        """Whether it is a run of a user's own trainer."""
        return self.runs[0].recipe.trainer is not None

    def prune(self, leaving: Sequence[int]) -> None:
        """End some of the runs where they are, by their places among the job's."""
        from harness.engine.leaving import drop
        from harness.execution.own_run import OwnRun

        if isinstance(self.started, OwnRun):
            self.started.prune("pruned")
        else:
            drop(self.started, leaving, "pruned")

    def halves(self) -> tuple[Job, Job]:
        """Return two jobs that train the same runs from their start.

        A cohort that failed half-way may hold half an update, so that nothing of it is used.
        """
        cut = len(self.runs) // 2
        return self._part("first", slice(None, cut)), self._part("second", slice(cut, None))

    def _part(self, name: str, part: slice) -> Job:
        saving = self.saving and self.saving.part(name)
        return self._replace(
            members=self.members[part],
            runs=self.runs[part],
            cohort=None,
            saving=saving,
            data=self.data[part],
        )


class Done(NamedTuple):
    """What became of a job."""

    outcomes: dict[int, Outcome]
    """Ended runs by member."""
    cohort: Cohort | OwnRun | None = None
    """The rest, where the job was to stop early and some runs go on."""
    error: str = ""
    """Why nothing came of it; then there are no outcomes."""
    notes: tuple[str, ...] = ()
    """What its user is told, in sentences."""


def perform(job: Job) -> Done:
    """Train the job's cohort on one thread.

    Args:
        job: the runs, and the cohort to go on with if there is one.

    Returns:
        What became of it. An error is returned in words and not raised: not every exception can
        be pickled, and a worker that fails to send one back would look dead.
    """
    board = _board(job)
    if job.saving and board[-1]:
        return Done({}, None, "the driver ends")
    board[job.slot] = 0  # a worker that died may have counted there
    own = any(map(has_own_code, job.runs))
    allowed = Allowed(job.patience if own else math.inf)
    try:
        with one_thread(), bounded_output() as notes, watched(allowed, words_of(job)):
            done = _train(job)
        return done._replace(notes=(*done.notes, *notes))
    # a user's code may call sys.exit, which would end the worker and tell nobody why
    except (Exception, SystemExit) as error:
        message = error_in_words(error)
    except KeyboardInterrupt as error:
        # a worker is deaf to Ctrl-C, so that only the user's code can have raised it
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            raise
        message = error_in_words(error)
    finally:
        _stop_reading()
    # Not within the except clause: the error's frames hold the cohort's memory until it is left.
    _free_memory()
    return Done({}, None, message)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, as it does in a worker.

    One worker a core leaves none for more; and sums that are split among threads are rounded
    differently, so that training in the driver's process would give other numbers than a worker.
    The setting is put back afterwards, since the process may be a notebook's.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class StoppedError(Exception):
    """The driver ends; the cohort has been written."""


def _train(job: Job) -> Done:
    from harness.data.same_data import check_same_data
    from harness.engine.cohort import Cohort, start
    from harness.execution.together import advance_together

    for run, known in zip(job.runs, job.data, strict=False):
        check_same_data(run.recipe.data, known)
    before = job.cohort
    assert before is None or isinstance(before, Cohort), "a user's own runs are not trained here"
    # all members may have ended at an earlier rung, or at the first evaluation
    if before and not before.members:
        return _done(job, before)
    count = counter_of(job)
    if job.saving is None:
        new = before or start(job.runs, job.test, job.keep)
        return _done(job, advance_together(new, job.until, count))
    rows = [member.index for member in before.members] if before else range(len(job.runs))
    keeper = Keeper(job.saving, job.runs, job.until, rows)
    resumed = keeper.resume()
    if resumed:
        count(updates_of(resumed) - (updates_of(before) if before else 0))
    cohort = resumed or before or start(job.runs, job.test, job.keep)
    with noted_signals() as ending:
        advance_together(cohort, job.until, count, partial(_between, keeper, ending, _board(job)))
        if cohort.members:
            keeper.at_rung(cohort)
    return _done(job, cohort)._replace(notes=tuple(keeper.notes))


def _done(job: Job, cohort: Cohort) -> Done:
    """Return the cohort, if some of its runs go on, or what became of all."""
    if cohort.members:
        return Done({}, cohort)
    return Done({job.members[i]: outcome for i, outcome in sorted(cohort.outcomes.items())})


def _between(keeper: Keeper, ending: EndingSignal, board: np.ndarray, cohort: Cohort) -> None:
    """Write a cohort that is between two updates, if it is time to or its process is to end.

    Raises:
        StoppedError: the driver ends.
    """
    if board[-1]:
        keeper.save(cohort)
        raise StoppedError
    if ending.asked is not None:
        keeper.save(cohort)
        ending.end()
    keeper.between(cohort)


def updates_of(cohort: Cohort) -> int:
    """Return the updates that are counted of a cohort, over its members; those since its last
    evaluation are counted at the next."""
    ended = (int(outcome.summary.get("cost/steps", 0)) for outcome in cohort.outcomes.values())
    return cohort.done * len(cohort.members) + sum(ended)


def _stop_reading() -> None:
    """End what reads samples ahead for a run that has ended, or goes on in another process."""
    from harness.engine.stream_batches import stop_reading

    stop_reading()


def _free_memory() -> None:
    """Give back what a failed cohort held, so that its halves find room."""
    import torch

    # tensors in cycles of references (autograd's graph, tracebacks) wait for the collector
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def counter_of(job: Job) -> Callable[[int], None]:
    """Return what adds updates to the job's counter on the board, if there is a board."""
    board = _board(job)

    def count(updates: int) -> None:
        board[job.slot] += updates

    return count


def words_of(job: Job) -> Path | None:
    """Return the file of the last words of a process that had to be ended with a job."""
    return job.board.with_suffix(f".{job.slot}") if job.board else None


def _board(job: Job) -> np.ndarray:
    """Return the board's counters; of a job without a board counters that nobody reads.

    The last says that the driver ends.
    """
    if job.board is None:
        return np.zeros(job.slot + 2, np.int64)
    # a plain view: a memory map's own indexing is slow
    return np.asarray(np.memmap(job.board, dtype=np.int64, mode="r+"))


def cut_cohorts(count: int, largest: int, alone: bool = True) -> list[range]:
    """Cut runs into cohorts of nearly equal size.

    The cut does not depend on the number of workers, so neither do the results, even where the last
    bits of a run depend on the size of its cohort, as they may on a GPU.

    Args:
        count: how many runs there are.
        largest: members of a cohort at most.
        alone: no other shape is trained beside them; then many runs make an even number of
            cohorts, so that two workers end together.

    Returns:
        The positions of each cohort's runs.

    >>> [len(cohort) for cohort in cut_cohorts(40, 16)]
    [10, 10, 10, 10]
    >>> [len(cohort) for cohort in cut_cohorts(12, 16)], [len(own) for own in cut_cohorts(7, 16)]
    ([6, 6], [7])
    >>> [len(cohort) for cohort in cut_cohorts(40, 16, alone=False)]
    [13, 14, 13]
    """
    parts = -(-count // largest)  # rounded up
    if alone and count >= EVEN_FROM and parts % 2:
        parts += 1
    # bounds at equal fractions: sizes differ by one at most
    bounds = [round(i * count / parts) for i in range(parts + 1)]
    return [range(a, b) for a, b in pairwise(bounds) if a < b]


def how_cut(largest: int | None) -> str:
    """Return what decides how many runs make a cohort, beside the runs; drivers that share a study
    have to cut alike.

    Args:
        largest: members that the user allows.
    """
    if surely_no_gpu():
        return f"{largest}"
    import torch

    gpu = torch.cuda.get_device_properties(0) if torch.cuda.is_available() else None
    return f"{largest} {gpu.name} {gpu.total_memory}" if gpu else f"{largest}"


def cohort_limit(recipe: ResolvedRecipe) -> int:
    """Return how many members a cohort of a recipe has at most.

    One where the recipe can't be batched; else as many as fit the cache, or half of the GPU.

    Args:
        recipe: of any of the runs; its program is built, and a user's own module tried under vmap.

    Raises:
        HarnessError: parts of the recipe do not go together.
    """
    import torch

    from harness.engine.batching import check_batching, member_bytes
    from harness.engine.cohort_key import copy_bytes
    from harness.engine.program import program_of

    if not check_batching(recipe)[0]:
        return 1
    program = program_of(recipe)
    if program.device.type == "cuda":
        memory = torch.cuda.get_device_properties(program.device).total_memory
        # every member may be on a split of its own; on a CPU, where the cache is the limit, an
        # update reads its minibatches' samples alone, however many there are
        needed = member_bytes(program) + copy_bytes(recipe)
        return max(1, min(GPU_LIMIT, memory // GPU_SHARE // needed))
    return max(1, min(CPU_LIMIT, CACHE // member_bytes(program)))

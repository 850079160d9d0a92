"""One run trained by several processes of this machine (data parallel, as ``torchrun`` has it).

The process that is asked to train starts the others, which begin with the same state, make the same
updates from gradients that all have added up, and end with it. It alone counts, writes checkpoints,
sees the test data and has the results.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError
from harness.core.process import REPRODUCIBLE_MKL, python_call
from harness.core.ranks import Rank
from harness.core.temporary import temporary_folder
from harness.execution.follower import RankShare, joined, on_cuda

if TYPE_CHECKING:  # the engine imports torch, which the driver does without until it trains
    from harness.engine.cohort import Cohort

LEAVE = 5.0
"""Seconds that a process may take to end after the others have lost it."""
LAST_WORDS = 4096
"""Bytes of a process's output in which the reason of its end is looked for."""


def advance_together(
    cohort: Cohort,
    until: int | None = None,
    count: Callable[[int], None] = lambda _: None,
    between: Callable[[Cohort], None] = lambda _: None,
) -> Cohort:
    """Train on, as :func:`harness.engine.loop.advance` does, in as many processes as the recipe
    asks for; the others have ended when it returns or raises.

    Raises:
        HarnessError: one of the other processes failed or died; the message has its reason.
    """
    from harness.engine.loop import advance

    processes = cohort.members[0].run.recipe.processes
    if processes == 1:
        return advance(cohort, until, count, between)
    with _others(cohort, until, processes):
        return advance(cohort, until, count, between)


@contextmanager
def _others(cohort: Cohort, until: int | None, processes: int) -> Iterator[None]:
    """Start the other processes of a run, and end them afterwards.

    Raises:
        HarnessError: one of them failed or died.
    """
    started: list[_Process] = []
    with temporary_folder("ranks") as folder:
        meeting, state = str(Path(folder) / "meeting"), _state_of(cohort)
        try:
            for place in range(1, processes):
                asked = _share_of(Rank(place, processes), meeting, cohort, state, until)
                started.append(_Process(asked, Path(folder) / f"{place}.log"))
            for process in started:
                process.wait_until_ready()
            with joined(Rank(0, processes), meeting, on_cuda(cohort)):
                yield
        # what a collective raises when a process is gone
        except RuntimeError as error:
            if reason := _why_ended(started):
                raise HarnessError(f"recipe.processes: {reason}") from error
            raise
        finally:
            for process in started:
                process.kill()


def _share_of(
    rank: Rank, meeting: str, cohort: Cohort, state: bytes, until: int | None
) -> RankShare:
    from harness.data.same_data import known_fingerprint

    runs = {member.index: member.run for member in cohort.members}
    data = {index: known_fingerprint(run.recipe.data) for index, run in runs.items()}
    return RankShare(rank, meeting, runs, data, state, until)


def _state_of(cohort: Cohort) -> bytes:
    import torch

    from harness.engine.checkpoint.cohorts import cohort_to_tree

    buffer = io.BytesIO()
    torch.save(cohort_to_tree(cohort), buffer)
    return buffer.getvalue()


class _Process:
    """One of the other processes.

    Args:
        asked: what it is to do.
        log: where its output goes.
    """

    def __init__(self, asked: RankShare, log: Path) -> None:
        self.rank, self.log = asked.rank, log
        self._ready, write = os.pipe()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                python_call("harness.execution.follower.train_share", str(write), str(os.getpid())),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(write,),
                env=_environment(asked.rank),
                # Ctrl-C goes to all processes of a terminal's session
                start_new_session=True,
            )
        os.close(write)
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(pickle.dumps(asked))
            self.process.stdin.close()

    def wait_until_ready(self) -> None:
        """Wait until it is about to join the others.

        Raises:
            RuntimeError: it has ended before.
        """
        if not os.read(self._ready, 1):
            raise RuntimeError("a process ended before it was ready")

    def why_ended(self) -> str:
        """Return why it has ended, in words, after a while; empty where it goes on."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(LEAVE)
        code = self.process.poll()
        if not code:
            return ""
        said = self.log.read_bytes()[-LAST_WORDS:].decode(errors="replace").strip().splitlines()
        # torch puts the process's number before what is raised
        last = said[-1].removeprefix(f"[rank{self.rank.place}]: ") if said else ""
        reason = last if code > 0 else "out of memory, or killed"
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        place = f"process {self.rank.place + 1} of {self.rank.processes}"
        return f"{place} of the run ended by {how}: {reason}"

    def kill(self) -> None:
        """End it and all that it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._ready)


def _why_ended(started: list[_Process]) -> str:
    """Return why the first of the processes that have ended did so; empty where all go on."""
    deadline = time.monotonic() + LEAVE
    while time.monotonic() < deadline:
        if any(process.process.poll() for process in started):
            break
        time.sleep(0.05)
    # one that lost another ends too: what a collective says of it is no reason
    ended = [process.why_ended() for process in started if process.process.poll()]
    return next((said for said in ended if "Connection" not in said), next(iter(ended), ""))


def _environment(rank: Rank) -> Mapping[str, str]:
    """Return a process's environment: one thread, and a GPU of its own where there are any."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    devices = visible.split(",") if visible else [str(i) for i in range(rank.processes)]
    own = {"CUDA_VISIBLE_DEVICES": devices[rank.place]} if rank.place < len(devices) else {}
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    threads["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    mkl = {REPRODUCIBLE_MKL[0]: os.environ.get(*REPRODUCIBLE_MKL)}
    return {**os.environ, **threads, **mkl, **own}

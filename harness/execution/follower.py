"""One of the other processes that train a run: it makes the same updates, and ends with it."""

from __future__ import annotations

import io
import os
import pickle
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from harness.core.errors import HarnessError
from harness.core.ranks import Rank, ranked
from harness.spec.arms import Run
from harness.trainers.child import follow

if TYPE_CHECKING:  # the engine imports torch, which the driver does without until it trains
    from harness.engine.cohort import Cohort

INTERFACE = "GLOO_SOCKET_IFNAME", {"darwin": "lo0"}.get(sys.platform, "lo")
"""The environment variable by which gloo finds the network of this machine alone, and its name."""


class RankShare(NamedTuple):
    """What a process is started with."""

    rank: Rank
    meeting: str
    """The file by which the processes find each other."""
    runs: dict[int, Run]
    """Those that train, by their place in the cohort."""
    data: dict[int, str]
    """Fingerprints of their data, as :func:`~harness.data.same_data.known_fingerprint` gives."""
    state: bytes
    """The cohort, as a checkpoint has it."""
    until: int | None


def on_cuda(cohort: Cohort) -> bool:
    """Return whether a cohort is on a GPU."""
    return cohort.w_KP.device.type == "cuda"


@contextmanager
def joined(rank: Rank, meeting: str, cuda: bool) -> Iterator[None]:
    """Join the other processes.

    Args:
        rank: this process's place.
        meeting: the file by which they find each other.
        cuda: whether they talk between GPUs.

    Raises:
        HarnessError: this process is in a group of its own already.
    """
    from torch import distributed

    if distributed.is_initialized():
        raise HarnessError(
            "recipe.processes: expected a process in no group of torch.distributed, got one that"
            " has joined a group already; leave it (destroy_process_group), or train in workers"
        )
    name, value = INTERFACE
    before = os.environ.get(name)
    os.environ.setdefault(name, value)
    try:
        distributed.init_process_group(
            "nccl" if cuda else "gloo",
            init_method=f"file://{meeting}",
            rank=rank.place,
            world_size=rank.processes,
        )
        with ranked(rank):
            yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        if distributed.is_initialized():
            distributed.destroy_process_group()


def train_share() -> None:
    """Train as one of several processes what is given on the standard input.

    The first argument is the number of the pipe's end that readiness is told by, the second the
    process that is waited for.
    """
    follow(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked: RankShare = pickle.loads(sys.stdin.buffer.read())
    import torch

    from harness.data.same_data import check_same_data
    from harness.engine.checkpoint.cohorts import cohort_from_tree
    from harness.engine.loop import advance
    from harness.engine.test_set import Permit

    torch.set_num_threads(1)
    for index, run in asked.runs.items():
        check_same_data(run.recipe.data, asked.data[index])
    # of several GPUs this process sees its own alone, as the first: what was on cuda:0 goes there
    state = torch.load(io.BytesIO(asked.state), weights_only=True)
    cohort = cohort_from_tree(state, _by_place(asked.runs))
    # test data are evaluated once, by the process that has the results
    cohort.permit = Permit(allowed=False)
    os.write(int(sys.argv[1]), b"1")
    with joined(asked.rank, asked.meeting, on_cuda(cohort)):
        advance(cohort, asked.until)
    sys.stdout.flush()
    os._exit(0)  # nothing is left to do, and a group may wait for others at its end


def _by_place(runs: Mapping[int, Run]) -> list[Run]:
    """Return runs so that each is found by its place."""
    some = next(iter(runs.values()))
    return [runs.get(place, some) for place in range(max(runs) + 1)]

"""What is set in the environment of a worker process before its libraries are loaded."""

from __future__ import annotations

import os
from collections.abc import Sequence

from harness.core import kernels
from harness.core.process import REPRODUCIBLE_MKL


def worker_environment(gpus: Sequence[str] = (), number: int = 0) -> dict[str, str]:
    """Return what is set in a worker: what is read when torch's libraries are loaded.

    Args:
        gpus: the first one of a process is its own, "cuda" to torch in every worker, so that
            checkpoints move between them; the others come after it, for runs of several processes.
        number: the worker's.
    """
    turn = number % len(gpus) if gpus else 0
    own = {"CUDA_VISIBLE_DEVICES": ",".join([*gpus[turn:], *gpus[:turn]])} if gpus else {}
    return {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        # torch's compiler would start processes of its own, one a core in every worker
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
        # a value that the user has set stays
        REPRODUCIBLE_MKL[0]: os.environ.get(*REPRODUCIBLE_MKL),
        kernels.CHOICE: kernels.version(),
        **own,
    }

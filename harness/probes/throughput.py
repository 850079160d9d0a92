"""How fast a cohort trains, and how much memory that takes."""

from __future__ import annotations

import os
import resource
import time
from typing import TYPE_CHECKING, ClassVar, final

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@final
class Throughput(Probe):
    """Training samples a second of the whole cohort since the last measurement, by the wall clock.

    ``throughput/samples`` and ``throughput/updates`` (one for all members), both a second;
    ``throughput/memory``: the most MiB that the process, or on a GPU its tensors, have taken so
    far. Evaluations between two measurements count as time. It is meant for one machine, one run
    after another; curves that fall are a machine that others use too.
    """

    prefix = "throughput"
    repeatable: ClassVar[bool] = False

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return rates and memory, (K,) each and the same for all members; no rate at first.

        The last measurement's time, step and process are kept in memory.
        """
        # a number for each member, though all are the same: memory is kept member by member. In
        # float64, since float32 would round the clock's seconds.
        like_K = scene.w_KP.new_zeros(len(scene.w_KP), dtype=torch.float64)
        now = {
            "time": like_K + time.perf_counter(),
            "step": like_K + scene.step,
            "process": like_K + os.getpid(),
        }
        values = {"memory": like_K + _peak_memory(scene.w_KP)}
        # a run that goes on in another process has another clock in its memory: no rate this time
        if "time" in memory and bool((memory["process"] == now["process"]).all()):
            values["updates"] = (now["step"] - memory["step"]) / (now["time"] - memory["time"])
            values["samples"] = values["updates"] * scene.x_KB.shape[1] * len(like_K)
        memory.update(now)
        return values


def _peak_memory(like: Tensor) -> float:
    """Return the most memory taken so far on the tensor's device, in MiB.

    Args:
        like: a tensor on the device; on a CPU it is the process's resident memory.
    """
    if like.is_cuda:
        return torch.cuda.max_memory_allocated(like.device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # Linux counts in KiB

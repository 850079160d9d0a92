"""An update, or an evaluation, of a cohort's member with this machine's kernels and by PyTorch, by
turns.

    harness kernels
    python -m benchmarks.kernels [--case 'MLP 64, Adam'] [--turn SECONDS]

Each side is a process of its own, begun with ``HARNESS_KERNELS`` as a study's workers are, on one
thread; both are pinned to the same core, and only one of them works at a time. What is timed is the
processor's time of the process, so that the machine may be busy. Given are the least time of each
side, and the median of the turns' ratios, PyTorch's time over the kernels'.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import time
from multiprocessing.connection import Connection
from pathlib import Path

import torch

import harness as h
from benchmarks import growing
from benchmarks.trained_cohort import TrainedCohort
from harness.core import kernels

MEMBERS = (1, 8, 24, 96)
TURNS = 7
SPAWNED = multiprocessing.get_context("spawn")
RULES = {
    "momentum": h.SGD(lr=0.02, momentum=0.9),
    "Adam": h.Adam(lr=0.001),
    "AdamW": h.AdamW(lr=0.001),
}
CNN = {
    "model": h.CNN1D(channels=25),
    "data": {"name": "mnist1d", "channels": True},
    "batch_size": 100,
}
GPT = {
    "model": h.GPT(layers=2, width=64, heads=4),
    "data": h.Markov(symbols=5, order=2, context=16, samples=1000),
    "batch_size": 16,
}
CASES = {
    **{
        f"MLP {w}, {rule}": {
            "model": h.MLP(widths=(w, w)),
            "data": "digits",
            "batch_size": 32,
            "optimizer": optimizer,
        }
        for w in (64, 256)
        for rule, optimizer in RULES.items()
    },
    **{
        f"{name}, {rule}": fields | {"optimizer": RULES[rule]}
        for name, fields in (("CNN", CNN), ("GPT", GPT))
        for rule in ("momentum", "Adam")
    },
}
EVALUATED = {f"{of}, evaluation": f"{of}, momentum" for of in ("MLP 64", "CNN", "GPT")}
"""What is evaluated, as many training samples as validation has and those, by the case of it."""
LAST = 1_000_000
"""The length of a run, of which the turns see the beginning."""


class Side:
    """A process that trains or evaluates a cohort when it is told to.

    Args:
        chosen: what ``HARNESS_KERNELS`` says in it.
        case: of :data:`CASES` or :data:`EVALUATED`.
        members: of the cohort.
        core: where it computes.
    """

    def __init__(self, chosen: str, case: str, members: int, core: int) -> None:
        self.ours, theirs = SPAWNED.Pipe()
        os.environ[kernels.CHOICE] = chosen
        self.process = SPAWNED.Process(target=_serve, args=(theirs, case, members, core))
        self.process.start()
        del os.environ[kernels.CHOICE]

    def __call__(self, times: int) -> float:
        """Do it so many times; return the seconds of the processor that it took."""
        self.ours.send(times)
        seconds: float = self.ours.recv()
        return seconds

    def end(self) -> None:
        self.ours.send(0)
        self.process.join()


def _serve(pipe: Connection, case: str, members: int, core: int) -> None:
    """Train or evaluate as often as the parent says, until it says 0."""
    os.sched_setaffinity(0, {core})
    torch.set_num_threads(1)
    fields = CASES[EVALUATED.get(case, case)]
    recipe = h.Recipe(**{"steps": LAST, "eval_every": LAST, "drop_last": True, **fields})
    cohort = TrainedCohort(recipe, members)
    work = cohort.evaluate if case in EVALUATED else cohort
    while times := pipe.recv():
        began = time.process_time()
        work(times)
        pipe.send(time.process_time() - began)


def compare(case: str, members: int, seconds: float) -> dict[str, float]:
    """Return microseconds a member and time on both sides, and PyTorch's over the kernels'."""
    core = max(os.sched_getaffinity(0))
    sides = [Side(chosen, case, members, core) for chosen in (kernels.version(), "none")]
    for side in sides:
        side(2)
    times = max(2, int(seconds / sides[1](2) * 2))
    pairs = [[side(times) for side in sides] for _ in range(TURNS)]
    for side in sides:
        side.end()
    least = [min(turns) / times / members * 1e6 for turns in zip(*pairs, strict=True)]
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    return {"kernels, µs": least[0], "PyTorch, µs": least[1], "PyTorch / kernels": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/kernels.json"))
    parser.add_argument(
        "--case", action="append", choices=(*CASES, *EVALUATED), help="one or several"
    )
    parser.add_argument("--turn", type=float, default=0.35, help="seconds of a turn")
    flags = parser.parse_args()
    if kernels.version() == "none":
        parser.error("this machine has no kernels; make them by `harness kernels`")
    measured: dict[str, dict[str, float]] = {}
    for case in flags.case or (*CASES, *EVALUATED):
        rows = {f"{case}, members {n}": compare(case, n, flags.turn) for n in MEMBERS}
        for label, row in rows.items():
            print(label, {key: round(value, 2) for key, value in row.items()}, flush=True)
        ratios = {label: row["PyTorch / kernels"] for label, row in rows.items()}
        growing.add("benchmarks.kernels", ratios, f"kernels {kernels.version()}")
        measured |= rows
    flags.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

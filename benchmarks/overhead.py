"""What the harness costs beside the arithmetic: one large run, a cohort's update, the command line, a study's memory.

    python -m benchmarks.overhead [--json FILE]

Every ratio is of two things measured by turns in one process on one thread; the median of the turns' ratios is given.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

import harness as h
from harness.data.base import load_data
from harness.engine.cohort import Cohort, start
from harness.engine.denormals import denormals_as_zero
from harness.engine.loop import train_interval
from harness.engine.program import program_of
from harness.execution.jobs import cohort_limit
from harness.probes.base import Probe
from harness.spec.arms import Run
from harness.spec.resolved import resolve

LARGE = h.Recipe(
    data=h.TeacherStudent(samples=3000, features=784),
    model=h.MLP(widths=(2048, 2048)),
    loss=h.MSE(),
    optimizer=h.SGD(lr=0.01, momentum=0.9),
    batch_size=256,
    steps=100_000,
    eval_every=100_000,
)
SMALL = LARGE.with_values(
    {"data": "digits", "model.widths": (64, 64), "loss": "CrossEntropy", "batch_size": 32}
)
SIZES = (8, 24, 48)
WIDTHS = (64, 128, 256)


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def ratio(
    ours: Callable[[], object], theirs: Callable[[], object], turns: int
) -> tuple[float, float]:
    """Return the median of the ratios of ours to theirs, and our median seconds."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(turns)]
    return statistics.median(a / b for a, b in pairs), statistics.median(a for a, _ in pairs)


def ours(
    recipe: h.Recipe, members: int, steps: int, probes: tuple[Probe, ...] = ()
) -> Callable[[], object]:
    """Return a call that makes so many more updates of a cohort, evaluation apart."""
    cohort: Cohort = start([Run.of(recipe, seed, probes) for seed in range(members)], False)
    program = program_of(resolve(recipe))
    return lambda: denormals_as_zero()(train_interval)(program, cohort, cohort.done + steps)


def bare_loop(recipe: h.Recipe, steps: int) -> Callable[[], object]:
    """Return a call that makes as many updates by a PyTorch loop without any logging."""
    data = load_data(recipe.data)
    x, y = (torch.tensor(part, dtype=torch.float32) for part in data.train[:2])
    model = nn.Sequential(
        nn.Linear(784, 2048),
        nn.ReLU(),
        nn.Linear(2048, 2048),
        nn.ReLU(),
        nn.Linear(2048, y.shape[1]),
    )
    optimizer, criterion = torch.optim.SGD(model.parameters(), 0.01, 0.9), nn.MSELoss()

    def loop() -> None:
        order = torch.randperm(len(x))
        for rows in [*order.split(256)] * (1 + steps * 256 // len(x)):
            if len(rows) < 256:
                continue
            optimizer.zero_grad()
            criterion(model(x[rows]), y[rows]).backward()
            optimizer.step()
            loop.made += 1
            if loop.made % steps == 0:
                return

    loop.made = 0
    return loop


def products(members: int, width: int, steps: int, batch: int = 32) -> Callable[[], object]:
    """Return a call that makes only the matrix products of as many updates of the 64-width-width-10 MLPs."""
    x, slope = torch.randn(members, batch, 64), torch.randn(members, batch, 10)
    h1, h2 = (torch.randn(members, batch, width) for _ in range(2))
    w1, w2, w3 = (
        torch.randn(members, width, 64),
        torch.randn(members, width, width),
        torch.randn(members, 10, width),
    )

    def loop() -> None:
        for _ in range(steps):
            torch.bmm(x, w1.mT), torch.bmm(h1, w2.mT), torch.bmm(h2, w3.mT)
            torch.bmm(slope.mT, h2)
            d2 = torch.bmm(slope, w3)
            torch.bmm(d2.mT, h1)
            d1 = torch.bmm(d2, w2)
            torch.bmm(d1.mT, x)

    return loop


def cohort_ratios(width: int, steps: int) -> dict[int, float]:
    """Return the ratio by cohort size, the last of which is the largest that the harness makes by itself here."""
    recipe, ratios = SMALL.with_values({"model.widths": (width, width)}), {}
    for members in sorted({*SIZES, cohort_limit(resolve(recipe))}):
        ratios[members], took = ratio(
            ours(recipe, members, steps), products(members, width, steps), 7
        )
        print(
            f"  w {width:3d}, {members:2d} members  {ratios[members]:5.2f}×  ({took / steps * 1e6 / members:.0f} µs a member)"
        )
    return ratios


def help_seconds() -> float:
    command = [sys.executable, "-m", "harness", "--help"]
    return statistics.median(
        seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(7)
    )


MEMORY = """
import sys, psutil, gc
import harness as h
from harness.protocol.run import Options, run_study
study = h.Study(name="m", recipe=h.Recipe(data="iris", model=h.MLP(widths=(8,)), optimizer=h.SGD(lr=0.1), epochs=20),
    compare={"optimizer": {str(i): h.SGD(lr=h.LogUniform(1e-3, 1.0)) for i in range(2)}},
    search=h.Search(trials=int(sys.argv[1]), sampler="random"), seeds=2)
run_study(study, Options(workers=0, uri="sqlite:///" + sys.argv[2] + "/m.db", storage=sys.argv[2] + "/o"))
print(max(psutil.Process().memory_info().rss, __import__("resource").getrusage(0).ru_maxrss * 1024) / 2**20)
"""


def memory_mib(trials: int) -> float:
    """Return the driver's highest memory for a study of so many trials an arm."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", MEMORY, str(trials), folder],
            check=True,
            capture_output=True,
            text=True,
        )
    return float(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/overhead.json"))
    path = parser.parse_args().json
    torch.set_num_threads(1)
    large, large_s = ratio(ours(LARGE, 1, 11), bare_loop(LARGE, 11), 9)
    print(
        f"one run of MLP 784-2048-2048, batch 256, against a bare PyTorch loop: {large:.3f}× ({large_s / 11 * 1e3:.0f} ms)"
    )
    measured: dict[str, object] = {"large run / bare loop": large}
    print(
        "a cohort's update of MLPs 64-w-w-10, batch 32, momentum, against the bare batched matrix products:"
    )
    measured["cohort / bare products"] = {
        f"width {width}": cohort_ratios(width, steps=6400 // width) for width in WIDTHS
    }
    measured["help seconds"] = help_seconds()
    print(f"harness --help: {measured['help seconds']:.2f} s")
    measured["driver MiB by trials an arm"] = sizes = {
        trials: memory_mib(trials) for trials in (50, 400)
    }
    print(
        "driver's highest memory: "
        + ", ".join(f"{mib:.0f} MiB for {trials} trials an arm" for trials, mib in sizes.items())
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path}")


if __name__ == "__main__":
    main()

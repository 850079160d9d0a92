"""The same study through the harness and through the usual stack, side by side.

    python -m benchmarks.throughput [--json FILE]

Both tune three optimizers and train each one's best with fresh seeds, on the same data, into an
SQLite store of MLflow each. Times contain everything but imports: search, training, tracking, and
for two processes their start. The usual stack is given as one process and as two that share its
trials and seeds. "bare loop" is the usual loop without MLflow. The MLP's 243 runs are as many as
those of the flagship's quick form.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import harness as h
from benchmarks import growing, usual
from benchmarks.usual import RANGES, Work
from harness.core import kernels
from harness.protocol.run import Options, run_study

CASES = {
    "MLP 64-64-64-10, digits, batch 32": Work("MLP", {"name": "digits"}, 32, 20, 54, 27),
    "CNN 1-25-25-25, mnist1d, batch 100": Work(
        "CNN", {"name": "mnist1d", "channels": True}, 100, 8, 8, 4
    ),
}


def study_of(work: Work) -> h.Study:
    """Return the same work as a study."""
    optimizers = {
        "SGD": h.SGD(lr=h.LogUniform(*RANGES["SGD"])),
        "Momentum": h.SGD(lr=h.LogUniform(*RANGES["Momentum"]), momentum=0.9),
        "Adam": h.Adam(lr=h.LogUniform(*RANGES["Adam"])),
    }
    model = h.MLP(widths=(64, 64)) if work.model == "MLP" else h.CNN1D(channels=25)
    recipe = h.Recipe(
        data=work.data,
        model=model,
        batch_size=work.batch,
        epochs=work.epochs,
        optimizer=h.SGD(lr=0.1),
    )
    return h.Study(
        name="bench",
        recipe=recipe,
        compare={"optimizer": optimizers},
        search=h.Search(trials=work.trials),
        seeds=work.seeds,
    )


def through_harness(work: Work, folder: Path, workers: int) -> None:
    run_study(
        study_of(work),
        Options(
            workers=workers,
            uri=f"sqlite:///{folder / 'harness.db'}",
            storage=str(folder / "o.journal"),
        ),
    )


def through_usual(work: Work, folder: Path, processes: int, track: bool = True) -> None:
    store = f"sqlite:///{folder / 'usual.db'}"
    if processes == 1:
        return usual.run(work, store, track)
    context = multiprocessing.get_context("spawn")
    shares = [
        (work, store, track, work.trials // 2, tuple(range(work.seeds))[i::2]) for i in range(2)
    ]
    started = [context.Process(target=usual.run, args=share) for share in shares]
    for process in started:
        process.start()
    for process in started:
        process.join()
        assert process.exitcode == 0


def timed(call: Callable[[Path], None]) -> float:
    """Return the seconds of a call in a folder of its own, whose stores were made beforehand."""
    from harness.tracking.connect import connect

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for store in ("harness", "usual"):
            connect(f"sqlite:///{folder / store}.db", create=True)[1].dispose()
        began = time.perf_counter()
        call(folder)
        return time.perf_counter() - began


def measure(work: Work) -> dict[str, float]:
    return {
        "harness, 2 workers": timed(lambda f: through_harness(work, f, 2)),
        "harness, 1 process": timed(lambda f: through_harness(work, f, 0)),
        "usual stack, 1 process": timed(lambda f: through_usual(work, f, 1)),
        "usual stack, 2 processes": timed(lambda f: through_usual(work, f, 2)),
        "bare loop, 1 process": timed(lambda f: through_usual(work, f, 1, track=False)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/throughput.json"))
    path = parser.parse_args().json
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    timed(
        lambda f: through_harness(
            CASES["MLP 64-64-64-10, digits, batch 32"]._replace(trials=1, seeds=1, epochs=1), f, 0
        )
    )
    measured = {}
    for name, work in CASES.items():
        seconds, runs = measure(work), 3 * (work.trials + work.seeds)
        best = seconds["harness, 2 workers"]
        measured[name] = {
            "runs": runs,
            "seconds": seconds,
            "ratio to the usual stack in 1 process": seconds["usual stack, 1 process"] / best,
            "ratio to the usual stack in 2 processes": seconds["usual stack, 2 processes"] / best,
            "ratio in 1 process each": seconds["usual stack, 1 process"]
            / seconds["harness, 1 process"],
        }
        print(f"\n{name}: {runs} runs")
        for label, value in seconds.items():
            print(f"  {label:28s} {value:8.1f} s   {value / best:6.2f}×")
    growing.add(
        "benchmarks.throughput",
        {
            f"{name}, {label.removeprefix('ratio ')}": value
            for name, found in measured.items()
            for label, value in found.items()
            if label.startswith("ratio")
        },
        f"kernels {kernels.version()}",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    main()

"""What the driver costs a run: seconds, processor time, memory and rows, from 100 runs to 50,000.

    python -m benchmarks.scale [--runs 100 1000 10000] [--huge] [--json FILE]

The real driver asks, cuts, records, judges and reports; only training is pretended: a cohort's
curves are made up within microseconds, and go the way that those of a cluster's workers go. Each
size has an SQLite store and a process of its own. ``--huge`` adds 50,000 runs. All but ``seconds``
are seconds of processors, which load changes less than those of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import harness as h

HARNESS = (sys.executable, "-m", "harness")
TRIALS, SEEDS, EPOCHS = 40, 10, 40
SIZES = {100: (2, 1), 1_000: (4, 5), 10_000: (20, 10), 50_000: (100, 10)}
"""Arms and searches by the number of runs; each arm has 40 trials and 10 seeds in each search."""
HUGE = 50_000
TABLES = ("runs", "tags", "params", "metrics", "latest_metrics", "inputs")


def study(runs: int) -> h.Study:
    """Return a study of so many runs: optimizers that differ in momentum, each with its rate tuned."""
    arms, searches = SIZES[runs]
    levels = {
        f"momentum {m:.3f}": h.SGD(lr=h.LogUniform(1e-3, 1.0), momentum=float(m))
        for m in np.linspace(0, 0.95, arms)
    }
    names = list(levels)
    return h.Study(
        name=f"scale {runs}",
        recipe=h.Recipe(
            data="iris",
            model=h.MLP(widths=(4,)),
            optimizer=h.SGD(lr=0.1),
            batch_size=32,
            epochs=EPOCHS,
            eval_every=1,
        ),
        compare={"optimizer": levels},
        search=h.Search(trials=TRIALS, searches=searches),
        seeds=SEEDS,
        claims=[h.Claim.better(names[-1], than=names[0])],
    )


class Pretended(Executor):
    """Answers for the workers of a cluster: makes up what a cohort would have given.

    ``spent`` are the processor seconds of making it up, which are none of the driver's.
    """

    def __init__(self) -> None:
        self.spent = 0.0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        from harness.execution.jobs import Job
        from harness.execution.remote import Performed, Reply

        packed, parcel = args
        promise: Future[Any] = Future()
        began = time.process_time()
        _, argument = pickle.loads(packed.call)
        if isinstance(argument, Job):
            reply = Reply(pickle.dumps(Performed(pretend(argument), counted=False)))
        else:
            reply = fn(packed, parcel)  # a clock is read as ever
        self.spent += time.process_time() - began
        promise.set_result(reply)
        return promise


def pretend(job: Any) -> Any:
    """Return curves of noisy decay that end the lower the nearer the rate is to .1."""
    from harness.execution.jobs import Done

    return Done({i: outcome(run, job.test) for i, run in zip(job.members, job.runs, strict=True)})


def outcome(run: Any, test: bool) -> Any:
    """Return what a run is pretended to have given; from its seed and rate alone."""
    from harness.core.records import Outcome, Point

    rate = float(run.recipe.optimizer.lr)
    stream = np.random.default_rng([run.seed, int(rate * 1e9)])
    best = 0.1 + 0.05 * (np.log10(rate) + 1) ** 2
    loss = best + np.exp(-np.linspace(0, 4, EPOCHS)) + stream.normal(0, 0.01, EPOCHS)
    points = tuple(
        Point(
            4 * i,
            float(i),
            105.0 * i,
            {
                "train/loss": 0.9 * value,
                "train/accuracy": 1 - value / 2,
                "valid/loss": value,
                "valid/accuracy": 1 - value / 2,
            },
        )
        for i, value in enumerate(loss.tolist(), start=1)
    )
    closing = points[-1].metrics | {"cost/steps": 4.0 * EPOCHS, "cost/seconds": 1.0}
    if test:
        closing |= {"test/loss": loss[-1] + 0.01, "test/accuracy": 1 - loss[-1] / 2}
    return Outcome("finished", points, {name: float(value) for name, value in closing.items()})


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    processor: float
    mib: float
    """Its memory at most."""
    said: str


def command(folder: Path, *arguments: str) -> Cost:
    """Run a command in a folder, and return what it took."""
    began = time.perf_counter()
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(
            arguments, cwd=folder, env=_environment(), stdout=said, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        said.seek(0)
        text = said.read()
    if status:
        raise SystemExit(f"{' '.join(arguments)} ended with {status}:\n{text}")
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text)


def _environment() -> dict[str, str]:
    here = str(Path(__file__).resolve().parent.parent)
    inherited = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    return inherited | {"PYTHONPATH": here, "OMP_NUM_THREADS": "1"}


def drive(runs: int) -> None:
    """Run the study in the working folder, and print the processor seconds of pretending."""
    from harness.protocol.options import Options
    from harness.protocol.run import run_study

    executor = Pretended()
    began = time.process_time()
    summary = run_study(study(runs), Options(executor=executor))
    assert summary.trained + summary.known == runs and not summary.failed, summary
    found = {
        "trained": summary.trained,
        "seconds": summary.seconds,
        "processor": time.process_time() - began - executor.spent,
        "pretended": executor.spent,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))


def measure(runs: int) -> dict[str, float]:
    """Return the costs of a study of so many runs: trained, known, told of, and reported."""
    module = (sys.executable, "-m", "benchmarks.scale", "--drive", str(runs))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained = json.loads(command(folder, *module).said.splitlines()[-1])
        again = command(folder, *module)
        status = command(folder, *HARNESS, "status")
        own = command(folder, *HARNESS, "status", f"scale {runs}")
        report = command(folder, *HARNESS, "report", f"scale {runs}")
        page = next((folder / "reports").glob("scale*.html")).stat().st_size
        store = folder / "mlflow.db"
        rows = rows_of(store)
        size = store.stat().st_size
    return {
        "runs": runs,
        "seconds": round(trained["seconds"], 1),
        "processor_seconds": round(trained["processor"], 1),
        "processor_ms_a_run": round(1000 * trained["processor"] / runs, 1),
        "mib": round(trained["mib"]),
        "rows_a_run": round(rows / runs, 1),
        "store_kib_a_run": round(size / runs / 1024, 1),
        "known_seconds": round(again.processor, 1),
        "status_seconds": round(status.processor, 1),
        "study_status_seconds": round(own.processor, 1),
        "report_seconds": round(report.processor, 1),
        "report_mib": round(report.mib),
        "page_mib": round(page / 2**20, 2),
    }


def rows_of(store: Path) -> int:
    """Return the rows of MLflow's tables that a study's runs are in."""
    with sqlite3.connect(store) as db:
        return sum(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES)


def table(measured: list[dict[str, float]]) -> str:
    """Return the figures as a table in Markdown."""
    names = list(measured[0])
    rows = [names, ["---:"] * len(names), *([f"{m[n]:,}" for n in names] for m in measured)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 1_000, 10_000], choices=SIZES)
    parser.add_argument("--huge", action="store_true")
    parser.add_argument("--drive", type=int, choices=SIZES, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/scale.json"))
    options = parser.parse_args()
    if options.drive:
        return drive(options.drive)
    measured = [measure(runs) for runs in options.runs + [HUGE] * options.huge]
    print(table(measured))
    options.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(f"written to {options.json}")


if __name__ == "__main__":
    main()

"""What the report of a large study costs: 500 runs × 1,000 points × 10 metrics, in an SQLite store.

    python -m benchmarks.report [--runs 500] [--points 1000] [--json FILE]

Seconds here are of this machine, to be read as orders of magnitude; the file's size is the same
everywhere. Where there is a Chromium, the report is opened too: seconds until its tables work, and
until the first figure is drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import harness as h
from harness import results
from harness.core.records import Outcome, Point
from harness.core.study_record import FrozenEntry, RunEntry, StudyRecord
from harness.protocol.conduct import about_study
from harness.report.page import write_report
from harness.spec.arms import Run, build_arms
from harness.tracking import Record, Session

METRICS = (
    "train/loss",
    "train/accuracy",
    "valid/loss",
    "valid/accuracy",
    "batch/loss",
    "batch/noise",
    *(f"gradient/{n}" for n in "abcd"),
)
ARMS = 10


def study(runs: int) -> h.Study:
    """Return a study of ten learning rates, whose runs are never trained but recorded as if."""
    rates = {f"lr {rate:.3g}": h.SGD(lr=float(rate)) for rate in np.geomspace(0.01, 1, ARMS)}
    recipe = h.Recipe(
        data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), epochs=1000, eval_every=1
    )
    return h.Study(
        name="large",
        recipe=recipe,
        compare={"optimizer": rates},
        seeds=runs // ARMS,
        probes=["GradientNorm"],
    )


def outcome(seed: int, points: int) -> Outcome:
    """Return curves of noisy decay: as hard to compress as real ones."""
    stream = np.random.default_rng(seed)
    values = np.exp(-np.linspace(0, 3, points))[:, None] * stream.lognormal(
        0, 0.2, (points, len(METRICS))
    )
    rows = [
        Point(4 * i, float(i), 120 * i, dict(zip(METRICS, row, strict=True)))
        for i, row in enumerate(values.tolist())
    ]
    closing = dict(rows[-1].metrics) | {
        "test/loss": values[-1, 0],
        "cost/steps": 4.0 * points,
        "cost/seconds": 1.0,
    }
    return Outcome("finished", tuple(rows), {name: float(value) for name, value in closing.items()})


def record_study(spec: h.Study, points: int) -> None:
    """Record the study as if it had been run."""
    session = Session(spec.name)
    session.open(about_study(spec), build_arms(spec))
    entries = []
    for number, arm in enumerate(build_arms(spec)):
        records = [
            Record(
                f"{arm.name} {seed}",
                Run.of(arm.recipe, seed, spec.probes),
                outcome(1000 * number + seed, points),
                "confirm",
                arm.name,
                0,
                arm.levels,
            )
            for seed in spec.looks[0]
        ]
        for trained, run_id in zip(records, session.record(records), strict=True):
            place = (arm.name, arm.levels, "confirm", 0, trained.run.seed)
            entries.append(RunEntry(run_id, trained.key, *place, "finished"))
    winners = {
        arm.name: FrozenEntry(0, arm.levels, arm.recipe.dump(), batched=True, why="")
        for arm in build_arms(spec)
    }
    record = StudyRecord(entries, [], winners, {}, {})
    session.write_answer(record, {"runs": len(entries)}, "x")


def opening(report: Path, turns: int = 5) -> dict[str, float]:
    """Return the median seconds until the table of runs and until the first figure are there.

    Each turn has a fresh Chromium, since a warm one has the scripts compiled. Empty where there is
    no Chromium.
    """
    chromium = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if chromium is None:
        return {}
    from playwright.sync_api import sync_playwright

    waits = {"table": "#table tbody tr", "figure": ".plot .main-svg"}
    taken: dict[str, list[float]] = {name: [] for name in waits}
    with sync_playwright() as driver:
        for _ in range(turns):
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            began = time.perf_counter()
            page.goto(report.as_uri(), wait_until="commit")
            for name, selector in waits.items():
                page.wait_for_selector(selector, timeout=60_000)
                taken[name].append(time.perf_counter() - began)
            browser.close()
    return {
        f"{name}_seconds": round(statistics.median(values), 2) for name, values in taken.items()
    }


def measure(runs: int, points: int) -> dict[str, float]:
    """Return what recording a study and writing its report cost, in the working folder."""
    began = time.perf_counter()
    record_study(study(runs), points)
    recorded = time.perf_counter()
    path = write_report(results.load("large"), Path("reports"))
    written = time.perf_counter()
    return {
        "runs": runs,
        "points": points,
        "metrics": len(METRICS),
        "record_seconds": round(recorded - began, 1),
        "report_seconds": round(written - recorded, 1),
        "mib": round(path.stat().st_size / 2**20, 2),
        **opening(path.resolve()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/report.json"))
    options = parser.parse_args()
    target = options.json.resolve()
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        measured = measure(options.runs, options.points)
        os.chdir(before)
    print(f"{options.runs} runs × {options.points} points × {len(METRICS)} metrics:")
    print(
        f"  recorded in {measured['record_seconds']} s; report written in "
        f"{measured['report_seconds']} s, {measured['mib']} MiB"
    )
    if "figure_seconds" in measured:
        print(
            f"  opened: tables after {measured['table_seconds']} s, the first figure after "
            f"{measured['figure_seconds']} s"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(f"written to {options.json}")


if __name__ == "__main__":
    main()

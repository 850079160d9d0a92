"""What the report of a large study costs: 500 runs × 1,000 points × 10 metrics, from an SQLite store.

    python -m benchmarks.report [--runs 500] [--points 1000] [--json FILE]

Seconds here are of this machine, to be read as orders of magnitude; the file's size is the same everywhere. Where there is
a Chromium, the report is opened too: seconds until its tables work, and until the first figure is drawn.
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
from harness.protocol.conduct import about_study
from harness.report.page import write_report
from harness.spec.arms import Run, arms
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
    """Return curves of noisy decay."""
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


def filled(spec: h.Study, points: int) -> None:
    """Record the study as if it had been run."""
    session = Session(spec.name)
    session.open(about_study(spec), arms(spec))
    index = []
    for number, arm in enumerate(arms(spec)):
        seeds = spec.looks[0]
        records = [
            Record(
                f"{arm.name} {s}",
                Run.of(arm.recipe, s, spec.probes),
                outcome(1000 * number + s, points),
                "confirm",
                arm.name,
                0,
                arm.levels,
            )
            for s in seeds
        ]
        for record, run_id in zip(records, session.record(records), strict=True):
            place = {
                "run_id": run_id,
                "key": record.key,
                "arm": arm.name,
                "stage": "confirm",
                "trial": 0,
            }
            index.append({**place, "seed": record.run.seed, "status": "finished"})
    winners = {
        arm.name: {"trial": 0, "levels": arm.levels, "recipe": arm.recipe.dump(), "path": {}}
        for arm in arms(spec)
    }
    session.write_answer(
        {"runs": index, "trials": [], "winners": winners, "importances": {}, "clock": {}},
        {"runs": len(index)},
        "x",
    )


def opening(report: Path, turns: int = 5) -> dict[str, float]:
    """Return the median seconds until the table of runs and until the first figure are there, in a fresh Chromium."""
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/report.json"))
    options = parser.parse_args()
    target = options.json.resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        began = time.perf_counter()
        filled(study(options.runs), options.points)
        recorded = time.perf_counter()
        path = write_report(results.load("large"), Path("reports"))
        done = time.perf_counter()
        found = {
            "runs": options.runs,
            "points": options.points,
            "metrics": len(METRICS),
            "record_seconds": round(recorded - began, 1),
            "report_seconds": round(done - recorded, 1),
            "mib": round(path.stat().st_size / 2**20, 2),
            **opening(path.resolve()),
        }
        os.chdir(target.parent.parent)
    print(f"{options.runs} runs × {options.points} points × {len(METRICS)} metrics:")
    print(
        f"  recorded in {found['record_seconds']} s; report written in {found['report_seconds']} s, {found['mib']} MiB"
    )
    if "figure_seconds" in found:
        print(
            f"  opened: tables after {found['table_seconds']} s, the first figure after {found['figure_seconds']} s"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"written to {options.json}")


if __name__ == "__main__":
    main()

"""Recording and loading: metric points a second against MLflow's own calls, and the time to load a large study.

    python -m benchmarks.tracking [--load-runs 1000] [--json FILE]

On an SQLite file, and through MLflow servers (two workers) over one and over PostgreSQL that are started here on 127.0.0.1,
the latter where Debian's package is installed; all by turns in one process. Every metric that MLflow keeps of a run
counts as a point, and runs have been recorded when the last of them has arrived.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

import harness as h
from harness import results
from harness.core.records import Outcome, Point
from harness.core.study_record import RunEntry, StudyRecord
from harness.protocol.conduct import about_study
from harness.spec.arms import Run, build_arms
from harness.tracking import Record, Session
from harness.tracking.client_api import ClientApi
from harness.tracking.connect import connect
from harness.tracking.database import Database
from harness.tracking.rows import NewRun, new_run, whole_curves
from harness.tracking.schema import StudyFile, Tag
from tests.servers import mlflow_server, postgres, postgres_folder

METRICS = (
    "train/loss",
    "train/accuracy",
    "valid/loss",
    "valid/accuracy",
    "batch/loss",
    "batch/noise",
)


def study(runs: int) -> h.Study:
    recipe = h.Recipe(
        data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), epochs=200, eval_every=1
    )
    return h.Study(
        name=f"tracked-{runs}",
        recipe=recipe,
        compare={"optimizer": {"a": h.SGD(lr=0.1)}},
        seeds=runs,
    )


def records(spec: h.Study, points: int) -> list[Record]:
    (arm,) = build_arms(spec)
    stream = np.random.default_rng(0)
    made = []
    (seeds,) = spec.looks[0].seeds
    for seed in seeds:
        values = stream.lognormal(size=(points, len(METRICS))).tolist()
        rows = tuple(
            Point(i, float(i), 120 * i, dict(zip(METRICS, row, strict=True)))
            for i, row in enumerate(values)
        )
        closing = {**rows[-1].metrics, "cost/steps": float(points), "cost/seconds": 1.0}
        outcome = Outcome("finished", rows, closing)
        made.append(
            Record(
                f"key {seed}", Run.of(arm.recipe, seed), outcome, "confirm", arm.name, 0, arm.levels
            )
        )
    return made


def ours(uri: str, runs: int, points: int) -> float:
    """Return the metric points a second of finished runs, parameters, tags and all."""
    spec = study(runs)
    session, made = Session(spec.name, uri), records(spec, points)
    session.open(about_study(spec), build_arms(spec))
    began = time.perf_counter()
    for start in range(0, runs, 50):
        session.record(made[start : start + 50])
    session.settle(())
    took = time.perf_counter() - began
    session.close()
    return sum(len(new_run(record, "").metrics) for record in made) / took


def one_by_one(uri: str, count: int = 300) -> float:
    """Return the points a second of ``log_metric``."""
    client = MlflowClient(uri)
    run_id = client.create_run("0").info.run_id
    began = time.perf_counter()
    for step in range(count):
        client.log_metric(run_id, "loss", 0.5, step=step)
    return count / (time.perf_counter() - began)


def batches(uri: str, runs: int, points: int) -> float:
    """Return the points a second of bare ``log_batch`` calls, a run each, nothing else recorded."""
    client = MlflowClient(uri)
    ids = [client.create_run("0").info.run_id for _ in range(runs)]
    metrics = [Metric(name, 0.5, 1, step) for step in range(points) for name in METRICS]
    began = time.perf_counter()
    for run_id in ids:
        for start in range(0, len(metrics), 1000):
            client.log_batch(run_id, metrics[start : start + 1000])
    return runs * len(metrics) / (time.perf_counter() - began)


def kept(session: Session, runs: list[NewRun]) -> list[NewRun]:
    """Return runs as a server has them, with their curves in one artifact; a file's as they are."""
    if not isinstance(session._experiment.bulk, ClientApi):
        return runs
    file = f"{StudyFile.CURVES}/{runs[0].run_id}.json"
    curves = {run.run_id: whole_curves(run) for run in runs}
    session._experiment.write_json(session._parents.study, file, curves)
    return [
        run._replace(tags=run.tags | {Tag.RECORD: run.run_id, Tag.CURVES: file}) for run in runs
    ]


def load_seconds(uri: str, database: str, runs: int, points: int = 200) -> float:
    """Record a study, straight into the store's database; return the seconds that loading its tables takes."""
    spec = study(runs)
    session = Session(spec.name, uri)
    session.open(about_study(spec), build_arms(spec))
    made = [new_run(record, session._parents.arms["a"].run_id) for record in records(spec, points)]
    engine = connect(database, create=False).engine
    straight = Database(engine, session._experiment.id, "")
    for start in range(0, runs, 50):
        straight.write(kept(session, made[start : start + 50]), (), session._parents.study)
    entries = [
        RunEntry(run.run_id, run.key, "a", {}, "confirm", 0, run.seed, "finished")
        for run in session.reader.runs()
    ]
    session.write_answer(StudyRecord(entries, [], {}, {}, {}), {"runs": runs}, "x")
    session.close()
    began = time.perf_counter()
    curves = results.load(spec.name, uri).curves
    took = time.perf_counter() - began
    assert len(curves) == runs * points and curves[list(METRICS)].notna().all(axis=None)
    return took


def measured(name: str, uri: str, database: str, load_runs: int) -> dict[str, float]:
    mine, single, bare = ours(uri, 100, 100), one_by_one(uri), batches(uri, 30, 100)
    took = load_seconds(uri, database, load_runs)
    print(
        f"  {name:22s} {mine:10,.0f} {mine / single:12.0f}× {mine / bare:12.2f}× {took:10.1f} s",
        flush=True,
    )
    return {
        "points_per_second": mine,
        "over_log_metric": mine / single,
        "over_log_batch": mine / bare,
        "load_seconds": took,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--load-runs", type=int, default=1000)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/tracking.json"))
    options = parser.parse_args()
    target = options.json.resolve()
    print(
        f"  {'store':22s} {'points/s':>10s} {'log_metric':>13s} {'log_batch':>13s} {f'load {options.load_runs} runs':>12s}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.chdir(folder)
        os.environ["HARNESS_CACHE"] = str(folder / "cache")
        file = f"sqlite:///{folder / 'mlflow.db'}"
        by_store = {"SQLite": measured("SQLite", file, file, options.load_runs)}
        below = f"sqlite:///{folder / 'server.db'}"
        (folder / "one").mkdir()
        with mlflow_server(folder / "one", below, workers=2) as server:
            by_store["server over SQLite"] = measured(
                "server over SQLite", server.uri, below, options.load_runs
            )
        if postgres_folder():
            (folder / "two").mkdir()
            (folder / "postgres").mkdir()
            with (
                postgres(folder / "postgres") as uris,
                mlflow_server(folder / "two", uris["mlflow"], workers=2) as server,
            ):
                by_store["server over PostgreSQL"] = measured(
                    "server over PostgreSQL", server.uri, uris["mlflow"], options.load_runs
                )
        os.chdir(target.parent.parent)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(by_store, indent=2) + "\n", encoding="utf-8")
    print(f"written to {options.json}")


if __name__ == "__main__":
    main()

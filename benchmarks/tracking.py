"""Recording and loading: metric points a second against MLflow's own calls, and the time to load a large study.

    python -m benchmarks.tracking [--load-runs 1000] [--json FILE]

On an SQLite file, and through an MLflow server over one that is started here on 127.0.0.1; all by turns in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

import harness as h
from harness import results
from harness.protocol import about
from harness.records import Outcome, Point
from harness.spec.plan import Run, arms
from harness.tracking import Record, Store

METRICS = ("train/loss", "train/accuracy", "valid/loss", "valid/accuracy", "batch/loss", "batch/noise")


def study(runs: int) -> h.Study:
    recipe = h.Recipe(data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), epochs=200, eval_every=1)
    return h.Study(name=f"tracked-{runs}", recipe=recipe, compare={"optimizer": {"a": h.SGD(lr=0.1)}}, seeds=runs)


def records(spec: h.Study, points: int) -> list[Record]:
    (arm,) = arms(spec)
    stream = np.random.default_rng(0)
    found = []
    for seed in spec.looks[0]:
        values = stream.lognormal(size=(points, len(METRICS))).tolist()
        rows = tuple(Point(i, float(i), 120 * i, dict(zip(METRICS, row, strict=True))) for i, row in enumerate(values))
        closing = {**rows[-1].metrics, "cost/steps": float(points), "cost/seconds": 1.0}
        outcome = Outcome("finished", rows, closing)
        found.append(Record(f"key {seed}", Run(arm.recipe, seed), outcome, "confirm", arm.name, 0, arm.levels))
    return found


def ours(uri: str, runs: int, points: int) -> float:
    """Return the metric points a second of finished runs, parameters, tags and all."""
    spec = study(runs)
    store, made = Store(spec.name, uri), records(spec, points)
    store.open_study(about(spec), arms(spec))
    began = time.perf_counter()
    for start in range(0, runs, 50):
        store.record(made[start : start + 50])
    return runs * points * len(METRICS) / (time.perf_counter() - began)


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


def load_seconds(uri: str, runs: int, points: int = 200) -> float:
    """Record a study of so many runs; return the seconds that loading its tables takes."""
    spec = study(runs)
    ours(uri, runs, points)
    store = Store(spec.name, uri)
    store.open_study(about(spec), arms(spec))
    place = {"arm": "a", "stage": "confirm", "trial": 0, "status": "finished"}
    index = [
        {"run_id": row["run_id"], "key": row["tags"]["harness.key"], "seed": int(row["tags"]["harness.seed"]), **place}
        for row in store.leaves()
    ]
    store.close_study({"runs": index, "trials": [], "winners": {}, "importances": {}}, {"runs": runs}, "x")
    began = time.perf_counter()
    curves = results.load(spec.name, uri).curves
    took = time.perf_counter() - began
    assert len(curves) == runs * points and curves[list(METRICS)].notna().all(axis=None)
    return took


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run an MLflow server over an SQLite file; yield its URI."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder / 'server.db'}"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--workers", "2"], stdout=log, stderr=log
        )
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.3)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def measured(name: str, uri: str, load_runs: int) -> dict[str, float]:
    mine, single, bare = ours(uri, 100, 100), one_by_one(uri), batches(uri, 30, 100)
    took = load_seconds(uri, load_runs)
    print(f"  {name:22s} {mine:10,.0f} {mine / single:12.0f}× {mine / bare:12.2f}× {took:10.1f} s", flush=True)
    return {"points_per_second": mine, "over_log_metric": mine / single, "over_log_batch": mine / bare, "load_seconds": took}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
        found = {"SQLite": measured("SQLite", f"sqlite:///{folder / 'mlflow.db'}", options.load_runs)}
        with server(folder) as uri:
            found["server over SQLite"] = measured("server over SQLite", uri, options.load_runs)
        os.chdir(target.parent.parent)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"written to {options.json}")


if __name__ == "__main__":
    main()

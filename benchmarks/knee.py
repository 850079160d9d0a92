"""How many runs a second one PostgreSQL carries: drivers that record at once, by MLflow's server and directly.

    python -m benchmarks.knee [--drivers 1 2 4 8] [--workers 2] [--runs 100] [--json FILE]

Each driver is a process that records finished runs of 41 evaluations of 4 metrics, as those of
benchmarks.scale are, 50 at a time, and does nothing else; all begin at once. Besides runs a second
of the clock, which other work on the machine lowers, the milliseconds of processors that a run
takes of the drivers, the server and PostgreSQL are counted: a core carries 1000 / (ms a run).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil

from tests.servers import mlflow_server, postgres

EVALUATIONS, BATCH = 41, 50
DIRECT = 0
"""The number of a server's workers where drivers write into the database themselves."""


def drive(number: int, runs: int, uri: str) -> None:
    """Record runs once all drivers are told to; print the seconds of processors that it took."""
    from benchmarks.tracking import records, study
    from harness.protocol.conduct import about_study
    from harness.spec.arms import build_arms
    from harness.tracking import Session

    spec = study(runs).model_copy(update={"name": f"knee {number}"})
    made = [thinned(record) for record in records(spec, EVALUATIONS)]
    session = Session(spec.name, uri)
    session.open(about_study(spec), build_arms(spec))
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    for start in range(0, runs, BATCH):
        session.record(made[start : start + BATCH])
    session.settle(())
    print(json.dumps(time.process_time() - began), flush=True)
    session.close()


def thinned(record):
    """Return a record with the 4 metrics of benchmarks.scale, of the 6 that benchmarks.tracking has."""
    points = tuple(
        point._replace(metrics={k: v for k, v in point.metrics.items() if "batch/" not in k})
        for point in record.outcome.points
    )
    return record._replace(outcome=record.outcome._replace(points=points))


def processor_seconds(pid: int) -> float:
    """Return what a process and its children, those that have ended too, have taken."""
    total = 0.0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def measure(drivers: int, runs: int, uri: str, pids: dict[str, int]) -> dict[str, float]:
    """Return what it takes so many drivers to record so many runs each, at once."""
    command = [sys.executable, "-m", "benchmarks.knee", "--uri", uri, "--runs", str(runs)]
    started = [
        subprocess.Popen(
            [*command, "--drive", str(time.time_ns() + i)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(drivers)
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    before = {name: processor_seconds(pid) for name, pid in pids.items()}
    began = time.perf_counter()
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    own = [json.loads(process.stdout.readline()) for process in started]
    seconds = time.perf_counter() - began
    took = {name: processor_seconds(pid) - before[name] for name, pid in pids.items()}
    for process in started:
        process.communicate()
    count = drivers * runs
    costs = {"driver": sum(own), **took}
    return {
        "drivers": drivers,
        "runs_a_second": round(count / seconds, 1),
        **{f"{name}_ms_a_run": round(1000 * value / count, 1) for name, value in costs.items()},
    }


def measure_all(drivers: list[int], workers: list[int], runs: int) -> list[dict[str, float]]:
    """Return the figures of all numbers of drivers, for each number of a server's workers."""
    rows = []
    for count in workers:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            os.environ["HARNESS_CACHE"] = str(folder / "cache")
            (folder / "postgres").mkdir()
            uri = stack.enter_context(postgres(folder / "postgres"))["mlflow"]
            first = (folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
            pids = {"postgres": int(first)}
            if count != DIRECT:
                (folder / "server").mkdir()
                server = stack.enter_context(mlflow_server(folder / "server", uri, count))
                uri, pids = server.uri, {"server": server.process.pid, **pids}
            else:
                subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", uri], check=True)
            for number in drivers:
                rows.append({"workers": count} | measure(number, runs, uri, pids))
                print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drivers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--workers", type=int, nargs="+", default=[2, DIRECT])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/knee.json"))
    parser.add_argument("--drive", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--uri", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drive:
        return drive(options.drive, options.runs, options.uri)
    measured = measure_all(options.drivers, options.workers, options.runs)
    options.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(f"written to {options.json}")


if __name__ == "__main__":
    main()

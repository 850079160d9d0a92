"""How long a person waits: from the start of `harness run` to the first update, and for short commands.

    python -m benchmarks.first_step [--before CHECKOUT] [--turns 5] [--json FILE]

Every start is a fresh process in a folder of its own, with two workers. Seconds of the clock, and
seconds of the processor: of the driver and of all processes that it has started. With another checkout
given, its code and this one's are started by turns; the medians are given.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil

from benchmarks import growing

HERE = Path(__file__).resolve().parents[1]
STUDY = """\
from harness import MLP, SGD, Claim, LogUniform, Recipe, Search, Study
recipe = Recipe(data="digits", model=MLP(widths=(64, 64)), batch_size=32, steps=1000, eval_every=1,
                optimizer=SGD(lr=0.1, momentum=0.9))
study = Study(name="first-step", recipe=recipe, compare={compare}, search={search}, seeds=3,
              claims=[Claim.better("a", than="b", on="test/accuracy")])
if __name__ == "__main__":
    study.main()
"""
"""Evaluated after each update: workers count those they have made when they evaluate."""
FIXED = STUDY.format(compare='{"optimizer.lr": {"a": 0.1, "b": 0.2}}', search="None")
TUNED = STUDY.format(
    compare='{"optimizer": {"a": SGD(lr=LogUniform(1e-3, 1.0)), "b": SGD(lr=LogUniform(1e-3, 1.0), momentum=0.9)}}',
    search='Search(trials=8, searches=2, objective="valid/accuracy")',
)
COMMANDS = (
    "--version", "--help", "list", "new --help", "status first-step", "plan study.py",
)  # fmt: skip


class Waited(NamedTuple):
    """Seconds until something was there."""

    clock: float
    processor: float


def spent(driver: psutil.Process) -> float:
    """Return the seconds of the processor that a process and those under it have used, ended ones included."""
    total = 0.0
    for process in (driver, *driver.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def environment(checkout: Path, folder: Path) -> dict[str, str]:
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return {**os.environ, "PYTHONPATH": str(checkout), "TMPDIR": str(temporary)}


def updates_made(folder: Path) -> int:
    """Return the updates that the workers of a start have counted so far."""
    for board in (folder / "tmp").glob("harness-progress-*"):
        if board.stat().st_size:
            return int(np.fromfile(board, dtype=np.int64)[:64].sum())
    return 0


def first_step(checkout: Path, folder: Path) -> Waited:
    """Run the folder's study until a worker has made an update, and end it there."""
    environ, began = environment(checkout, folder), time.perf_counter()
    command = [sys.executable, "-m", "harness", "run", "study.py", "--workers", "2"]
    with (folder / "log").open("wb") as log:
        run = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    driver = psutil.Process(run.pid)
    while not updates_made(folder):
        if run.poll() is not None:
            raise RuntimeError((folder / "log").read_text(encoding="utf-8"))
        time.sleep(0.01)
    waited = Waited(time.perf_counter() - began, spent(driver))
    for process in (driver, *driver.children(recursive=True)):
        process.kill()
    run.wait()
    return waited


def new_store(study: str) -> Callable[[Path, Path], Waited]:
    """Return what measures the first study of a folder."""

    def measure(checkout: Path, folder: Path) -> Waited:
        (folder / "study.py").write_text(study, encoding="utf-8")
        return first_step(checkout, folder)

    return measure


def old_store(study: str) -> Callable[[Path, Path], Waited]:
    """Return what measures a study in a folder that has the records of another."""

    def measure(checkout: Path, folder: Path) -> Waited:
        short = study.replace("first-step", "earlier").replace("steps=1000", "steps=2")
        (folder / "study.py").write_text(short, encoding="utf-8")
        harness(checkout, folder, "run study.py --workers 0")
        (folder / "study.py").write_text(study, encoding="utf-8")
        return first_step(checkout, folder)

    return measure


def command(words: str) -> Callable[[Path, Path], Waited]:
    """Return what measures a command in a folder where a short study has been run."""

    def measure(checkout: Path, folder: Path) -> Waited:
        short = FIXED.replace("steps=1000", "steps=2")
        (folder / "study.py").write_text(short, encoding="utf-8")
        if "study" in words or "first-step" in words:
            harness(checkout, folder, "run study.py --workers 0")
        return harness(checkout, folder, words)

    return measure


def harness(checkout: Path, folder: Path, words: str) -> Waited:
    """Call the command to its end."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "harness", *words.split()],
        cwd=folder, env=environment(checkout, folder), check=True, capture_output=True,
    )  # fmt: skip
    after, took = os.times(), time.perf_counter() - began
    children = after.children_user + after.children_system
    return Waited(took, children - before.children_user - before.children_system)


CASES = {
    "run, new store": new_store(FIXED),
    "run, old store": old_store(FIXED),
    "run with a search, new store": new_store(TUNED),
    **{f"harness {words}": command(words) for words in COMMANDS},
}


def medians(
    measure: Callable[[Path, Path], Waited], checkouts: list[Path], turns: int
) -> list[Waited]:
    """Return the medians of each checkout, by turns; the first turn fills caches and is not counted."""
    seen: list[list[Waited]] = [[] for _ in checkouts]
    for turn in range(turns + 1):
        for i, checkout in enumerate(checkouts):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                waited = measure(checkout, Path(folder))
            if turn:
                seen[i].append(waited)
    return [Waited(*map(statistics.median, zip(*each, strict=True))) for each in seen]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, help="another checkout to compare with")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose name has this")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/first_step.json"))
    args = parser.parse_args()
    checkouts = [HERE, *([args.before.resolve()] if args.before else [])]
    measured, ratios = {}, {}
    for name, measure in CASES.items():
        if args.only not in name:
            continue
        ours, *others = medians(measure, checkouts, args.turns)
        line = f"{name:30s} {ours.clock:5.2f} s, of the processor {ours.processor:5.2f} s"
        measured[name] = {"here": ours._asdict()}
        for other in others:
            line += f"; before {other.clock:5.2f} s, {other.processor:5.2f} s"
            measured[name]["before"] = other._asdict()
            ratios[f"{name}, clock"] = other.clock / ours.clock
            ratios[f"{name}, processor"] = other.processor / ours.processor
        print(line, flush=True)
    if not args.only:
        args.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
        if ratios:
            growing.add("benchmarks.first_step", ratios)


if __name__ == "__main__":
    main()

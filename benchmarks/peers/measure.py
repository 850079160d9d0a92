"""Runs the study with each tool by turns, and writes what it took beside what each says at the end.

    python -m benchmarks.peers.measure --python .venv-peers/bin/python --rounds 1

The interpreter is one with ``requirements.txt`` installed beside the harness. Each tool runs in an
empty folder of its own. On a machine with other work compare the seconds of the processor, which
waiting does not add to, and take both as ratios. They are those of all processes of a tool, Ray's
daemons and workers among them, which nobody waits for: these are looked at while they live.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

HERE = Path(__file__).parent
TOOLS = {
    "harness": (["with_harness.py"], ["with_harness.py", "--workers", "1"]),
    "Optuna + MLflow": (["with_optuna_mlflow.py"], ["with_optuna_mlflow.py"]),
    "Ray Tune": (["with_ray_tune.py"], ["with_ray_tune.py"]),
    "Lightning + Optuna": (["with_lightning.py"], ["with_lightning.py"]),
    "benchopt": (
        [
            f"with_benchopt/{name}.py"
            for name in ("objective", "datasets/digits", "solvers/network", "main")
        ],
        ["with_benchopt/main.py"],
    ),
}
"""By tool: the files that a user writes, and what is run."""
LOOK_S = 0.25
"""Seconds between two looks at a tool's processes."""


def code_lines(path: Path) -> int:
    """Return a file's lines of code: no empty ones, comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    told = set(_docstring_lines(ast.parse(text)))
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in told
        for number, line in enumerate(text.splitlines(), 1)
    )


def _docstring_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def run_once(python: str, command: list[str]) -> dict[str, object]:
    """Run one tool in an empty folder; return its times and the end of what it printed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(HERE.parents[1])
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        # a copy: benchopt keeps its cache and its results beside its files
        copied = shutil.copytree(HERE, Path(folder, "study"))
        out, errors = Path(folder, "out"), Path(folder, "errors")
        with out.open("wb") as said, errors.open("wb") as failed:
            process = subprocess.Popen(
                [python, *command], cwd=copied, env=environment, stdout=said, stderr=failed
            )
            seen = seconds_seen(process)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if process.returncode:
            raise SystemExit(
                f"{command[0]} ended with {process.returncode}:\n{errors.read_text()[-2000:]}"
            )
        says = out.read_text(encoding="utf-8").splitlines()[-30:]
    waited = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # neither counts a process twice, and each may miss some: the larger is nearer
    return {"wall_s": wall, "cpu_s": max(waited, seen), "says": says}


def seconds_seen(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; return the processor's seconds of all below it, as last seen of each."""
    used: dict[int, float] = {}
    root = psutil.Process(process.pid)
    while process.poll() is None:
        for one in (root, *children_of(root)):
            try:
                times = one.cpu_times()
            except psutil.Error:  # it has just ended
                continue
            used[one.pid] = times.user + times.system
        time.sleep(LOOK_S)
    return sum(used.values())


def children_of(root: psutil.Process) -> list[psutil.Process]:
    try:
        return root.children(recursive=True)
    except psutil.Error:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="an interpreter with all tools")
    parser.add_argument("--only", choices=[*TOOLS], nargs="*", default=[*TOOLS])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=HERE.parent / "results" / "peers.json")
    arguments = parser.parse_args()
    tools = {
        tool: {"lines": sum(code_lines(HERE / file) for file in files), "rounds": []}
        for tool, (files, _) in TOOLS.items()
        if tool in arguments.only
    }
    for _ in range(arguments.rounds):
        for tool in tools:
            measured = run_once(arguments.python, TOOLS[tool][1]) | {"load": os.getloadavg()[0]}
            tools[tool]["rounds"].append(measured)
            print(tool, tools[tool]["lines"], measured["wall_s"], measured["cpu_s"], flush=True)
            arguments.out.write_text(json.dumps(tools, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

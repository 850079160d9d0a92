"""Mutation check: change the code in one place at a time and see whether a test notices.

    python tests/mutation.py statistics                      every mutant of a target
    python tests/mutation.py claims --sample 60 --seed 1     a random sample of them
    python tests/mutation.py harness/stats/paired.py --tests tests/stats harness/stats

A mutant that survives is a change of behaviour that no test sees: a missing test, or a mutant that
behaves the same. Mutants are made in a copy of the project, one after the other. Each is tested in
a fork of a process that has imported the heavy libraries but nothing of the harness.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mutants import Mutant, mutants  # a script's neighbour: tests is imported by the forks alone

ROOT = Path(__file__).parents[1]
PRELOAD = ("numpy", "scipy.stats", "pandas", "torch", "pydantic", "pytest")


class Target(NamedTuple):
    """Modules to change, and the tests that should notice; a module's own tests and doctests run first."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]


TARGETS = {
    "statistics": Target(("harness/stats",), ("tests/stats",)),
    "claims": Target(("harness/spec/claims", "harness/analysis/claims"), ("tests/analysis", "tests/spec")),
    "keys": Target(("harness/spec/keys.py",), ("tests/spec",)),
    "protocol": Target(("harness/protocol",), ("tests/protocol",)),
}  # fmt: skip


def fails(folder: Path, tests: list[str], limit: float) -> bool:
    """Run tests in a fork; return whether one fails, or they take longer than ``limit`` seconds."""
    child = os.fork()
    if child == 0:
        import pytest

        os.setsid()
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        # no bytecode of a mutant is kept, by workers that the tests start neither
        sys.dont_write_bytecode = True
        os.environ |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests])))
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status != 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def tests_of(path: Path, tests: tuple[str, ...]) -> list[str]:
    """Return a module's doctests, the test file that mirrors it, and all others."""
    name = path.relative_to(ROOT)
    mirror = Path("tests", *name.parts[1:-1], f"test_{name.stem}.py")
    return [str(name), *([str(mirror)] if (ROOT / mirror).exists() else []), *tests]


def copied(folder: Path) -> None:
    """Copy what git knows, and what it does not ignore, into an empty folder, and compile the package."""
    listing = [
        "git",
        "ls-files",
        "-co",
        "--exclude-standard",
        "harness",
        "tests",
        "experiments",
        "*.toml",
    ]
    for name in subprocess.run(
        listing, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "harness"], cwd=folder, check=True)


def survivors(
    chosen: list[tuple[Mutant, tuple[str, ...]]], limit: float
) -> Iterator[tuple[Mutant, bool]]:
    """Yield each mutant, and whether it survived its tests, until the time is up."""
    for library in PRELOAD:
        __import__(library)
    usual: dict[tuple[str, ...], float] = {}
    end = time.monotonic() + limit
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder)
        for mutant, tests in chosen:
            if time.monotonic() > end:
                return
            if tests not in usual:
                begun = time.monotonic()
                assert not fails(folder, list(tests), 3600), f"{tests} fail without a mutant"
                usual[tests] = time.monotonic() - begun
            file = folder / mutant.path.relative_to(ROOT)
            original = file.read_text(encoding="utf-8")
            # a file of the same size and second would pass for the one that was compiled
            for compiled in file.parent.glob(f"__pycache__/{file.stem}.*"):
                compiled.unlink()
            file.write_text(mutant.source, encoding="utf-8")
            yield mutant, not fails(folder, tests_of(mutant.path, tests), 10 + 5 * usual[tests])
            file.write_text(original, encoding="utf-8")


def main() -> None:
    """Test the chosen mutants and print those that survive."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("target", nargs="+", help=f"{', '.join(TARGETS)}, or files and folders")
    parser.add_argument("--tests", nargs="+", default=[], help="tests, for files and folders")
    parser.add_argument("--sample", type=int, help="mutants to draw; all by default")
    parser.add_argument("--seed", type=int, default=0, help="of the sample and the order")
    parser.add_argument(
        "--limit", type=float, default=1800, help="seconds after which none is begun"
    )
    parser.add_argument("--out", type=Path, help="Markdown file for the same, beside printing it")
    given = parser.parse_args()
    free = Target(tuple(name for name in given.target if name not in TARGETS), tuple(given.tests))
    chosen = [
        (mutant, tests)
        for sources, tests in [*(TARGETS[name] for name in given.target if name in TARGETS), free]
        for source in map(ROOT.joinpath, sources)
        for file in (sorted(source.rglob("*.py")) if source.is_dir() else [source])
        for mutant in mutants(file)
    ]
    random.Random(given.seed).shuffle(chosen)
    tested, alive = 0, []
    for mutant, survives in survivors(chosen[: given.sample], given.limit):
        tested += 1
        if survives:
            alive.append(f"{mutant.path.relative_to(ROOT)}:{mutant.line}: {mutant.change}")
            print(alive[-1], flush=True)
    summary = (
        f"{tested - len(alive)} of {tested} mutants killed, of {len(chosen)} in all; "
        f"{len(alive)} survived"
    )
    print(summary)
    if given.out:
        given.out.write_text(as_page(given.target, given.seed, summary, alive), encoding="utf-8")


def as_page(targets: list[str], seed: int, summary: str, alive: list[str]) -> str:
    """Return what was found as a page."""
    lines = [
        "# Mutation check",
        "",
        "Each mutant is the code with one deliberate fault; one that survives is a missing test, or behaves the same.",
        "Made by `make mutation`.",
        "",
        f"{', '.join(targets)}, sample of seed {seed}: {summary}.",
        "",
        *(f"- `{line}`" for line in alive),
    ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main()

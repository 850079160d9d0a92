"""The table of every ratio that benchmarks measured, which grows: a slower commit is seen in it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from harness.tracking.provenance import read_environment

RESULTS = Path("benchmarks/RESULTS.md")
HEAD = """# Results

Every row is a measurement by `make bench`, the newest last: ratios of a peer's time to ours, so that more is better for us. Both sides are timed by turns in one process or one after the
other, on machines that may have been busy; `load` is the number of processes that wanted a core meanwhile.

| date | commit | machine | load | command | with | ratios |
|---|---|---|---|---|---|---|
"""


def add(command: str, ratios: Mapping[str, float], made_with: str = "") -> None:
    """Add a row to the table.

    Args:
        command: the module that measured.
        ratios: what was measured, by its name.
        made_with: versions that matter beside those of the lock.
    """
    found = read_environment()
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
    machine = f"{found['processor']}, {found['cores']} cores"
    load = Path("/proc/loadavg").read_text(encoding="utf-8").split()[0]
    cells = [
        time.strftime("%Y-%m-%d"),
        commit + ("+" if found["dirty"] else ""),
        *(machine, load, f"`python -m {command}`", made_with),
        "; ".join(f"{name}: {value:.2f}" for name, value in ratios.items()),
    ]
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else HEAD
    RESULTS.write_text(text + f"| {' | '.join(cells)} |\n", encoding="utf-8")

"""What ``make torture`` counts: a row a fault, and all but the tries must be 0.

    python -m tests.torture            # all of it, minutes
    python -m tests.torture --slice    # what CI runs of it

Tests that do harm on purpose count in a :class:`Tally`, which prints nothing by itself; this command
runs them and prints the table.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

ROWS = "HARNESS_TORTURE"
"""The environment variable that names the file of rows, one JSON object a line."""
TESTS = (
    "tests/protocol/test_kill_everywhere.py",
    "tests/protocol/test_cluster.py",
    "tests/protocol/test_join.py",
    "tests/protocol/test_resume.py",
    "tests/execution/test_checkpoints.py",
    "tests/execution/test_workers.py",
    "tests/spec/test_fuzz.py",
    "tests/tracking/test_server_faults.py",
)


@dataclass
class Tally:
    """One kind of fault."""

    fault: str
    tries: int = 0
    lost: int = 0
    """Runs that are not there after the study has been gone on with."""
    doubled: int = 0
    """Runs that are there more than once."""
    stuck: int = 0
    """Studies that could not be gone on with, or have runs that nobody ends."""
    differing: int = 0
    """Runs whose numbers are not those of an undisturbed study."""

    def compare(self, found: pd.DataFrame, undisturbed: pd.DataFrame) -> None:
        """Count what a disturbed study came to; both tables have their runs' keys as index."""
        self.lost += len(set(undisturbed.index) - set(found.index))
        self.doubled += int(found.index.duplicated().sum())
        once = found[~found.index.duplicated()]
        both = sorted(set(undisturbed.index) & set(once.index))
        for key in both:
            self.differing += not once.loc[key].equals(undisturbed.loc[key])

    def write(self) -> None:
        """Add the row to the table, if one is made."""
        if ROWS in os.environ:
            with Path(os.environ[ROWS]).open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(self)) + "\n")


def table(rows: list[dict[str, object]]) -> str:
    """Return the rows as a table in Markdown."""
    heads = ("fault", "tries", "lost", "doubled", "stuck", "differing")
    lines = [heads, ("---", *["---:"] * 5), *([str(row[head]) for head in heads] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> int:
    """Run the tests and print the table; return 0 if nothing but tries was counted."""
    everything = (
        {} if "--slice" in sys.argv else {"HARNESS_KILL_EVERYWHERE": "1", "HARNESS_FUZZ": "2000"}
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows"
        file.touch()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
        environment = os.environ | everything | {ROWS: str(file)}
        failed = subprocess.run(command, env=environment, check=False).returncode
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    print(table(rows))
    harm = sum(row[head] for row in rows for head in ("lost", "doubled", "stuck", "differing"))
    return 1 if failed or harm else 0


if __name__ == "__main__":
    sys.exit(main())

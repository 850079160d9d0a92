"""What ``make torture`` counts: a row a fault, and all but the tries must be 0.

    python -m tests.torture                          # all of it, minutes
    python -m tests.torture --into docs/trust.md     # the same, and its table goes into the page
    python -m tests.torture --slice                  # what CI runs of it

Tests that do harm on purpose count in a :class:`Tally`, which prints nothing by itself; this command
runs them and prints the table. It goes into a page only where all of it ran and did no harm.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

ROWS = "HARNESS_TORTURE"
"""The environment variable that names the file of rows, one JSON object a line."""
HARM = ("lost", "doubled", "stuck", "differing")
MARKS = "<!-- torture -->", "<!-- end of torture -->"
"""The lines of a page that the table stands between."""
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
    heads = ("fault", "tries", *HARM)
    lines = [heads, ("---", *["---:"] * 5), *([str(row[head]) for head in heads] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write_into(page: Path, rows: list[dict[str, object]], seconds: float) -> None:
    """Put the table of a whole run between the page's marks, with its command, day and duration."""
    before, rest = page.read_text(encoding="utf-8").split(MARKS[0])
    _, after = rest.split(MARKS[1])
    made = (
        f"`make torture` on {datetime.now(UTC):%Y-%m-%d}, {seconds / 60:.0f} minutes on "
        f"{os.cpu_count()} CPU cores:"
    )
    page.write_text(
        f"{before}{MARKS[0]}\n{made}\n\n{table(rows)}\n\n{MARKS[1]}{after}", encoding="utf-8"
    )


def run_tests(part: bool) -> tuple[bool, list[dict[str, object]]]:
    """Run the tests, or a part of what each of them tries; return whether all passed, and the
    rows."""
    everything = {} if part else {"HARNESS_KILL_EVERYWHERE": "1", "HARNESS_FUZZ": "2000"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows"
        file.touch()
        # the time is for a machine that is busy with other things; a file shares its undisturbed study
        options = ["-q", "-p", "no:cacheprovider", "--timeout=7200", "-n=2", "--dist=loadfile"]
        command = [sys.executable, "-m", "pytest", *options, *TESTS]
        environment = os.environ | everything | {ROWS: str(file)}
        failed = subprocess.run(command, env=environment, check=False).returncode
        return not failed, [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def main() -> int:
    """Run the tests and print the table; return 0 if nothing but tries was counted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--slice", action="store_true")
    parser.add_argument("--into", type=Path)
    asked, began = parser.parse_args(), time.monotonic()
    if asked.slice and asked.into:
        parser.error("--into takes the table of a whole run; leave out --slice")
    passed, rows = run_tests(asked.slice)
    print(table(rows))
    harmless = passed and not any(row[head] for row in rows for head in HARM)
    if harmless and asked.into:
        write_into(asked.into, rows, time.monotonic() - began)
    return 0 if harmless else 1


if __name__ == "__main__":
    sys.exit(main())

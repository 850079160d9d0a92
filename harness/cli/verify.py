"""``verify``: the harness against numbers that are known from elsewhere."""

from __future__ import annotations

from pathlib import Path

from harness.cli.flags import DEFAULT_REPORTS
from harness.report.library import place_of
from harness.tracking.provenance import read_environment
from harness.verification.page import write_page
from harness.verification.row import Checked, RowGroup
from harness.verification.table import check_rows, choose_rows


def verify(only: str | None, out: Path | None) -> None:
    """Print a line a row, write the page, and end with status 1 if a row does not agree.

    Args:
        only: text in the names of the groups or rows that are run; None for all.
        out: the page; by default one among the other reports.

    Raises:
        HarnessError: no row has the text.
        SystemExit: a row does not agree.
    """
    checked: list[tuple[RowGroup, Checked]] = []
    for group, row in check_rows(choose_rows(only)):
        print(_line(group, row), flush=True)
        checked.append((group, row))
    failed = sum(not row.passed for _, row in checked)
    print(f"\n{len(checked) - failed} of {len(checked)} rows agree")
    page = out or place_of(DEFAULT_REPORTS) / "verification.html"
    print(f"verification: {write_page(checked, _facts(), page)}")
    if failed:
        raise SystemExit(1)


def _line(group: RowGroup, checked: Checked) -> str:
    got = checked.error or f"{checked.got:.6g}"
    mark = "ok  " if checked.passed else "FAIL"
    row, seconds = checked.row, f"{checked.seconds:.1f} s"
    return f"{mark}  {group.name}: {row.name}: {got} (expected {row.expected.text}), {seconds}"


def _facts() -> list[str]:
    """Return what the page was made by: the code's commit, versions and processor."""
    found = read_environment()
    commit = f"commit {found['commit'][:7] or 'unknown'}" + (" with changes" * bool(found["dirty"]))
    versions = [f"{name} {found['packages'].get(name, '?')}" for name in ("torch", "numpy")]
    return [commit, f"Python {found['python']}", *versions, found["processor"]]

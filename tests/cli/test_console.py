"""Tables on terminals that lack some of their characters."""

from __future__ import annotations

import io

import pytest
from rich.table import Table

from harness.cli.console import PlainConsole


@pytest.mark.parametrize("encoding, arm", [("ascii", "theta"), ("utf-8", "θ")])
def test_columns_stay_below_each_other(encoding, arm):
    written = io.BytesIO()
    table = Table("arm", "runs", box=None)
    table.add_row("θ", "1")
    table.add_row("Adam", "2")
    file = io.TextIOWrapper(written, encoding)
    PlainConsole(file=file, width=40).print(table)
    file.flush()
    head, *rows = written.getvalue().decode(encoding).splitlines()
    assert [row.split() for row in rows] == [[arm, "1"], ["Adam", "2"]]
    assert [row.index(number) for row, number in zip(rows, "12", strict=True)] == [
        head.index("runs")
    ] * 2

"""The rows of ``harness verify``, one test a row; and that a wrong number is told."""

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.core.errors import HarnessError
from harness.verification.row import (
    Row,
    RowGroup,
    at_least,
    at_most,
    between,
    check_row,
    within,
)
from harness.verification.table import GROUPS, choose_rows

ROWS = [
    pytest.param(row, id=f"{group.name}: {row.name}", marks=[pytest.mark.slow] * row.slow)
    for group in GROUPS
    for row in group.rows
]


@pytest.mark.parametrize("row", ROWS)
def test_the_harness_agrees(row):
    checked = check_row(row)
    assert checked.passed, f"{checked.error or checked.got}, expected {row.expected.text}"


def test_every_row_has_a_name_of_its_own_and_every_group_a_source():
    names = [(group.name, row.name) for group in GROUPS for row in group.rows]
    assert len(set(names)) == len(names)
    assert all(group.source and group.rows for group in GROUPS)


@pytest.mark.parametrize(
    "expected, right, wrong",
    [
        (within(100.0, share=0.01), (99.0, 101.0), (98.99, 101.01)),
        (within(-2.0, distance=0.5), (-2.5, -1.5), (-2.51, -1.49)),
        (between(0.3, 0.4), (0.3, 0.4), (0.29, 0.41)),
        (at_most(1.0), (1.0, -5.0), (1.01, float("inf"))),
        (at_least(1.0), (1.0, float("inf")), (0.99,)),
    ],
)
def test_what_agrees(expected, right, wrong):
    assert all(map(expected.holds, right))
    assert not any(map(expected.holds, (*wrong, float("nan"))))


def test_a_row_that_raises_fails_and_says_why():
    checked = check_row(Row("broken", between(0, 1), lambda: 1 / 0))
    assert not checked.passed and checked.error == "ZeroDivisionError: division by zero"


def test_rows_are_chosen_by_group_or_by_name():
    assert [group.name for group in choose_rows("DeepOBS")] == ["deepobs"]
    (chosen,) = choose_rows("rliable")
    assert chosen.name == "statistics" and len(chosen.rows) == 3
    assert choose_rows() == GROUPS
    with pytest.raises(HarnessError, match="one of mnist1d, deepobs, .*; got 'nothing'"):
        choose_rows("nothing")


def test_the_command_prints_a_line_a_row_writes_the_page_and_fails_where_a_row_does(
    tmp_path, monkeypatch
):
    rows = (
        Row("right", within(2.0, share=0.01), lambda: 2.01),
        Row("wrong & <b>bold</b>", at_most(1.0), lambda: 3.0),
        Row("broken", at_most(1.0), lambda: 1 / 0),
    )
    group = RowGroup("made", "Made up", "nobody 1900", rows)
    monkeypatch.setattr("harness.verification.table.GROUPS", (group,))
    out = tmp_path / "new" / "verification.html"
    failed = CliRunner().invoke(app, ["verify", "--out", str(out)])
    assert failed.exit_code == 1
    lines = failed.output.splitlines()
    assert lines[0].startswith("ok    made: right: 2.01 (expected 2 ± 1 %), ")
    assert lines[1].startswith("FAIL  made: wrong") and "3 (expected ≤ 1)" in lines[1]
    assert "ZeroDivisionError: division by zero" in lines[2] and "1 of 3 rows agree" in lines[4]
    page = out.read_text(encoding="utf-8")
    assert "nobody 1900" in page and "1 of 3 rows agree" in page
    assert "wrong &amp; &lt;b&gt;" in page and "<b>bold" not in page
    right = CliRunner().invoke(app, ["verify", "--only", "right", "--out", str(out)])
    assert right.exit_code == 0 and "1 of 1 rows agree" in right.output

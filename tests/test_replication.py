"""The table of verdicts under several master seeds grows over several sittings."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = Path(__file__).parent.parent / "tools" / "replication.py"
    spec = importlib.util.spec_from_file_location("replication", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_second_sitting_adds_its_seed(tool: ModuleType, tmp_path: Path) -> None:
    first = [tool.Row("s", "8", "a, beats b", {0: "supported"}, {0: "0.2 [0.1, 0.3]"})]
    tool._write_csv(tmp_path / "verdicts.csv", first, [0])
    second = [tool.Row("s", "8", "a, beats b", {1: "undecided"}, {1: "0.1 [-0.1, 0.3]"})]

    rows = tool._merge(tool._read_csv(tmp_path / "verdicts.csv"), second)

    assert [row.verdicts for row in rows] == [{0: "supported", 1: "undecided"}]
    assert rows[0].effects[0] == "0.2 [0.1, 0.3]"
    assert "1 (100 %) were decided under one seed" in tool._page(rows, [0, 1])


def test_other_searches_or_claims_begin_anew(tool: ModuleType) -> None:
    known = [
        tool.Row("s", "8", "a beats b", {0: "supported"}, {0: "0.2"}),
        tool.Row("other", "8", "c beats d", {0: "opposite"}, {0: "-0.2"}),
    ]
    new = [tool.Row("s", "16", "a beats b", {1: "supported"}, {1: "0.3"})]

    rows = tool._merge(known, new)

    assert [(row.study, row.searches, list(row.verdicts)) for row in rows] == [
        ("other", "8", [0]),
        ("s", "16", [1]),
    ]

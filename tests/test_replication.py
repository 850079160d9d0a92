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


def test_changes_are_counted_by_pairs_of_seeds_too(tool: ModuleType) -> None:
    seen = {"a": ("supported", "undecided", "opposite"), "b": ("undecided", "undecided", "")}
    rows = [
        tool.Row(
            "s", "8", claim, {m: v for m, v in enumerate(own) if v}, dict.fromkeys(range(3), "")
        )
        for claim, own in seen.items()
    ]

    said = list(tool._by_pairs(rows, [0, 1, 2, 3]))

    assert said == [
        "1 of 2 between 0 and 1 (50.0 %)",
        "0 of 1 between 0 and 2 (0.0 %)",
        "1 of 1 between 1 and 2 (100.0 %)",
    ]

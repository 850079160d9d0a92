"""Tables read as runs: two forms of one table are the same runs, and what can't be read is refused in one sentence."""

import numpy as np
import pandas as pd
import pytest

from harness.core.errors import SpecError
from harness.protocol.imported.columns import find_columns, metric_name
from harness.protocol.imported.pairing import place_runs
from harness.protocol.imported.store import fingerprint_of
from harness.protocol.imported.tidy import tidy_runs
from tests.protocol.imported.tables import closing, curves


def tidy(table, metrics=None, **columns):
    return tidy_runs(table, find_columns(table, columns, metrics))


def test_long_and_wide_tables_are_the_same_runs():
    wide = curves()
    long = wide.melt(["optimizer", "seed", "step"], var_name="metric")
    runs = tidy(wide, arm="optimizer").runs
    assert fingerprint_of(runs) == fingerprint_of(tidy(long, arm="optimizer").runs)
    assert len(runs) == 15 and runs[0].curves["valid/loss"].keys() == {0, 10, 20, 30, 40}
    first = wide[(wide["optimizer"] == "SGD") & (wide["seed"] == 0)]
    assert runs[0].closing["valid/loss"] == first["val_loss"].iloc[-1]


@pytest.mark.parametrize("unit", ["epoch", "samples"])
def test_a_table_without_steps_counts_in_epochs_or_samples(unit):
    runs = tidy(curves().rename(columns={"step": unit}), arm="optimizer").runs
    expected = tidy(curves(), arm="optimizer").runs
    assert [run.curves for run in runs] == [run.curves for run in expected]
    assert [run.closing for run in runs] == [run.closing for run in expected]
    place = ("epoch", "samples").index(unit)
    assert [at[place] for at in runs[0].positions.values()] == [0, 10, 20, 30, 40]


def test_parts_of_epochs_are_no_steps():
    table = closing(A=[1.0, 2.0], B=[3.0, 4.0]).assign(epoch=[9.5, 3.25, 1.0, 2.0])
    assert [run.closing["test/loss"] for run in tidy(table).runs] == [1.0, 2.0, 3.0, 4.0]
    assert all(not run.positions for run in tidy(table).runs)


def test_a_row_without_a_step_closes_a_run():
    table = curves(seeds=1, arms={"A": 0.1})
    closes = pd.DataFrame([{"optimizer": "A", "seed": 0, "val_loss": 7.0}])
    (run,) = tidy(pd.concat([table, closes]), arm="optimizer").runs
    assert run.closing["valid/loss"] == 7.0 and 7.0 not in run.curves["valid/loss"].values()
    assert run.closing["train/loss"] == table["train_loss"].iloc[-1]


def test_empty_cells_are_no_divergence_and_a_nan_where_others_have_a_value_is():
    table = pd.DataFrame(
        {
            "arm": ["A"] * 6,
            "seed": [0, 0, 1, 1, 2, 2],
            "step": [1, 2] * 3,
            "train_loss": [3.0, 2.0] * 3,
            "val_loss": [np.nan, 1.0, np.nan, 1.1, np.nan, np.nan],
        }
    )
    closings = [run.closing["valid/loss"] for run in tidy(table).runs]
    assert closings[:2] == [1.0, 1.1] and np.isnan(closings[2])
    logged_apart = table.assign(val_loss=[np.nan, 1.0, 1.1, np.nan, np.nan, np.nan])
    runs = tidy(logged_apart).runs
    assert [run.closing.get("valid/loss") for run in runs] == [1.0, 1.1, None]


def test_runs_without_seeds_are_numbered_and_paired_by_order():
    table = closing(A=[1.0, 2.0], B=[3.0, 4.0, 5.0]).drop(columns="seed")
    runs = tidy(table).runs
    assert [(run.arm, run.seed) for run in runs] == [*zip("AABBB", [0, 1, 0, 1, 2], strict=True)]


@pytest.mark.parametrize(
    ("seeds", "placed", "paired"),
    [
        ({"A": [3, 7], "B": [3, 7]}, [3, 7, 3, 7], True),
        ({"A": ["x", "y"], "B": ["y", "x"]}, [0, 1, 1, 0], True),
        ({"A": [123456, 5], "B": [5, 123456]}, [1, 0, 0, 1], True),
        ({"A": [1, 2], "B": [3, 4]}, [0, 1, 0, 1], False),
        ({"A": [1, 2, 3], "B": [2]}, [1, 2, 3, 2], True),
    ],
)
def test_runs_are_paired_by_seeds_that_arms_share_and_else_by_order(seeds, placed, paired):
    rows = [{"arm": arm, "seed": seed, "loss": 1.0} for arm, own in seeds.items() for seed in own]
    found = place_runs(tidy(pd.DataFrame(rows)).runs)
    assert [seed for _, seed in found.places] == placed and found.paired is paired


def test_searches_are_numbered_and_arms_that_share_none_are_paired_by_order():
    rows = [
        {"arm": arm, "search": search, "seed": seed, "loss": 1.0}
        for arm, searches in {"A": ["a", "b"], "B": ["c", "d"]}.items()
        for search in searches
        for seed in range(2)
    ]
    found = place_runs(tidy(pd.DataFrame(rows)).runs)
    assert found.searches == 2 and not found.paired
    assert found.places == [(0, 0), (0, 1), (1, 0), (1, 1)] * 2


BASE = closing(A=[1.0, 2.0], B=[3.0, 4.0])
WRONG = {
    "empty": (BASE[:0], {}, "a row for each run"),
    "no arm": (BASE.drop(columns="arm"), {}, "none called 'arm'"),
    "unknown column": (BASE, {"arm": "amr"}, "did you mean 'arm'"),
    "no seed": (curves(2).drop(columns="seed"), {"arm": "optimizer"}, "tells an arm's runs apart"),
    "missing seed": (BASE.assign(seed=[0, 1, None, 1]), {}, "seed in every row, got none in row 3"),
    "text": (BASE.assign(**{"test/loss": ["1", "2", "bad", "4"]}), {}, "got 'bad' in row 3"),
    "commas": (
        BASE.assign(**{"test/loss": ["1", "2,5", "3", "4"]}),
        {},
        "test/loss: expected numbers with a point, got '2,5'",
    ),
    "no numbers": (BASE.assign(**{"test/loss": list("abcd")}), {}, "a column of numbers"),
    "contradiction": (pd.concat([BASE, BASE.assign(**{"test/loss": 9.0})]), {}, "rows 1 and 5"),
    "half a step": (BASE.assign(step=[0.5, 1, 1, 1]), {}, "whole numbers from 0, got 0.5 in row 1"),
    "one name": (BASE.assign(test_loss=1.0), {}, "expected one column for test/loss"),
    "only metric": (BASE.assign(metric="m"), {}, "both columns of a long table"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_read_is_refused_in_one_sentence(case):
    table, columns, said = WRONG[case]
    with pytest.raises(SpecError, match=said) as error:
        tidy(table, **columns)
    assert "\n" not in str(error.value)


def test_rows_that_stand_twice_count_once_and_columns_of_text_are_left_out():
    found = tidy(pd.concat([BASE, BASE]).assign(note="fine"))
    assert fingerprint_of(found.runs) == fingerprint_of(tidy(BASE).runs)
    assert found.notes == [
        "columns of text are left out: note",
        "4 values stand in the table twice and count once",
    ]


def test_curves_of_test_data_have_another_name():
    found = tidy(curves(1).rename(columns={"val_loss": "test_loss"}), arm="optimizer")
    assert "run/test_loss" in found.runs[0].curves and "test/loss" in found.runs[0].closing
    assert "measured during training" in found.notes[0]


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("valid/loss", "valid/loss"),
        ("eval/acc", "valid/accuracy"),
        ("loss_val", "valid/loss"),
        ("Accuracy (test)", "test/accuracy"),
        ("loss", "run/loss"),
        ("final/loss", "run/final_loss"),
        ("gradient/layers.0", "gradient/layers.0"),
        ("%", "run/value"),
    ],
)
def test_names_of_metrics(column, name):
    assert metric_name(column) == name

"""Training without a study."""

from __future__ import annotations

import pandas as pd
import pytest

import harness as h
from tests.execution.recipes import RECIPE


def test_train_gives_tidy_tables_whatever_the_cohort():
    one, all_together = h.train(RECIPE, 3, cohort=1), h.train(RECIPE, [0, 1, 2])
    assert list(one.runs["seed"]) == [0, 1, 2] and set(one.runs["status"]) == {"finished"}
    pd.testing.assert_frame_equal(one.curves, all_together.curves)
    timing = [c for c in one.runs if c == "cost/seconds"]
    pd.testing.assert_frame_equal(
        one.runs.drop(columns=timing), all_together.runs.drop(columns=timing)
    )
    metrics = {"train/loss", "valid/loss", "valid/accuracy"}
    assert {"seed", "step", "epoch", "samples"} | metrics <= set(one.curves)
    assert "cost/steps" in one.runs


def test_test_data_are_evaluated_when_asked_for_and_it_is_said(capsys):
    plain = h.train(RECIPE, 2)
    assert not [name for name in plain.runs if name.startswith("test/")]
    assert capsys.readouterr().err == ""
    tested = h.train(RECIPE, 2, test=True)
    assert tested.runs[["test/loss", "test/accuracy"]].notna().all(axis=None)
    assert capsys.readouterr().err == "note: every run was evaluated on the test data\n"
    pd.testing.assert_frame_equal(plain.curves, tested.curves)


def test_what_should_be_known_of_the_data_is_said(capsys):
    h.train(RECIPE.with_values({"data": "tests.data.given.minus_and_plus", "epochs": 1}))
    assert "labels -1, 1 became classes 0, 1" in capsys.readouterr().err


def test_train_refuses_spaces():
    with pytest.raises(ValueError, match=r"without spaces, got optimizer\.lr"):
        h.train(RECIPE.model_copy(update={"optimizer": h.SGD(lr=h.LogUniform(0.1, 1))}))

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
    assert {"test/loss", "test/accuracy", "cost/steps"} <= set(one.runs)


def test_train_refuses_spaces():
    with pytest.raises(ValueError, match=r"without spaces, got optimizer\.lr"):
        h.train(RECIPE.model_copy(update={"optimizer": h.SGD(lr=h.LogUniform(0.1, 1))}))

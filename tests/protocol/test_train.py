"""Training without a study."""

from __future__ import annotations

import pandas as pd
import pytest

import harness as h
from harness.core.errors import HarnessError
from tests.execution.recipes import RECIPE

BASE = {"data": "iris", "optimizer": h.SGD(lr=0.1), "epochs": 1}


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


@pytest.mark.parametrize("seeds", [0, [], [1.5], [True], [1, 1], ["a"]])
def test_seeds_are_different_whole_numbers(seeds):
    with pytest.raises(HarnessError, match="seeds: expected one or more different whole numbers"):
        h.train(RECIPE, seeds)


def test_train_refuses_spaces():
    with pytest.raises(ValueError, match=r"without spaces, got optimizer\.lr"):
        h.train(RECIPE.model_copy(update={"optimizer": h.SGD(lr=h.LogUniform(0.1, 1))}))


def test_parts_that_do_not_go_together_are_refused_as_the_plan_does(capsys):
    wrong = {"name": "torch.nn.Linear", "in_features": 3, "out_features": 3}
    with pytest.raises(HarnessError) as error:
        h.train(RECIPE.model_copy(update={"model": h.Recipe(**BASE | {"model": wrong}).model}))
    said = str(error.value)
    assert said.startswith("recipe.model: torch.nn.Linear fails: RuntimeError: mat1 and mat2")
    assert len(said.splitlines()) == 1


def test_a_run_that_fails_beside_others_is_told_and_all_that_fail_are_refused(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    recipe = h.Recipe(trainer="tests.trainers.loops.fails_for", config={"seeds": [1]}, steps=1)
    runs = h.train(recipe, 2).runs
    assert runs["status"].tolist() == ["finished", "failed"]
    said = capsys.readouterr().err
    assert "note: the run failed, seed 1: ValueError: no luck (loops.py:" in said
    with pytest.raises(HarnessError, match="no run ended: seed 1, 2: ValueError: no luck"):
        h.train(recipe.with_values({"config": {"seeds": [1, 2]}}), [1, 2])

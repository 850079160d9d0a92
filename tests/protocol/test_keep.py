"""Weights that are kept come back, and are those that the recorded numbers are of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

import harness as h
from harness import results
from harness.core.errors import HarnessError
from harness.data.base import load_data
from harness.protocol.options import Options
from harness.protocol.run import run_study

MODELS = {
    "own": {"model": h.MLP(widths=(8,), norm="batch")},
    "module": {"model": {"name": "tests.plugins.Noisy"}},
    "average": {"model": h.MLP(widths=(8,)), "average": {"name": "EMA"}},
    "stopped": {"model": h.MLP(widths=(8,)), "regularizers": [h.EarlyStopping(patience=1)]},
}


def study(model="own", **fields):
    recipe = h.Recipe(
        data={"name": "digits", "train_size": 200},
        optimizer=h.SGD(lr=1.0, momentum=0.9),
        batch_size=20,
        epochs=6,
        dtype="float64",
        **MODELS[model],
    )
    return h.Study(name="kept", recipe=recipe, compare={}, seeds=2, **fields)


def run(**fields):
    made = study(**fields)
    summary = run_study(made, Options(workers=0))
    return summary, results.load("kept")


def valid_loss(model, recipe):
    data = load_data(recipe.data).valid
    with torch.no_grad():
        out = model(torch.tensor(data.x))
    return functional.cross_entropy(out, torch.tensor(data.y)).item()


@pytest.mark.parametrize("keep, name", [("best", "best/valid/loss"), ("last", "valid/loss")])
@pytest.mark.parametrize("model", MODELS)
def test_weights_evaluate_to_the_recorded_loss(model, keep, name, folder):
    _, found = run(model=model, keep=keep)
    (arm,) = found.by_arm
    for seed in (0, 1):
        made = found.model(arm, seed)
        assert isinstance(made, torch.nn.Module) and not made.training
        recorded = found.by_arm[arm].loc[seed, name]
        assert valid_loss(made, found.study.recipe) == pytest.approx(recorded, rel=1e-9)
    weights = found.weights(arm, 1)
    assert all(isinstance(array, np.ndarray) for array in weights.values())
    with pytest.raises(HarnessError, match="seeds of this arm and search: 0, 1"):
        found.weights(arm, 7)
    for read in (found.weights, found.model, lambda name, seed: found.arrays(name)):
        with pytest.raises(HarnessError, match=f"unknown arm .*did you mean '{arm}'"):
            read(f"{arm}s", 1)


def test_best_and_last_are_two():
    """Else the test above could not tell them apart: this run is at its best before its end."""
    trained = h.train(study("average").recipe, seeds=2).runs
    assert (trained["best/step"] < trained["cost/steps"]).any()


def test_runs_without_weights_are_trained_again_to_keep_them(folder):
    first, before = run()
    with pytest.raises(HarnessError, match="set keep to"):
        before.weights(next(iter(before.by_arm)), 0)
    again, after = run(keep="last")
    assert (first.trained, again.trained) == (2, 2)
    same = [name for name in before.runs if "/" in name and name != "cost/seconds"]
    assert before.runs[same].equals(after.runs[same])
    assert run(keep="last")[0].trained == 0
    assert run(keep="best")[0].trained == 2

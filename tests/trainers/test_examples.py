"""The examples of own training loops run, tiny."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness as h
from harness import results
from harness.protocol.train import train_outcomes
from harness.spec.files import override

FOLDER = Path(__file__).parents[2] / "experiments" / "examples" / "own_loops"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, quick_stores):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, length, metric",
    [
        ("sgd_classifier", {"recipe.epochs": 3}, "test/accuracy"),
        ("plain_numpy", {"recipe.steps": 60}, "test/loss"),
        ("char_model", {"recipe.steps": 40, "compare": {}}, "valid/loss"),
    ],
)
def test_an_example_is_searched_and_confirmed(name, length, metric):
    study = override(
        h.load_study(FOLDER / f"{name}.yaml"),
        {"search.trials": 1, "search.searches": 1, "seeds": 1, "claims": [], **length},
    )
    done = h.run_study(study, h.Options(workers=2))
    assert done.failed == 0 and done.trained in (2, 4)
    found = results.load(study.name)
    assert found.confirmed[metric].notna().all() and found.confirmed["valid/loss"].notna().all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "library, name, fields",
    [
        ("optax", "jax_optax", {"steps": 100, "config": {"lr": 0.01, "optimizer": "adam"}}),
        ("lightning", "lightning_loop", {"epochs": 3, "config": {"lr": 0.1}}),
    ],
)
def test_examples_of_other_libraries_learn(library, name, fields):
    pytest.importorskip(library)
    [outcome] = train_outcomes(h.Recipe(trainer=f"{name}.train", **fields), [0])
    assert outcome.status == "finished", outcome.detail
    curve = outcome.series("valid/loss")
    assert len(curve) > 2 and curve[-1] < curve[0]

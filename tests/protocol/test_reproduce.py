"""A recorded run is trained again from MLflow alone, and every point is compared."""

import importlib
import re
import sys

import pytest

import harness as h
from harness import results
from harness.core.errors import StoreError
from harness.core.records import Outcome, Point
from harness.data.base import fingerprint, load_data
from harness.engine.placement import place
from harness.protocol.reproduce import compare_points, reproduce
from harness.protocol.run import Options, run_study
from tests.studies import small

MODEL = """
import torch

class Tiny(torch.nn.Module):
    def __init__(self, input_shape, outputs, width=5):
        super().__init__()
        self.hidden = torch.nn.Linear(input_shape[0], width)
        self.out = torch.nn.Linear(width, outputs)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)))
"""


def test_runs_of_both_stages_are_reproduced(folder):
    run_study(small(probes=["GradientNorm"]), Options(workers=0))
    loaded = results.load("small")
    for rows in (loaded.confirmed, loaded.searched):
        again = reproduce(rows["run_id"].iloc[1])
        assert again.verdict in ("identical", "within tolerance") and again.largest < 1e-5
        assert again.points > 5 and again.changed == ()
    # the beginning of an id, a misspelt one and a name say which run may have been meant
    run_id, name = loaded.confirmed["run_id"].iloc[0], loaded.reader.runs()[0].name
    misspelt = run_id[:-1] + ("0" if run_id[-1] != "0" else "1")
    for given, said in ((run_id[:9], run_id), (misspelt, run_id), (name.upper(), re.escape(name))):
        with pytest.raises(StoreError, match=f"did you mean '.*{said}"):
            reproduce(given)


def test_a_recipe_of_one_s_own_code_is_rebuilt_without_the_file(folder, monkeypatch):
    (folder / "mine.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(folder))
    recipe = h.Recipe(
        data="iris", model={"name": "mine.Tiny", "width": 4}, optimizer=h.SGD(lr=0.1), epochs=3
    )
    run_study(
        h.Study(name="own", recipe=recipe, compare={"optimizer": {"a": h.SGD(lr=0.1)}}, seeds=2),
        Options(workers=0),
    )
    run_id = results.load("own").confirmed["run_id"].iloc[0]
    (folder / "mine.py").unlink()
    sys.modules.pop("mine")
    again = reproduce(run_id)
    assert again.verdict != "different" and again.changed == ()
    assert "mine" not in sys.modules


DATA = """
import numpy as np

def load():
    x = np.random.default_rng(0).normal(size=(60, 3))
    return x, x.sum(1) > SHIFT
"""


def test_each_recorded_run_is_reproduced_with_its_own_code(folder, monkeypatch):
    """Two runs of one process whose module, of one name, was edited in between."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # edits within a second, of one size
    monkeypatch.syspath_prepend(str(folder))
    run_ids = []
    for width, shift in [(3, "0"), (7, "0.5")]:
        (folder / "edited.py").write_text(MODEL.replace("width=5", f"width={width}"))
        (folder / "edited_data.py").write_text(DATA.replace("SHIFT", shift))
        recipe = h.Recipe(
            data={"name": "edited_data.load"},
            model={"name": "edited.Tiny"},
            optimizer=h.SGD(lr=0.1),
            batch_size=16,
            epochs=2,
        )
        name = f"w{width}"
        run_study(h.Study(name=name, recipe=recipe, seeds=1), Options(workers=0))
        run_ids.append(results.load(name).confirmed["run_id"].iloc[0])
        for module in ("edited", "edited_data"):
            sys.modules.pop(module)
        for kept in (load_data, fingerprint, place):
            kept.cache_clear()
    mine = importlib.import_module("edited")
    for run_id in run_ids:
        again = reproduce(run_id)
        assert again.verdict != "different" and again.changed == ()
        assert sys.modules["edited"] is mine
    sys.modules.pop("edited")


def test_every_point_is_compared():
    points = tuple(Point(i, float(i), i, {"train/loss": 1.0 + i}) for i in range(3))
    outcome = Outcome("finished", points, {})
    then = {
        "train/loss": [(0, 1.0), (1, 2.0), (2, 3.0)],
        "epoch": [(0, 0.0)],
    }
    assert compare_points(then, outcome, 1e-6)[:4] == ("identical", 3, 0.0, "")
    near = compare_points({"train/loss": [(0, 1.0), (1, 2.0 + 2e-7)]}, outcome, 1e-6)
    assert (
        near.verdict == "within tolerance"
        and near.largest == pytest.approx(1e-7, rel=1e-3)
        and near.where == "train/loss at step 1"
    )
    at_the_bound = compare_points({"train/loss": [(1, 4.0)]}, outcome, 0.5)  # |4 − 2| / 4
    assert at_the_bound.largest == 0.5 and at_the_bound.verdict == "within tolerance"
    assert compare_points({"train/loss": [(0, 1.1)]}, outcome, 1e-6).verdict == "different"
    assert compare_points({"train/loss": [(7, 1.0)]}, outcome, 1e-6).verdict == "different"


def test_a_run_that_is_not_there(folder):
    with pytest.raises(StoreError, match="not in MLflow"):
        reproduce("nothing")

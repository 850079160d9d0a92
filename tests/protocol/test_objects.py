"""Studies of Python objects: trained in workers, recognized, changed, and read elsewhere."""

import re
import sys
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import harness as h
from harness import results
from harness.core.errors import HarnessError, SpecError
from harness.protocol.check import check_study, notes_of
from harness.protocol.reproduce import reproduce
from harness.protocol.run import Options, run_study
from harness.report.page import render
from harness.spec import objects
from harness.spec.files import load_study

CELL = """
class Net(nn.Module):
    def __init__(self, input_shape, outputs, width=4, act=nn.ReLU):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(input_shape[0], width), act(), nn.Linear(width, outputs))

    def forward(self, x):
        return GAIN * self.net(x)

def squared(out, y):
    return (out - y).pow(2).mean(-1)

class Shrink(h.Regularizer):
    def constrain(self, w_KP, ctx):
        return w_KP * SHRINK
"""
X = np.random.default_rng(0).normal(size=(80, 3))
Y = (X[:, 0] > X[:, 1]).astype(int)


def notebook(**names):
    """A notebook's cell, run once more."""
    space = {"__name__": "__main__", "nn": nn, "h": h, "GAIN": 1.0, "SHRINK": 0.999} | names
    exec(CELL, space)
    return space


def study(space, **fields):
    base = {
        "name": "objects",
        "recipe": h.Recipe(
            data=(X, Y),
            model=partial(space["Net"], act=nn.Tanh),
            loss=space["squared"],
            optimizer=partial(lambda named, lr: torch.optim.SGD([p for _, p in named], lr), lr=0.1),
            schedule=lambda step, steps: 1 - step / steps,
            regularizers=[space["Shrink"]],
            batch_size=16,
            epochs=2,
        ),
        "compare": {"model.width": [2, 4]},
        "seeds": 2,
    }
    return h.Study(**base | fields)


@pytest.fixture
def elsewhere(monkeypatch):
    """Call it, and this process knows none of its objects any more."""

    def forget():
        monkeypatch.setattr(objects, "_KEPT", {})
        monkeypatch.setattr(objects, "_FILES", {})

    return forget


@pytest.mark.slow
def test_workers_train_the_same_bits(folder):
    recorded = []
    for workers in (0, 2):
        run_study(study(notebook()), Options(workers=workers, fresh=True))
        runs = results.load("objects").runs
        assert set(runs["status"]) == {"finished"}, runs["detail"]
        recorded.append(runs.set_index(["arm", "seed"])[["valid/loss", "test/loss", "batch/loss"]])
    assert recorded[0].equals(recorded[1])


def test_the_same_cell_is_known_and_another_is_trained(folder):
    first = run_study(study(notebook()), Options(workers=0))
    again = run_study(study(notebook()), Options(workers=0))
    other = run_study(study(notebook(GAIN=2.0)), Options(workers=0))
    shrunk = run_study(study(notebook(SHRINK=0.9)), Options(workers=0))
    assert [s.trained for s in (first, again, other, shrunk)] == [4, 0, 4, 4]


def test_results_are_read_elsewhere_and_runs_can_t_be_reproduced_there(folder, elsewhere):
    run_study(study(notebook()), Options(workers=0))
    run_id = results.load("objects").runs["run_id"].iloc[0]
    assert reproduce(run_id).verdict == "identical"
    elsewhere()
    page = render(results.load("objects"))
    assert "local.Net-" in page
    objects._MISSING.clear()
    with pytest.raises(HarnessError, match="(?s)can't be trained here: .*Net-.* can't be found"):
        reproduce(run_id)


def test_the_plan_says_what_no_other_process_can_rebuild():
    notes = " ".join(notes_of(study(notebook())))
    for said in (
        "recipe.data: local.arrays-[0-9a-f]{8} is arrays in memory",
        "recipe.model: local.Net-[0-9a-f]{8} is a notebook's",
        "recipe.schedule: local.lambda-[0-9a-f]{8} is a lambda",
        "recipe.regularizers.local.Shrink-[0-9a-f]{8}: ",
    ):
        assert re.search(said, notes), said
    assert "torch" not in notes


def test_what_changes_after_the_study_was_made_is_refused():
    space = notebook()
    made = study(space)
    check_study(made)
    space["GAIN"] = 3.0
    with pytest.raises(SpecError, match="recipe.model: local.Net-.* has changed since"):
        check_study(made)
    check_study(study(space))


SCRIPT = """
from torch import nn
import harness as h

WIDTH = 3

class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.out = nn.Sequential(nn.Linear(inputs, WIDTH), nn.Tanh(), nn.Linear(WIDTH, outputs))
    def forward(self, x):
        return self.out(x)

class Net(nn.Module):
    def __init__(self, input_shape, outputs):
        super().__init__()
        self.block = Block(input_shape[0], outputs)
    def forward(self, x):
        return self.block(x)

study = h.Study(
    name="script",
    recipe=h.Recipe(data="iris", model=Net, optimizer=h.SGD(lr=0.1), epochs=2),
    seeds=2,
)
"""


def test_a_script_s_own_objects_count_one_by_one(folder, elsewhere, monkeypatch):
    """An edit of the study trains only what is new; one of the network's parts trains all."""
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    script, trained = folder / "own_script.py", []
    for old, new in (("", ""), ("seeds=2", "seeds=3"), ("WIDTH = 3", "WIDTH = 4")):
        script.write_text(SCRIPT.replace(old, new) if old else SCRIPT)
        made = load_study(script)
        assert made.recipe.model.target == "own_script.Net" and not notes_of(made)
        trained.append(run_study(made, Options(workers=0)).trained)
    assert trained == [2, 1, 2]
    run_id = results.load("script").runs["run_id"].iloc[0]
    elsewhere()
    script.unlink()
    again = reproduce(run_id)
    assert again.verdict == "identical" and again.changed == ()

"""A user's own parts, named from a file beside the spec: trained in workers, recorded, and told apart when their code changes."""

from __future__ import annotations

import subprocess
import sys

import pytest

import harness as h
from harness import results

PARTS = '''
import numpy as np
from torch import nn
import harness as h
from harness.data.dataset import Raw
from harness.spec.space import NonNegative, Positive


class Net(nn.Module):
    def __init__(self, input_shape, outputs, width=6):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(input_shape[0], width), nn.Tanh(), nn.Linear(width, outputs))

    def forward(self, x):
        return self.net(x)


class Stripes(h.Data):
    """Two classes of striped signals."""

    count: int = 200

    def raw(self):
        rng = np.random.default_rng(0)
        y = rng.integers(0, 2, self.count)
        return Raw(np.sin(np.arange(12) * (1 + y[:, None])) + 0.3 * rng.normal(size=(self.count, 12)), y)


def cubic(out, y, power=3):
    return (out - y).abs().pow(power).mean(-1)


class Shrink(h.Regularizer):
    """Divides all weights by a number after each update."""

    by: NonNegative = 1.0

    def constrain(self, w_KP, ctx):
        return w_KP / ctx.column("by")


class Descent(h.Optimizer):
    """θ ← θ − 2ηg."""

    def init(self, w_KP):
        return ()

    def update(self, g_KP, state, w_KP, hyper, layout):
        return w_KP - 2 * hyper["lr"] * g_KP, state
'''
SPEC = """
name: own
recipe:
  data: {name: mine.Stripes, count: 160}
  model: {name: mine.Net, width: 5}
  loss: {name: mine.cubic, power: 2}
  optimizer: {name: mine.Descent, lr: 0.05}
  regularizers: [{name: mine.Shrink, by: 1.001}]
  epochs: 3
compare:
  optimizer:
    mine: {name: mine.Descent, lr: {log_uniform: [0.01, 0.2]}}
    SGD: {name: SGD, lr: {log_uniform: [0.02, 0.4]}}
    theirs: {name: pytorch_optimizer.Lion, lr: {log_uniform: [1e-4, 1e-2]}}
search: {trials: 2}
seeds: 2
"""


@pytest.mark.slow
def test_parts_from_a_file_beside_the_spec(folder, tmp_path_factory):
    spec = tmp_path_factory.mktemp("elsewhere") / "own.yaml"
    spec.write_text(SPEC)
    (spec.parent / "mine.py").write_text(PARTS)

    def run(workers):
        command = [sys.executable, "-m", "harness", "run", str(spec), "--workers", str(workers)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "study own: 12 runs trained" in run(workers=1)
    runs = results.load("own").runs
    assert set(runs["status"]) == {"finished"} and set(runs["data.count"]) == {160.0}
    assert "0 runs trained, 12 known already" in run(workers=0)
    (spec.parent / "mine.py").write_text(PARTS.replace("(1 + y[:, None])", "(2 + y[:, None])"))
    assert "12 runs trained" in run(workers=0), "the same names stand for other code now"


def test_own_rule_is_the_rule_it_says():
    recipe = h.Recipe(
        data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), epochs=3, dtype="float64"
    )
    own = recipe.with_values({"optimizer": {"name": "tests.plugins.Descent", "lr": 0.05}})
    ours, theirs = h.train(own, 2).curves, h.train(recipe, 2).curves
    assert ours["train/loss"].to_numpy() == pytest.approx(
        theirs["train/loss"].to_numpy(), rel=1e-12
    )

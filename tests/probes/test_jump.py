"""Jumps of the whole loss at equal weights, against closed forms."""

from itertools import pairwise

import numpy as np
import pytest

import harness as h
from harness.core.streams import numpy_stream
from harness.data.base import load_data
from harness.engine.initialize import initial_weights
from harness.engine.program import program_of
from harness.spec.resolved import resolve


def jumps(batch_size, seeds=1, **fields):
    probe = {"name": "LossJump", "every": "ends", "lr": 0.1, "draws": 32}
    probe |= {name: fields.pop(name) for name in ("lr", "draws") if name in fields}
    recipe = h.Recipe(
        **{
            "data": "digits",
            "model": h.MLP(widths=(64,)),
            "optimizer": h.SGD(lr=0.1),
            "batch_size": batch_size,
            "steps": 1,
            "eval_every": 1,
        }
        | fields
    )
    curves = h.train(recipe, seeds=seeds, probes=[probe]).curves
    return recipe, curves.dropna(subset=["jump/loss"]).set_index("seed")


@pytest.mark.parametrize("batch_size", [1, 7, 40])
def test_on_a_quadratic_it_is_the_deviation_of_its_taylor_expansion(batch_size):
    """L is quadratic in a linear model: ΔL = −ηG·g + ½η² gᵀHg, without a rest."""
    recipe, measured = jumps(
        batch_size,
        data="diabetes",
        model=h.Linear(),
        loss="mse",
        dtype="float64",
        lr=0.03,
        optimizer=h.SGD(lr=0.5, momentum=0.9),  # the run's own rate is not the probe's
    )
    program, data = program_of(resolve(recipe)), load_data(recipe.data)
    start = program.layout.views(initial_weights(program, [0]))
    w = np.append(start["out.weight"].numpy().ravel(), start["out.bias"].numpy().ravel())
    x, y = np.column_stack([data.train.x, np.ones(len(data.train.x))]), data.train.y[:, 0]
    slopes = 2 * (x @ w - y)[:, None] * x
    hessian, whole, changes = 2 * x.T @ x / len(x), slopes.mean(0), []
    for draw in range(32):
        rows = numpy_stream(0, f"jump {draw}", 0).permutation(len(x))[:batch_size]
        g = slopes[rows].mean(0)
        changes.append(-0.03 * whole @ g + 0.03**2 / 2 * g @ hessian @ g)
    assert measured.loc[0, "jump/loss"] == pytest.approx(np.std(changes, ddof=1), rel=1e-8)
    assert measured.loc[0, "jump/mean"] == pytest.approx(np.mean(changes), rel=1e-8)


def test_small_steps_jump_as_one_over_the_root_of_the_batch():
    """σ² = (1/B)(1 − (B − 1)/(N − 1)) of a single sample's: batches are drawn without replacement."""
    spread = {
        size: float(jumps(size, lr=1e-3, draws=400, dtype="float64")[1]["jump/loss"].iloc[0])
        for size in (4, 64, 512)
    }
    total = 1150
    for size, value in spread.items():
        unit = value * np.sqrt(size / (1 - (size - 1) / (total - 1)))
        small = spread[4] * np.sqrt(4 / (1 - 3 / (total - 1)))
        # deviations of 400 draws scatter by 1/√800 each: 5 %
        assert unit == pytest.approx(small, rel=0.15)


def test_jumps_fall_along_the_batch_size_on_the_task_of_f7_and_are_none_for_the_whole_set():
    values = [
        jumps(size, seeds=2)[1]["jump/loss"].to_numpy()
        for size in (1, 16, 32, 64, 128, 256, 512, "full")
    ]
    assert all((after < before).all() for before, after in pairwise(values))
    assert values[-1] == pytest.approx(0, abs=1e-6)  # the order of summation alone


def test_the_optimizer_and_its_rate_do_not_matter_at_the_same_weights():
    plain, other = (
        jumps(16, optimizer=optimizer)[1]["jump/loss"].iloc[0]
        for optimizer in (h.SGD(lr=0.1), h.Adam(lr=0.5))
    )
    assert plain == other

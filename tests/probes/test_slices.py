"""Losses along lines and planes, against closed forms."""

import numpy as np
import pytest

import harness as h
from tests.probes.recipes import recipe


def test_slices_of_a_quadratic_are_its_closed_forms():
    """f(θ) = ½θᵀQθ of DeepOBS: a parabola along any line, and around the final weights."""
    spec = h.Recipe(
        data="quadratic_deep",
        optimizer=h.SGD(lr=0.01),
        batch_size=10,
        steps=30,
        eval_every=30,
        dtype="float64",
    )
    trained = h.train(spec, seeds=2, probes=[h.LossSlice(points=8, plane=5, samples=10_000)])
    for arrays in trained.arrays.values():
        alpha, line = arrays["slice/line"]
        assert alpha[0] == -0.25 and alpha[-1] == 1.5
        fit = np.polynomial.Polynomial.fit(alpha, line, 2)
        np.testing.assert_allclose(fit(alpha), line, rtol=1e-9)
        assert arrays["slice/plane"].shape == (5, 5)
    assert (trained.curves["slice/barrier"].dropna() < 1e-9).all()


def test_slices_around_the_weights_have_the_final_loss_in_their_middle():
    spec = recipe(
        batch_size="full",
        steps=12,
        eval_every=12,
        data=h.Digits(train_size=200, valid_fraction=0.0),
    )
    trained = h.train(spec, probes=[h.LossSlice(points=15, plane=3, samples=10_000)])
    closing = trained.runs["train/loss"].iloc[0]
    alpha, line = trained.arrays[0]["slice/line"]
    plane = trained.arrays[0]["slice/plane"]
    assert line[np.argmin(np.abs(alpha - 1))] == pytest.approx(closing) and plane[
        1, 1
    ] == pytest.approx(closing)
    assert line[np.argmin(np.abs(alpha))] == pytest.approx(trained.curves["train/loss"].iloc[0])

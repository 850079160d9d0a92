"""The spread of single samples' gradients, against each one."""

import numpy as np
import pytest
import torch

import harness as h
from harness.spec.resolved import resolve
from tests.probes.recipes import every, recipe


def test_spread_is_that_of_the_gradients_of_single_samples():
    from harness.core.streams import numpy_stream
    from harness.engine.hyperparameters import stack_hyperparameters
    from harness.engine.initialize import initial_weights
    from harness.engine.program import program_of
    from harness.engine.training_loss import Minibatch

    spec = recipe(steps=1, eval_every=1)
    program = program_of(resolve(spec))
    w_KP = initial_weights(program, [0])
    rows = numpy_stream(0, "spread", 0).permutation(program.train.size)[:16]
    hyper = stack_hyperparameters([program.recipe], program.device, program.dtype)
    singles = [Minibatch(program.train.x[None, [i]], program.train.y[None, [i]]) for i in rows]
    differentiator = program.differentiator
    g = torch.stack([differentiator.gradient(w_KP, {}, one, hyper).g_KP[0] for one in singles])
    measured = h.train(spec, probes=every("GradientSpread")).curves.iloc[0]
    assert measured["spread/ratio"] == pytest.approx(
        float(g.var(0).sum().sqrt() / g.mean(0).norm())
    )
    pairs = [(g[i] @ g[j] < 0).item() for i in range(16) for j in range(i)]
    assert measured["spread/conflict"] == pytest.approx(np.mean(pairs))

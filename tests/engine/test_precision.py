"""Every model under every precision: it trains, a cohort's member is the run alone, and bfloat16 is near float32."""

import numpy as np
import pytest
import torch
from torch import nn

import harness as h
from harness.core.errors import HarnessError
from harness.engine.program import program_of
from harness.models.base import Context
from harness.models.norm import BatchNorm
from harness.protocol.reproduce import TOLERANCE, tolerance_of
from harness.spec.resolved import resolve
from tests.cases import MODELS

PRECISIONS = {
    "float32": {"dtype": "float32"},
    "float64": {"dtype": "float64"},
    "bfloat16": {"dtype": "float32", "amp": True},
    "float16": {"dtype": "float32", "amp": "fp16"},
}
OWN = {
    "plain module": {"name": "tests.engine.given.Plain"},
    "module with batch norm": {"name": "tests.engine.given.Eager"},
    "module that vmap refuses": {"name": "tests.plugins.Recurrent"},
}
CASES = {name: (case.model, case.data) for name, case in MODELS.items()} | {
    name: (model, "iris") for name, model in OWN.items()
}


def trained(name, precision, seeds, cohort=None):
    model, data = CASES[name]
    recipe = h.Recipe(
        data=data,
        model=model,
        optimizer=h.SGD(lr=0.05),
        steps=6,
        eval_every=3,
        batch_size=20,
        **PRECISIONS[precision],
    )
    runs = h.train(recipe, seeds, cohort=cohort)
    assert set(runs.runs["status"]) == {"finished"}, runs.runs["detail"].tolist()
    return runs.curves[["seed", "train/loss", "valid/loss"]].to_numpy()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", CASES)
def test_every_model_trains_together_as_alone(name, precision):
    together = trained(name, precision, [0, 1])
    alone = trained(name, precision, [0, 1], cohort=1)
    assert np.isfinite(together).all()
    # batched products may be summed in another order than single ones
    np.testing.assert_allclose(
        together, alone, rtol=TOLERANCE["bfloat16" if "amp" in PRECISIONS[precision] else precision]
    )


@pytest.mark.parametrize("name", CASES)
def test_bfloat16_is_near_float32_and_float32_near_float64(name):
    exact = trained(name, "float64", [0])
    np.testing.assert_allclose(trained(name, "float32", [0]), exact, rtol=1e-4)
    # bfloat16 has 8 bits: 0.4 % a rounding
    rounded = trained(name, "bfloat16", [0])
    np.testing.assert_allclose(rounded, exact, rtol=0.05)
    assert (rounded != exact).any(), "computed in bfloat16"


def test_batch_normalization_keeps_its_statistics_in_float32_as_torch_does():
    layer, twin = BatchNorm("norm", 6), nn.BatchNorm1d(6)
    params = {"norm.weight": torch.ones(1, 6), "norm.bias": torch.zeros(1, 6)}
    ctx = Context(training=True, buffers={n: b[None] for n, b in layer.buffers().items()})
    x = (100 + torch.randn(500, 6, generator=torch.Generator().manual_seed(0))).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        out, expected = layer(params, x[None], ctx), twin(x)
    assert ctx.buffers["norm.var"].dtype == torch.float32
    torch.testing.assert_close(ctx.buffers["norm.mean"][0], twin.running_mean, rtol=1e-5, atol=0)
    torch.testing.assert_close(ctx.buffers["norm.var"][0], twin.running_var, rtol=1e-4, atol=0)
    torch.testing.assert_close(out[0], expected.float(), rtol=1e-2, atol=1e-2)


def test_float64_with_amp_is_refused():
    recipe = h.Recipe(data="iris", model=h.Linear(), optimizer=h.SGD(lr=0.1), steps=1, amp=True)
    with pytest.raises(HarnessError, match="recipe.amp: expected dtype float32 .* got float64"):
        program_of(resolve(recipe.with_values({"dtype": "float64"})))
    assert tolerance_of(resolve(recipe)) == TOLERANCE["bfloat16"] == 1e-2
    for dtype in ("float32", "float64"):
        exact = recipe.with_values({"amp": False, "dtype": dtype})
        assert tolerance_of(resolve(exact)) == TOLERANCE[dtype]

"""Every probe in training: nothing changes, alone and together, when it is due, runs that diverge."""

import numpy as np
import pandas as pd
import pytest
import torch

import harness as h
from harness.core.registry import REGISTRY, lookup
from tests.probes.recipes import MODELS, every, recipe

ARRAYS = {
    *("calibration/bins", "confusion/matrix", "slice/line", "slice/plane"),
    *("trajectory/path", "trajectory/plane", "trajectory/sides"),
    *("surfaces/paths", "surfaces/rates"),
}

SMALLER = {
    "LossSlice": {"plane": 3, "points": 5},
    "Trajectory": {"plane": 3},
    "Surfaces": {"steps": 9},
}
"""What makes planes of hundreds of losses a few, so that the tests are quick."""


@pytest.mark.parametrize("model", MODELS)
def test_probes_change_nothing_and_measure_the_same_alone_and_together(model):
    names = [name for name in REGISTRY["probe"].parts if lookup("probe", name).repeatable]
    probes = [probe | SMALLER.get(probe["name"], {}) for probe in every(*names)]
    plain = h.train(recipe(model), seeds=3, test=True)
    together = h.train(recipe(model), seeds=3, probes=probes, test=True)
    alone = h.train(recipe(model), seeds=3, probes=probes, cohort=1)
    for column in ("valid/loss", "train/loss", "test/loss"):
        assert list(plain.runs[column]) == list(together.runs[column])
    shared = sorted(set(together.curves) & set(alone.curves))
    pd.testing.assert_frame_equal(
        together.curves[shared], alone.curves[shared], rtol=1e-7, atol=1e-10
    )
    for seed, arrays in together.arrays.items():
        assert set(arrays) == ARRAYS
        for name, array in arrays.items():
            np.testing.assert_allclose(alone.arrays[seed][name], array, rtol=1e-7, atol=1e-10)
    assert {c.partition("/")[0] for c in shared} >= {
        "gradient",
        "update",
        "activation",
        "alignment",
        "descent",
        "noise",
        "gradcheck",
    }


@pytest.mark.parametrize("name", REGISTRY["probe"].parts)
def test_a_run_that_diverges_is_an_outcome_with_any_probe(name):
    spec = recipe(optimizer=h.SGD(lr=1e9), loss="mse", dtype="float32", steps=12, eval_every=12)
    trained = h.train(spec, seeds=2, probes=every(name, stride=1))
    assert list(trained.runs["status"]) == ["diverged", "diverged"]


@pytest.mark.parametrize(
    "probe, due",
    [
        (h.GradientNorm(every=2), {0, 8, 16, 19}),
        (h.GradientNorm(every=5, unit="steps"), {0, 5, 10, 15, 19}),
        (h.GradientNorm(every="log"), {0, 1, 2, 4, 8, 16, 19}),
        (h.LossSlice(), {0, 19}),
    ],
)
def test_cadence(probe, due):
    assert {step for step in range(20) if probe.timing(per_epoch=4, steps=20)(step)} == due


def test_a_probe_of_one_s_own_is_found_by_its_dotted_name():
    trained = h.train(
        recipe(), probes=[{"name": "tests.plugins.WeightSum", "every": 1, "unit": "steps"}]
    )
    assert trained.curves["sum/all"].notna().sum() == 9


@pytest.mark.gpu
def test_probes_on_the_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    names = [n for n in REGISTRY["probe"].parts if n not in ("NoiseScale", "Throughput")]
    cpu, gpu = (
        h.train(recipe(device=d), seeds=2, probes=every(*names)).curves for d in ("cpu", "cuda")
    )
    pd.testing.assert_frame_equal(cpu, gpu, rtol=1e-6)

"""The contract of every probe: it works for any model, its fields act, and its metrics are known by name."""

import numpy as np
import pytest
import torch

import harness as h
from harness.core.metric_names import describe
from harness.core.registry import REGISTRY, lookup
from harness.models.activation import ACTIVATIONS, OutputActivation

OWN_FIELDS = {
    "Descent": {"second": False},
    "NoiseScale": {"small": 3, "large": 60, "decay": 0.0},
    "GradientSpread": {"samples": 5},
    "Calibration": {"bins": 4},
    "Curvature": {"top": 2, "iterations": 2, "tolerance": 0.9, "vectors": 2, "samples": 20},
    "LossSlice": {"points": 5, "plane": 3, "samples": 30},
    "Trajectory": {"snapshots": 2, "plane": 3, "samples": 30},
    "Surfaces": {"steps": 9, "rates": 1},
    "GradientCheck": {"step": 1e-2, "weights": 3},
    "LossJump": {"lr": 0.3, "draws": 5},
}
"""Another value of every field that a probe has alone."""
PROBES = {name: OWN_FIELDS.get(name, {}) for name in REGISTRY["probe"].parts}

BY_AUTOGRAD = {
    "gelu": h.MLP(widths=(8, 8), activation="gelu"),
    "batch norm": h.MLP(widths=(8, 8), norm="batch"),
    "external": {"name": "tests.plugins.TinyNet", "width": 6},
    "linear": h.Linear(),
}
"""Models without a hand-written backward pass."""
NOTHING_TO_MEASURE = {
    ("Activations", "external"),  # its hidden layers are not known
    ("Activations", "linear"),  # it has none
    ("GradientSpread", "external"),  # its batch normalization refuses batches of one
}
REPEATABLE = [name for name in PROBES if lookup("probe", name).repeatable]


def trained(probes, model=None, **fields):
    recipe = h.Recipe(
        data=h.Digits(train_size=100),
        model=model or h.MLP(widths=(8, 8), activation="tanh"),
        optimizer=h.SGD(lr=0.05),
        batch_size=20,
        dtype="float64",
        **{"steps": 5, "eval_every": 5, **fields},
    )
    return h.train(recipe, seeds=2, probes=probes, test=True)


def recorded(run, prefix):
    """Return a probe's curves and arrays by name, without the times it did not measure."""
    curves = {
        name: run.curves[name].dropna().to_numpy()
        for name in run.curves
        if name.startswith(f"{prefix}/")
    }
    arrays = {f"{name} {seed}": a for seed, own in run.arrays.items() for name, a in own.items()}
    return {**curves, **arrays}


def options(name, **fields):
    return {"name": name, "every": 2, "unit": "steps", **fields}


@pytest.mark.parametrize("model", BY_AUTOGRAD)
@pytest.mark.parametrize("name", PROBES)
def test_it_measures_a_model_without_a_backward_pass_of_its_own_and_changes_nothing(name, model):
    plain = trained([], BY_AUTOGRAD[model])
    run = trained([options(name)], BY_AUTOGRAD[model])
    values = recorded(run, lookup("probe", name).prefix)
    if (name, model) in NOTHING_TO_MEASURE:
        assert not values and (run.runs["status"] == "finished").all()
        return
    assert values and all(np.isfinite(value).all() for value in values.values())
    for column in ("train/loss", "valid/loss", "test/loss"):
        assert list(run.runs[column]) == list(plain.runs[column])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_metrics_are_the_same_in_name_with_and_without_a_backward_pass(activation):
    model = h.MLP(widths=(8, 8), activation=activation)
    probes = [options(name) for name in REPEATABLE]
    names = set(trained(probes, model).curves)
    saturates = {f"activation/{layer}saturated" for layer in ("", "hidden.0/", "hidden.1/")}
    expected = set(trained(probes, h.MLP(widths=(8, 8))).curves)
    assert names == expected | (saturates if ACTIVATIONS[activation].bounds else set())
    assert isinstance(ACTIVATIONS["relu"], OutputActivation)


@pytest.mark.parametrize("name", PROBES)
def test_every_metric_is_known_by_name(name):
    probe = lookup("probe", name)
    run = trained([options(name), options("Curvature", vectors=1, top=2)])
    for metric in recorded(run, probe.prefix):
        if " " not in metric:  # arrays are no metrics
            assert describe(metric).description, metric


@pytest.mark.parametrize("name, field", [(n, f) for n, fields in PROBES.items() for f in fields])
def test_every_field_acts(name, field):
    prefix = lookup("probe", name).prefix
    base = {"vectors": 1} if name == "Curvature" else {}
    plain = recorded(trained([options(name, **base)]), prefix)
    other = recorded(trained([options(name, **base | {field: PROBES[name][field]})]), prefix)
    same = plain.keys() == other.keys() and all(
        np.array_equal(plain[metric], other[metric]) for metric in plain
    )
    assert plain and other and not same


@pytest.mark.parametrize("change", [{"every": 3}, {"every": "log"}, {"unit": "epochs"}])
def test_when_it_measures_acts(change):
    every_second = trained([options("GradientNorm")], steps=12).curves["gradient/all"]
    other = trained([options("GradientNorm") | change], steps=12).curves["gradient/all"]
    assert every_second.notna().sum() != other.notna().sum()


def test_every_registered_probe_is_tested():
    assert set(PROBES) == set(REGISTRY["probe"].parts)
    for name, fields in PROBES.items():
        own = set(lookup("probe", name).model_fields) - {"every", "unit"}
        assert own == set(fields), name


def test_torch_s_generator_is_left_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    trained([options(name) for name in REPEATABLE])
    assert torch.equal(torch.get_rng_state(), before)

"""The contract of every model: torch's function, members apart, shapes and fans, and fields that act."""

import typing
from typing import Literal

import numpy as np
import pytest
import torch

import harness as h
from harness.core.errors import HarnessError
from harness.core.registry import REGISTRY
from harness.core.streams import numpy_stream
from harness.data.base import Data, load_data
from harness.models.base import Context
from harness.spec.space import Space
from tests.cases import MODELS, ModelCase
from tests.models.twins import TWINS, Inputs

CASES = {**MODELS, "parameters": ModelCase(h.Parameters(start=(0.5, -1.0)), "rosenbrock")}
MEMBERS, SAMPLES = 3, 6


def network_of(name):
    """Return a case's network, and some inputs (B, *shape) in float64."""
    model, data = CASES[name][:2]
    dataset = load_data(Data.parse(data))
    network = model.network(dataset.input_shape, dataset.outputs)
    x = torch.as_tensor(dataset.train.x[:SAMPLES])
    tokens = getattr(network, "takes_tokens", False)
    return network, x if tokens else x.double(), dataset.outputs


def drawn(network, seed=0):
    """Return parameters and buffers (K, *shape) that are nowhere 0 or 1, each from its own stream."""
    params, buffers = {}, {}
    for name, weight in network.weights().items():
        rows = numpy_stream(seed, name).standard_normal((MEMBERS, *weight.shape))
        params[name] = torch.as_tensor(
            rows / np.sqrt(weight.fan_in) + np.asarray(weight.value or 0.0)
        )
    for name, start in network.buffers().items():
        rows = numpy_stream(seed, name).random((MEMBERS, *start.shape))
        buffers[name] = torch.as_tensor(0.5 + rows)
    return params, buffers


def outputs(network, params, buffers, x, training):
    ctx = Context(training=training, buffers=dict(buffers))
    return network(params, x[None], ctx), ctx.buffers


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", CASES)
def test_outputs_are_the_twin_s(name, training):
    network, x, count = network_of(name)
    params, buffers = drawn(network)
    out_KBD, _ = outputs(network, params, buffers, x, training)
    places = x.shape if x.dtype == torch.int64 else x.shape[:1]
    assert out_KBD.shape == (MEMBERS, *places, count)
    model, twin = CASES[name].model, twin_of(CASES[name])
    for k in range(MEMBERS):
        own = [{n: v[k] for n, v in tensors.items()} for tensors in (params, buffers)]
        with torch.no_grad():
            expected_BD = twin(model, Inputs(*own, x, training))
        torch.testing.assert_close(out_KBD[k], expected_BD, rtol=1e-11, atol=1e-12)
    spread = (out_KBD - out_KBD.mean(0)).abs().max()
    assert spread > 1e-3, "members differ, or the test could not tell them apart"


@pytest.mark.parametrize("name", CASES)
def test_a_member_is_itself_alone_and_with_inputs_of_its_own(name):
    network, x, _ = network_of(name)
    params, buffers = drawn(network)
    together, after = outputs(network, params, buffers, x, training=True)
    for k in range(MEMBERS):
        own = [{n: v[k : k + 1] for n, v in tensors.items()} for tensors in (params, buffers)]
        alone, after_alone = outputs(network, *own, x, training=True)
        torch.testing.assert_close(together[k : k + 1], alone, rtol=1e-12, atol=1e-13)
        for buffer in after:
            torch.testing.assert_close(
                after[buffer][k : k + 1], after_alone[buffer], rtol=1e-12, atol=0
            )
    ctx = Context(training=True, buffers=dict(buffers))
    copied = network(params, x.expand(MEMBERS, *x.shape), ctx)
    torch.testing.assert_close(together, copied, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_fans_are_torch_s_and_a_bias_has_those_of_its_weights(name):
    network, _, _ = network_of(name)
    weights = network.weights()
    for parameter, weight in weights.items():
        if weight.role in ("hidden", "input", "output") and len(weight.shape) > 1:
            fans = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(weight.shape))
            assert (weight.fan_in, weight.fan_out) == fans, parameter
        if weight.role == "bias":
            of = weights[parameter.replace(".bias", ".weight")]
            assert (weight.fan_in, weight.fan_out) == (of.fan_in, of.fan_out), parameter


@pytest.mark.parametrize("name", CASES)
def test_inputs_and_parameters_stay_as_they_are(name):
    network, x, _ = network_of(name)
    params, buffers = drawn(network)
    before = {n: v.clone() for n, v in {**params, **buffers, "x": x}.items()}
    outputs(network, params, buffers, x, training=True)
    for parameter, value in {**params, **buffers, "x": x}.items():
        assert torch.equal(value, before[parameter]), parameter


OTHERS = {
    "widths": [(6, 5), (6,)],
    "channels": [4, (3,)],
    "kernel": [4],
    "patch": [16],
    "width": [4],
    "heads": [1],
    "layers": [1],
    "dropout": [0.5],
    "start": [(2.0, 0.0)],
}
"""Other values of fields, where not any will do."""
BASES = {case.model.name: case for case in reversed(CASES.values())} | {
    "MLP": ModelCase(h.MLP(widths=(6, 6)), "digits")
}
"""The first case of each model; an MLP in which all fields can act."""


def twin_of(case):
    return case.twin or TWINS[case.model.name]


def other_values(model, field):
    """Return legal values of a field that are not the model's."""
    value, annotation = getattr(model, field), type(model).model_fields[field].annotation
    if field in OTHERS:
        return [other for other in OTHERS[field] if isinstance(other, type(value))]
    if Space in typing.get_args(annotation):  # a value or a space
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) is Literal:
        return [other for other in typing.get_args(annotation) if other != value]
    return [not value if isinstance(value, bool) else value + 1]


def trained_losses(model, data):
    recipe = h.Recipe(data=data, model=model, optimizer=h.SGD(lr=1e-3), steps=2, eval_every=1)
    return h.train(recipe).curves["train/loss"].tolist()


@pytest.mark.parametrize(
    "name, field, value",
    [
        (name, field, value)
        for name, case in BASES.items()
        for field in type(case.model).model_fields
        for value in other_values(case.model, field)
    ],
)
def test_every_field_acts(name, field, value):
    model, data = BASES[name][:2]
    changed = model.model_copy(update={field: value})
    assert trained_losses(changed, data) != trained_losses(model, data)


def test_every_registered_model_is_tested():
    assert {case.model.name for case in CASES.values()} == set(REGISTRY["model"].parts)
    assert all(twin_of(case) for case in CASES.values())


@pytest.mark.parametrize(
    "model, inputs, message",
    [
        (h.Transformer(width=10, heads=4), (64,), "heads: expected a divisor of width 10, got 4"),
        (h.CNN2D(), (64,), "expected inputs"),
        (h.MLP(widths=h.Choice((4,), (5,))), (64,), "model.widths: expected a value, got Choice"),
        (h.CNN1D(channels=h.IntUniform(2, 4)), (40,), "model.channels: expected a value, got Int"),
    ],
)
def test_what_can_not_be_built_is_said(model, inputs, message):
    with pytest.raises(ValueError, match=message):
        model.network(inputs, 10)
    assert issubclass(HarnessError, ValueError)


def test_bounds_of_hidden_units_are_those_of_the_activation():
    assert h.MLP(activation="sigmoid").hidden_bounds() == (0.0, 1.0)
    assert h.MLP().hidden_bounds() is None and h.Linear().hidden_bounds() is None

"""Networks against torch's own layers, and every gradient against finite differences."""

import pytest
import torch
from torch import nn

import harness as h
from harness.core.noise import Noise
from harness.core.registry import REGISTRY
from harness.data.base import Data, load_data
from harness.engine.hyperparameters import hyperparameters
from harness.engine.initialize import initial_weights
from harness.engine.program import program_of
from harness.engine.training_loss import Minibatch
from harness.models.base import Context
from harness.spec.resolved import resolve
from tests.cases import MODELS


def program(model, data, **fields):
    return program_of(
        resolve(
            h.Recipe(
                data=data, model=model, optimizer=h.SGD(lr=0.1), steps=1, dtype="float64", **fields
            )
        )
    )


def weights(made, members=2):
    w_KP = initial_weights(made, list(range(members)))
    return made.layout.views(w_KP)


def buffers_of(made, members=2):
    return {
        n: b.double().expand(members, *b.shape).clone() for n, b in made.network.buffers().items()
    }


def forward(made, params, x, training=False, members=2):
    return made.network(
        params, x[None], Context(training=training, buffers=buffers_of(made, members))
    )


def test_mlp_equals_torch_layers():
    made = program(h.MLP(widths=(12, 12), norm="batch", residual=True), "digits")
    params, x = weights(made), made.train.x[:20]
    for member in range(2):
        p = {n: v[member] for n, v in params.items()}
        first = torch.relu(
            nn.functional.batch_norm(
                x @ p["hidden.0.weight"].T + p["hidden.0.bias"],
                None,
                None,
                p["norm.0.weight"],
                p["norm.0.bias"],
                True,
            )
        )
        second = torch.relu(
            nn.functional.batch_norm(
                first @ p["hidden.1.weight"].T + p["hidden.1.bias"],
                None,
                None,
                p["norm.1.weight"],
                p["norm.1.bias"],
                True,
            )
        )
        expected = (first + second) @ p["out.weight"].T + p["out.bias"]
        assert torch.allclose(forward(made, params, x, True)[member], expected, atol=1e-12)


def test_batch_norm_keeps_torch_s_running_statistics():
    made = program(h.MLP(widths=(12,), norm="batch"), "digits")
    params, x = weights(made, 1), made.train.x[:20]
    layer, ctx = nn.BatchNorm1d(12).double(), Context(training=True, buffers=buffers_of(made, 1))
    for _ in range(3):
        made.network(params, x[None], ctx)
        layer(x @ params["hidden.0.weight"][0].T + params["hidden.0.bias"][0])
    assert torch.allclose(ctx.buffers["norm.0.mean"][0], layer.running_mean, atol=1e-12)
    assert torch.allclose(ctx.buffers["norm.0.var"][0], layer.running_var, atol=1e-12)


@pytest.mark.parametrize("kind", ["1d", "2d"])
def test_convolutions_equal_torch_s(kind):
    if kind == "1d":
        made, conv, stride, pad = (
            program(h.CNN1D(channels=5), {"name": "mnist1d", "channels": True}),
            nn.functional.conv1d,
            2,
            1,
        )
    else:
        made, conv, stride, pad = (
            program(h.CNN2D(channels=(3, 4)), {"name": "digits", "image": True}),
            nn.functional.conv2d,
            2,
            1,
        )
    params, x = weights(made), made.train.x[:6]
    for member in range(2):
        p, out = {n: v[member] for n, v in params.items()}, x
        for i in range(len(made.network.convs)):
            out = torch.relu(conv(out, p[f"conv.{i}.weight"], p[f"conv.{i}.bias"], stride, pad))
        features = out.flatten(2).mean(2) if kind == "2d" else out.flatten(1)
        expected = features @ p["out.weight"].T + p["out.bias"]
        assert torch.allclose(forward(made, params, x)[member], expected, atol=1e-12)


def test_transformer_equals_torch_s_encoder_layer():
    made = program(h.Transformer(patch=8, width=8, depth=1, heads=2), "digits")
    params, x = weights(made, 1), made.train.x[:6]
    p = {n: v[0] for n, v in params.items()}
    layer = nn.TransformerEncoderLayer(
        8, 2, 32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    layer.load_state_dict({
        "self_attn.in_proj_weight": p["block.0.qkv.weight"], "self_attn.in_proj_bias": p["block.0.qkv.bias"],
        "self_attn.out_proj.weight": p["block.0.mix.weight"], "self_attn.out_proj.bias": p["block.0.mix.bias"],
        "linear1.weight": p["block.0.up.weight"], "linear1.bias": p["block.0.up.bias"],
        "linear2.weight": p["block.0.down.weight"], "linear2.bias": p["block.0.down.bias"],
        "norm1.weight": p["block.0.norm1.weight"], "norm1.bias": p["block.0.norm1.bias"],
        "norm2.weight": p["block.0.norm2.weight"], "norm2.bias": p["block.0.norm2.bias"],
    })  # fmt: skip
    tokens = x.unflatten(1, (8, 8)) @ p["embed.weight"].T + p["embed.bias"] + p["position"]
    hidden = nn.functional.layer_norm(layer(tokens), (8,), p["norm.weight"], p["norm.bias"]).mean(1)
    expected = hidden @ p["out.weight"].T + p["out.bias"]
    assert torch.allclose(forward(made, params, x, members=1)[0], expected, atol=1e-12)


def check_gradient(made, members=2, batch=5, entries=12):
    """Compare the gradient with central differences along some coordinates and one random direction."""
    w_KP = initial_weights(made, list(range(members)))
    shared = Minibatch(made.train.x[:batch][None], made.train.y[:batch].expand(members, -1, -1))
    hyper = hyperparameters([made.recipe] * members, made.device, made.dtype)

    def loss(w):
        noise = Noise([0] * members, 0, made.device, made.dtype)
        return made.training_loss(
            made.layout.views(w), buffers_of(made, members), shared, hyper, noise
        )[0]

    noise = Noise([0] * members, 0, made.device, made.dtype)
    g_KP = made.differentiator.gradient(w_KP, buffers_of(made, members), shared, hyper, noise).g_KP
    stream = torch.Generator().manual_seed(0)
    used = torch.cat(
        [torch.arange(s.offset, s.offset + s.size) for s in made.layout.slots.values()]
    )
    for coordinate in used[torch.randperm(len(used), generator=stream)[:entries]]:
        step = torch.zeros_like(w_KP)
        step[:, coordinate] = 1e-6
        measured = (loss(w_KP + step) - loss(w_KP - step)) / 2e-6
        assert torch.allclose(measured, g_KP[:, coordinate], atol=1e-7, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_backpropagation_equals_finite_differences(name):
    check_gradient(program(*MODELS[name]))


LOSSES = [
    ("CrossEntropy", "digits"),
    ("MSE", "digits"),
    ("MSE", "diabetes"),
    ("MAE", "diabetes"),
    ("Huber", "diabetes"),
    ("BCE", "digits"),
]


@pytest.mark.parametrize("loss, data", LOSSES)
def test_gradients_of_losses(loss, data):
    check_gradient(program(h.MLP(widths=(6,), activation="tanh"), data, loss=loss))


@pytest.mark.parametrize("data", ["rosenbrock", "beale", "branin", "quadratic_deep"])
def test_gradients_of_functions(data):
    made = program_of(
        resolve(h.Recipe(data=data, optimizer=h.SGD(lr=0.1), steps=1, dtype="float64"))
    )
    check_gradient(made, members=1, batch=1, entries=2)


def test_every_registered_model_has_a_case():
    assert {type(m).__name__ for m, _ in MODELS.values()} | {"Parameters"} == set(
        REGISTRY["model"].parts
    )


def test_relu_halves_the_activations_under_xavier_and_keeps_them_under_he():
    def last_scale(init):
        scales = []
        for seed in range(5):
            made = program(h.MLP(widths=(256,) * 8), "digits", init={"name": init})
            params, h_, x = (
                made.layout.views(initial_weights(made, [seed])),
                None,
                torch.randn(400, 64, dtype=torch.float64),
            )
            h_ = x
            squares = []
            for i in range(8):
                h_ = torch.relu(h_ @ params[f"hidden.{i}.weight"][0].T)
                squares.append(float(h_.square().mean()))
            scales.append((squares[-1] / squares[0]) ** (1 / 7))
        return sum(scales) / len(scales)

    assert last_scale("Xavier") == pytest.approx(0.5, abs=0.03) and last_scale(
        "He"
    ) == pytest.approx(1.0, abs=0.06)


def test_external_module_is_mapped_and_a_recurrent_one_trains_alone():
    from harness.engine.batching import batched

    tiny = h.Recipe(
        data="iris",
        model={"name": "tests.plugins.TinyNet", "width": 6},
        optimizer=h.SGD(lr=0.1),
        epochs=1,
    )
    recurrent = tiny.with_values({"model": {"name": "tests.plugins.Recurrent"}})
    assert batched(resolve(tiny))[0]
    together, why = batched(resolve(recurrent))
    assert not together and "vmap refuses" in why
    assert load_data(Data.parse("iris")).outputs == 3

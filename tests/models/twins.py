"""The same functions as the models', written for one member with torch's own layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

import harness as h


class Inputs(NamedTuple):
    """What a twin is given: one member's parameters and buffers by name, and a batch."""

    params: Mapping[str, Tensor]
    buffers: Mapping[str, Tensor]
    x: Tensor
    training: bool


def linear(model: h.Linear, given: Inputs) -> Tensor:
    return _dense("out", given.x.flatten(1), given)


def mlp(model: h.MLP, given: Inputs) -> Tensor:
    hidden = given.x.flatten(1)
    for i in range(len(model.widths)):
        out = _normalise(model.norm, f"norm.{i}", _dense(f"hidden.{i}", hidden, given), given)
        if model.activation != "identity":
            out = getattr(functional, model.activation)(out)
        skip = model.residual and i > 0 and out.shape == hidden.shape
        hidden = hidden + out if skip else out
    return _dense("out", hidden, given)


def deep_linear(model: h.DeepLinear, given: Inputs) -> Tensor:
    product = torch.linalg.multi_dot([w.T for w in given.params.values()])
    return given.x.flatten(1) @ product


def cnn1d(model: h.CNN1D, given: Inputs) -> Tensor:
    hidden = given.x if given.x.ndim == 3 else given.x[:, None]
    for i in range(3):
        w, b = (given.params[f"conv.{i}.{part}"] for part in ("weight", "bias"))
        out = functional.conv1d(hidden, w, b, stride=2, padding=1)
        hidden = torch.relu(_normalise(model.norm, f"norm.{i}", out, given))
    return _dense("out", hidden.flatten(1), given)


def cnn2d(model: h.CNN2D, given: Inputs) -> Tensor:
    hidden = given.x
    for i in range(len(model.channels)):
        w, b = (given.params[f"conv.{i}.{part}"] for part in ("weight", "bias"))
        out = functional.conv2d(hidden, w, b, stride=2, padding=model.kernel // 2)
        hidden = torch.relu(_normalise(model.norm, f"norm.{i}", out, given))
    return _dense("out", hidden.mean((2, 3)), given)


def transformer(model: h.Transformer, given: Inputs) -> Tensor:
    flat = given.x.flatten(1)
    flat = functional.pad(flat, (0, -flat.shape[1] % model.patch))
    tokens = _dense("embed", flat.unflatten(1, (-1, model.patch)), given) + given.params["position"]
    for i in range(model.depth):
        tokens = _encoder_layer(model, f"block.{i}", given)(tokens)
    tokens = _normalise("layer", "norm", tokens.movedim(-1, 1), given)
    return _dense("out", tokens.flatten(2).mean(2), given)


def parameters(model: h.Parameters, given: Inputs) -> Tensor:
    return given.params["theta"].repeat(len(given.x), 1)


TWINS = {
    "Linear": linear,
    "MLP": mlp,
    "DeepLinear": deep_linear,
    "CNN1D": cnn1d,
    "CNN2D": cnn2d,
    "Transformer": transformer,
    "Parameters": parameters,
}
"""A twin of every registered model, by the model's name."""


def _dense(name: str, x: Tensor, given: Inputs) -> Tensor:
    return functional.linear(x, given.params[f"{name}.weight"], given.params.get(f"{name}.bias"))


def _normalise(kind: str, name: str, x: Tensor, given: Inputs) -> Tensor:
    """Normalise (B, F, …), features second, as torch has it."""
    if kind == "none":
        return x
    scale, shift = given.params[f"{name}.weight"], given.params[f"{name}.bias"]
    if kind == "layer":
        return functional.layer_norm(x.movedim(1, -1), scale.shape, scale, shift).movedim(-1, 1)
    running = [given.buffers[f"{name}.{part}"].clone() for part in ("mean", "var")]
    return functional.batch_norm(x, *running, scale, shift, given.training)


def _encoder_layer(model: h.Transformer, name: str, given: Inputs) -> nn.TransformerEncoderLayer:
    layer = nn.TransformerEncoderLayer(
        model.width,
        model.heads,
        4 * model.width,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    ).to(given.x.dtype)
    ours = {
        "self_attn.in_proj_": "qkv.",
        "self_attn.out_proj.": "mix.",
        "linear1.": "up.",
        "linear2.": "down.",
        "norm1.": "norm1.",
        "norm2.": "norm2.",
    }
    layer.load_state_dict(
        {
            f"{theirs}{part}": given.params[f"{name}.{mine}{part}"]
            for theirs, mine in ours.items()
            for part in ("weight", "bias")
        }
    )
    return layer

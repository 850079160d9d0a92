"""The same functions as the models', written for one member with torch's own layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
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


def gpt(model: h.GPT, given: Inputs) -> Tensor:
    """torch's encoder layers under a causal mask; rotary ones with complex numbers, as published."""
    places, table = given.x.shape[1], given.params["tokens.weight"]
    tokens = functional.embedding(given.x, table)
    if model.positions == "learned":
        tokens = tokens + given.params["position.weight"][:places]
    mask = nn.Transformer.generate_square_subsequent_mask(places, dtype=tokens.dtype)
    for i in range(model.layers):
        if model.positions == "learned":
            tokens = _encoder_layer(model, f"block.{i}", given)(tokens, mask)
        else:
            tokens = _rotary_block(model, f"block.{i}", tokens, mask, given)
    tokens = _normalise("layer", "norm", tokens.movedim(-1, 1), given).movedim(1, -1)
    return functional.linear(tokens, table if model.tied else given.params["out.weight"])


def _rotary_block(model: h.GPT, name: str, x: Tensor, mask: Tensor, given: Inputs) -> Tensor:
    normed = _normalise("layer", f"{name}.norm1", x.movedim(-1, 1), given).movedim(1, -1)
    q, k, v = (
        part.unflatten(-1, (model.heads, -1)).transpose(1, 2)
        for part in _dense(f"{name}.qkv", normed, given).chunk(3, -1)
    )
    d = q.shape[-1]
    angle = torch.tensor(
        [[t * 10000 ** (-2 * i / d) for i in range(d // 2)] for t in range(x.shape[1])],
        dtype=x.dtype,
    )
    turn = torch.polar(torch.ones_like(angle), angle)  # e^{imθ} of f(q, m) = q e^{imθ}
    q, k = (
        torch.view_as_real(
            torch.view_as_complex(part.unflatten(-1, (-1, 2)).contiguous()) * turn
        ).flatten(-2)
        for part in (q, k)
    )
    seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    x = x + _dense(f"{name}.mix", seen.transpose(1, 2).flatten(-2), given)
    normed = _normalise("layer", f"{name}.norm2", x.movedim(-1, 1), given).movedim(1, -1)
    return x + _dense(f"{name}.down", functional.gelu(_dense(f"{name}.up", normed, given)), given)


def parameters(model: h.Parameters, given: Inputs) -> Tensor:
    return given.params["theta"].repeat(len(given.x), 1)


TWINS = {
    "Linear": linear,
    "MLP": mlp,
    "DeepLinear": deep_linear,
    "CNN1D": cnn1d,
    "CNN2D": cnn2d,
    "Transformer": transformer,
    "GPT": gpt,
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


def _encoder_layer(model: h.Transformer | h.GPT, name: str, given: Inputs) -> Callable[..., Tensor]:
    layer = nn.TransformerEncoderLayer(
        model.width,
        model.heads,
        4 * model.width,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    ).to(next(iter(given.params.values())).dtype)
    ours = {
        "self_attn.in_proj_": "qkv.",
        "self_attn.out_proj.": "mix.",
        "linear1.": "up.",
        "linear2.": "down.",
        "norm1.": "norm1.",
        "norm2.": "norm2.",
    }
    own = {
        f"{theirs}{part}": given.params[f"{name}.{mine}{part}"]
        for theirs, mine in ours.items()
        for part in ("weight", "bias")
    }
    # called with these weights, and not given copies of them: gradients go through
    return lambda *args: functional_call(layer, own, args)

"""Muon against torch's in float64, and against a reference written apart for kernels and fused projections."""

from functools import partial

import numpy as np
import pytest
import torch

import harness as h
from harness.core.errors import HarnessError
from harness.core.parameter_layout import layout_of
from harness.engine.program import program_of
from harness.spec.resolved import resolve
from tests.optimizers.rows import hyper_of, relative

SHAPES = {
    "first": (6, 4),
    "tall": (9, 5),
    "wide": (4, 11),
    "kernels": (5, 3, 2, 2),
    "qkv": (12, 4),
    "table": (7, 4),
    "last": (3, 5),
    "bias": (5,),
    "scale": (5,),
}
ROLES = {
    "first": "input",
    "last": "output",
    "table": "embedding",
    "bias": "bias",
    "scale": "norm",
}
LAYOUT = layout_of(SHAPES, ROLES, {"qkv": 3})
MUON = h.Muon(lr=0.02, momentum=0.9, weight_decay=0.1, adam_lr=0.003, beta2=0.99)
STEPS = 20


def numbers(steps, seed):
    stream = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        yield {n: torch.randn(s, generator=stream, dtype=torch.float64) for n, s in SHAPES.items()}


def ours(optimizer=MUON, members=2):
    (start,) = numbers(1, 7)
    like = torch.zeros(members, LAYOUT.width, dtype=torch.float64)

    def rows(named):
        return LAYOUT.pack({n: v.expand(members, *v.shape) for n, v in named.items()}, like)

    w_KP = rows(start)
    state, hyper = optimizer.init(w_KP), hyper_of(*[optimizer] * members, layout=LAYOUT)
    for g in numbers(STEPS, 8):
        w_KP, state = optimizer.update(rows(g), state, w_KP, hyper, LAYOUT)
    assert torch.equal(w_KP[0], w_KP[1])
    return {n: v[0] for n, v in LAYOUT.views(w_KP).items()}


def torch_s(make, names):
    (start,) = numbers(1, 7)
    parameters = {n: torch.nn.Parameter(start[n].clone()) for n in names}
    optimizer = make(list(parameters.values()))
    for g in numbers(STEPS, 8):
        for name, parameter in parameters.items():
            parameter.grad = g[name].clone()
        optimizer.step()
    return {n: p.detach() for n, p in parameters.items()}


def orthogonal(x):
    """Newton–Schulz as Jordan et al. (2024) have it, by its effect on singular values."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return u * s @ vt


def reference(name, split):
    """Muon of one parameter, by NumPy: ``split`` cuts a step into matrices."""
    (start,) = numbers(1, 7)
    w, v = start[name].numpy(), np.zeros(SHAPES[name])
    for gradients in numbers(STEPS, 8):
        g = gradients[name].numpy()
        v = 0.9 * v + 0.1 * g
        parts = [
            orthogonal(m) * max(1, m.shape[0] / m.shape[1]) ** 0.5 for m in split(0.9 * v + 0.1 * g)
        ]
        w = (1 - 0.02 * 0.1) * w - 0.02 * np.concatenate(parts).reshape(w.shape)
    return torch.from_numpy(w)


def test_matrices_move_as_torch_s_muon_does(monkeypatch):
    # torch rounds its Newton–Schulz steps to bfloat16 whatever it is given; here it must not
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda x: x.double().clone())
    names = ("tall", "wide")
    theirs = torch_s(lambda p: torch.optim.Muon(p, lr=0.02, momentum=0.9, weight_decay=0.1), names)
    for name in names:
        assert relative(ours()[name], theirs[name]) <= 1e-12


def test_kernels_are_one_matrix_and_fused_projections_are_several():
    moved = ours()
    kernels = reference("kernels", lambda g: [g.reshape(5, 12)])
    assert relative(moved["kernels"], kernels) <= 1e-12
    qkv = reference("qkv", lambda g: [g[:4], g[4:8], g[8:]])
    assert relative(moved["qkv"], qkv) <= 1e-12
    assert relative(moved["qkv"], reference("qkv", lambda g: [g])) > 1e-3
    assert relative(moved["tall"], reference("tall", lambda g: [g])) <= 1e-12


def test_adamw_moves_inputs_outputs_embeddings_biases_and_norms():
    moved = ours()
    # biases and norms do not decay
    for name, role in ROLES.items():
        decay = 0.0 if role in ("bias", "norm") else 0.1
        adamw = partial(torch.optim.AdamW, lr=0.003, betas=(0.9, 0.99), weight_decay=decay)
        assert relative(moved[name], torch_s(adamw, (name,))[name]) <= 1e-12


def recipe(**fields):
    base = {"data": "digits", "optimizer": h.Muon(lr=0.02), "steps": 3, "dtype": "float64"}
    return resolve(h.Recipe(**base | fields))


@pytest.mark.parametrize(
    "model", [h.Linear(), h.MLP(widths=(12,)), {"name": "tests.plugins.TinyNet", "width": 9}]
)
def test_a_network_without_hidden_matrices_is_refused(model):
    with pytest.raises(
        HarnessError, match=r"recipe.optimizer: Muon expected .* \(output\).* use AdamW"
    ):
        program_of(recipe(model=model))


def test_a_deeper_network_and_any_other_optimizer_are_not_refused():
    program_of(recipe(model=h.MLP(widths=(12, 7))))
    program_of(recipe(model=h.Linear(), optimizer=h.AdamW(lr=0.01)))

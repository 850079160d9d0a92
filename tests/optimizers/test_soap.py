"""SOAP against a reference in NumPy, and against pytorch-optimizer's where no null space is left to chance."""

import numpy as np
import pytest
import pytorch_optimizer
import torch

import harness as h
from harness.core.parameter_layout import layout_of
from harness.optimizers import soap
from tests.optimizers.rows import hyper_of, relative

SHAPES = {"square": (6, 6), "kernels": (4, 3, 2), "bias": (5,)}
LAYOUT = layout_of(SHAPES, {"bias": "bias"})
STEPS = 25


def numbers(steps, seed):
    stream = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        yield {n: torch.randn(s, generator=stream, dtype=torch.float64) for n, s in SHAPES.items()}


def ours():
    (start,) = numbers(1, 3)
    like = torch.zeros(1, LAYOUT.width, dtype=torch.float64)
    w_KP = LAYOUT.pack({n: v[None] for n, v in start.items()}, like)
    optimizer = h.SOAP(lr=0.01, refresh=4)
    state, hyper = optimizer.init(w_KP), hyper_of(optimizer, layout=LAYOUT)
    for g in numbers(STEPS, 4):
        rows = LAYOUT.pack({n: v[None] for n, v in g.items()}, like)
        w_KP, state = optimizer.update(rows, state, w_KP, hyper, LAYOUT)
    return {n: v[0] for n, v in LAYOUT.views(w_KP).items()}


def reference(name, height, lr=0.01, beta=0.95, decay=0.01, eps=1e-8, refresh=4):
    """Algorithm 3 of Vyas et al. (2024), with a ramp of the given height under the eigenvectors."""

    def ramped(a):
        return a + np.diag(height * np.trace(a) / len(a) * np.arange(1, len(a) + 1) / len(a))

    (start,) = numbers(1, 3)
    w = start[name].numpy().reshape(len(start[name]), -1)
    m, v, left, right = np.zeros_like(w), np.zeros_like(w), 0.0, 0.0
    q, p = np.eye(len(w)), np.eye(w.shape[1])
    for t, gradients in enumerate(numbers(STEPS, 4)):
        g = gradients[name].numpy().reshape(w.shape)
        if t:
            m = beta * m + (1 - beta) * g
            v = beta * v + (1 - beta) * (q.T @ g @ p) ** 2
            step = q @ ((q.T @ m @ p) / (np.sqrt(v) + eps)) @ p.T
            w = w - lr * np.sqrt(1 - beta**t) / (1 - beta**t) * step
            w = w * (1 - lr * decay)
        left = beta * left + (1 - beta) * g @ g.T
        right = beta * right + (1 - beta) * g.T @ g
        if t == 0:
            q, p = (np.linalg.eigh(ramped(a))[1][:, ::-1] for a in (left, right))
        elif t % refresh == 0:
            rows = np.argsort(-np.einsum("ij,ij->j", q, ramped(left) @ q))
            columns = np.argsort(-np.einsum("ij,ij->j", p, ramped(right) @ p))
            v = v[rows][:, columns]
            q = np.linalg.qr(ramped(left) @ q[:, rows])[0]
            p = np.linalg.qr(ramped(right) @ p[:, columns])[0]
    return torch.from_numpy(w).reshape(SHAPES[name])


@pytest.mark.parametrize("name", ["square", "kernels"])
def test_matrices_move_as_the_reference_does(name):
    assert relative(ours()[name], reference(name, soap.RAMP)) <= 1e-9


def test_without_the_ramp_it_is_the_library_s(monkeypatch):
    monkeypatch.setattr(soap, "RAMP", 0.0)
    (start,) = numbers(1, 3)
    parameters = {n: torch.nn.Parameter(start[n].clone()) for n in ("square", "bias")}
    groups = [
        {"params": [parameters["square"]]},
        {"params": [parameters["bias"]], "weight_decay": 0.0},
    ]
    optimizer = pytorch_optimizer.SOAP(groups, lr=0.01, precondition_frequency=4)
    for g in numbers(STEPS, 4):
        for name, parameter in parameters.items():
            parameter.grad = g[name].clone()
        optimizer.step()
    moved = ours()
    # the library's QR is in float32; its vectors are moved by Adam in float64
    assert relative(moved["square"], parameters["square"].detach()) <= 1e-5
    assert relative(moved["bias"], parameters["bias"].detach()) <= 1e-12


def test_the_ramp_changes_little():
    assert relative(reference("square", soap.RAMP), reference("square", 0.0)) < 0.02


def test_a_member_without_finite_gradients_spares_the_others():
    optimizer = h.SOAP(lr=0.01, refresh=1)
    (g,) = numbers(1, 4)
    like = torch.zeros(2, LAYOUT.width, dtype=torch.float64)
    g_KP = LAYOUT.pack({n: v.expand(2, *v.shape) for n, v in g.items()}, like)
    g_KP[0] = torch.nan
    w_KP, hyper = torch.zeros_like(g_KP), hyper_of(optimizer, optimizer, layout=LAYOUT)
    state = optimizer.init(w_KP)
    for _ in range(3):
        w_KP, state = optimizer.update(g_KP, state, w_KP, hyper, LAYOUT)
    assert w_KP[0].isnan().any() and w_KP[1].isfinite().all() and w_KP[1].any()

"""Every optimizer against its twin in another library, in float64."""

import inspect

import pytest
import torch

import harness as h
from harness.core.parameter_layout import layout_of
from harness.core.registry import REGISTRY, lookup
from harness.optimizers.base import Optimizer
from tests.cases import OPTIMIZERS
from tests.optimizers.rows import LAYOUT, SHAPES, gradients, hyper_of, relative, rows, starts


@pytest.fixture(autouse=True)
def double():
    """torch keeps its optimizers' scalars (NAdam's product of μ) in the default precision."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def run_ours(optimizer):
    """Return the weights by name after all steps."""
    w_KP = rows(starts())
    state, hyper = optimizer.init(w_KP), hyper_of(optimizer)
    for g in gradients():
        w_KP, state = optimizer.update(rows(g), state, w_KP, hyper, LAYOUT)
    return {n: v[0] for n, v in LAYOUT.views(w_KP).items()}


def run_twin(make, names=tuple(SHAPES)):
    parameters = {n: torch.nn.Parameter(v.clone()) for n, v in starts().items() if n in names}
    optimizer = make(list(parameters.values()))
    for g in gradients():
        for name, parameter in parameters.items():
            parameter.grad = g[name].clone()
        optimizer.step()
    return {n: p.detach() for n, p in parameters.items()}


@pytest.mark.parametrize("name", [n for n, case in OPTIMIZERS.items() if case.twin])
def test_optimizer_equals_its_twin(name):
    optimizer, twin = OPTIMIZERS[name].optimizer, OPTIMIZERS[name].twin
    if not hasattr(optimizer, "exempt"):
        check_twins(optimizer, twin)
        return
    check_twins(optimizer.model_copy(update={"exempt": ()}), twin)
    # by default biases do not decay: torch's parameter groups
    check_twins(
        optimizer, lambda both: twin([{"params": both[0]}, {"params": both[1], "weight_decay": 0}])
    )


def check_twins(optimizer, twin):
    ours, theirs = run_ours(optimizer), run_twin(twin)
    for tensor in SHAPES:
        assert relative(ours[tensor], theirs[tensor]) <= 1e-12


def test_every_registered_optimizer_has_a_case():
    assert set(REGISTRY["optimizer"].parts) == {
        type(case.optimizer).__name__ for case in OPTIMIZERS.values()
    }


@pytest.mark.parametrize("name", REGISTRY["optimizer"].parts)
def test_optimizer_minimises_a_bowl(name):
    """One that goes the wrong way, or nowhere, would not get from 10 to below 1 in 400 steps."""
    cls = lookup("optimizer", name)
    assert issubclass(cls, Optimizer) and inspect.getdoc(cls)
    optimizer = cls(lr=1.0 if name in ("Adadelta", "Adagrad") else 0.05)
    layout = layout_of({"w": (4, 4)})
    w_KP = layout.pack({"w": torch.full((1, 4, 4), 1.25)}, torch.zeros(1, layout.width))
    state, hyper = optimizer.init(w_KP), hyper_of(optimizer, layout=layout)
    first = float(w_KP.square().sum())
    for _ in range(400):
        w_KP, state = optimizer.update(2 * w_KP, state, w_KP, hyper, layout)
    assert float(w_KP.square().sum()) < first / 10


def test_adam_without_memory_is_sign_descent():
    adam, sign = (
        run_ours(h.Adam(lr=0.01, beta1=0.0, beta2=0.0, eps=1e-300)),
        run_ours(h.SignSGD(lr=0.01)),
    )
    assert all(relative(adam[n], sign[n]) <= 1e-12 for n in SHAPES)

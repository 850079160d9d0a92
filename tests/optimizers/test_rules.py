"""Every update rule against its twin in another library, in float64."""

import inspect

import pytest
import torch

import harness as h
from harness.core.parameter_layout import layout_of
from harness.core.registry import REGISTRY, lookup
from harness.optimizers.base import Optimizer
from tests.cases import OPTIMIZERS

SHAPES = {"weight": (7, 5), "bias": (7,)}
STEPS = 50


@pytest.fixture(autouse=True)
def double():
    """torch keeps its optimizers' scalars (NAdam's product of μ) in the default precision."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def gradients(seed=0):
    """Yield gradients of a fixed, curved problem: noisy, and of very different sizes."""
    stream = torch.Generator().manual_seed(seed)
    for _ in range(STEPS):
        yield {
            n: torch.randn(s, generator=stream, dtype=torch.float64)
            * torch.logspace(-3, 1, s[0]).double()[(...,) + (None,) * (len(s) - 1)]
            for n, s in SHAPES.items()
        }


def starts():
    stream = torch.Generator().manual_seed(1)
    return {n: torch.randn(s, generator=stream, dtype=torch.float64) for n, s in SHAPES.items()}


def run_rule(rule, members=1):
    """Return the weights after all steps, of member 0 of a cohort of equal members."""
    layout = layout_of(SHAPES)
    w_KP = torch.zeros(members, layout.width, dtype=torch.float64)
    w_KP = layout.pack({n: v.expand(members, *v.shape) for n, v in starts().items()}, w_KP)
    state = rule.init(w_KP)
    hyper = {n: torch.full((members, 1), v, dtype=torch.float64) for n, v in rule.numbers().items()}
    hyper["schedule"] = torch.ones(members, 1, dtype=torch.float64)
    for g in gradients():
        g_KP = layout.pack({n: v.expand(members, *v.shape) for n, v in g.items()}, w_KP)
        w_KP, state = rule.update(g_KP, state, w_KP, hyper, layout)
    return {n: v[0] for n, v in layout.views(w_KP).items()}


def run_twin(make, names=tuple(SHAPES)):
    parameters = {n: torch.nn.Parameter(v.clone()) for n, v in starts().items() if n in names}
    optimizer = make(list(parameters.values()))
    for g in gradients():
        for name, parameter in parameters.items():
            parameter.grad = g[name].clone()
        optimizer.step()
    return {n: p.detach() for n, p in parameters.items()}


def relative(a, b):
    return float((a - b).abs().max() / b.abs().max())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_rule_equals_its_twin(name):
    ours, theirs = run_rule(OPTIMIZERS[name].rule), run_twin(OPTIMIZERS[name].twin)
    for tensor in SHAPES:
        assert relative(ours[tensor], theirs[tensor]) <= 1e-12


def test_muon_orthogonalizes_matrices_and_leaves_the_rest_to_adamw():
    ours = run_rule(h.Muon(lr=0.02, momentum=0.95, weight_decay=0.1, adam_lr=0.003))
    adam = run_twin(
        lambda p: torch.optim.AdamW(p, lr=0.003, betas=(0.9, 0.999), weight_decay=0.1), ("bias",)
    )
    assert relative(ours["bias"], adam["bias"]) <= 1e-12
    # torch.optim.Muon runs its Newton–Schulz steps in bfloat16 whatever it is given: agreement to its three digits
    muon = run_twin(
        lambda p: torch.optim.Muon(p, lr=0.02, momentum=0.95, weight_decay=0.1), ("weight",)
    )
    assert relative(ours["weight"], muon["weight"]) <= 2e-2


def test_every_registered_rule_has_a_case():
    tested = {type(case.rule).__name__ for case in OPTIMIZERS.values()} | {"Muon"}
    assert set(REGISTRY["optimizer"].parts) == tested


@pytest.mark.parametrize("name", REGISTRY["optimizer"].parts)
def test_rule_minimises_a_bowl(name):
    """A rule that goes the wrong way, or nowhere, would not get from 10 to below 1 in 400 steps."""
    cls = lookup("optimizer", name)
    assert issubclass(cls, Optimizer) and inspect.getdoc(cls)
    rule = cls(lr=1.0 if name in ("Adadelta", "Adagrad") else 0.05)
    layout = layout_of({"w": (4, 4)})
    w_KP = layout.pack(
        {"w": torch.full((1, 4, 4), 1.25, dtype=torch.float64)},
        torch.zeros(1, layout.width, dtype=torch.float64),
    )
    state, first = rule.init(w_KP), float(w_KP.square().sum())
    hyper = {n: torch.full((1, 1), v, dtype=torch.float64) for n, v in rule.numbers().items()} | {
        "schedule": torch.ones(1, 1).double()
    }
    for _ in range(400):
        w_KP, state = rule.update(2 * w_KP, state, w_KP, hyper, layout)
    assert float(w_KP.square().sum()) < first / 10


def test_adam_without_memory_is_sign_descent():
    adam, sign = (
        run_rule(h.Adam(lr=0.01, beta1=0.0, beta2=0.0, eps=1e-300)),
        run_rule(h.SignSGD(lr=0.01)),
    )
    assert all(relative(adam[n], sign[n]) <= 1e-12 for n in SHAPES)

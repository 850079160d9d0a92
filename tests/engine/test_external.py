"""Other libraries' optimizers: what they are given, and which are refused before anything trains."""

from functools import partial

import pytest
import pytorch_optimizer
import torch
from torch.nn import functional

import harness as h
from harness.core.errors import HarnessError, SpecError
from harness.engine.cohort import start
from harness.engine.external.trial import try_optimizer
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.protocol.check import check_study
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.studies import small

BASE = h.Recipe(
    data={"name": "digits", "train_size": 200},
    model=h.MLP(widths=(12, 7), activation="tanh"),
    optimizer=h.SGD(lr=0.5),
    batch_size=32,
    steps=20,
    eval_every=5,
    dtype="float64",
)


def losses(optimizer, **fields):
    (outcome,) = train_outcomes(BASE.with_values(fields | {"optimizer": optimizer}), [0])
    assert outcome.status == "finished", outcome.detail
    return [p.metrics["train/loss"] for p in outcome.points], outcome.summary["cost/gradients"]


def classes_of(library, name):
    found = (
        vars(library).values() if name == "torch.optim" else map(library.__dict__.get, dir(library))
    )
    return sorted(
        f"{name}.{c.__name__}"
        for c in found
        if isinstance(c, type)
        and issubclass(c, torch.optim.Optimizer)
        and c is not torch.optim.Optimizer
    )


REFUSED = {
    "torch.optim.Muon": "only supports 2D parameters",
    "torch.optim.SparseAdam": "does not support dense gradients",
    "pytorch_optimizer.A2Grad": "'lr' in its param_groups",
    "pytorch_optimizer.AdaGO": "can't be made",
    "pytorch_optimizer.AdaHessian": "can't make an update: RuntimeError",
    "pytorch_optimizer.AdaLOMO": "can't be made",
    "pytorch_optimizer.AdaMuon": "can't be made",
    "pytorch_optimizer.AdamMini": "can't be made",
    "pytorch_optimizer.AliG": "'lr' in its param_groups",
    "pytorch_optimizer.BSAM": "missing 1 required positional argument",
    "pytorch_optimizer.CPUOffloadOptimizer": "can't be made",
    "pytorch_optimizer.DeMo": "can't be made",
    "pytorch_optimizer.DistributedMuon": "can't be made",
    "pytorch_optimizer.FAdam": "expected dtype float",
    "pytorch_optimizer.FriendlySAM": "missing 1 required positional argument",
    "pytorch_optimizer.GSAM": "missing 3 required positional arguments",
    "pytorch_optimizer.LOMO": "can't be made",
    "pytorch_optimizer.Lookahead": "can't be made",
    "pytorch_optimizer.LookSAM": "missing 1 required positional argument",
    "pytorch_optimizer.Muon": "can't be made",
    "pytorch_optimizer.MuonClip": "can't be made",
    "pytorch_optimizer.NorMuon": "can't be made",
    "pytorch_optimizer.OrthoGrad": "can't be made",
    "pytorch_optimizer.PCGrad": "can't be made",
    "pytorch_optimizer.Ranger21": "missing 1 required positional argument",
    "pytorch_optimizer.SAM": "missing 1 required positional argument: 'base_optimizer'",
    "pytorch_optimizer.SafeFP16Optimizer": "can't be made",
    "pytorch_optimizer.SophiaH": "can't make an update: RuntimeError",
    "pytorch_optimizer.SpectralSphere": "only supports 2D parameters",
    "pytorch_optimizer.ScheduleFreeWrapper": "can't be made",
    "pytorch_optimizer.TRAC": "can't be made",
    "pytorch_optimizer.WSAM": "can't be made",
    "tests.plugins.Idle": "expected tests.plugins.Idle to move the weights",
}
"""Optimizers that can't train this model in float64 as they are named, and what is said."""
NAMES = classes_of(torch.optim, "torch.optim") + classes_of(pytorch_optimizer, "pytorch_optimizer")


@pytest.mark.parametrize("name", sorted({*NAMES, *REFUSED}))
def test_every_optimizer_works_or_is_refused_with_the_reason(name):
    program = program_of(resolve(BASE.with_values({"optimizer": name})))
    if name not in REFUSED:
        try_optimizer(program)
        return
    with pytest.raises(HarnessError) as caught:
        try_optimizer(program)
    assert REFUSED[name] in str(caught.value) and "recipe.optimizer" in str(caught.value)


def test_a_study_with_a_refused_one_is_refused_as_a_whole():
    study = small().model_copy(
        update={
            "compare": {
                "optimizer": {
                    "Sparse": h.ExternalOptimizer("torch.optim.SparseAdam"),
                    "SGD": h.SGD(lr=0.1),
                }
            }
        }
    )
    with pytest.raises(
        SpecError, match=r"arm 'Sparse': recipe.optimizer: torch.optim.SparseAdam can't"
    ):
        check_study(study)


@pytest.mark.parametrize("name", ["tests.plugins.Uninterested", "tests.plugins.WithoutClosure"])
def test_one_that_asks_for_no_gradient_finds_it_there(name):
    assert losses({"name": name, "lr": 0.5}) == losses({"name": "torch.optim.SGD", "lr": 0.5})


def test_weights_decay_after_the_gradient_is_taken_as_they_do_in_the_engine():
    decay = {"regularizers": [h.WeightDecay(rate=0.3)]}
    own, _ = losses(h.SGD(lr=0.5), **decay)
    for name in ("torch.optim.SGD", "tests.plugins.Uninterested"):
        assert losses({"name": name, "lr": 0.5}, **decay)[0] == pytest.approx(own, rel=1e-12)
    assert losses(h.SGD(lr=0.5))[0] != pytest.approx(own, rel=1e-3)


def test_one_with_two_gradients_gets_the_second_where_it_asks():
    """SAM: g at θ + ρ g/‖g‖ (Foret et al. 2021), written here with the engine's SGD for one update."""
    sam = {"name": "tests.plugins.sharpness_aware", "lr": 0.5, "rho": 0.1}
    curve, count = losses(sam)
    plain, once = losses({"name": "torch.optim.SGD", "lr": 0.5})
    assert (
        count == 2 * once
        and curve[0] == plain[0]
        and curve[1:] != pytest.approx(plain[1:], rel=1e-4)
    )
    nearly, _ = losses(sam | {"rho": 1e-9})
    assert nearly == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize(
    ("optimizer", "away"),
    [
        (
            {"name": "tests.plugins.sharpness_aware", "lr": 0.5, "rho": 0.1},
            lambda g, n: 0.1 * g / n,
        ),
        ({"name": "tests.plugins.Extragradient", "lr": 0.5}, lambda g, n: -0.5 * g),
    ],
    ids=["SAM", "extragradient"],
)
def test_a_step_with_two_gradients_is_the_one_by_hand(optimizer, away):
    """θ ← θ − η∇L(θ + away(∇L(θ))), by autograd."""
    recipe = BASE.with_values(
        {"steps": 1, "eval_every": 1, "batch_size": "full", "optimizer": optimizer}
    )
    cohort, program = start([Run.of(recipe, 0)], test=False), program_of(resolve(recipe))
    views = program.layout.views(cohort.w_KP)
    names, weights = list(views), [v[0].clone().requires_grad_() for v in views.values()]

    def gradients(values):
        w = dict(zip(names, values, strict=True))
        h1 = torch.tanh(program.train.x.flatten(1) @ w["hidden.0.weight"].T + w["hidden.0.bias"])
        h2 = torch.tanh(h1 @ w["hidden.1.weight"].T + w["hidden.1.bias"])
        out = h2 @ w["out.weight"].T + w["out.bias"]
        return torch.autograd.grad(functional.cross_entropy(out, program.train.y), values)

    first = gradients(weights)
    norm = torch.sqrt(sum(g.square().sum() for g in first))
    second = gradients([p + away(g, norm) for p, g in zip(weights, first, strict=True)])
    advance(cohort)
    assert cohort.external is not None
    for moved, p, g in zip(cohort.external.parameters, weights, second, strict=True):
        # the library takes its norm with an ε
        torch.testing.assert_close(moved.detach(), p.detach() - 0.5 * g, rtol=1e-6, atol=1e-9)


def grouped(named_parameters, lr, decay):
    """AdamW that decays matrices alone."""
    named = list(named_parameters)
    matrices = [p for name, p in named if name.endswith("weight")]
    others = [p for name, p in named if not name.endswith("weight")]
    return torch.optim.AdamW(
        [{"params": others, "weight_decay": 0.0}, {"params": matrices}], lr=lr, weight_decay=decay
    )


def test_a_factory_makes_groups_by_the_parameters_names():
    own, _ = losses(partial(grouped, lr=0.01, decay=0.1))
    groups = {"*.bias": h.Group(weight_decay=0.0)}
    adamw = partial(torch.optim.AdamW, lr=0.01, weight_decay=0.1)
    expected, _ = losses(adamw, groups=groups)
    everything, _ = losses(adamw)
    assert own == expected != everything


def test_groups_of_both_kinds_are_refused():
    recipe = BASE.with_values(
        {"optimizer": partial(grouped, lr=0.01, decay=0.1), "groups": {"*.bias": {"lr": 0.5}}}
    )
    with pytest.raises(HarnessError, match="recipe.groups: expected none, since .*grouped makes"):
        try_optimizer(program_of(resolve(recipe)))

"""Other libraries' optimizers: what they are given, and which are refused before anything trains."""

import pytest
import pytorch_optimizer
import torch

import harness as h
from harness.core.errors import HarnessError, SpecError
from harness.engine.external.trial import try_optimizer
from harness.engine.program import program_of
from harness.protocol.check import check_study
from harness.protocol.train import train_outcomes
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


def test_a_sharpness_aware_step_is_the_one_by_hand():
    recipe = BASE.with_values({"steps": 1, "eval_every": 1, "batch_size": "full"})
    from harness.engine.cohort import start
    from harness.engine.loop import advance
    from harness.spec.arms import Run

    sam = recipe.with_values(
        {"optimizer": {"name": "tests.plugins.sharpness_aware", "lr": 0.5, "rho": 0.1}}
    )
    cohort, program = start([Run.of(sam, 0)], test=False), program_of(resolve(sam))
    params = {
        n: v[0].clone().requires_grad_() for n, v in program.layout.views(cohort.w_KP).items()
    }

    def loss(values):
        h1 = torch.tanh(
            program.train.x.flatten(1) @ values["hidden.0.weight"].T + values["hidden.0.bias"]
        )
        h2 = torch.tanh(h1 @ values["hidden.1.weight"].T + values["hidden.1.bias"])
        out = h2 @ values["out.weight"].T + values["out.bias"]
        return torch.nn.functional.cross_entropy(out, program.train.y)

    first = torch.autograd.grad(loss(params), list(params.values()))
    norm = torch.sqrt(sum(g.square().sum() for g in first))
    away = {
        n: (p + 0.1 * g / norm).detach().requires_grad_()
        for (n, p), g in zip(params.items(), first, strict=True)
    }
    second = torch.autograd.grad(loss(away), list(away.values()))
    moved = {n: (p - 0.5 * g).detach() for (n, p), g in zip(params.items(), second, strict=True)}
    (outcome,) = advance(cohort).outcomes.values()
    assert outcome.points[-1].metrics["train/loss"] < outcome.points[0].metrics["train/loss"]
    assert cohort.external is not None
    for parameter, expected in zip(cohort.external.parameters, moved.values(), strict=True):
        torch.testing.assert_close(parameter.detach(), expected, rtol=1e-6, atol=1e-9)

"""What must be the same run, and what must not, in float64 over 50 steps."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

import harness as h
from harness.core.parameter_layout import layout_of
from harness.spec.component import Component
from harness.verification.row import Row, RowGroup, at_least, at_most

STEPS = 50


def _losses(seeds: int = 1, **fields: object) -> np.ndarray:
    """Return the loss of each of 50 minibatches, of the last seed."""
    recipe = {
        "data": "digits",
        # without biases, which some libraries' options leave out of the decay
        "model": h.MLP(widths=(16, 16), activation="tanh", bias=False),
        "batch_size": 100,
        "steps": STEPS,
        "eval_every": 1,
        "dtype": "float64",
        **fields,
    }
    curves = h.train(h.Recipe.model_validate(recipe), seeds=seeds).curves
    return curves[curves["seed"] == seeds - 1]["batch/loss"].dropna().to_numpy()


def _apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest relative difference of two curves."""
    return float(np.max(np.abs(ours - theirs) / np.abs(theirs)))


class Twin(NamedTuple):
    """A rule of the harness, and ``torch.optim``'s with its arguments."""

    ours: Component
    theirs: dict[str, object]


TWINS = {
    "SGD": Twin(h.SGD(lr=0.1), {"name": "torch.optim.SGD", "lr": 0.1}),
    "momentum": Twin(
        h.SGD(lr=0.1, momentum=0.9), {"name": "torch.optim.SGD", "lr": 0.1, "momentum": 0.9}
    ),
    "Nesterov": Twin(
        h.SGD(lr=0.1, momentum=0.9, nesterov=True),
        {"name": "torch.optim.SGD", "lr": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    "Adagrad": Twin(h.Adagrad(lr=0.05), {"name": "torch.optim.Adagrad", "lr": 0.05}),
    "Adadelta": Twin(h.Adadelta(lr=0.7), {"name": "torch.optim.Adadelta", "lr": 0.7}),
    "RMSprop": Twin(h.RMSprop(lr=0.01), {"name": "torch.optim.RMSprop", "lr": 0.01}),
    "Adam": Twin(h.Adam(lr=0.01), {"name": "torch.optim.Adam", "lr": 0.01}),
    "AdamW": Twin(
        h.AdamW(lr=0.01, weight_decay=0.1, exempt=()),
        {"name": "torch.optim.AdamW", "lr": 0.01, "weight_decay": 0.1},
    ),
    "Adamax": Twin(h.Adamax(lr=0.01), {"name": "torch.optim.Adamax", "lr": 0.01}),
    "NAdam": Twin(h.NAdam(lr=0.01), {"name": "torch.optim.NAdam", "lr": 0.01}),
    "RAdam": Twin(h.RAdam(lr=0.01), {"name": "torch.optim.RAdam", "lr": 0.01}),
    "Adafactor": Twin(h.Adafactor(lr=0.01), {"name": "torch.optim.Adafactor", "lr": 0.01}),
}


def _twins_apart(twin: Twin) -> float:
    """torch keeps some of its optimizers' scalars in the default precision."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return _apart(_losses(optimizer=twin.ours), _losses(optimizer=twin.theirs))
    finally:
        torch.set_default_dtype(before)


def _muon_apart() -> float:
    """Muon of one hidden matrix against NumPy's, which has the singular values by their formula."""
    rule, stream = h.Muon(lr=0.02, momentum=0.9, weight_decay=0.1), torch.Generator().manual_seed(0)
    layout = layout_of({"hidden.weight": (9, 5)})
    start, *gradients = (
        torch.randn(9, 5, generator=stream, dtype=torch.float64) for _ in range(STEPS + 1)
    )
    like_KP = torch.zeros(1, layout.width, dtype=torch.float64)
    w_KP = layout.pack({"hidden.weight": start}, like_KP)
    state = rule.init(w_KP)
    hyper = {n: like_KP.new_full((1, 1), v) for n, v in {**rule.numbers(), "schedule": 1.0}.items()}
    w, v = start.numpy().copy(), np.zeros((9, 5))
    for g in gradients:
        w_KP, state = rule.update(
            layout.pack({"hidden.weight": g}, w_KP), state, w_KP, hyper, layout
        )
        v = 0.9 * v + 0.1 * g.numpy()
        step = _orthogonal(0.9 * v + 0.1 * g.numpy()) * (9 / 5) ** 0.5
        w = (1 - 0.02 * 0.1) * w - 0.02 * step
    ours = layout.view(w_KP, "hidden.weight")[0].numpy()
    return float(np.abs(ours - w).max() / np.abs(w).max())


def _orthogonal(x: np.ndarray) -> np.ndarray:
    """Five Newton–Schulz steps, as a polynomial of the singular values (Jordan et al. 2024)."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(5):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return np.asarray(u * s @ vt)


def _decays_apart(optimizer: Component) -> float:
    """L2, whose gradient is λθ, against decay by 1 − ηλ."""
    l2 = _losses(optimizer=optimizer, regularizers=[h.L2(strength=0.05)])
    decay = _losses(optimizer=optimizer, regularizers=[h.WeightDecay(rate=0.05)])
    return float(np.abs(l2 - decay).max())


def _member_apart() -> float:
    recipe: dict[str, object] = {"optimizer": h.Adam(lr=0.01)}
    together = _losses(seeds=4, **recipe)
    alone = h.train(
        h.Recipe(
            data=h.Digits(),
            model=h.MLP(widths=(16, 16), activation="tanh", bias=False),
            batch_size=100,
            steps=STEPS,
            eval_every=1,
            dtype="float64",
            optimizer=h.Adam(lr=0.01),
        ),
        seeds=[3],
    ).curves["batch/loss"]
    return _apart(together, alone.dropna().to_numpy())


def _adam_and_sign_apart() -> float:
    adam = h.Adam(lr=0.001, beta1=0.0, beta2=0.0, eps=1e-300)
    return _apart(_losses(optimizer=adam), _losses(optimizer=h.SignSGD(lr=0.001)))


def squares(out_BD: Tensor, y_BD: Tensor, scale: float = 1.0) -> Tensor:
    """Return the squared error, times a number."""
    return scale * (out_BD - y_BD).square().mean(-1)


def _scales_apart() -> float:
    """Adam with the loss as it is, and a hundred times it."""

    def losses(scale: float) -> np.ndarray:
        return _losses(
            data="diabetes",
            model=h.MLP(widths=(8,)),
            optimizer=h.Adam(lr=0.01, eps=1e-300),
            loss={"name": f"{__name__}.squares", "scale": scale},
        )

    return _apart(losses(100.0), 100 * losses(1.0))


EQUIVALENCES = RowGroup(
    "equivalences",
    "Equivalences in float64: largest difference of the losses of 50 steps",
    "torch.optim; Loshchilov & Hutter 2019; Kingma & Ba 2015; Jordan et al. 2024",
    (
        *(
            Row(f"{name} against torch.optim", at_most(1e-12), partial(_twins_apart, twin))
            for name, twin in TWINS.items()
        ),
        Row("Muon against Newton–Schulz by singular values", at_most(1e-12), _muon_apart),
        Row("a member of a cohort against the run alone", at_most(1e-10), _member_apart),
        Row(
            "SGD with L2 against decoupled decay",
            at_most(1e-12),
            partial(_decays_apart, h.SGD(lr=0.3)),
        ),
        Row(
            "with momentum 0.9 they differ",
            at_least(1e-2),
            partial(_decays_apart, h.SGD(lr=0.3, momentum=0.9)),
        ),
        Row(
            "Adam with L2 differs from AdamW",
            at_least(1e-2),
            partial(_decays_apart, h.Adam(lr=0.01)),
        ),
        Row("Adam without memory against sign descent", at_most(1e-12), _adam_and_sign_apart),
        Row("Adam against Adam on a hundred times the loss", at_most(1e-10), _scales_apart),
    ),
)

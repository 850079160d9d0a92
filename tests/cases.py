"""The tables that contract tests run over: a new optimizer, model, regularizer or data set joins by one row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import pytorch_optimizer
import torch
from torch.nn import functional

import harness as h
from harness.losses.base import Loss
from harness.models.base import Model
from harness.optimizers.base import Optimizer
from harness.regularizers.base import Regularizer


class OptimizerCase(NamedTuple):
    """An optimizer, and what its contract tests need to know of it."""

    optimizer: Optimizer
    twin: Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer] | None
    """An independent implementation that it must equal, made over parameters; None where a test of its own compares."""
    needs: Mapping[str, Mapping[str, float]] = {}
    """For a field that acts only where others have other values: those values."""
    gradient_weight: Callable[[int, Mapping[str, float]], float] | None = None
    """c of the −ηcg/D that a gradient g does to the weights in update t, given the numeric fields, for optimizers with a
    preconditioner D."""


def _one(t, n):
    return 1.0


def _averaged(t, n):
    return (1 - n["beta1"]) / (1 - n["beta1"] ** t)


def _nadam_weight(t, n):
    momenta = [n["beta1"] * (1 - 0.5 * 0.96 ** (s * n["momentum_decay"])) for s in range(1, t + 2)]
    now, ahead = math.prod(momenta[:-1]), math.prod(momenta)
    return (1 - momenta[-2]) / (1 - now) + (1 - n["beta1"]) * momenta[-1] / (1 - ahead)


class ScheduleFreeAdamW(pytorch_optimizer.ScheduleFreeAdamW):
    """Without the 1e-15 that the library adds to the mean square, unlike the authors' code."""

    @staticmethod
    def apply_ams_bound(ams_bound, exp_avg_sq, max_exp_avg_sq, eps, exp_avg_sq_eps=0.0):
        return exp_avg_sq.sqrt().add_(eps)


OPTIMIZERS = {
    "SGD": OptimizerCase(
        h.SGD(lr=0.1), partial(torch.optim.SGD, lr=0.1), {"nesterov": {"momentum": 0.9}}
    ),
    "momentum": OptimizerCase(
        h.SGD(lr=0.1, momentum=0.9), partial(torch.optim.SGD, lr=0.1, momentum=0.9)
    ),
    "Nesterov": OptimizerCase(
        h.SGD(lr=0.1, momentum=0.9, nesterov=True),
        partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True),
    ),
    "Adagrad": OptimizerCase(
        h.Adagrad(lr=0.1), partial(torch.optim.Adagrad, lr=0.1), gradient_weight=_one
    ),
    "Adadelta": OptimizerCase(
        h.Adadelta(lr=0.7), partial(torch.optim.Adadelta, lr=0.7), gradient_weight=_one
    ),
    "RMSprop": OptimizerCase(
        h.RMSprop(lr=0.01), partial(torch.optim.RMSprop, lr=0.01), gradient_weight=_one
    ),
    "RMSprop momentum": OptimizerCase(
        h.RMSprop(lr=0.01, momentum=0.8),
        partial(torch.optim.RMSprop, lr=0.01, momentum=0.8),
        gradient_weight=_one,
    ),
    "Adam": OptimizerCase(
        h.Adam(lr=0.01), partial(torch.optim.Adam, lr=0.01), gradient_weight=_averaged
    ),
    "uncorrected Adam": OptimizerCase(
        h.Adam(lr=0.01, bias_correction=False),
        None,  # no library has it: tests/engine/test_timetable.py compares its first step with the paper's
        gradient_weight=lambda t, n: 1 - n["beta1"],
    ),
    "AdamW": OptimizerCase(
        h.AdamW(lr=0.01, weight_decay=0.1),
        partial(torch.optim.AdamW, lr=0.01, weight_decay=0.1),
        gradient_weight=_averaged,
    ),
    "NAdam": OptimizerCase(
        h.NAdam(lr=0.01), partial(torch.optim.NAdam, lr=0.01), gradient_weight=_nadam_weight
    ),
    "RAdam": OptimizerCase(
        h.RAdam(lr=0.01), partial(torch.optim.RAdam, lr=0.01), gradient_weight=_averaged
    ),
    "Adamax": OptimizerCase(
        h.Adamax(lr=0.01), partial(torch.optim.Adamax, lr=0.01), gradient_weight=_averaged
    ),
    "Lion": OptimizerCase(
        h.Lion(lr=0.01, weight_decay=0.1),
        partial(pytorch_optimizer.Lion, lr=0.01, betas=(0.9, 0.99), weight_decay=0.1),
    ),
    "signSGD": OptimizerCase(
        h.SignSGD(lr=0.01), partial(pytorch_optimizer.SignSGD, lr=0.01, momentum=0.0)
    ),
    "Muon": OptimizerCase(
        h.Muon(lr=0.02, momentum=0.95, weight_decay=0.1, adam_lr=0.003),
        None,  # tests/optimizers/test_muon.py: torch's for matrices, and a reference for the rest
    ),
    "Adafactor": OptimizerCase(
        h.Adafactor(lr=0.05, weight_decay=0.1),
        partial(torch.optim.Adafactor, lr=0.05, weight_decay=0.1),
        {"least_scale": {"weight_decay": 0.5, "lr": 0.5}},
    ),
    "SOAP": OptimizerCase(
        h.SOAP(lr=0.01),
        None,  # tests/optimizers/test_soap.py: the first gradient's null space is anybody's
    ),
    "Schedule-Free SGD": OptimizerCase(
        h.ScheduleFreeSGD(lr=0.1, weight_decay=0.1),
        partial(pytorch_optimizer.ScheduleFreeSGD, lr=0.1, weight_decay=0.1),
    ),
    "Schedule-Free AdamW": OptimizerCase(
        h.ScheduleFreeAdamW(lr=0.01, weight_decay=0.1),
        partial(ScheduleFreeAdamW, lr=0.01, weight_decay=0.1, foreach=False),
        gradient_weight=lambda t, n: 1 - n["beta1"] + n["beta1"] / t,
    ),
}


class LossCase(NamedTuple):
    """A loss, and the independent implementation that it must equal."""

    loss: Loss
    twin: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    """Takes outputs and targets (B, D), returns losses (B,)."""


def _each(function, **fields):
    return lambda out, y: function(out, y, reduction="none", **fields).mean(-1)


LOSSES = {
    "CrossEntropy": LossCase(h.CrossEntropy(), partial(functional.cross_entropy, reduction="none")),
    "MSE": LossCase(h.MSE(), _each(functional.mse_loss)),
    "half sum": LossCase(
        h.MSE(form="half_sum"), lambda out, y: torch.linalg.vector_norm(out - y, dim=1) ** 2 / 2
    ),
    "MAE": LossCase(h.MAE(), _each(functional.l1_loss)),
    "Huber": LossCase(h.Huber(delta=0.3), _each(functional.huber_loss, delta=0.3)),
    "BCE": LossCase(h.BCE(), _each(functional.binary_cross_entropy_with_logits)),
    "external": LossCase(
        Loss.parse({"name": "tests.plugins.cubic", "power": 4}),
        lambda out, y: ((out - y) ** 4).mean(-1),
    ),
}
"""Targets are positive and sum to 1; functions of the parameters have a test of their own."""

DATA = {
    "Digits": ((64,), 10, "classification", 1797),
    "BreastCancer": ((30,), 2, "classification", 569),
    "Wine": ((13,), 3, "classification", 178),
    "Iris": ((4,), 3, "classification", 150),
    "Diabetes": ((10,), 1, "regression", 442),
    "MNIST1D": ((40,), 10, "classification", 5000),
    "Spirals": ((2,), 2, "classification", None),
    "TeacherStudent": (None, None, "regression", None),
    "Markov": ((32,), 8, "tokens", 2000),
    "Induction": ((32,), 16, "tokens", 2000),
    "QuadraticDeep": ((100,), 100, "function", 1896),
    "Rosenbrock": ((2,), 2, "function", 2),
    "Beale": ((2,), 2, "function", 2),
    "Branin": ((2,), 2, "function", 2),
}
"""Input shape, outputs, task and number of samples in all; None where it is an option."""


class ModelCase(NamedTuple):
    """A model, and what its contract tests need to know of it."""

    model: Model
    data: str | dict[str, object]
    """Data that fit it."""
    twin: Callable[[Any, Any], torch.Tensor] | None = None
    """The same function of one member's parameters, written apart; by default that in tests/models/twins.py."""


LANGUAGE: dict[str, object] = {"name": "Markov", "symbols": 5, "context": 7, "samples": 320}

MODELS = {
    "linear": ModelCase(h.Linear(), "digits"),
    "MLP": ModelCase(h.MLP(widths=(12, 7)), "digits"),
    "tanh MLP": ModelCase(h.MLP(widths=(9,), activation="tanh", bias=False), "digits"),
    "sigmoid MLP": ModelCase(h.MLP(widths=(9,), activation="sigmoid"), "digits"),
    "gelu MLP": ModelCase(h.MLP(widths=(9,), activation="gelu"), "digits"),
    "silu MLP": ModelCase(h.MLP(widths=(9,), activation="silu"), "digits"),
    "batch-norm MLP": ModelCase(h.MLP(widths=(12, 12), norm="batch"), "digits"),
    "layer-norm MLP": ModelCase(h.MLP(widths=(12, 12), norm="layer"), "digits"),
    "residual MLP": ModelCase(h.MLP(widths=(12, 12, 12), residual=True), "digits"),
    "deep linear": ModelCase(h.DeepLinear(width=8, depth=3), "digits"),
    "CNN1D": ModelCase(h.CNN1D(channels=5), "mnist1d"),
    "CNN2D": ModelCase(h.CNN2D(channels=(3, 4)), {"name": "digits", "image": True}),
    "batch-norm CNN2D": ModelCase(
        h.CNN2D(channels=(3, 4), norm="batch"), {"name": "digits", "image": True}
    ),
    "wide-kernel CNN2D": ModelCase(
        h.CNN2D(channels=(3, 4, 2), kernel=5),
        {"name": "digits", "image": True},
    ),
    "layer-norm CNN1D": ModelCase(h.CNN1D(channels=5, norm="layer"), "mnist1d"),
    "transformer": ModelCase(h.Transformer(patch=8, width=8, depth=1, heads=2), "digits"),
    "GPT": ModelCase(h.GPT(width=8, layers=2, heads=2), LANGUAGE),
    "rotary GPT": ModelCase(
        h.GPT(width=8, layers=2, heads=2, positions="rotary", tied=False), LANGUAGE
    ),
}

REGULARIZERS = {
    "L2": h.L2(strength=0.1),
    "L1": h.L1(strength=0.01),
    "weight decay": h.WeightDecay(rate=0.1),
    "dropout": h.Dropout(rate=0.3),
    "label smoothing": h.LabelSmoothing(amount=0.2),
    "mixup": h.Mixup(alpha=0.5),
    "input noise": h.InputNoise(std=0.2),
    "random crop": h.RandomCrop(padding=2),
    "horizontal flip": h.HorizontalFlip(probability=0.5),
    "cutout": h.Cutout(size=4),
    "clip norm": h.ClipNorm(limit=0.1),
    "clip value": h.ClipValue(limit=0.01),
    "max-norm": h.MaxNorm(limit=0.5),
    "early stopping": h.EarlyStopping(patience=2),
}


def regularized(recipe: h.Recipe, regularizer: Regularizer) -> h.Recipe:
    """Return a recipe with a regularizer, on pictures if that is for them: their data are 120 digits then."""
    fitting = recipe.with_values({"regularizers": [regularizer]})
    return on_pictures(fitting) if regularizer.for_pictures else fitting


def on_pictures(recipe: h.Recipe) -> h.Recipe:
    """Return a recipe on 120 digits as pictures."""
    return recipe.with_values({"data": h.Digits(train_size=120, image=True)})

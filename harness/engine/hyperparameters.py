"""Members' numeric hyperparameters as tensors: runs that differ in numbers train together.

What is a number to the arithmetic (a rate, a strength, a share) is a column of a tensor and never a
Python number in the code of an update, which would be one member's for all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.core.parameter_numbers import GroupNumbers, Masks
from harness.data.base import Data, load_data
from harness.engine.loss_scaling import LossScaling
from harness.losses.base import Loss
from harness.models.base import Model
from harness.optimizers.external import ExternalOptimizer
from harness.regularizers.base import Regularizer
from harness.spec.component import Component, as_a
from harness.spec.resolved import ResolvedRecipe


class Hyperparameters(NamedTuple):
    """One number a member of every numeric field that a gradient or a regularizer depends on.

    The optimizers' other fields are held by the groups of members that they move:
    :mod:`harness.engine.optimizer_groups`.
    """

    lr_K: Tensor
    """Learning rates before the schedule; NaN where another library's optimizer has its own
    default."""
    loss: Mapping[str, Tensor]
    """The loss's fields by name, (K,) each."""
    regularizers: tuple[Mapping[str, Tensor], ...]
    """Each regularizer's fields by name, (K,) each, in the recipe's order."""
    dropout_K: Tensor | None
    """Dropout rates; None where no member drops anything, so that no noise is drawn in vain."""
    smoothing_K: Tensor | None = None
    """Shares of label smoothing; None where no member smooths."""
    groups: GroupNumbers = GroupNumbers()
    """What the recipes' groups of parameters say; for updates alone."""
    masks: Masks | None = None
    """Kept between the updates of an interval."""
    scaling: LossScaling | None = None
    """The scales of losses in float16, which updates change in place; for updates alone."""

    def map(self, rows: Callable[[Tensor], Tensor]) -> Hyperparameters:
        """Return the numbers of some of the members.

        Args:
            rows: takes their rows out of a tensor (K,).
        """
        return Hyperparameters(
            rows(self.lr_K),
            {name: rows(value) for name, value in self.loss.items()},
            tuple({n: rows(value) for n, value in part.items()} for part in self.regularizers),
            None if self.dropout_K is None else rows(self.dropout_K),
            None if self.smoothing_K is None else rows(self.smoothing_K),
        )

    def noise_free(self) -> Hyperparameters:
        """Return the same without dropout and smoothed targets."""
        return self._replace(dropout_K=None, smoothing_K=None)

    def loss_fields(self) -> Mapping[str, Tensor]:
        """Return the loss's fields in training: with ``smoothing``, where a regularizer smooths
        targets that it can't change itself, such as tokens."""
        smoothing_K = self.smoothing_K
        return self.loss if smoothing_K is None else {**self.loss, "smoothing": smoothing_K}


def stack_hyperparameters(
    recipes: Sequence[ResolvedRecipe], device: torch.device, dtype: torch.dtype
) -> Hyperparameters:
    """Return the numbers of recipes that differ in numbers alone.

    Args:
        recipes: the members', in the order of the rows: K of them.
        device: where the numbers are wanted.
        dtype: of the weights.
    """

    def column(numbers: Iterable[float]) -> Tensor:
        # rounded once, from the recipe's own float64, whatever the weights' type is
        return torch.tensor(list(numbers), dtype=torch.float64).to(device, dtype)

    def fields(parts: Sequence[Component]) -> dict[str, Tensor]:
        rows = [part.numbers() for part in parts]
        return {name: column(row[name] for row in rows) for name in rows[0]}

    losses = [recipe.loss or as_a(Data, recipe.data).default_loss() for recipe in recipes]
    rates = [dropout_rate(recipe) for recipe in recipes]
    smoothing = [_smoothing(recipe) for recipe in recipes]
    return Hyperparameters(
        lr_K=column(_learning_rate(recipe) for recipe in recipes),
        loss=fields(losses) | _measured_by_loss(recipes, losses, device, dtype),
        # by place: the recipes have the same regularizers in the same order
        regularizers=tuple(map(fields, zip(*(r.regularizers for r in recipes), strict=True))),
        dropout_K=column(rates) if any(rates) else None,
        smoothing_K=column(smoothing) if any(smoothing) else None,
    )


def _measured_by_loss(
    recipes: Sequence[ResolvedRecipe],
    losses: Sequence[Component],
    device: torch.device,
    dtype: torch.dtype,
) -> dict[str, Tensor]:
    """Return what the members' losses take from the training targets, a row for each member."""
    pairs = zip(losses, recipes, strict=True)
    rows = [_measured(as_a(Loss, loss), as_a(Data, recipe.data)) for loss, recipe in pairs]
    return {
        name: torch.as_tensor(np.stack([row[name] for row in rows])).to(device, dtype)
        for name in rows[0]
    }


@lru_cache(maxsize=256)  # asked for again at every evaluation
def _measured(loss: Loss, data: Data) -> dict[str, np.ndarray]:
    """Return what a loss takes from the training targets of a split."""
    # most take nothing, and need no data loaded
    if type(loss).measured is Loss.measured:
        return {}
    loaded = load_data(data)
    return loss.measured(loaded.train.y, loaded.classes)


def dropout_rate(recipe: ResolvedRecipe) -> float:
    """Return the dropout rate of a run: a regularizer's if one sets it, else the model's.

    Args:
        recipe: without a model, the data's default model counts.

    Returns:
        The share of units dropped; 0 where nothing drops.
    """
    for part in recipe.regularizers:
        rate = as_a(Regularizer, part).dropout_rate()
        if rate is not None:
            return rate
    model = recipe.model or as_a(Data, recipe.data).default_model()
    return as_a(Model, model).dropout_rate() or 0.0 if model is not None else 0.0


def _smoothing(recipe: ResolvedRecipe) -> float:
    """Return the share of label smoothing of a run; 0 where nothing smooths."""
    shares = (as_a(Regularizer, part).smoothing() for part in recipe.regularizers)
    return next((share for share in shares if share), 0.0)


def _learning_rate(recipe: ResolvedRecipe) -> float:
    optimizer = recipe.optimizer
    if isinstance(optimizer, ExternalOptimizer):
        # it may be left to the library's default, or be no number at all (a tensor, a callable)
        rate = optimizer.args.get("lr")
        return float(rate) if isinstance(rate, (int, float)) else math.nan
    return optimizer.numbers()["lr"]

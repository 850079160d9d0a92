"""Averages of the members' weights over training: a row a member, moved after every update."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.averages.base import Average
from harness.core.errors import HarnessError
from harness.engine.optimizer_checks import check_evaluation_point
from harness.models.base import Network
from harness.optimizers.base import Optimizer
from harness.regularizers.base import Regularizer
from harness.spec.component import as_a
from harness.spec.length import RunLengths
from harness.spec.resolved import ResolvedRecipe


def average_rates(
    recipes: Sequence[ResolvedRecipe], run: RunLengths, start: int, stop: int
) -> Tensor | None:
    """Return how far the averages go towards the weights, (stop − start, K); None without any.

    Args:
        recipes: the members', in the order of the rows; all or none have an average.
        run: their lengths.
        start: updates made before the first.
        stop: updates made after the last.

    Returns:
        Rates in float64 on the CPU.
    """
    if recipes[0].average is None:
        return None
    columns: dict[Average, list[float]] = {}
    rows = []
    for recipe in recipes:
        assert recipe.average is not None, "an average is in the key of a cohort"
        average = as_a(Average, recipe.average)
        # members often share one, which is then asked once
        if average not in columns:
            fitted, made = average.fitted(run), range(start + 1, stop + 1)
            columns[average] = [fitted.rate(t, run.steps, run.per_epoch) for t in made]
        rows.append(columns[average])
    return torch.tensor(rows, dtype=torch.float64).T


def move_average(average_KP: Tensor, w_KP: Tensor, rate_K: Tensor) -> None:
    """Move the averages towards the weights, in their own memory.

    Args:
        average_KP: the averages.
        w_KP: the weights after an update; only read.
        rate_K: how far each member's goes, on the CPU.
    """
    if bool((rate_K == 1).all()):
        average_KP.copy_(w_KP)
    elif bool((rate_K != 0).any()):
        # in float64 the rates have been computed, in the weights' type they act
        average_KP.lerp_(w_KP, rate_K.to(w_KP.device, w_KP.dtype)[:, None])


def check_average(
    recipe: ResolvedRecipe,
    network: Network,
    regularizers: Sequence[Regularizer],
    run: RunLengths,
) -> None:
    """Refuse an average that can't be evaluated, or that never starts.

    Args:
        recipe: with an average or none.
        network: what is evaluated there.
        regularizers: of the recipe.
        run: the run's lengths.

    Raises:
        HarnessError: what was expected and got, and the fix.
    """
    if recipe.average is None:
        return
    average, optimizer = as_a(Average, recipe.average), recipe.optimizer
    if (
        isinstance(optimizer, Optimizer)
        and type(optimizer).evaluation_point is not Optimizer.evaluation_point
    ):
        raise two_averages(average.name, optimizer.name)
    check_evaluation_point("average", average.name, network, regularizers)
    try:
        first = average.fitted(run).first(run.steps, run.per_epoch)
    except HarnessError as error:
        raise HarnessError(f"recipe.average: {average.name}: {error}") from error
    if first > run.steps:
        raise HarnessError(
            f"recipe.average: expected {average.name} to start within the run's {run.steps}"
            f" updates, got a start after {first}; take a smaller start"
        )


def two_averages(average: str, optimizer: str) -> HarnessError:
    """Return the error of an average over the weights of an optimizer that averages by itself."""
    return HarnessError(
        f"recipe.average: expected an optimizer that is evaluated at its weights, got {optimizer},"
        f" which averages them by itself; leave out {average}, or take another optimizer"
    )

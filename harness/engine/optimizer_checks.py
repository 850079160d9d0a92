"""What an optimizer can't train or evaluate rightly is refused before anything trains."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from harness.core.errors import HarnessError
from harness.core.parameter_layout import Layout
from harness.models.base import Network
from harness.models.running_statistics import statistics_of
from harness.optimizers.base import Optimizer
from harness.regularizers.base import Regularizer
from harness.spec.component import Component


def has_batch_statistics(network: Network) -> bool:
    """Return whether a network normalises by its batch and keeps running statistics of it."""
    # the harness's own end in ".mean", torch's in "running_mean"
    return any(name.endswith("mean") for name in network.buffers())


def check_optimizer(
    optimizer: Component, network: Network, layout: Layout, regularizers: Sequence[Regularizer]
) -> None:
    """Refuse one of the engine's optimizers with a network or regularizers that it is not for.

    Args:
        optimizer: the recipe's; another library's is tried out instead, where studies are planned.
        network: what it trains.
        layout: the network's parameters.
        regularizers: of the recipe.

    Raises:
        HarnessError: what was expected and got, and the fix.
    """
    if not isinstance(optimizer, Optimizer):
        return
    optimizer.check(layout)
    if type(optimizer).evaluation_point is not Optimizer.evaluation_point:
        check_evaluation_point("optimizer", optimizer.name, network, regularizers)


def check_evaluation_point(
    field: str, part: str, network: Network, regularizers: Sequence[Regularizer]
) -> None:
    """Refuse what would not hold at an average of weights.

    Args:
        field: of the recipe, where the part stands that evaluates at an average.
        part: its name.
        network: what is evaluated there.
        regularizers: of the recipe.

    Raises:
        HarnessError: the network has running statistics of its own making, which nobody can gather
            anew at the average, or a regularizer constrains the trained weights and not that.
    """
    if has_batch_statistics(network) and not statistics_of(network):
        raise HarnessError(
            f"recipe.{field}: {part} evaluates at an average of weights, whose running statistics"
            " are gathered anew for the harness's and torch's batch normalization; expected no"
            f" other, got {', '.join(n for n in network.buffers() if n.endswith('mean'))}"
        )
    for regularizer in regularizers:
        if type(regularizer).constrain is not Regularizer.constrain:
            raise HarnessError(
                f"recipe.regularizers: {part} evaluates at an average of weights, where the"
                f" constraint of {regularizer.name} does not hold; leave one of them out"
            )


def check_left_out(optimizer: Component, layout: Layout) -> None:
    """Refuse an optimizer whose updates can't be left out for some members, as float16 needs it.

    Args:
        optimizer: the recipe's.
        layout: the parameters.

    Raises:
        HarnessError: it is another library's, or makes a part of its state at the first update.
    """
    if not isinstance(optimizer, Optimizer):
        raise HarnessError(
            "recipe.amp: expected an optimizer of the harness's own beside fp16, whose updates are"
            f" left out where a gradient overflows, got {optimizer.name}; use bf16"
        )
    # on the meta device shapes alone are computed
    w_1P = torch.zeros(1, layout.width, device="meta")
    fields = {name: w_1P.new_zeros(1, 1) for name in (*optimizer.numbers(), "schedule")}
    first = optimizer.init(w_1P)
    form = _form(first)
    _, state = optimizer.update(torch.zeros_like(w_1P), first, w_1P.clone(), fields, layout)
    if _form(state) != form:
        raise HarnessError(
            f"recipe.amp: {optimizer.name} makes a part of its state at its first update, which "
            "can't be left out for some of the runs as fp16 needs it; use bf16"
        )


def _form(part: object) -> object:
    """Return the shapes of a state's tensors, in its tuples."""
    if isinstance(part, torch.Tensor):
        return tuple(part.shape)
    return tuple(map(_form, part)) if isinstance(part, tuple) else None

"""Another library's optimizer, the parameters it moves, and where it wants to be evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor

from harness.core.errors import HarnessError
from harness.core.parameter_layout import Layout
from harness.engine.external.groups import check_kept, handed_parameters
from harness.engine.program import Program
from harness.optimizers.external import ExternalOptimizer


class TorchOptimizer(Protocol):
    """What is used of ``torch.optim.Optimizer``, which other optimizers are or look like."""

    param_groups: list[dict[str, float]]
    """Each group's settings, of which the engine sets ``lr``."""
    state: Mapping[Tensor, Mapping[str, Tensor]]
    """What it keeps of each parameter."""
    step: Callable[..., object]
    """Moves the parameters; a closure, if it takes one, computes their gradients."""


class ExternalState(NamedTuple):
    """The optimizer, the parameters it moves, and the learning rates it was made with."""

    parameters: list[torch.nn.Parameter]
    """Copies of the run's parameters, in the layout's order: the optimizer moves these, and the
    engine's row follows."""
    optimizer: TorchOptimizer
    rates: list[float]
    """The learning rate of each of its groups before the schedule."""
    rate: float
    """The learning rate outside of the recipe's groups; of several the first's."""

    @torch.no_grad()
    def weights(self, layout: Layout, like_1P: Tensor) -> Tensor:
        """Return the parameters as a new row (1, P).

        Args:
            layout: where each parameter lies in a row.
            like_1P: a row of the wanted type and device; it is not read.
        """
        return self._packed([p.detach() for p in self.parameters], layout, like_1P)

    @torch.no_grad()
    def set_weights(self, layout: Layout, w_1P: Tensor) -> None:
        """Copy a row into the parameters, whose memory the optimizer knows.

        Args:
            layout: where each parameter lies in a row.
            w_1P: the weights.
        """
        for parameter, view in zip(self.parameters, layout.views(w_1P).values(), strict=True):
            parameter.copy_(view[0])

    def set_gradients(self, layout: Layout, g_1P: Tensor) -> None:
        """Copy a row into the parameters' gradients; the optimizer may keep or change them.

        Args:
            layout: where each parameter lies in a row.
            g_1P: the gradient, whose memory is lent.
        """
        for parameter, g in zip(self.parameters, layout.views(g_1P).values(), strict=True):
            parameter.grad = g[0].clone()

    def has_modes(self) -> bool:
        """Return whether the optimizer is switched by ``train()`` and ``eval()``."""
        modes = (getattr(self.optimizer, name, None) for name in ("train", "eval"))
        return all(map(callable, modes))

    def averages(self) -> bool:
        """Return whether the parameters of an evaluation are others than those of training."""
        return self.has_modes() or isinstance(self.optimizer, torch.optim.ASGD)

    @torch.no_grad()
    def evaluated_weights(self, layout: Layout, w_1P: Tensor) -> Tensor:
        """Return the weights that the optimizer means to be evaluated at.

        Those of its ``eval()``, as Schedule-Free has it; the average of ``torch.optim.ASGD``, which
        keeps it in its state; of any other optimizer ``w_1P`` itself.

        Args:
            layout: where each parameter lies in a row.
            w_1P: the weights that are trained; only read.
        """
        if isinstance(self.optimizer, torch.optim.ASGD):
            states = [self.optimizer.state[p] for p in self.parameters]
            # before the first update there is no state
            return self._packed([s["ax"] for s in states], layout, w_1P) if all(states) else w_1P
        if not self.has_modes():
            return w_1P
        self.switch("eval")
        averaged_1P = self.weights(layout, w_1P)
        # the way there and back leaves rounding errors in the parameters; they don't change the
        # training, since every update begins by setting them
        self.switch("train")
        return averaged_1P

    def switch(self, mode: str) -> None:
        """Call the optimizer's ``train`` or ``eval``."""
        getattr(self.optimizer, mode)()

    def _packed(self, tensors: list[Tensor], layout: Layout, like_1P: Tensor) -> Tensor:
        named = zip(layout.slots, tensors, strict=True)
        return layout.pack({name: tensor[None] for name, tensor in named}, like_1P)


def external_state(program: Program, optimizer: ExternalOptimizer, w_1P: Tensor) -> ExternalState:
    """Make the optimizer over copies of the one member's parameters.

    Args:
        program: what the run trains.
        optimizer: the class and its arguments.
        w_1P: the first weights; only read.

    Raises:
        HarnessError: the class takes neither these parameters nor the recipe's arguments, or what
            it makes has no learning rate.
    """
    views = program.layout.views(w_1P).values()
    parameters = [torch.nn.Parameter(view[0].clone()) for view in views]
    if program.recipe.groups and optimizer.takes_names:
        raise HarnessError(
            f"recipe.groups: expected none, since {optimizer.target} makes groups of its own from"
            " the parameters' names, got some"
        )
    handed = handed_parameters(program.recipe, program.layout, parameters)
    try:
        # torch types closures as returning floats, though its own documentation returns the loss's
        # tensor
        names = list(program.layout.slots)
        made = cast("TorchOptimizer", optimizer.instance(handed.parameters, names))
    # a library's own errors are of any class
    except Exception as error:
        raise HarnessError(
            f"recipe.optimizer: {optimizer.target} can't be made with {optimizer.args} for"
            f" parameters of the shapes {[tuple(p.shape) for p in parameters]}: {error}; a function"
            " (parameters, …) of your own that makes it can be named in its place"
        ) from error
    groups = getattr(made, "param_groups", [])
    if not groups or any("lr" not in group for group in groups):
        raise HarnessError(
            f"recipe.optimizer: expected {optimizer.target} to make a torch.optim.Optimizer with"
            " 'lr' in its param_groups, which schedules and weight decay go by"
        )
    check_kept(program.recipe, handed, made, groups)
    rates = [float(group["lr"]) for group in groups]
    factors = handed.factors or [1.0] * len(rates)
    own = [rate * factor for rate, factor in zip(rates, factors, strict=True)]
    state = ExternalState(parameters, made, own, rates[0])
    if state.has_modes():
        state.switch("train")
    return state

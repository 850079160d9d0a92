"""Optimizers of other libraries and of the user's own making; each run trains alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast, final

from harness.core.errors import HarnessError
from harness.spec.calls import parameters_of
from harness.spec.component import External

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer as TorchOptimizer


@final
class ExternalOptimizer(External):
    """Any class with the interface of ``torch.optim.Optimizer``, such as ``torch.optim.LBFGS``, or
    a function that makes one.

    A function whose first parameter is called ``named_parameters`` or ``named`` is given pairs of
    name and parameter, from which it can make groups of its own; others are given the parameters.
    """

    kind = "optimizer"

    @classmethod
    def check_target(cls, target: object) -> None:
        """Refuse an optimizer made already, which has parameters of its own, and other classes.

        Raises:
            HarnessError: the target is such.
        """
        if hasattr(target, "get_last_lr"):
            raise HarnessError(
                f"expected an optimizer, got {target!r}, which is a schedule; give it as schedule"
            )
        if hasattr(target, "param_groups") and not isinstance(target, type):
            name = type(target).__name__
            raise HarnessError(
                f"expected a class or a function (parameters, …) that makes an"
                f" optimizer, got a {name} made already, over parameters of no run; give"
                f" partial({name}, lr=…)"
            )
        if not callable(target) or (isinstance(target, type) and not hasattr(target, "step")):
            raise HarnessError(
                "expected a class with the interface of torch.optim.Optimizer, or a"
                f" function (parameters, …) that makes one, got {target!r}"
            )

    @property
    def takes_names(self) -> bool:
        """Whether it is given pairs of name and parameter."""
        return any(name.startswith("named") for name in parameters_of(self.load())[:1])

    def instance(
        self,
        parameters: Iterable[Tensor] | Iterable[dict[str, object]],
        names: Sequence[str] = (),
    ) -> TorchOptimizer:
        """Return the optimizer of the given tensors, with the recipe's arguments.

        Args:
            parameters: the tensors that it moves, or torch's parameter groups of them.
            names: of the tensors, for a function that takes them.

        Raises:
            TypeError: it does not take the recipe's arguments.
        """
        given = list(zip(names, parameters, strict=True)) if self.takes_names else parameters
        # whatever class the user names is trusted to have torch's interface
        return cast("TorchOptimizer", self.load()(given, **self.arguments()))

"""Optimizers of other libraries, by their dotted class name; each run trains alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast, final

from harness.spec.component import External

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer as TorchOptimizer


@final
class ExternalOptimizer(External):
    """Any class with the interface of ``torch.optim.Optimizer``, such as ``torch.optim.LBFGS``."""

    kind = "optimizer"

    def instance(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, object]]
    ) -> TorchOptimizer:
        """Return the optimizer of the given tensors, with the recipe's arguments.

        Args:
            parameters: the tensors that it moves, or torch's parameter groups of them.

        Raises:
            TypeError: the class's constructor does not take the recipe's arguments.
        """
        # whatever class the user names is trusted to have torch's interface
        return cast("TorchOptimizer", self.load()(parameters, **self.args))

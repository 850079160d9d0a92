"""Optimizers of other libraries, by their dotted class name; they train on the eager path."""

from __future__ import annotations

from typing import Any

from harness.spec.component import External


class ExternalOptimizer(External):
    """Any class with ``torch.optim.Optimizer``'s interface, such as ``torch.optim.LBFGS`` or pytorch-optimizer's."""

    kind = "optimizer"

    def instance(self, parameters: Any) -> Any:
        """Return the optimizer over the given tensors."""
        return self.load()(parameters, **self.args)

"""One linear layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

from harness.models.base import Context, Model, Params, Weight
from harness.models.dense import Dense
from harness.spec.space import Flag, value_of

if TYPE_CHECKING:
    from torch import Tensor


@final
class Linear(Model):
    """Softmax or linear regression: one layer, no hidden units."""

    bias: Flag = True
    """Add a trained constant to each output."""

    def network(self, input_shape: tuple[int, ...], outputs: int) -> LinearNetwork:
        bias = value_of(self.bias, "model.bias")
        return LinearNetwork(Dense("out", math.prod(input_shape), outputs, bias, role="output"))


class LinearNetwork:
    """x ↦ Wx + b, with x flattened to one axis of features.

    It has no hand-written backward pass: autograd differentiates it.

    Args:
        out: the layer.
    """

    def __init__(self, out: Dense) -> None:
        self.out = out

    def weights(self) -> dict[str, Weight]:
        """Return ``out.weight``, and ``out.bias`` where there is one."""
        return self.out.weights()

    def buffers(self) -> dict[str, Tensor]:
        """Return no running statistics."""
        return {}

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return outputs (K, B, D)."""
        return self.out(params, x_KB.flatten(2))

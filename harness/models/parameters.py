"""No network: the parameters are the output, and the loss is a function of them.

Functions to be minimised (:mod:`harness.data.functions`) thus train through the engine as networks
do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from harness.models.base import Context, Model, Params, Weight

if TYPE_CHECKING:
    from torch import Tensor


@final
class Parameters(Model):
    """θ itself, for functions to be minimised."""

    start: tuple[float, ...]
    """Initial value of θ, the same for all seeds; its length is the number of parameters."""

    def network(self, input_shape: tuple[int, ...], outputs: int) -> ParametersNetwork:
        return ParametersNetwork(self.start)


class ParametersNetwork:
    """x ↦ θ, whatever x is.

    Args:
        start: initial value of θ.
    """

    def __init__(self, start: tuple[float, ...]) -> None:
        self.start = start

    def weights(self) -> dict[str, Weight]:
        """Return ``theta``, with its initial value."""
        return {"theta": Weight((len(self.start),), role="output", value=self.start)}

    def buffers(self) -> dict[str, Tensor]:
        """Return no running statistics."""
        return {}

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return θ for every sample, (K, B, D)."""
        # one view for all samples: losses of functions are means over them
        return params["theta"][:, None].expand(-1, x_KB.shape[1], -1)

"""Weight decay apart from the gradient, for any optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import Exempt, NonNegative

if TYPE_CHECKING:
    from torch import Tensor


@final
class WeightDecay(Regularizer):
    """θ ← (1 − ηλ)θ before each update (Loshchilov & Hutter 2019).

    θ are the parameters that are not exempt. η is the learning rate of the update, so that the
    schedule acts on the decay as well.
    """

    coordinatewise: ClassVar[bool] = True
    rate: NonNegative = 1e-2
    """Decay λ."""
    exempt: Exempt = ("bias", "norm")
    """Roles of parameters that do not decay; () lets all decay."""

    def decay(self, w_KC: Tensor, ctx: RegularizerContext) -> Tensor:
        # in place: the weights are as large as all that an update reads, and the old ones are not
        # needed
        return w_KC.mul_(1 - ctx.learning_rate() * ctx.decay_rate("rate", self.exempt))

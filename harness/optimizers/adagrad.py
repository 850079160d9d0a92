"""Adagrad: steps over the root of the sum of all squared gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from harness.core.parameter_layout import Layout
from harness.optimizers.base import HyperColumns, Optimizer, UpdateRule
from harness.spec.space import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class AdagradState(NamedTuple):
    """Sum of squared gradients."""

    s_KP: Tensor


@final
class Adagrad(Optimizer[AdagradState]):
    """s ← s + g², θ ← θ − η g / (√s + ε) (Duchi et al. 2011)."""

    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "entrywise"
    eps: NonNegative = 1e-10
    """ε, added to the root."""

    def init(self, w_KP: Tensor) -> AdagradState:
        return AdagradState(w_KP.new_zeros(w_KP.shape))

    def update(
        self, g_KP: Tensor, state: AdagradState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, AdagradState]:
        # s ← s + g², in the memory of the old s
        s_KP = state.s_KP.addcmul_(g_KP, g_KP)
        # ηg / (√s + ε); ``sqrt`` makes new memory, the rest happens in temporaries
        step_KP = (g_KP * hyper["lr"]).div_(s_KP.sqrt().add_(hyper["eps"]))
        return w_KP.sub_(step_KP), AdagradState(s_KP)

    def preconditioner(self, state: AdagradState, hyper: HyperColumns) -> Tensor:
        """Return √s + ε."""
        return state.s_KP.sqrt() + hyper["eps"]

    def stability_threshold(self, state: AdagradState, hyper: HyperColumns) -> Tensor:
        """Return 2/η, that of gradient descent."""
        return 2 / hyper["lr"]

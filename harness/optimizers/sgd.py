"""Gradient descent: plain, with a heavy ball's momentum, and with Nesterov's look-ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Layout
from harness.optimizers.base import HyperColumns, Optimizer, UpdateRule
from harness.spec.space import Flag, Fraction, value_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class SGDState(NamedTuple):
    """Velocity of each weight."""

    v_KP: Tensor | None
    """None without momentum, which saves its memory and a pass over it."""


@final
class SGD(Optimizer[SGDState]):
    """v ← μv + g, θ ← θ − ηv (Polyak 1964), as ``torch.optim.SGD`` without dampening.

    With Nesterov's look-ahead θ ← θ − η(g + μv) (Sutskever et al. 2013).
    """

    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "gradient"
    momentum: Fraction = 0.0
    """Momentum μ; 0 is plain gradient descent."""
    nesterov: Flag = False
    """Look ahead along the velocity; it acts where there is momentum."""

    def init(self, w_KP: Tensor) -> SGDState:
        # ``self`` may be asked for its momentum here, although other members have other values:
        # ``form`` keeps members with and without momentum apart
        return SGDState(torch.zeros_like(w_KP) if self.momentum else None)

    def update(
        self, g_KP: Tensor, state: SGDState, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, SGDState]:
        if state.v_KP is None:
            # θ ← θ − ηg by one call without a temporary
            return w_KP.addcmul_(hyper["lr"], g_KP, value=-1), state
        # v ← g + μv, in the memory of the last v
        v_KP = torch.addcmul(g_KP, hyper["momentum"], state.v_KP, out=state.v_KP)
        # with Nesterov's look-ahead g + μv of the new v; in new memory, for v is kept
        d_KP = torch.addcmul(g_KP, hyper["momentum"], v_KP) if self.looks_ahead else v_KP
        return w_KP.addcmul_(hyper["lr"], d_KP, value=-1), SGDState(v_KP)

    def form(self) -> str:
        # the state differs: members without momentum keep no velocity
        return "heavy" if self.momentum else "plain"

    def stability_threshold(self, state: SGDState, hyper: HyperColumns) -> Tensor:
        """Return 2(1+μ)/η; with Nesterov 2(1+μ) / (η(1+2μ)) (Cohen et al. 2021)."""
        momentum = hyper["momentum"]
        return 2 * (1 + momentum) / (hyper["lr"] * (1 + 2 * momentum if self.looks_ahead else 1))

    @property
    def looks_ahead(self) -> bool:
        """Whether it is Nesterov's; a space is refused, since one run needs a value."""
        return value_of(self.nesterov, "optimizer.nesterov")

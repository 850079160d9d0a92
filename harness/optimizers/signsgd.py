"""Sign descent: steps of one size along the sign of the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from harness.core.parameter_layout import Layout
from harness.optimizers.base import HyperColumns, Optimizer, UpdateRule

if TYPE_CHECKING:
    from torch import Tensor


@final
class SignSGD(Optimizer[tuple[()]]):
    """θ ← θ − η sign(g) (Bernstein et al. 2018); it keeps no state.

    As for Lion, a sign is no division of the gradient: there is neither a preconditioner nor a
    stability threshold.
    """

    coordinatewise: ClassVar[bool] = True
    update_rule: ClassVar[UpdateRule | None] = "entrywise"

    def init(self, w_KP: Tensor) -> tuple[()]:
        return ()

    def update(
        self, g_KP: Tensor, state: tuple[()], w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, tuple[()]]:
        return w_KP.sub_(hyper["lr"] * g_KP.sign()), state

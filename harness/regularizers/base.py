"""What a regularizer is: pure hooks around one update."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from harness.core.parameter_layout import Layout
from harness.spec.component import Component

if TYPE_CHECKING:
    from torch import Tensor

    from harness.models.base import Noise

Hyper = Mapping[str, "Tensor"]
"""Numeric fields by name, each (K,)."""


class Regularizer(Component):
    """Something done to inputs, targets, gradients or weights; a hook that is not overridden returns what it is given."""

    kind = "regularizer"

    coordinatewise: ClassVar[bool] = True
    """Whether ``clip``, ``penalty`` and ``decay`` do to a weight what depends on no other weight of its member.

    They may then be given some columns of the rows alone. A class that overrides one of them says it again.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if {"clip", "penalty", "decay"} & vars(cls).keys():
            cls.coordinatewise = vars(cls).get("coordinatewise", False)

    def batch(
        self, x_KB: Tensor, y_KBD: Tensor, noise: Noise, hyper: Hyper
    ) -> tuple[Tensor, Tensor]:
        """Change the inputs and targets of a batch."""
        return x_KB, y_KBD

    def clip(self, g_KP: Tensor, hyper: Hyper) -> Tensor:
        """Change the gradient of the loss, before penalties are added."""
        return g_KP

    def penalty(self, g_KP: Tensor, w_KP: Tensor, hyper: Hyper) -> Tensor:
        """Add the gradient of a penalty on the weights."""
        return g_KP

    def decay(self, w_KP: Tensor, lr_K: Tensor, hyper: Hyper) -> Tensor:
        """Change the weights before the update; their memory may be used."""
        return w_KP

    def constrain(self, w_KP: Tensor, layout: Layout, hyper: Hyper) -> Tensor:
        """Change the weights after the update; their memory may be used."""
        return w_KP

"""What an update rule is: a spec with a pure ``init`` and ``update`` over the rows of a cohort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from harness.core.parameter_layout import Layout
from harness.spec.component import Component
from harness.spec.space import Positive

if TYPE_CHECKING:
    from torch import Tensor

Hyper = Mapping[str, "Tensor"]
"""Numeric fields by name, each (K, 1); ``lr`` has the schedule's factor in it, which stands alone in ``schedule``."""


class Optimizer(Component):
    """An update rule that moves all members of a cohort at once.

    State is a NamedTuple whose tensors have one row for each member; ``update`` may reuse the memory of the state
    and of the weights that it is given, which the caller no longer needs.
    """

    kind = "optimizer"
    coordinatewise: ClassVar[bool] = False
    """Whether a weight's update depends on no other weight, so that ``update`` may be given some columns of the rows alone.

    It is said of an ``update``; a class that has another says it again.
    """
    lr: Positive
    """Learning rate η."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "update" in vars(cls):
            cls.coordinatewise = vars(cls).get("coordinatewise", False)

    def form(self) -> str:
        """Return what, beside their fields that are no numbers, the rules of members that are moved by one call share."""
        return ""

    def init(self, w_KP: Tensor) -> Any:
        """Return the state before the first update."""
        raise NotImplementedError

    def stability_threshold(self, hyper: Hyper) -> Tensor | None:
        """Return the curvature (K, 1) at which the rule stops being stable on a quadratic; None where it is not known."""
        return None

    def preconditioner(self, state: Any, hyper: Hyper) -> Tensor | None:
        """Return what the rule divides the gradient by (K, P), by the state after an update; None where by nothing."""
        return None

    def update(
        self, g_KP: Tensor, state: Any, w_KP: Tensor, hyper: Hyper, layout: Layout
    ) -> tuple[Tensor, Any]:
        """Return the new weights and state.

        Args:
            g_KP: gradients, one row a member; of a coordinatewise rule some columns of it, as of weights and state.
            state: what ``init`` or the last ``update`` returned.
            w_KP: weights.
            hyper: numeric fields, (K, 1) each.
            layout: where each tensor lies in a row, for rules that need matrices.
        """
        raise NotImplementedError

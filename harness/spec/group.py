"""Groups of parameters: those whose names fit a pattern learn and decay at rates of their own."""

from __future__ import annotations

from harness.spec.base import Spec
from harness.spec.space import NonNegative


class Group(Spec):
    """What a recipe says of the parameters that a pattern in ``groups`` fits.

    >>> Group(lr=0.1, weight_decay=0).dump()
    {'lr': 0.1, 'weight_decay': 0.0}
    """

    lr: NonNegative = 1.0
    """Factor on the learning rate, of any optimizer; 0 leaves the parameters as they start."""
    weight_decay: NonNegative | None = None
    """Decay in the place of the optimizer's ``weight_decay``, the ``rate`` of ``WeightDecay`` and
    the ``strength`` of ``L2``, whatever the roles that those leave out; None leaves them."""

    def dump(self) -> dict[str, object]:
        """Return the plain form, spaces as mappings."""
        return self.model_dump(mode="json")

    def numbers(self) -> dict[str, float]:
        """Return the numbers that are given; none of them may be a space.

        Raises:
            TypeError: one of them is a space.
        """
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: float(value) for name, value in given.items() if value is not None}

"""Numbers of an update that differ between the parameters of one member.

Most numbers are one a member, (K, 1); what differs between parameters has a column for each weight,
(K, P). A parameter's columns are all alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from harness.core.lazy import Lazy
from harness.core.parameter_layout import Layout, Role, Slot

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


Masks = dict[tuple[tuple[Role, ...], int, int], "Tensor | None"]
"""What :func:`not_exempt` multiplies by, by roles and columns: the same in all updates of a layout.
"""


class GroupNumbers(NamedTuple):
    """What a recipe's ``groups`` and ``parametrization`` say of each weight; None for nothing."""

    lr_KP: Tensor | None = None
    """Factors on the learning rate; 1 outside of all groups, in the standard parametrization."""
    decay_KP: Tensor | None = None
    """Decays in the place of the optimizer's and the regularizers'; NaN where those hold."""
    width_KP: Tensor | None = None
    """The factors on the learning rate that are the parametrization's, which decays go without."""

    def of_rows(self, rows: slice) -> GroupNumbers:
        """Return what is said of some of the members."""
        return GroupNumbers(*(None if own_KP is None else own_KP[rows] for own_KP in self))

    def decays(self, rate_KC: Tensor, columns: slice) -> Tensor:
        """Return decays with those of the groups in their place, less the width's factors.

        Args:
            rate_KC: (K, 1) or (K, C); only read.
            columns: which of a row's columns are wanted.
        """
        if self.decay_KP is not None:
            own_KC = self.decay_KP[:, columns]
            rate_KC = torch.where(own_KC.isnan(), rate_KC, own_KC)
        return rate_KC if self.width_KP is None else rate_KC / self.width_KP[:, columns]


def not_exempt(
    rate_K1: Tensor,
    layout: Layout,
    exempt: tuple[Role, ...],
    columns: slice,
    masks: Masks | None = None,
) -> Tensor:
    """Return a rate that is 0 for the parameters of some roles.

    Args:
        rate_K1: the members' rates.
        layout: the parameters, with their roles.
        exempt: the roles whose parameters have the rate 0.
        columns: which of a row's columns are wanted; those of whole parameters.
        masks: those made before for this layout, which a new one is added to.

    Returns:
        (K, C); (K, 1) where all of these columns are alike, and ``rate_K1`` itself where none of
        them is exempt.

    >>> import torch
    >>> from harness.core.parameter_layout import layout_of
    >>> layout = layout_of({"w": (64,), "b": (64,)}, {"b": "bias"})
    >>> rate = not_exempt(torch.tensor([[0.5]]), layout, ("bias",), slice(0, 128))
    >>> rate[0, 0].item(), rate[0, 64].item()
    (0.5, 0.0)
    """
    key = exempt, columns.start, columns.stop
    masks = {} if masks is None else masks
    if key not in masks:
        masks[key] = _kept(layout, exempt, columns, rate_K1)
    kept_1C = masks[key]
    return rate_K1 if kept_1C is None else rate_K1 * kept_1C


def _kept(
    layout: Layout, exempt: tuple[Role, ...], columns: slice, like_K1: Tensor
) -> Tensor | None:
    """Return 0 for columns of exempt parameters and 1 for others; None where all are 1."""
    start, stop = columns.start, columns.stop
    inside = [slot for slot in layout.slots.values() if start <= slot.offset < stop]
    left_out = [slot for slot in inside if slot.role in exempt]
    if not left_out:
        return None
    if len(left_out) == len(inside):
        return like_K1.new_zeros(1, 1)
    kept_1C = like_K1.new_ones(1, stop - start)
    for slot in left_out:
        kept_1C[:, slot.offset - start : slot.offset - start + slot.size] = 0
    return kept_1C


def number_of(values_KX: Tensor, slot: Slot) -> Tensor:
    """Return a parameter's number (K, 1) out of one a member or one a weight.

    Args:
        values_KX: (K, 1), or (K, P) with equal columns within each parameter.
        slot: where the parameter lies in a whole row.
    """
    return values_KX if values_KX.shape[1] == 1 else values_KX[:, slot.offset : slot.offset + 1]

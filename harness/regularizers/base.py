"""What a regularizer is: pure hooks around one update, each given one context.

A regularizer overrides the hooks that it needs. One update of every member applies them so::

    x, y ← batch(x, y)          before the forward pass
    g ← clip(g)                 the gradient of the loss, every regularizer in the recipe's order
    g ← penalty(g, w)           then the gradients of penalties on the weights
    w ← decay(w)                then what shrinks the weights apart from the gradient
    w ← optimizer(g, w)
    w ← constrain(w)            last, on the new weights

Who owns the memory (tests/regularizers/test_contract.py holds every regularizer to it): the batch
and the gradient are lent for the call. A hook must not write into them (probes read them
afterwards) and must not keep them or views of them, since the next update writes over their memory;
it returns them as they are or returns new tensors. The weights are the engine's: ``decay`` and
``constrain`` may write into them and return them, ``penalty`` only reads them. A regularizer has no
state of its own.

Concrete regularizers are final and derive from :class:`Regularizer` directly, so that what one does
is read in one place.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pydantic import ConfigDict
from typing_extensions import Unpack

from harness.core.errors import HarnessError
from harness.core.noise import Noise
from harness.core.parameter_layout import Layout
from harness.core.parameter_numbers import GroupNumbers, Masks, not_exempt
from harness.spec.component import Component
from harness.spec.space import Exempt, value_of

if TYPE_CHECKING:
    from torch import Tensor


class RegularizerContext(NamedTuple):
    """What every hook is told beside the tensors that it works on."""

    hyper: Mapping[str, Tensor]
    """The regularizer's own numeric fields by name, (K,) each."""
    lr_K: Tensor
    """Learning rates of this update, the schedule's factor in them."""
    layout: Layout
    """Where each parameter lies in a row of weights."""
    columns: slice
    """Which columns of the rows ``clip``, ``penalty`` and ``decay`` are given: all of them, or some
    whole parameters."""
    noise: Noise | None = None
    """The members' random streams, for ``batch``; None where nothing may be drawn."""
    groups: GroupNumbers = GroupNumbers()
    """What the recipe's groups of parameters say, of whole rows."""
    masks: Masks | None = None
    """Where :meth:`strength` keeps what it would make again in every update."""

    def column(self, name: str) -> Tensor:
        """Return a numeric field as (K, 1), to go with rows (K, C).

        Args:
            name: of a numeric field of the regularizer.

        Raises:
            KeyError: the regularizer has no numeric field of this name.
        """
        return self.hyper[name].unsqueeze(1)

    def strength(self, name: str, exempt: Exempt) -> Tensor:
        """Return a numeric field for each weight: 0 for parameters of exempt roles.

        Args:
            name: of the numeric field.
            exempt: the roles.

        Returns:
            (K, C), or (K, 1) where the given columns are alike.
        """
        roles = value_of(exempt, "exempt")
        return not_exempt(self.column(name), self.layout, roles, self.columns, self.masks)

    def decay_rate(self, name: str, exempt: Exempt) -> Tensor:
        """Return the strength of a decay for each weight: as :meth:`strength`, but where a group of
        parameters has a decay of its own, that.

        Args:
            name: of the numeric field.
            exempt: the roles that do not decay, unless a group says so.
        """
        return self.groups.decays(self.strength(name, exempt), self.columns)

    def learning_rate(self) -> Tensor:
        """Return the learning rate of each weight at this update: (K, C), or (K, 1) if all are
        alike."""
        lr_K1, factor_KP = self.lr_K.unsqueeze(1), self.groups.lr_KP
        return lr_K1 if factor_KP is None else lr_K1 * factor_KP[:, self.columns]

    def views(self, rows_KC: Tensor) -> dict[str, Tensor]:
        """Return the parameters that the given columns hold, as views (K, *shape) by name.

        Args:
            rows_KC: weights or their gradient, in the columns that the hook was given.

        >>> import torch
        >>> from harness.core.parameter_layout import layout_of
        >>> layout = layout_of({"hidden.weight": (64, 2), "hidden.bias": (64,)})
        >>> ctx = RegularizerContext({}, torch.ones(3), layout, slice(128, 192))
        >>> {name: view.shape for name, view in ctx.views(torch.zeros(3, 64)).items()}
        {'hidden.bias': torch.Size([3, 64])}
        """
        # blocks are cut between parameters (see ``Layout.blocks``), so that a parameter whose first
        # element is in these columns is in them as a whole
        first, last = self.columns.start, self.columns.stop
        return {
            name: rows_KC[:, offset - first : offset - first + size].view(-1, *shape)
            for name, (offset, size, shape, *_) in self.layout.slots.items()
            if first <= offset < last
        }


class Regularizer(Component):
    """Something done to inputs, targets, gradients or weights; hooks change nothing by default.

    The module's docstring says in which order hooks are applied and what they may do with memory.
    """

    kind = "regularizer"

    coordinatewise: ClassVar[bool] = True
    """Whether what ``clip``, ``penalty`` and ``decay`` do to a weight depends on no other weight of
    its member.

    They may then be given some columns of the rows alone, which is faster. A class that overrides
    one of the three counts as not coordinatewise unless it sets this itself.
    """

    def __init_subclass__(cls, **config: Unpack[ConfigDict]) -> None:
        super().__init_subclass__(**config)
        _check_signatures(cls)
        # as for optimizers: a class that forgets to set it is given whole rows, slower but right
        if {"clip", "penalty", "decay"} & vars(cls).keys():
            cls.coordinatewise = vars(cls).get("coordinatewise", False)

    tasks: ClassVar[tuple[str, ...]] = (
        "classification",
        "regression",
        "function",
        "tokens",
        "structured",
    )
    """What may be learnt with it; it is refused with data of other tasks."""

    computes_with_inputs: ClassVar[bool] = False
    """Whether inputs must be numbers to compute with; it is refused with tokens then."""

    for_pictures: ClassVar[bool] = False
    """Whether inputs must be pictures (H, W) or (C, H, W); it is refused with others."""

    @property
    def changes_batches(self) -> bool:
        """Whether ``batch`` is overridden, so that updates are not on the plain samples."""
        return type(self).batch is not Regularizer.batch

    def check_picture(self, input_shape: tuple[int, ...]) -> None:
        """Refuse fields that would leave nothing of pictures of this shape; none by default.

        Args:
            input_shape: of a picture, (H, W) or (C, H, W).

        Raises:
            HarnessError: so they do.
        """

    def dropout_rate(self) -> float | None:
        """Return the dropout rate that takes the place of the model's; None leaves that."""
        return None

    def smoothing(self) -> float | None:
        """Return the share of label smoothing, for losses of tokens; None leaves them."""
        return None

    def batch(self, x_KB: Tensor, y_KBD: Tensor, ctx: RegularizerContext) -> tuple[Tensor, Tensor]:
        """Return the inputs and targets to train on.

        Args:
            x_KB: inputs (K, B, *shape), or (1, B, *shape) where the members share them.
            y_KBD: targets (K, B, D); for classes, one probability a class.
            ctx: the numeric fields and the streams of noise.

        Returns:
            Inputs (K, B, *shape), or (1, B, *shape) where members still share them, and targets
            (K, B, D); what is changed is in new memory.
        """
        return x_KB, y_KBD

    def clip(self, g_KC: Tensor, ctx: RegularizerContext) -> Tensor:
        """Return the gradient of the loss, changed before penalties are added.

        Args:
            g_KC: gradients, in the columns ``ctx.columns`` of the rows.
            ctx: the numeric fields and the layout.
        """
        return g_KC

    def penalty(self, g_KC: Tensor, w_KC: Tensor, ctx: RegularizerContext) -> Tensor:
        """Return the gradient plus that of a penalty R on the weights: g + ∂R/∂w.

        Args:
            g_KC: gradients after all regularizers have clipped them.
            w_KC: weights before the update and before they decay; only read.
            ctx: the numeric fields and the layout.
        """
        return g_KC

    def decay(self, w_KC: Tensor, ctx: RegularizerContext) -> Tensor:
        """Return the weights, changed before the optimizer's update; their memory may be used.

        Args:
            w_KC: weights, in the columns ``ctx.columns`` of the rows.
            ctx: the numeric fields, and the learning rate that decay is in proportion to.
        """
        return w_KC

    def constrain(self, w_KP: Tensor, ctx: RegularizerContext) -> Tensor:
        """Return all the weights, changed after the update; their memory may be used.

        Args:
            w_KP: the optimizer's weights; whole rows, and ``ctx.columns`` says so.
            ctx: the numeric fields and the layout.
        """
        return w_KP


def _check_signatures(cls: type[Regularizer]) -> None:
    """Refuse a hook that is written for other arguments, as those of version 0.1 were.

    Raises:
        HarnessError: a hook takes another number of arguments.
    """
    for hook in ("batch", "clip", "penalty", "decay", "constrain"):
        if hook in vars(cls):
            wanted = [*inspect.signature(getattr(Regularizer, hook)).parameters]
            got = [*inspect.signature(vars(cls)[hook]).parameters]
            if len(got) != len(wanted):
                raise HarnessError(
                    f"regularizer {cls.__name__}.{hook}: expected the arguments"
                    f" ({', '.join(wanted)}), got ({', '.join(got)}); the layout, the learning"
                    " rate, the noise and the numeric fields are attributes of ctx"
                )

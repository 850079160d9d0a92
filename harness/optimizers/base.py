"""The contract of an optimizer: a spec with an ``init`` and an ``update`` over a cohort's rows.

**Who owns which memory during** ``update``. Tests hold every optimizer to it, with one buffer that
is refilled for each call and overwritten after it (tests/optimizers/test_contract.py).

- *The gradient is lent for the call only.* The engine writes the next gradient into the same
  memory, and probes read it after the call: an optimizer neither changes it, nor keeps it or a view
  of it in its state. What is needed later is copied, ``g_KP.clone()``.
- *The state belongs to the optimizer.* Its tensors may be changed in place and returned again.
- *The weights belong to the engine.* They may be changed in place and returned, or new ones are
  returned. Neither they nor a view of them may be kept in the state, since what comes after the
  optimizer changes them in place.

**Abstract or final.** Concrete optimizers are final, what several share lies in an abstract class,
and no method with a body is overridden but the optional ones of :class:`Optimizer`. So an update is
read in one place.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, Literal

from pydantic import ConfigDict
from typing_extensions import TypeVar, Unpack

from harness.core.parameter_layout import Layout
from harness.spec.component import Component
from harness.spec.space import Positive

if TYPE_CHECKING:
    from torch import Tensor

HyperColumns = Mapping[str, "Tensor"]
"""Numeric fields by name, (K, 1) each. ``lr`` is the field times the schedule's factor, which is
there as ``schedule`` too. In an update ``lr``, ``schedule`` and ``weight_decay`` are (K, C) where
they differ between parameters, which :func:`~harness.core.parameter_numbers.number_of` takes
apart."""

UpdateRule = Literal["gradient", "entrywise", "spectral"]
"""How an optimizer's updates follow from the gradient: in proportion to it, as SGD's; of a size of
their own for each weight, whatever the gradient's scale, as Adam's; or of a spectral norm of their
own for each hidden matrix, as Muon's, with "entrywise" for the rest."""

OptimizerState = tuple[object, ...]
"""What an optimizer carries from one update to the next: a NamedTuple of tensors with one row a
member, and of numbers that are the same for all members, such as the count of updates."""

StateT = TypeVar("StateT", bound=OptimizerState, default=OptimizerState)


class Optimizer(Component, Generic[StateT]):
    """An update rule that moves all members of a cohort at once.

    A subclass writes :meth:`init` and :meth:`update` and sets ``coordinatewise`` if it is. It may
    answer :meth:`preconditioner` and :meth:`stability_threshold`, which the curvature probe asks.
    A field ``weight_decay`` is told to updates as 0 for parameters whose roles are in a field
    ``exempt`` beside it, if there is one.
    """

    kind = "optimizer"
    coordinatewise: ClassVar[bool] = False
    """Whether a weight's update depends on no other weight, so that ``update`` may be called with a
    part of the columns. A subclass with an ``update`` of its own does not inherit it."""
    update_rule: ClassVar[UpdateRule | None] = None
    """How updates follow from the gradient, which ``parametrization="mup"`` goes by; None where it
    is none of these."""
    lr: Positive
    """Learning rate η."""

    def __init_subclass__(cls, **config: Unpack[ConfigDict]) -> None:
        super().__init_subclass__(**config)
        # the promise is not inherited with another ``update``: a subclass that wrote one and forgot
        # it would be called with parts of rows and train wrongly without an error
        if "update" in vars(cls):
            cls.coordinatewise = vars(cls).get("coordinatewise", False)

    @abstractmethod
    def init(self, w_KP: Tensor) -> StateT:
        """Return the state before the first update.

        Args:
            w_KP: first weights, one row a member; the state may not hold them or views of them.
                A coordinatewise optimizer may be given some columns only.

        Returns:
            A NamedTuple of tensors whose first dimension are the members, and of plain values that
            all members share. Members leave a cohort by indexing every tensor's first dimension.
        """

    @abstractmethod
    def update(
        self, g_KP: Tensor, state: StateT, w_KP: Tensor, hyper: HyperColumns, layout: Layout
    ) -> tuple[Tensor, StateT]:
        """Return the new weights and the new state.

        The module's docstring says which memory may be used for them.

        Args:
            g_KP: gradients, one row a member. A coordinatewise optimizer may be given some columns
                only, of the state and the weights too.
            state: what ``init`` or the last ``update`` returned.
            w_KP: weights.
            hyper: numeric fields, (K, 1) each. The optimizer's own attributes are those of one
                member only: an update that reads ``self.lr`` would move all members by it.
            layout: where each tensor lies in a whole row, for optimizers that need matrices.
        """

    def check(self, layout: Layout) -> None:
        """Refuse a network that the optimizer can't train as its name says.

        Args:
            layout: the parameters, with their roles.

        Raises:
            HarnessError: it says what was expected, what was got and the fix.
        """
        return

    def evaluation_point(self, state: StateT) -> Tensor | None:
        """Return the weights that members are evaluated at, where they are not those trained.

        Losses, accuracies, early stopping and what probes measure on held-out samples are of this
        point. Running statistics of batch normalization are not known there, and are refused.

        Args:
            state: what the last ``update`` or ``init`` returned.

        Returns:
            (K, P), which is only read; None where it is the weights themselves.
        """
        return None

    def form(self) -> str:
        """Return what members moved by one call must share, besides fields that are no numbers.

        For optimizers whose state or arithmetic takes another form for some values of a numeric
        field: members of different forms are moved by calls of their own.
        """
        return ""

    def preconditioner(self, state: StateT, hyper: HyperColumns) -> Tensor | None:
        """Return what the last update divided the gradient or its running mean by, if anything.

        Args:
            state: what that update returned.
            hyper: numeric fields of that update, (K, 1) each.

        Returns:
            D (K, P), a number for each weight, never negative; None where nothing is divided.
        """
        return None

    def stability_threshold(self, state: StateT, hyper: HyperColumns) -> Tensor | None:
        """Return the curvature above which the optimizer diverges on a quadratic, if it is known.

        On ½hθ² with a small h the weight shrinks to 0, above the threshold it swings from side to
        side ever further. With the preconditioner D held fixed it bounds the eigenvalues of
        D^(−½) H D^(−½) (Cohen et al. 2022).

        Args:
            state: what the last update returned.
            hyper: numeric fields of that update, (K, 1) each.

        Returns:
            (K, 1); None where it is not known.
        """
        return None

"""Several updates of a cohort by one call of compiled code, where nothing looks at each of them.

A member makes all of them before the next one begins, so that its weights stay in the core's cache,
and no Python stands between two updates. The bits are those of the updates one by one: where a
probe looks, :mod:`harness.engine.update` makes that update.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from harness.core.noise import Noise
from harness.core.parameter_layout import Role, Slot
from harness.core.parameter_numbers import number_of
from harness.engine.batches import Batches
from harness.engine.cohort import Cohort
from harness.engine.differentiate.by_kernel import kernel_of
from harness.engine.differentiate.kernel_structures import KernelBatch, KernelLayer, KernelRule
from harness.engine.differentiate.network_kernel import layer_in
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.optimizer_groups import OptimizerGroup
from harness.engine.program import Program
from harness.optimizers.adam import CORRECTS, Adam, AdamW
from harness.optimizers.adam_family import AdamState
from harness.optimizers.adam_kernel import kernel_adam, numbers_at
from harness.optimizers.base import OptimizerState
from harness.optimizers.sgd import SGD
from harness.regularizers.decay import WeightDecay
from harness.regularizers.dropout import Dropout
from harness.spec.space import value_of

AT_ONCE = 64
"""Updates of a call at most: between two calls the cohort can be saved, and shows that it lives."""

DRAWN = 2**21
"""Numbers that dropout draws for a call, about: they should be few enough for the cache."""


class SeveralUpdates:
    """Updates by stochastic gradient descent, Adam or AdamW, some at a time.

    Args:
        program: what the members share.
        cohort: the members; its weights and the optimizers' states are moved in place.
        groups: the members of each optimizer.
        batches: the members' minibatches.
        hyper: the members' numbers.
        lr_SK: learning rates of the updates from ``cohort.done`` on, with the schedules' factors.
    """

    def __init__(
        self,
        program: Program,
        cohort: Cohort,
        groups: Sequence[OptimizerGroup],
        batches: Batches,
        hyper: Hyperparameters,
        lr_SK: Tensor,
    ) -> None:
        kernel = kernel_of(program.differentiator)
        assert kernel is not None
        self.kernel, self.batches, self.groups = kernel, batches, groups
        self.cohort, self.layout = cohort, program.layout
        self.first, self.lr_SK = cohort.done, lr_SK.contiguous()
        train, times = batches.splits.train, program.times
        self.size, self.per_epoch = times.batch, times.per_epoch
        self.x_NI, self.y_ND = train.x.flatten(1), train.y
        self.rate_K = hyper.dropout_K
        self.dropped = 0 if self.rate_K is None else sum(kernel.dropped)
        drawn = len(cohort.members) * self.size * self.dropped
        self.most = min(AT_ONCE, DRAWN // drawn + 1) if drawn else AT_ONCE
        self.exempt, self.shrink_SK = _decay_of(program, hyper, self.lr_SK)
        # one member's gradient, which every member's overwrites
        self._row_1P = cohort.w_KP.new_empty(1, program.layout.width)
        self.layers = [self._layers_of(place) for place in range(len(groups))]

    def _layers_of(self, place: int) -> ctypes.Array[KernelLayer]:
        """Return where the weights, one gradient and a group's state and decays lie."""
        parts = self.kernel.form.parts
        params, row = map(self.layout.views, (self.cohort.w_KP, self._row_1P))
        layers = (KernelLayer * len(parts))(*(layer_in(part, params, row) for part in parts))
        group = self.groups[place]
        decay = {**group.fields, **group.apart}.get("weight_decay")
        for own, part in zip(layers, parts, strict=True):
            own.d_w_member = own.d_b_member = 0
            for name, parameter in (("w", part.w), ("b", part.b)):
                if parameter not in params:  # a layer without a bias
                    continue
                slot = self.layout.slots[parameter]
                setattr(own, f"shrinks_{name}", slot.role not in self.exempt)
                for of, state in self._state_of(slot, place):
                    setattr(own, f"{of}_{name}", state.data_ptr())
                    setattr(own, f"{of}_{name}_member", state.stride(0))
                if decay is not None:
                    setattr(own, f"decay_{name}", numbers_at(number_of(decay, slot)))
        return layers

    def _state_of(self, slot: Slot, place: int) -> Iterator[tuple[str, Tensor]]:
        """Yield a parameter's part of a group's state, (members, its size) each, by its letter."""
        for columns, states in zip(self.cohort.blocks, self.cohort.states, strict=True):
            if not columns.start <= slot.offset < columns.stop:
                continue
            begin = slot.offset - columns.start
            for letter in ("v", "m"):
                rows_KC = getattr(states[place], f"{letter}_KP", None)
                if rows_KC is not None:  # descent without momentum has no velocity
                    yield letter, rows_KC[:, begin : begin + slot.size]

    def ahead(self, step: int, target: int) -> int:
        """Return how many updates from ``step`` on one call makes: at most up to an epoch's end."""
        return min(target - step, self.per_epoch - step % self.per_epoch, self.most)

    def make(self, step: int, count: int, noise: Noise) -> tuple[Tensor, int]:
        """Make some updates.

        Args:
            step: updates made before them.
            count: at most as many as :meth:`ahead` says.
            noise: the members' streams, for dropout.

        Returns:
            The losses (S, K) of their minibatches, and the samples that each member has seen.
        """
        index_KN = self.batches.order(step // self.per_epoch)
        begin = step % self.per_epoch * self.size
        total = min(count * self.size, index_KN.shape[1] - begin)
        members = len(index_KN)
        loss_SK = self.lr_SK.new_empty(count, members)
        # as the updates one by one would draw them: sample by sample in every layer of every update
        drawn_KN = noise.uniform(total * self.dropped) if self.dropped else None
        batch = KernelBatch(
            *(members, self.size, self.x_NI.data_ptr(), self.y_ND.data_ptr()),
            *(0, self.x_NI.stride(0), 0, *self.y_ND.stride()),
            *(index_KN[:, begin:].data_ptr(), index_KN.stride(0)),
            *(None if part is None else part.data_ptr() for part in (self.rate_K, drawn_KN)),
            ignored=self.kernel.ignored,
        )
        for place, layers in enumerate(self.layers):
            self.kernel.compiled.network_train(
                *(self.kernel.over(layers), batch, total, self.dropped),
                self._rule(place, step, count),
                *(loss_SK.data_ptr(), self.kernel.scratch(self.size).data_ptr()),
            )
        self.cohort.states = [
            [_counted(state, count) for state in states] for states in self.cohort.states
        ]
        return loss_SK, total

    def _rule(self, place: int, step: int, count: int) -> KernelRule:
        """Return how a group moves in the coming call."""
        optimizer, rows, fields, *_ = self.groups[place]
        members = self.lr_SK.shape[1]
        at = step - self.first
        rule = KernelRule(rows.start, rows.stop, members, count, self.lr_SK[at:].data_ptr())
        if self.shrink_SK is not None:
            rule.shrink = self.shrink_SK[at:].data_ptr()
        if isinstance(optimizer, SGD):
            rule.momentum = fields["momentum"].data_ptr() if optimizer.form() == "heavy" else None
            rule.nesterov = optimizer.looks_ahead
        else:
            assert isinstance(optimizer, Adam | AdamW)
            corrects = value_of(optimizer.bias_correction, CORRECTS)
            rule.adam = ctypes.pointer(kernel_adam(fields, corrects, decays=False))
            state = self.cohort.states[0][place]
            assert isinstance(state, AdamState)
            rule.made = state.t
        return rule


def _decay_of(
    program: Program, hyper: Hyperparameters, lr_SK: Tensor
) -> tuple[tuple[Role, ...], Tensor | None]:
    """Return which roles do not decay apart from the gradient, and 1 − ηλ (S, K); None: none do."""
    for part, numbers in zip(program.regularizers, hyper.regularizers, strict=True):
        if isinstance(part, WeightDecay):
            return value_of(part.exempt, "exempt"), 1 - lr_SK * numbers["rate"]
    return (), None


def _can_act(program: Program, hyper: Hyperparameters) -> bool:
    """Return whether the kernel can do what the regularizers do in every update."""
    acting = [part for part in program.regularizers if part is not program.stopping]
    decays = [part for part in acting if isinstance(part, WeightDecay)]
    # dropout has no hook of its own; groups of parameters may have decays of their own
    return all(isinstance(part, WeightDecay | Dropout) for part in acting) and (
        not decays or (len(decays) == 1 and all(own_KP is None for own_KP in hyper.groups))
    )


def _counted(state: OptimizerState, count: int) -> OptimizerState:
    """Return a state after some more updates, whose tensors the kernel has changed."""
    return state._replace(t=state.t + count) if isinstance(state, AdamState) else state


def several_at_once(
    program: Program,
    cohort: Cohort,
    groups: Sequence[OptimizerGroup],
    hyper: Hyperparameters,
    batches: Batches,
) -> bool:
    """Return whether :class:`SeveralUpdates` can make them: none needs more than a kernel does.

    Args:
        program: what the members share.
        cohort: the members.
        groups: the members of each optimizer.
        hyper: the members' numbers.
        batches: the members' minibatches.
    """
    train, kernel = batches.splits.train, kernel_of(program.differentiator)
    return (
        kernel is not None
        and cohort.w_KP.dtype == torch.float32
        and cohort.external is None
        and all(
            isinstance(group.optimizer, SGD | Adam | AdamW) and group.lr_KP is None
            for group in groups
        )
        and _can_act(program, hyper)
        and cohort.average_KP is None
        and program.recipe.gradients is None
        # own code may draw, for which it is seeded before each
        and not any(member.has_own_code for member in cohort.members)
        and not batches.full
        and train.stream is None
        and kernel.takes_samples(train.x[None], train.y[None])
    )

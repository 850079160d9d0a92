"""Several updates of a cohort by one call of compiled code, where nothing looks at each of them.

A member makes all of them before the next one begins, so that its weights stay in the core's cache,
and no Python stands between two updates. The bits are those of the updates one by one: where a
probe looks, :mod:`harness.engine.update` makes that update.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.engine.batches import Batches
from harness.engine.cohort import Cohort
from harness.engine.differentiate import HandWritten
from harness.engine.differentiate.mlp_kernel import (
    KernelBatch,
    KernelDescent,
    KernelLayer,
    MLPKernel,
    layer_in,
)
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.optimizer_groups import OptimizerGroup
from harness.engine.own_draws import STREAMED
from harness.engine.program import Program
from harness.models.base import Params
from harness.optimizers.sgd import SGD, SGDState
from harness.spec.arms import has_own_code

AT_ONCE = 64
"""Updates of a call at most: between two calls the cohort can be saved, and shows that it lives."""


class SeveralUpdates:
    """Updates by stochastic gradient descent, some at a time.

    Args:
        program: what the members share.
        cohort: the members; its weights and velocities are moved in place.
        groups: the members of each optimizer.
        batches: the members' minibatches.
        lr_SK: learning rates of the updates from ``cohort.done`` on, with the schedules' factors.
    """

    def __init__(
        self,
        program: Program,
        cohort: Cohort,
        groups: Sequence[OptimizerGroup],
        batches: Batches,
        lr_SK: Tensor,
    ) -> None:
        kernel = _kernel_of(program)
        assert kernel is not None
        self.kernel, self.batches, self.groups = kernel, batches, groups
        self.first, self.lr_SK = cohort.done, lr_SK.contiguous()
        train, times = batches.splits.train, program.times
        self.size, self.per_epoch = times.batch, times.per_epoch
        self.x_NI, self.y_ND = train.x.flatten(1), train.y
        # one member's gradient, which every member's overwrites
        self._row_1P = cohort.w_KP.new_empty(1, program.layout.width)
        params, row = (program.layout.views(part) for part in (cohort.w_KP, self._row_1P))
        self.layers = [
            self._layers_of(params, row, _velocities(program, cohort, place))
            for place in range(len(groups))
        ]

    def _layers_of(self, params: Params, row: Params, velocities: Params) -> object:
        """Return where the weights, one gradient and a group's velocities lie."""
        dense = self.kernel.dense
        layers = (KernelLayer * len(dense))(*(layer_in(part, params, row) for part in dense))
        for own, part in zip(layers, dense, strict=True):
            own.d_w_member = own.d_b_member = 0
            for name, v in (("v_w", velocities.get(part.w)), ("v_b", velocities.get(part.b))):
                if v is not None:
                    setattr(own, name, v.data_ptr())
                    setattr(own, f"{name}_member", v.stride(0))
        return layers

    def ahead(self, step: int, target: int) -> int:
        """Return how many updates from ``step`` on one call makes: at most up to an epoch's end."""
        return min(target - step, self.per_epoch - step % self.per_epoch, AT_ONCE)

    def make(self, step: int, count: int) -> tuple[Tensor, int]:
        """Make some updates.

        Args:
            step: updates made before them.
            count: at most as many as :meth:`ahead` says.

        Returns:
            The losses (S, K) of their minibatches, and the samples that each member has seen.
        """
        index_KN = self.batches.order(step // self.per_epoch)
        begin = step % self.per_epoch * self.size
        total = min(count * self.size, index_KN.shape[1] - begin)
        members = len(index_KN)
        loss_SK = self.lr_SK.new_empty(count, members)
        lr_SK = self.lr_SK[step - self.first :]
        batch = KernelBatch(
            *(members, self.size, self.x_NI.data_ptr(), self.y_ND.data_ptr()),
            *(0, self.x_NI.stride(0), 0, *self.y_ND.stride()),
            *(index_KN[:, begin:].data_ptr(), index_KN.stride(0)),
        )
        for group, layers in zip(self.groups, self.layers, strict=True):
            optimizer, heavy = group.optimizer, group.optimizer.form() == "heavy"
            assert isinstance(optimizer, SGD)
            descent = KernelDescent(
                *(group.rows.start, group.rows.stop, members, count, lr_SK.data_ptr()),
                group.fields["momentum"].data_ptr() if heavy else None,
                optimizer.looks_ahead,
            )
            self.kernel.compiled.mlp_train(
                *(layers, len(self.kernel.dense), self.kernel.rectified, batch, total, descent),
                *(loss_SK.data_ptr(), self.kernel.scratch(self.size).data_ptr()),
            )
        return loss_SK, total


def _velocities(program: Program, cohort: Cohort, place: int) -> Params:
    """Return a group's velocities by the parameters' names; nothing without momentum."""
    found = {}
    for columns, states in zip(cohort.blocks, cohort.states, strict=True):
        state = states[place]
        assert isinstance(state, SGDState)
        if state.v_KP is None:
            continue
        for name, slot in program.layout.slots.items():
            if columns.start <= slot.offset < columns.stop:
                begin = slot.offset - columns.start
                found[name] = state.v_KP[:, begin : begin + slot.size]
    return found


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
    train = batches.splits.train
    return (
        _kernel_of(program) is not None
        and cohort.w_KP.dtype == torch.float32
        and cohort.external is None
        and all(isinstance(group.optimizer, SGD) and group.lr_KP is None for group in groups)
        # others than early stopping act on every update
        and all(part is program.stopping for part in program.regularizers)
        and hyper.dropout_K is None
        and cohort.average_KP is None
        and program.recipe.gradients is None
        # own code may draw, for which it is seeded before each
        and not any(has_own_code(member.run, STREAMED) for member in cohort.members)
        and not batches.full
        and train.stream is None
        and train.y.ndim == 2
    )


def _kernel_of(program: Program) -> MLPKernel | None:
    differentiator = program.differentiator
    return differentiator.kernel if isinstance(differentiator, HandWritten) else None

"""Probes on a cohort while it trains: when they are due, what they see, where their numbers go.

The loop asks before each update whether a probe looks at it, and after it lets them measure.
Updates that no probe looks at pay for a few comparisons only. Probes read the training's own
tensors and change nothing: a run has the same numbers with and without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.engine.differentiate import TrainingPass
from harness.engine.evaluation_point import evaluated_weights
from harness.engine.external.state import ExternalState
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.optimizer_groups import OptimizerGroup, OptimizerStates
from harness.engine.probe_scenes import Moment, Scenes
from harness.engine.probe_values import check_values
from harness.engine.program import Program
from harness.engine.splits import Splits
from harness.engine.training_loss import Minibatch
from harness.engine.update import Update
from harness.models.base import Buffers
from harness.probes.base import Memory, Probe, Values


class Probed(NamedTuple):
    """What the probes measured at one update."""

    names: tuple[str, ...]
    """Names of the metrics, with the probes' prefixes."""
    values_VK: Tensor
    """A row of values for each of them."""


class Probing:
    """The probes of one cohort, over some of its updates.

    Args:
        program: what the members share.
        splits: the members' samples.
        groups: the members of each optimizer.
        blocks: the columns that are moved call by call.
        probes: what is measured.
        seeds: the members' seeds.
        hyper: the members' numbers.
        memories: what each probe keeps, by its place among ``probes``; it is written into.
        probed: metrics by step, which new ones are added to.
        arrays: the last of each array measured, (K, …); new ones take their places.
    """

    def __init__(
        self,
        program: Program,
        splits: Splits,
        groups: Sequence[OptimizerGroup],
        blocks: Sequence[slice],
        probes: Sequence[Probe],
        seeds: Sequence[int],
        hyper: Hyperparameters,
        memories: dict[int, Memory],
        probed: dict[int, Probed],
        arrays: dict[str, Tensor],
    ) -> None:
        self.program, self.groups, self.blocks = program, groups, blocks
        self.memories, self.probed, self.arrays = memories, probed, arrays
        self.scenes = Scenes(program, splits, groups, blocks, seeds, hyper)
        # equal probes have one memory, that of the first
        self.probes = [(probes.index(p), p, _needs(p, program)) for p in probes]
        self.looking: list[tuple[int, Probe]] = []
        """The probes that look at the coming update, with the places of their memories."""
        self.record: TrainingPass | None = None
        """Where the coming update's pass leaves what they ask for; None where none looks."""
        # memory that is made when a probe first needs it, and used again then
        self.weights_2KP: Tensor | None = None
        self.evaluated_KP: Tensor | None = None
        """Where the members would have been evaluated before the coming update."""

    def unseen(self, step: int, most: int) -> int:
        """Return how many updates from ``step`` on no probe looks at, at most ``most``."""
        if not self.probes:
            return most
        seen = (i for i in range(most) if any(needs(step + i) for _, _, needs in self.probes))
        return next(seen, most)

    def before(
        self,
        step: int,
        w_KP: Tensor,
        states: OptimizerStates = (),
        external: ExternalState | None = None,
        average_KP: Tensor | None = None,
    ) -> Tensor | None:
        """Return a copy of the weights if a probe looks at the coming update, else None.

        The copy is needed since the update moves the weights in place; the next copy overwrites it.

        Args:
            step: updates made before it.
            w_KP: the weights before it.
            states: the optimizers' states before it.
            external: another library's optimizer.
            average_KP: the averages of the weights, if the recipes have any.
        """
        self.looking = [(place, probe) for place, probe, needs in self.probes if needs(step)]
        if not self.looking:
            self.record = None
            return None
        self.record = TrainingPass()
        if self.weights_2KP is None:
            # the second half is where the scene puts the update, moved less old weights
            self.weights_2KP = w_KP.new_empty(2, *w_KP.shape)
        before_KP = self.weights_2KP[0].copy_(w_KP)
        # new rows, or those that have just been copied: the update changes the state in place
        average_KP = None if average_KP is None else average_KP.clone()
        self.evaluated_KP = evaluated_weights(
            before_KP, self.groups, self.blocks, states, external, self.program.layout, average_KP
        )
        return before_KP

    def after(
        self,
        step: int,
        w_KP: Tensor,
        buffers: Buffers,
        batch: Minibatch,
        update: Update,
        factor_K: Tensor,
    ) -> None:
        """Let the probes measure an update that has been made.

        Args:
            step: updates made before it.
            w_KP: the weights before it, as :meth:`before` gave them.
            buffers: the running statistics before it.
            batch: its minibatch.
            update: what it left.
            factor_K: the schedules' factors.
        """
        assert self.record is not None
        assert self.weights_2KP is not None
        assert self.evaluated_KP is not None
        weights = w_KP, self.weights_2KP, self.evaluated_KP
        moment = Moment(step, *weights, buffers, batch, factor_K, self.record, update)
        scene = self.scenes.scene(moment)
        metrics: Values = {}
        for place, probe in self.looking:
            values = probe.measure(scene, self.memories.setdefault(place, {}))
            check_values(probe, values, w_KP.shape[0])
            metrics |= {f"{probe.prefix}/{metric}": value for metric, value in values.items()}
        numbers = {name: value for name, value in metrics.items() if value.ndim == 1}
        # cloned: a probe may have given the training's own memory. Of arrays the last is kept
        self.arrays |= {name: value.clone() for name, value in metrics.items() if value.ndim > 1}
        if numbers:
            # stacked on the device, and copied to the CPU at the evaluation: to read each number
            # here would wait for a GPU every time
            values_VK = torch.cat([*numbers.values()]).view(len(numbers), -1)
            self.probed[step] = Probed(tuple(numbers), values_VK)


def _needs(probe: Probe, program: Program) -> Callable[[int], bool]:
    """Return a function of the step: whether the probe looks at the update after it.

    It does where it is due, and at the ``span − 1`` updates before, which a probe that compares
    successive updates needs too.
    """
    times = program.times
    due = probe.timing(times.per_epoch, times.steps)
    # the usual case, without the cost of a range at every update
    if probe.span == 1:
        return due
    return lambda step: any(map(due, range(step, min(step + probe.span, times.steps))))


def memories_of_rows(memories: Mapping[int, Memory], rows: Tensor) -> dict[int, Memory]:
    """Return what the probes keep of some members.

    Args:
        memories: by the probe's place and the probe's own names, (K, …) each.
        rows: the members' rows.
    """
    return {
        place: {name: value[rows] for name, value in kept.items()}
        for place, kept in memories.items()
    }

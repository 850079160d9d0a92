"""Probes on a cohort while it trains: when they are due, what they see, and where their numbers go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from harness.engine.program import Program
from harness.engine.step import Batch, Hyper, Moved, gradient, scoped
from harness.models.base import Buffers, Context
from harness.probes.base import Measure, Memory, Scene, Values
from harness.seeds import numpy_stream
from harness.spec.probe import Probe

Due = dict[int, list[Measure]]
"""The probes that look at each update."""


def schedule(program: Program, probes: Sequence[Probe]) -> Due:
    """Return the probes by the update that they look at; one that spans several looks at the ones before, too."""
    found: Due = {}
    for probe in probes:
        assert isinstance(probe, Measure)
        for step in probe.due(program.times.per_epoch, program.times.steps):
            for look in range(max(0, step - probe.span + 1), step + 1):
                if probe not in (looking := found.setdefault(look, [])):
                    looking.append(probe)
    return found


class Watch:
    """The probes of one cohort, over some of its updates.

    Args:
        program: what the members share.
        due: the probes by update.
        seeds: the members' seeds.
        hyper: numeric hyperparameters by path, (K,) each.
        memories: what each probe keeps, by its name.
    """

    def __init__(self, program: Program, due: Due, seeds: Sequence[int], hyper: Hyper, memories: dict[str, Memory]) -> None:
        self.program, self.due, self.seeds, self.memories = program, due, seeds, memories
        self.hyper = {path: v for path, v in hyper.items() if "ropout" not in path}
        self.found: dict[int, Values] = {}

    def before(self, step: int, w_KP: Tensor) -> Tensor | None:
        """Return a copy of the weights, if anybody looks at the coming update."""
        return w_KP.clone() if step in self.due else None

    def after(self, step: int, w_KP: Tensor, buffers: Buffers, batch: Batch, moved: Moved, factor_K: Tensor) -> None:
        """Let the probes measure an update that has been made."""
        scene = Scene(
            step=step,
            layout=self.program.layout,
            w_KP=w_KP,
            moved_KP=moved.w_KP,
            g_KP=moved.g_KP,
            lr_K=self.hyper["optimizer.lr"] * factor_K,
            x_KB=batch.x_KB,
            y_KBD=batch.y_KBD,
            losses=partial(self._losses, buffers),
            gradients=partial(self._gradients, buffers),
            activations=partial(self._activations, buffers),
            samples=partial(self._samples, step),
        )
        for probe in self.due[step]:
            values = probe.measure(scene, self.memories.setdefault(probe.name, {}))
            named = {f"{probe.prefix}/{name}": value.double().cpu() for name, value in values.items()}
            self.found[step] = self.found.get(step, {}) | named

    def _losses(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor) -> Tensor:
        with torch.no_grad():
            ctx = Context(training=True, buffers=dict(buffers))
            out_KBD = self.program.network(self.program.layout.views(w_KP), x_KB, ctx)
            return self.program.loss.per_sample(out_KBD, y_KBD, scoped(self.hyper, "loss")).mean(1)

    def _gradients(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor) -> Tensor:
        plain = self.program._replace(hooks=())
        return gradient(plain, w_KP, buffers, Batch(x_KB, y_KBD), self.hyper, None)[0]

    def _activations(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor) -> dict[str, Tensor]:
        seen: dict[str, Tensor] = {}
        with torch.no_grad():
            ctx = Context(training=True, buffers=dict(buffers), seen=seen)
            self.program.network(self.program.layout.views(w_KP), x_KB, ctx)
        return seen

    def _samples(self, step: int, count: int, purpose: str) -> tuple[Tensor, Tensor]:
        train = self.program.train
        size = min(count, train.size)
        rows = [numpy_stream(seed, purpose, step).permutation(train.size)[:size] for seed in self.seeds]
        index_KB = torch.from_numpy(np.stack(rows)).to(self.program.device)
        return train.x[index_KB], train.y[index_KB]


def rows_of(memories: Mapping[str, Memory], rows: Tensor) -> dict[str, Memory]:
    """Return what the probes keep of some members."""
    return {name: {key: value[rows] for key, value in kept.items()} for name, kept in memories.items()}

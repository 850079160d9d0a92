"""Probes on a cohort while it trains: when they are due, what they see, and where their numbers go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from harness.engine.program import Program
from harness.engine.rules import Group, edges, scales
from harness.engine.step import Batch, Hyper, Moved, gradient, scoped, training_loss
from harness.models.base import Buffers, Context
from harness.probes.base import Measure, Memory, Scene, Values
from harness.seeds import numpy_stream
from harness.spec.probe import Probe


class Watch:
    """The probes of one cohort, over some of its updates.

    Args:
        program: what the members share.
        groups: the members of each update rule.
        probes: what is measured.
        seeds: the members' seeds.
        hyper: numeric hyperparameters by path, (K,) each.
        memories: what each probe keeps, by its name.
    """

    def __init__(
        self,
        program: Program,
        groups: Sequence[Group],
        probes: Sequence[Probe],
        seeds: Sequence[int],
        hyper: Hyper,
        memories: dict[str, Memory],
    ) -> None:
        self.program, self.groups, self.seeds, self.memories = program, groups, seeds, memories
        self.probes = [probe for probe in probes if isinstance(probe, Measure)]
        self.looking: list[Measure] = []
        self.hyper = {path: v for path, v in hyper.items() if "ropout" not in path}
        self.found: dict[int, Values] = {}

    def before(self, step: int, w_KP: Tensor) -> Tensor | None:
        """Return a copy of the weights, if anybody looks at the coming update."""
        self.looking = [probe for probe in self.probes if self._looks(probe, step)]
        return w_KP.clone() if self.looking else None

    def _looks(self, probe: Measure, step: int) -> bool:
        """Return whether the probe is due here, or so soon that it needs this update too."""
        times = self.program.times
        ahead = range(step, min(step + probe.span, times.steps))
        return any(probe.due(s, times.per_epoch, times.steps) for s in ahead)

    def after(self, step: int, w_KP: Tensor, buffers: Buffers, batch: Batch, moved: Moved, factor_K: Tensor) -> None:
        """Let the probes measure an update that has been made."""
        lr_K = self.hyper["optimizer.lr"] * factor_K
        held = self.program.valid
        scene = Scene(
            step=step,
            layout=self.program.layout,
            w_KP=w_KP,
            moved_KP=moved.w_KP,
            g_KP=moved.g_KP,
            lr_K=lr_K,
            edge=partial(edges, self.groups, lr_K, factor_K),
            scale=partial(scales, self.groups, moved.state, lr_K, factor_K, w_KP),
            x_KB=batch.x_KB,
            y_KBD=batch.y_KBD,
            losses=partial(self._losses, buffers),
            gradients=partial(self._gradients, buffers),
            products=partial(self._products, buffers),
            outputs=partial(self._outputs, moved.buffers),
            held=(held.x[None], held.y) if self.program.classify and held.size else None,
            activations=partial(self._activations, buffers),
            samples=partial(self._samples, step),
        )
        for probe in self.looking:
            values = probe.measure(scene, self.memories.setdefault(probe.model_dump_json(), {}))
            named = {f"{probe.prefix}/{name}": value.double().cpu() for name, value in values.items()}
            self.found[step] = self.found.get(step, {}) | named

    def _losses(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor) -> Tensor:
        with torch.no_grad():
            ctx = Context(training=True, buffers=dict(buffers))
            out_KBD = self.program.network(self.program.layout.views(w_KP), x_KB, ctx)
            return self.program.loss.per_sample(out_KBD, y_KBD, scoped(self.hyper, "loss")).mean(1)

    def _gradients(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor) -> Tensor:
        return gradient(self.program, w_KP, buffers, Batch(x_KB, y_KBD), self.hyper, None)[0]

    def _products(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor) -> Callable[[Tensor], Tensor]:
        with torch.inference_mode(False), torch.enable_grad():
            # copies, since autograd keeps no tensors made in inference mode
            leaf_KP, batch = w_KP.clone().requires_grad_(), Batch(x_KB.clone(), y_KBD.clone())
            views = self.program.layout.views(leaf_KP)
            loss_K, _ = training_loss(self.program, views, _copied(buffers), batch, _copied(self.hyper), None)
            (g_KP,) = torch.autograd.grad(loss_K.sum(), leaf_KP, create_graph=True)

        def product(v_KP: Tensor) -> Tensor:
            with torch.inference_mode(False):
                return torch.autograd.grad(g_KP, leaf_KP, v_KP.clone(), retain_graph=True)[0]

        return product

    def _outputs(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor) -> Tensor:
        with torch.no_grad():
            return self.program.network(self.program.layout.views(w_KP), x_KB, Context(buffers=buffers))

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


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}


def rows_of(memories: Mapping[str, Memory], rows: Tensor) -> dict[str, Memory]:
    """Return what the probes keep of some members."""
    return {name: {key: value[rows] for key, value in kept.items()} for name, kept in memories.items()}

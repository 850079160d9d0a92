"""Probes on a cohort while it trains: when they are due, what they see, and where their numbers go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.core.streams import numpy_stream
from harness.engine.evaluate import evaluate, train_sample
from harness.engine.hessian import hessian_products
from harness.engine.program import Program, written_out
from harness.engine.samples import Samples
from harness.engine.step import (
    Batch,
    Hyper,
    Moved,
    dropout_rate,
    gradient,
    precision,
    scoped,
)
from harness.engine.update import Group, preconditioners, stability_thresholds
from harness.engine.workspace import Room, room_for
from harness.models.base import Buffers, Context, Model, Product, Seen
from harness.probes.base import Memory, Probe, Scene
from harness.regularizers.base import Regularizer


class Probed(NamedTuple):
    """What the probes measured at one update."""

    names: tuple[str, ...]
    values_VK: Tensor


class Watch:
    """The probes of one cohort, over some of its updates.

    Args:
        program: what the members share.
        groups: the members of each update rule.
        pieces: the columns that are moved call by call.
        probes: what is measured.
        seeds: the members' seeds.
        hyper: numeric hyperparameters by path, (K,) each.
        memories: what each probe keeps, by its name.
    """

    def __init__(
        self,
        program: Program,
        groups: Sequence[Group],
        pieces: Sequence[slice],
        probes: Sequence[Probe],
        seeds: Sequence[int],
        hyper: Hyper,
        memories: dict[str, Memory],
    ) -> None:
        self.program, self.groups, self.pieces, self.seeds, self.memories = (
            program,
            groups,
            pieces,
            seeds,
            memories,
        )
        self.probes = [(_name(probe), probe, _when(probe, program)) for probe in probes]
        self.looking: list[tuple[str, Probe]] = []
        self.room_2KP: Tensor | None = None
        self.hyper = {path: v for path, v in hyper.items() if "ropout" not in path}
        self.quiet = (
            dropout_rate(hyper) is None
            and not program.recipe.amp
            and not any(map(_draws, program.hooks))
        )
        self.seen: Seen | None = None
        """What the coming update's pass leaves, if anybody looks."""
        self.room: Room | None = None
        self.sample: Samples | None = None
        self.found: dict[int, Probed] = {}
        self.arrays: dict[str, Tensor] = {}
        """The last of each array measured, (K, …)."""

    def before(self, step: int, w_KP: Tensor) -> Tensor | None:
        """Return a copy of the weights, if anybody looks at the coming update; its memory is used again by the next."""
        self.looking = [(name, probe) for name, probe, looks in self.probes if looks(step)]
        if not self.looking:
            self.seen = None
            return None
        self.seen = Seen()
        self.room_2KP = w_KP.new_empty(2, *w_KP.shape) if self.room_2KP is None else self.room_2KP
        return self.room_2KP[0].copy_(w_KP)

    def after(
        self,
        step: int,
        w_KP: Tensor,
        buffers: Buffers,
        batch: Batch,
        moved: Moved,
        factor_K: Tensor,
    ) -> None:
        """Let the probes measure an update that has been made, from weights that ``before`` gave."""
        assert self.room_2KP is not None
        lr_K = self.hyper["optimizer.lr"] * factor_K
        scene = Scene(
            step=step,
            last=step == self.program.times.steps - 1,
            layout=self.program.layout,
            room_2KP=self.room_2KP,
            moved_KP=moved.w_KP,
            g_KP=moved.g_KP,
            lr_K=lr_K,
            stability_threshold=partial(
                stability_thresholds, self.groups, moved.state, lr_K, factor_K
            ),
            preconditioner=partial(
                preconditioners, self.groups, self.pieces, moved.state, lr_K, factor_K, w_KP
            ),
            x_KB=batch.x_KB,
            y_KBD=batch.y_KBD,
            losses=partial(self._losses, buffers),
            gradients=partial(self._gradients, buffers),
            noise_free=(moved.loss_K, moved.g_KP) if self.quiet else None,
            products=partial(self._products, buffers),
            held=(held := cache(partial(self._held, moved.buffers, w_KP))),
            hidden=partial(self._hidden, buffers, w_KP, batch.x_KB),
            limits=_hidden_bounds(self.program),
            samples=partial(self._samples, step),
            sample_norms=partial(_sample_norms, self.seen.products if self.seen else []),
            grams=partial(self._grams, buffers, w_KP),
            evaluated=partial(self._evaluated, moved.buffers, w_KP, held),
        )
        found: dict[str, Tensor] = {}
        for name, probe in self.looking:
            values = probe.measure(scene, self.memories.setdefault(name, {}))
            found |= {f"{probe.prefix}/{metric}": value for metric, value in values.items()}
        numbers = {name: value for name, value in found.items() if value.ndim == 1}
        self.arrays |= {name: value.clone() for name, value in found.items() if value.ndim > 1}
        if numbers:
            self.found[step] = Probed(
                tuple(numbers), torch.cat([*numbers.values()]).view(len(numbers), -1)
            )

    def _losses(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor) -> Tensor:
        with torch.no_grad():
            ctx = Context(training=True, buffers=dict(buffers))
            out_KBD = self.program.network(self.program.layout.views(w_KP), x_KB, ctx)
            return self.program.loss.per_sample(out_KBD, y_KBD, scoped(self.hyper, "loss")).mean(1)

    def _gradients(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor) -> Tensor:
        return self._pass(buffers, w_KP, x_KB, y_KBD, None)

    def _pass(
        self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor, seen: Seen | None
    ) -> Tensor:
        if self.room is None and written_out(self.program):
            self.room = room_for(self.program.layout, w_KP)
        return gradient(
            self.program, w_KP, buffers, Batch(x_KB, y_KBD), self.hyper, None, self.room, seen
        )[0]

    def _grams(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor) -> Tensor:
        seen = Seen()
        if written_out(self.program):
            self._pass(buffers, w_KP, x_KB, y_KBD, seen)
        if seen.products:
            return sum((_gram(p) for p in seen.products[1:]), _gram(seen.products[0]))
        singles = (slice(i, i + 1) for i in range(x_KB.shape[1]))
        g_KBP = torch.stack(
            [self._gradients(buffers, w_KP, x_KB[:, i], y_KBD[:, i]).clone() for i in singles], 1
        )
        return g_KBP @ g_KBP.mT

    def _products(
        self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor
    ) -> Callable[[Tensor], Tensor]:
        return hessian_products(self.program, w_KP, buffers, Batch(x_KB, y_KBD), self.hyper)

    def _held(self, buffers: Buffers, w_KP: Tensor) -> tuple[Tensor, Tensor] | None:
        held = self.program.valid
        if not (self.program.classify and held.size):
            return None
        with torch.no_grad(), precision(self.program):
            out_KND = self.program.network(
                self.program.layout.views(w_KP), held.x[None], Context(buffers=buffers)
            )
        return out_KND.to(held.y.dtype), held.y

    def _evaluated(
        self, buffers: Buffers, w_KP: Tensor, held: Callable[[], tuple[Tensor, Tensor] | None]
    ) -> dict[str, dict[str, Tensor]]:
        self.sample = self.sample or train_sample(self.program)
        found = {"train": evaluate(self.program, w_KP, buffers, self.hyper, self.sample)}
        if self.program.valid.size:
            out_KND = None if (seen := held()) is None else seen[0]
            found["valid"] = evaluate(
                self.program, w_KP, buffers, self.hyper, self.program.valid, out_KND
            )
        return found

    def _hidden(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor) -> dict[str, Tensor]:
        if self.quiet and self.seen and self.seen.outputs:
            return self.seen.outputs
        seen = Seen()
        with torch.no_grad():
            ctx = Context(training=True, buffers=dict(buffers), seen=seen)
            self.program.network(self.program.layout.views(w_KP), x_KB, ctx)
        return seen.outputs

    def _samples(self, step: int, count: int, purpose: str) -> tuple[Tensor, Tensor]:
        train = self.program.train
        size = min(count, train.size)
        rows = [
            numpy_stream(seed, purpose, step).permutation(train.size)[:size] for seed in self.seeds
        ]
        index_KB = torch.from_numpy(np.stack(rows)).to(self.program.device)
        return train.x[index_KB], train.y[index_KB]


def _name(probe: Probe) -> str:
    return f"{type(probe).__module__}.{type(probe).__qualname__} {probe.model_dump_json()}"


def _when(probe: Probe, program: Program) -> Callable[[int], bool]:
    """Return whether the probe is due at an update, or so soon that it needs this one too."""
    times = program.times
    due = probe.timing(times.per_epoch, times.steps)
    if probe.span == 1:
        return due
    return lambda step: any(map(due, range(step, min(step + probe.span, times.steps))))


def _sample_norms(products: Sequence[Product]) -> Tensor | None:
    """Return ‖∇lᵢ‖² (K, B) of the samples' losses: Σ_layers ‖hᵢ‖²‖dᵢ‖² of inputs and slopes (Goodfellow 2015)."""
    if not products:
        return None
    d_LKB = torch.stack([torch.linalg.vector_norm(p.d_KBO, dim=2) for p in products])
    # members may share the first layer's inputs
    h_LKB = torch.stack(
        [torch.linalg.vector_norm(p.h_KBI, dim=2).expand_as(d_LKB[0]) for p in products]
    )
    found: Tensor = h_LKB.square_().add_(products[0].bias).mul_(d_LKB.square_()).sum(0)
    return found.mul_(products[0].d_KBO.shape[1] ** 2)


def _gram(product: Product) -> Tensor:
    """Return the products (K, B, B) of the gradients of the samples' losses by one layer's weights: hᵢ·hⱼ dᵢ·dⱼ."""
    h, d = product.h_KBI, product.d_KBO
    return (h @ h.mT + product.bias) * (d @ d.mT) * d.shape[1] ** 2


def _hidden_bounds(program: Program) -> tuple[float, float] | None:
    model = program.recipe.model
    return model.hidden_bounds() if isinstance(model, Model) else None


def _draws(hook: Regularizer) -> bool:
    """Return whether the regularizer changes the batch."""
    return type(hook).batch is not Regularizer.batch


def rows_of(memories: Mapping[str, Memory], rows: Tensor) -> dict[str, Memory]:
    """Return what the probes keep of some members."""
    return {
        name: {key: value[rows] for key, value in kept.items()} for name, kept in memories.items()
    }

"""What probes see of an update: tensors that are there, and functions for all that costs a pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.core.streams import numpy_stream
from harness.data.streams import ENDLESS
from harness.engine.differentiate import TrainingPass
from harness.engine.elsewhere import paths_elsewhere
from harness.engine.evaluate import CHUNK, evaluate
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.optimizer_groups import OptimizerGroup, preconditioners, stability_thresholds
from harness.engine.program import Program
from harness.engine.splits import Split, Splits
from harness.engine.statistics import buffers_at
from harness.engine.training_loss import Minibatch, logits_of
from harness.engine.update import Update
from harness.engine.workspace import Workspace
from harness.models.base import Buffers, Context, Model, Seen
from harness.probes.base import Scene

Members = tuple[Tensor, Buffers, Hyperparameters]
"""Weights, running statistics and numbers of the members, as evaluations take them."""


class Moment(NamedTuple):
    """One update that probes look at: what was there before it, and what it left."""

    step: int
    """Updates made before it."""
    w_KP: Tensor
    """A copy of the weights before it."""
    weights_2KP: Tensor
    """The memory of that copy, and as much again."""
    evaluated_KP: Tensor
    """Where the members would have been evaluated before it."""
    buffers: Buffers
    """Running statistics before it."""
    batch: Minibatch
    """Its minibatch, before regularizers changed it."""
    factor_K: Tensor
    """The schedules' factors."""
    record: TrainingPass
    """What its pass left."""
    update: Update


class Scenes:
    """The scenes of one cohort's updates.

    Args:
        program: what the members share.
        splits: the members' samples.
        groups: the members of each optimizer.
        blocks: the columns that are moved call by call.
        seeds: the members' seeds.
        hyper: the members' numbers.
    """

    def __init__(
        self,
        program: Program,
        splits: Splits,
        groups: Sequence[OptimizerGroup],
        blocks: Sequence[slice],
        seeds: Sequence[int],
        hyper: Hyperparameters,
    ) -> None:
        self.program, self.splits, self.seeds = program, splits, seeds
        self.groups, self.blocks = groups, blocks
        self.hyper, self.noise_free = hyper, hyper.noise_free()
        self.trains_noise_free = _trains_noise_free(program, hyper)
        # memory that is made when a probe first needs it, and used again then
        self.workspace: Workspace | None = None

    def scene(self, moment: Moment) -> Scene:
        """Return what probes see: tensors that exist, and functions for all that costs a pass.

        Args:
            moment: the update that they look at.
        """
        program, update = self.program, moment.update
        lr_K = self.hyper.lr_K * moment.factor_K
        # several probes ask for it, and it is a pass over all held-out samples
        members = cache(partial(self._evaluated_at, moment))
        held = cache(partial(self._held, members))
        return Scene(
            step=moment.step,
            last=moment.step == program.times.steps - 1,
            layout=program.layout,
            workspace_2KP=moment.weights_2KP,
            moved_KP=update.w_KP,
            g_KP=update.g_KP,
            lr_K=lr_K,
            stability_threshold=partial(
                stability_thresholds, self.groups, update.states, lr_K, moment.factor_K
            ),
            preconditioner=partial(
                preconditioners,
                self.groups,
                self.blocks,
                update.states,
                lr_K,
                moment.factor_K,
                moment.w_KP,
            ),
            paths_elsewhere=partial(paths_elsewhere, self.groups, self.hyper.lr_K),
            x_KB=moment.batch.x_KB,
            y_KBD=moment.batch.y_KBD,
            losses=partial(self._losses, moment.buffers),
            gradients=partial(self._gradients, moment.buffers),
            noise_free=(update.loss_K, update.g_KP) if self.trains_noise_free else None,
            products=partial(self._products, moment.buffers),
            held=held,
            hidden=partial(self._hidden, moment),
            hidden_bounds=_hidden_bounds(program),
            samples=partial(self._samples, moment.step),
            sample_norms_at_hand=bool(moment.record.seen.products),
            sample_norms=partial(self._sample_norms, moment),
            grams=partial(self._grams, moment),
            evaluated=partial(self._evaluated, members, held),
        )

    def _losses(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor) -> Tensor:
        """Return mean losses (K,) at any weights, without noise."""
        # training, for the batch's statistics, but without dropout; layers put new running
        # statistics into the context, so that it is given a dictionary of its own
        with torch.no_grad():
            ctx = Context(training=True, buffers=dict(buffers))
            out_KBD = self.program.network(self.program.layout.views(w_KP), x_KB, ctx)
            targets = self.program.training_loss.targets(y_KBD)
            return self.program.loss.mean(out_KBD, targets, self.hyper.loss)

    def _gradients(self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor) -> Tensor:
        """Return gradients (K, P) of the mean losses; the next call overwrites them."""
        # memory apart from the update's own: its gradient must stay readable
        differentiator = self.program.differentiator
        if self.workspace is None:
            self.workspace = differentiator.workspace(w_KP)
        batch = Minibatch(x_KB, y_KBD)
        return differentiator.gradient(
            w_KP, buffers, batch, self.noise_free, workspace=self.workspace
        ).g_KP

    def _products(
        self, buffers: Buffers, w_KP: Tensor, x_KB: Tensor, y_KBD: Tensor
    ) -> Callable[[Tensor], Tensor]:
        """Return v ↦ Hv at any weights, without noise."""
        batch = Minibatch(x_KB, y_KBD)
        return self.program.differentiator.hessian_product(w_KP, buffers, batch, self.noise_free)

    def _sample_norms(self, moment: Moment) -> Tensor | None:
        """Return the squared norms (K, B) of the batch's samples' gradients, as trained on."""
        return self.program.differentiator.sample_norms(
            moment.w_KP, moment.buffers, moment.record, self.hyper
        )

    def _grams(self, moment: Moment, x_KB: Tensor, y_KBD: Tensor) -> Tensor | None:
        """Return the inner products (K, B, B) of samples' gradients at the weights before."""
        batch = Minibatch(x_KB, y_KBD)
        return self.program.differentiator.grams(
            moment.w_KP, moment.buffers, batch, self.noise_free
        )

    def _held(self, members: Callable[[], Members]) -> tuple[Tensor, Tensor] | None:
        """Return outputs (K, N, D) and targets (N, D) of the validation samples, for classes.

        The targets are (K, N, D) where members have several splits.
        """
        valid = self.program.valid
        # of tokens, which are not one-hot, there are too many outputs to keep
        if not (self.program.classify and valid.size and valid.y.is_floating_point()):
            return None
        held = self.splits.measure(*members(), _outputs_on_validation)
        return held["outputs"], held["targets"]

    def _evaluated_at(self, moment: Moment) -> Members:
        """Return where the members would have been evaluated before the update."""
        w_KP, own = moment.evaluated_KP, moment.update.buffers
        if w_KP is not moment.w_KP:
            own = buffers_at(self.splits, w_KP, own, self.hyper)
        return w_KP, own, self.hyper

    def _evaluated(
        self, members: Callable[[], Members], held: Callable[[], tuple[Tensor, Tensor] | None]
    ) -> dict[str, dict[str, Tensor]]:
        """Return loss and accuracy before the update, as an evaluation measures them."""
        metrics = {"train": self.splits.measure(*members(), _on_train_sample)}
        if self.program.valid.size:
            outputs = held()

            def on_valid(
                split: Split, w_KP: Tensor, buffers: Buffers, hyper: Hyperparameters
            ) -> dict[str, Tensor]:
                out_KND = None if outputs is None else split.of(outputs[0])
                return evaluate(split.program, w_KP, buffers, hyper, split.program.valid, out_KND)

            metrics["valid"] = self.splits.measure(*members(), on_valid)
        return metrics

    def _hidden(self, moment: Moment) -> dict[str, Tensor]:
        """Return the outputs of hidden layers by name, on the batch and without noise."""
        # those of the update's own pass, unless it was on other samples or with dropout
        if self.trains_noise_free and moment.record.seen.outputs:
            return moment.record.seen.outputs
        seen = Seen()
        ctx = Context(training=True, buffers=dict(moment.buffers), seen=seen)
        with torch.no_grad():
            self.program.network(self.program.layout.views(moment.w_KP), moment.batch.x_KB, ctx)
        return seen.outputs

    def _samples(self, step: int, count: int, purpose: str) -> tuple[Tensor, Tensor]:
        """Return ``count`` training samples of each member's own, all different."""
        train, total = self.splits.train, self.program.train.size
        if total == ENDLESS:  # the first ones, since none can be chosen
            ((x, y),) = train.at(torch.arange(count)).pieces(count)
            return x[None], y[None]
        rows = [
            first + numpy_stream(seed, purpose, step).permutation(total)[:count]
            for seed, first in zip(self.seeds, self.splits.first_K, strict=True)
        ]
        index_KB = torch.from_numpy(np.stack(rows)).to(self.program.device)
        if train.stream is not None:  # of one member
            ((x, y),) = train.at(index_KB[0]).pieces(count)
            return x[None], y[None]
        return train.x[index_KB], train.y[index_KB]


def _on_train_sample(
    split: Split, w_KP: Tensor, buffers: Buffers, hyper: Hyperparameters
) -> dict[str, Tensor]:
    """Return loss and accuracy (K,) on a split's sample of training data."""
    return evaluate(split.program, w_KP, buffers, hyper, split.train_sample)


def _outputs_on_validation(
    split: Split, w_KP: Tensor, buffers: Buffers, hyper: Hyperparameters
) -> dict[str, Tensor]:
    """Return ``outputs`` (K, N, D) and ``targets``, which members of one split share: (N, D)."""
    program, held = split.program, split.program.valid
    with torch.no_grad():
        params, ctx = program.layout.views(w_KP), Context(buffers=buffers)
        # at once, unless they are read for it
        pieces = held.pieces(held.size if held.stream is None else CHUNK)
        outputs, targets_ND = zip(
            *((program.training_loss.outputs(params, x[None], ctx), y) for x, y in pieces),
            strict=True,
        )
    out_KND, y_ND = torch.cat([logits_of(out) for out in outputs], 1), torch.cat(targets_ND)
    # with several splits a row a member, as all that is put together of several
    targets = y_ND if split.rows is None else y_ND.expand_as(out_KND)
    return {"outputs": out_KND, "targets": targets}


def _trains_noise_free(program: Program, hyper: Hyperparameters) -> bool:
    """Return whether updates' losses and gradients are those of plain samples in full precision.

    Then probes that ask for such a loss or gradient are given the update's own, without a pass.
    """
    changed = any(regularizer.changes_batches for regularizer in program.regularizers)
    return not (changed or program.recipe.amp) and hyper.dropout_K is None


def _hidden_bounds(program: Program) -> tuple[float, float] | None:
    model = program.recipe.model
    return model.hidden_bounds() if isinstance(model, Model) else None

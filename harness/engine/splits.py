"""Members of one cohort on several splits of the data: whose samples are whose.

Members may differ in ``data.split``. Each finds its own minibatches by an index into the training
parts of all splits, one after the other. What looks at a whole part goes split by split, with the
inputs shared by the members that have it: so a member's numbers are those of its run alone, and a
cohort of one split costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from harness.core.errors import HarnessError
from harness.data.base import Data
from harness.engine.build_network import takes_tokens
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.placement import Samples, place_in_a_row
from harness.engine.program import Program, with_samples_of
from harness.models.base import Buffers
from harness.spec.component import as_a
from harness.spec.resolved import ResolvedRecipe


@dataclass(frozen=True, eq=False)
class Split:
    """One split of the data, and the members that have it."""

    program: Program
    """What all members share, with the samples of this split."""
    members: tuple[int, ...]
    """The members' rows."""
    rows: Tensor | None
    """The same as an index; None for all of the cohort, whose tensors are then taken uncopied."""

    def of(self, tensor_K: Tensor) -> Tensor:
        """Return the rows of this split's members.

        Args:
            tensor_K: a row for every member of the cohort.
        """
        return tensor_K if self.rows is None else tensor_K[self.rows]

    @cached_property
    def train_sample(self) -> Samples:
        """Evenly spaced training samples for training metrics.

        As many as validation has (1000 without validation data), so that evaluation does not cost
        more than training and both means are of one precision; always the same ones, so that the
        curve does not jump with the choice.
        """
        train, valid = self.program.train, self.program.valid
        count = min(train.size, valid.size or 1000)
        picked = torch.linspace(0, train.size - 1, count, device=train.x.device).round().long()
        return train.at(picked)


Measure = Callable[[Split, Tensor, Buffers, Hyperparameters], dict[str, Tensor]]
"""(split, w, buffers, hyper) ↦ values by name, a row for each member of the split."""


@dataclass(frozen=True, eq=False)
class Splits:
    """The splits of the data that the members of a cohort have."""

    each: tuple[Split, ...]
    """The splits, by their numbers."""
    order: Tensor
    """Each member's place among the members of all splits one after the other, (K,)."""
    first_K: tuple[int, ...]
    """Where each member's samples begin in ``train``; 0 for all where there is one split."""

    @cached_property
    def train(self) -> Samples:
        """The training parts of all splits, one after the other: S·N samples."""
        program = self.each[0].program
        data = tuple(as_a(Data, split.program.recipe.data) for split in self.each)
        if len(data) == 1:
            return program.train
        return place_in_a_row(data, program.device, program.dtype, takes_tokens(program.network))

    def measure(
        self, w_KP: Tensor, buffers: Buffers, hyper: Hyperparameters, measure: Measure
    ) -> dict[str, Tensor]:
        """Return what is measured split by split, with a row for every member.

        Args:
            w_KP: weights.
            buffers: running statistics, (K, *shape) each.
            hyper: the members' numbers.
            measure: is asked once a split, with the rows of its members alone.
        """
        if len(self.each) == 1:
            return measure(self.each[0], w_KP, buffers, hyper)
        measured = []
        for split in self.each:
            own = {name: split.of(buffer) for name, buffer in buffers.items()}
            measured.append(measure(split, split.of(w_KP), own, hyper.map(split.of)))
        return {name: torch.cat([m[name] for m in measured])[self.order] for name in measured[0]}


def splits_of(program: Program, recipes: Sequence[ResolvedRecipe]) -> Splits:
    """Return the splits of the data that some members have.

    Args:
        program: what they share, with the samples of any split.
        recipes: the members', in the order of the rows.

    Raises:
        HarnessError: the splits are of different sizes.
    """
    rows: dict[int, list[int]] = {}
    for row, recipe in enumerate(recipes):
        rows.setdefault(as_a(Data, recipe.data).split, []).append(row)
    splits, first_K = [], [0] * len(recipes)
    for place, number in enumerate(sorted(rows)):
        own = rows[number]
        index = None if len(rows) == 1 else torch.tensor(own, device=program.device)
        split = Split(with_samples_of(program, recipes[own[0]]), tuple(own), index)
        _check_sizes(program, split.program)
        splits.append(split)
        for row in own:
            first_K[row] = place * program.train.size
    order = torch.tensor([row for split in splits for row in split.members]).argsort()
    return Splits(tuple(splits), order.to(program.device), tuple(first_K))


def _check_sizes(program: Program, other: Program) -> None:
    """Refuse splits of different sizes, which can't be one program.

    Raises:
        HarnessError: so they are. Only data of a user's own can be: what ``raw`` returns must not
            depend on the split.
    """
    if other.sizes() != program.sizes():
        raise HarnessError(
            f"data.split: expected parts of the same sizes in every split of "
            f"{program.recipe.data.name}, got {program.sizes()} and {other.sizes()}; "
            "its arrays must not depend on the split"
        )

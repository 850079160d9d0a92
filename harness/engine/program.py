"""A program: the recipe's parts made ready to train one cohort, without any state.

It is built from a recipe wherever it is needed, and never sent between processes. Building it is
cheap: data are loaded and placed on the device once a process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch

from harness.core.parameter_layout import Layout, layout_of
from harness.core.sample_fields import sample_fields
from harness.data.base import Data, load_data
from harness.data.dataset import Dataset
from harness.data.streams import ENDLESS
from harness.engine import placement
from harness.engine.averaging import check_average
from harness.engine.build_network import build_network, inputs_are_numbers, takes_tokens
from harness.engine.differentiate import (
    Differentiator,
    by_several_processes,
    compiled_pass,
    differentiator_of,
    in_micro_batches,
)
from harness.engine.metric_checks import check_metrics
from harness.engine.optimizer_checks import check_left_out, check_optimizer
from harness.engine.parameter_groups import check_groups
from harness.engine.parametrization import Scalings, at_base_width, scalings_of
from harness.engine.placement import Samples
from harness.engine.recipe_checks import (
    AMP_TYPES,
    check_fields,
    check_regularizers,
    check_targets,
)
from harness.engine.test_set import TestSet
from harness.engine.timetable import Timetable, check_schedule, make_timetable, run_lengths
from harness.engine.training_loss import TrainingLoss
from harness.losses.base import Loss
from harness.metrics.base import Metric
from harness.models.base import Network, Weight
from harness.regularizers.base import Regularizer
from harness.regularizers.stopping import EarlyStopping
from harness.spec.component import as_a
from harness.spec.resolved import ResolvedRecipe

OF_CLASSES = ("classification", "tokens")
"""Tasks whose targets are classes, so that there is an accuracy."""


class Program(NamedTuple):
    """What all members of a cohort share."""

    recipe: ResolvedRecipe
    """Of one of the members: the others differ in numbers, schedule, optimizer or split."""
    network: Network
    """The function of weights and inputs; it holds no weights."""
    layout: Layout
    """Where each parameter lies in a row of weights."""
    initial: dict[str, Weight]
    """The parameters by name, and how they start."""
    training_loss: TrainingLoss
    scalings: Scalings
    """What differs from the standard parametrization, by parameter."""
    differentiator: Differentiator
    """What computes every derivative of the training loss; chosen here, once."""
    regularizers: tuple[Regularizer, ...]
    """In the recipe's order, early stopping among them; their numbers are one member's."""
    stopping: EarlyStopping | None
    """The early stopping among them, if there is one."""
    metrics: tuple[Metric, ...]
    """What is measured beside loss and accuracy."""
    train: Samples
    """Training samples of ``recipe``'s split, as the other parts are; members on other splits have
    their own (:mod:`harness.engine.splits`)."""
    valid: Samples
    """Validation samples; there may be none."""
    test: TestSet
    """Test samples, which are handed out once a member."""
    times: Timetable
    """The run's lengths in updates."""
    classify: bool
    """Whether the targets are classes, so that there is an accuracy."""
    device: torch.device
    dtype: torch.dtype
    """Of weights, inputs and targets."""

    @property
    def loss(self) -> Loss:
        """The loss of single samples."""
        return self.training_loss.loss

    def sizes(self) -> dict[str, int]:
        """Return the number of samples in each part of the data."""
        return {"train": self.train.size, "valid": self.valid.size, "test": self.test.size}

    def largest_part(self) -> int:
        """Return the number of samples of the largest part that has an end."""
        return max(size for size in self.sizes().values() if size < ENDLESS)


def program_of(recipe: ResolvedRecipe) -> Program:
    """Build the program of a resolved recipe.

    Args:
        recipe: of any member; what is not given in it (model, loss) is the data's default.

    Raises:
        HarnessError: parts of the recipe do not go together.
    """
    source, data = as_a(Data, recipe.data), load_data(recipe.data)
    device, dtype = placement.resolve_device(recipe.device), getattr(torch, recipe.dtype)
    network = build_network(recipe, data)
    regularizers = tuple(as_a(Regularizer, part) for part in recipe.regularizers)
    # of several the first counts
    stopping = next((part for part in regularizers if isinstance(part, EarlyStopping)), None)
    check_fields(recipe, network, data, device)
    metrics = tuple(as_a(Metric, part) for part in recipe.metrics)
    numbers = inputs_are_numbers(network, data)
    check_regularizers(recipe, regularizers, stopping, data, numbers)
    check_metrics(recipe, metrics, stopping, data)
    weights = network.weights()
    layout = _layout_for(weights)
    check_optimizer(recipe.optimizer, network, layout, regularizers)
    check_groups(recipe, layout)
    if recipe.amp == "fp16":
        check_left_out(recipe.optimizer, layout)
    loss = as_a(Loss, recipe.loss or source.default_loss())
    check_targets(recipe, loss, data, regularizers)
    fields = sample_fields(data.train.y.dtype, recipe.dtype)
    training_loss = TrainingLoss(network, loss, layout, device, AMP_TYPES[recipe.amp], fields)
    train, valid, test = _placed(source, network, device, dtype)
    times = make_timetable(recipe, train.size)
    run = run_lengths(recipe, times, train.size)
    check_schedule(recipe, run)
    check_average(recipe, network, regularizers, run)
    return Program(
        recipe=recipe,
        network=network,
        layout=layout,
        initial=weights,
        training_loss=training_loss,
        scalings=_scalings(recipe, data, weights),
        differentiator=_differentiator(recipe, training_loss),
        regularizers=regularizers,
        stopping=stopping,
        metrics=metrics,
        train=train,
        valid=valid,
        test=test,
        times=times,
        classify=data.task in OF_CLASSES,
        device=device,
        dtype=dtype,
    )


def _differentiator(recipe: ResolvedRecipe, loss: TrainingLoss) -> Differentiator:
    """Return what computes the derivatives of a recipe's loss."""
    compiled = compiled_pass(recipe, loss) if recipe.compile else None
    inner = in_micro_batches(differentiator_of(loss, compiled), recipe.accumulate)
    return by_several_processes(inner, recipe.processes)


def _layout_for(weights: Mapping[str, Weight]) -> Layout:
    """Return where each parameter lies in a row of weights."""
    return layout_of(
        {name: weight.shape for name, weight in weights.items()},
        {name: weight.role for name, weight in weights.items()},
        {name: weight.fused for name, weight in weights.items()},
    )


def with_samples_of(program: Program, recipe: ResolvedRecipe) -> Program:
    """Return the program with the samples of a member that may be on another split of the data.

    Args:
        program: what the members share.
        recipe: the member's.
    """
    source = as_a(Data, recipe.data)
    if source.split == as_a(Data, program.recipe.data).split:
        return program
    train, valid, test = _placed(source, program.network, program.device, program.dtype)
    return program._replace(recipe=recipe, train=train, valid=valid, test=test)


def _placed(
    source: Data, network: Network, device: torch.device, dtype: torch.dtype
) -> tuple[Samples, Samples, TestSet]:
    """Return the training, validation and test samples on the device."""
    whole = takes_tokens(network)
    train, valid, test = (
        placement.place(source, part, device, dtype, whole) for part in ("train", "valid", "test")
    )
    return train, valid, TestSet(test)


def _scalings(recipe: ResolvedRecipe, data: Dataset, weights: dict[str, Weight]) -> Scalings:
    """Return what the recipe's parametrization changes; nothing for the standard one.

    Raises:
        HarnessError: the model or the optimizer is not for it.
    """
    if recipe.parametrization == "standard":
        return {}
    return scalings_of(weights, build_network(at_base_width(recipe), data).weights())

"""A program: the recipe's parts made ready to train one cohort, without any state.

It is built from a recipe wherever it is needed, and never sent between processes. Building it is
cheap: data are loaded and placed on the device once a process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import distributed

from harness.core.errors import HarnessError
from harness.core.parameter_layout import Layout, layout_of
from harness.core.sample_fields import sample_fields
from harness.data.base import Data, load_data
from harness.data.dataset import Dataset
from harness.data.streams import ENDLESS
from harness.engine import placement
from harness.engine.averaging import check_average
from harness.engine.differentiate import (
    Differentiator,
    by_several_processes,
    compiled_pass,
    differentiator_of,
    in_micro_batches,
)
from harness.engine.metric_checks import check_metrics
from harness.engine.optimizer_checks import check_left_out, check_optimizer, has_batch_statistics
from harness.engine.parameter_groups import check_groups
from harness.engine.parametrization import Scalings, at_base_width, scalings_of
from harness.engine.placement import Samples
from harness.engine.test_set import TestSet
from harness.engine.timetable import Timetable, check_schedule, make_timetable, run_lengths
from harness.engine.training_loss import TrainingLoss
from harness.losses.base import Loss
from harness.losses.cross_entropy import CrossEntropy
from harness.losses.external import ExternalLoss
from harness.metrics.base import Metric
from harness.models.base import DataSizes, Model, Network, Weight
from harness.regularizers.base import Regularizer
from harness.regularizers.stopping import EarlyStopping
from harness.spec.component import as_a
from harness.spec.resolved import ResolvedRecipe

OF_CLASSES = ("classification", "tokens")
"""Tasks whose targets are classes, so that there is an accuracy."""


AMP_TYPES: dict[bool | str, torch.dtype | None] = {
    False: None,
    True: torch.bfloat16,
    "fp16": torch.float16,
}
"""What forward passes are computed in, by a recipe's ``amp``."""


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
    _check_precision(recipe)
    _check_batch_size(recipe, data.count("train"))
    _check_accumulate(recipe, data.count("train"))
    _check_stream(recipe, data)
    _check_endless(recipe, network, data)
    _check_processes(recipe, device)
    metrics = tuple(as_a(Metric, part) for part in recipe.metrics)
    _check_regularizers(recipe, regularizers, stopping, data, _inputs_are_numbers(network, data))
    check_metrics(recipe, metrics, stopping, data)
    weights = network.weights()
    layout = _layout_for(weights)
    check_optimizer(recipe.optimizer, network, layout, regularizers)
    check_groups(recipe, layout)
    if recipe.amp == "fp16":
        check_left_out(recipe.optimizer, layout)
    loss = as_a(Loss, recipe.loss or source.default_loss())
    _check_targets(recipe, loss, data, regularizers)
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
    inner = in_micro_batches(differentiator_of(loss, compiled), loss, recipe.accumulate)
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


def takes_tokens(network: Network) -> bool:
    """Return whether a network is given whole numbers as they are, to look them up."""
    return getattr(network, "takes_tokens", False)


def build_network(recipe: ResolvedRecipe, data: Dataset) -> Network:
    """Build the network for the data's shapes.

    Args:
        recipe: names the model; without one it is the data's default.
        data: the data set, for the shapes of inputs and outputs.

    Raises:
        HarnessError: the model does not fit the data.
    """
    source = as_a(Data, recipe.data)
    model = recipe.model or source.default_model()
    if not isinstance(model, Model):
        raise HarnessError(f"recipe.model: expected a model for data {source.name}, got none")
    try:
        return model.network_for(_sizes_for(recipe, data))
    # what a user's own module or a layer of torch's raises for sizes that do not go together; any
    # other exception is a bug and keeps its traceback
    except (TypeError, ValueError, RuntimeError) as error:
        raise HarnessError(
            f"recipe.model: {model.name} can't be built for inputs {data.input_shape}: {error}"
        ) from error


def _sizes_for(recipe: ResolvedRecipe, data: Dataset) -> DataSizes:
    """Return what the recipe's network is fitted to."""
    base = recipe.base_width if recipe.parametrization == "mup" else None
    return sizes_of(data, recipe.dtype)._replace(base_width=base)


def _inputs_are_numbers(network: Network, data: Dataset) -> bool:
    """Return whether a network is given fractions, and not tokens or several arrays."""
    tokens = takes_tokens(network) and data.vocabulary is not None
    return not tokens and data.train.x.dtype.fields is None


def sizes_of(data: Dataset, dtype: str) -> DataSizes:
    """Return what a model is built for.

    Args:
        data: the data set.
        dtype: name of the type of weights and inputs.
    """
    fields = sample_fields(data.train.x.dtype, dtype)
    return DataSizes(data.input_shape, data.outputs, data.vocabulary, fields)


def _check_targets(
    recipe: ResolvedRecipe, loss: Loss, data: Dataset, regularizers: tuple[Regularizer, ...]
) -> None:
    """Refuse a loss that does not know such targets.

    Raises:
        HarnessError: tokens or several arrays for a loss of numbers, or smoothed tokens for a loss
            of the user's own.
    """
    own = isinstance(loss, ExternalLoss)
    if data.task in ("tokens", "structured") and not (own or isinstance(loss, CrossEntropy)):
        raise HarnessError(
            f"recipe.loss: {loss.name} is for numbers, got whole numbers or several arrays as "
            f"targets ({recipe.data.name}); use CrossEntropy for classes, or a function of your own"
        )
    if own and data.task == "tokens" and any(part.smoothing() for part in regularizers):
        raise HarnessError(
            "recipe.regularizers: LabelSmoothing of tokens is for CrossEntropy, got the loss "
            f"{loss.name}; smooth in that function"
        )


def _check_precision(recipe: ResolvedRecipe) -> None:
    """Refuse two precisions at once.

    Raises:
        HarnessError: mixed precision is asked for beside float64.
    """
    if recipe.amp and recipe.dtype != "float32":
        raise HarnessError(
            f"recipe.amp: expected dtype float32 beside it, since it computes in "
            f"{AMP_TYPES[recipe.amp]}".replace("torch.", "")
            + f", got {recipe.dtype}; leave out one of them"
        )


def _check_batch_size(recipe: ResolvedRecipe, samples: int) -> None:
    """Refuse a batch of more samples than there are: another one would be used than is recorded.

    Raises:
        HarnessError: so it is.
    """
    # a function of the parameters has one sample, which is not looked at
    if samples > 1 and recipe.batch_size != "full" and recipe.batch_size > samples:
        raise HarnessError(
            f"recipe.batch_size: expected at most {samples} (the training samples), got "
            f"{recipe.batch_size}; use 'full' for all of them"
        )


def _check_stream(recipe: ResolvedRecipe, data: Dataset) -> None:
    """Refuse what needs all samples at once of data that are read when they are trained on.

    Raises:
        HarnessError: full batches, or class weights that are counted on the training part.
    """
    if data.streams is None:
        return
    if recipe.batch_size in ("full", data.count("train")):
        raise HarnessError(
            f"recipe.batch_size: expected fewer than all samples of {recipe.data.name}, which are "
            f"read when they are trained on, got {recipe.batch_size}; leave out data.stream for "
            "full batches"
        )
    if recipe.loss is not None and "balanced" in recipe.loss.dump().values():
        raise HarnessError(
            f"recipe.loss: expected weights as numbers, since no pass over {recipe.data.name} "
            "counts its classes, got balanced; write a list, one weight a class"
        )


def _check_endless(recipe: ResolvedRecipe, network: Network, data: Dataset) -> None:
    """Refuse what goes by epochs, or by the whole training part, of data without an end.

    Raises:
        HarnessError: so it does.
    """
    if data.count("train") != ENDLESS:
        return
    for field in ("schedule", "average"):
        part = getattr(recipe, field)
        if part is not None and re.search(r"\d epochs", str(part.dump())):
            raise HarnessError(
                f"recipe.{field}: expected lengths in steps, samples or as a share of the run,"
                f" since {recipe.data.name} has no epochs, got {part}"
            )
    if recipe.average is not None and has_batch_statistics(network):
        raise HarnessError(
            f"recipe.average: expected a model without batch normalization, whose statistics are"
            f" gathered over the whole training part, since {recipe.data.name} has no end; take"
            " norm='layer', or leave out the average"
        )


def _check_processes(recipe: ResolvedRecipe, device: torch.device) -> None:
    """Refuse processes that have no device each, or can't tell each other anything.

    Raises:
        HarnessError: so it is.
    """
    count = recipe.processes
    if count == 1:
        return
    if not distributed.is_available():
        raise HarnessError(
            f"recipe.processes: expected 1, since this torch has no torch.distributed, got {count}"
        )
    if device.type == "cuda" and (device.index or count > torch.cuda.device_count()):
        raise HarnessError(
            f"recipe.processes: expected as many GPUs and device 'auto' or 'cuda', since each has"
            f" one of its own, got {count} processes, {torch.cuda.device_count()} GPUs and device"
            f" {recipe.device!r}; use fewer, or device 'cpu'"
        )


def _check_accumulate(recipe: ResolvedRecipe, samples: int) -> None:
    """Refuse more micro-batches than a batch has samples.

    Raises:
        HarnessError: so it is.
    """
    batch = samples if recipe.batch_size == "full" else recipe.batch_size
    if recipe.accumulate > batch:
        raise HarnessError(
            f"recipe.accumulate: expected at most {batch} micro-batches (the samples of a batch),"
            f" got {recipe.accumulate}; batch_size counts the samples of an update, all"
            " micro-batches together"
        )


def _check_regularizers(
    recipe: ResolvedRecipe,
    regularizers: tuple[Regularizer, ...],
    stopping: EarlyStopping | None,
    data: Dataset,
    numbers: bool,
) -> None:
    """Refuse regularizers that would do nothing with this model or these data.

    Raises:
        HarnessError: dropout without a place for it, early stopping without what it watches, or a
            regularizer that is for other targets.
    """
    for part in regularizers:
        if part.computes_with_inputs and not numbers:
            raise HarnessError(
                f"recipe.regularizers: {part.name} computes with the inputs, which are tokens or "
                f"several arrays in {recipe.data.name}; leave it out"
            )
        if part.for_pictures and len(data.input_shape) not in (2, 3):
            raise HarnessError(
                f"recipe.regularizers: {part.name} is for pictures (H, W) or (C, H, W), got inputs "
                f"{data.input_shape} ({recipe.data.name}); set data.image where it has that field, "
                "or leave it out"
            )
        if data.task not in part.tasks:
            raise HarnessError(
                f"recipe.regularizers: {part.name} is for {' and '.join(part.tasks)}, got "
                f"{data.task} ({recipe.data.name}); leave it out"
            )
    dropping = [part.name for part in regularizers if part.dropout_rate() is not None]
    model = recipe.model or as_a(Data, recipe.data).default_model()
    # a recipe without any model has been refused
    if dropping and isinstance(model, Model) and model.dropout_rate() is None:
        raise HarnessError(
            f"recipe.regularizers: model {model.name} has no place for {dropping[0]};"
            " use MLP, CNN1D, CNN2D, Transformer or GPT"
        )
    if stopping is not None and not data.count("valid"):
        raise HarnessError(
            "recipe.regularizers: EarlyStopping needs validation data;"
            " set data.valid_fraction above 0"
        )

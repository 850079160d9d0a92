"""A recipe whose parts do not go together is refused before anything trains."""

from __future__ import annotations

import re

import torch
from torch import distributed

from harness.core.errors import HarnessError
from harness.data.base import Data
from harness.data.dataset import Dataset
from harness.data.streams import ENDLESS
from harness.engine.optimizer_checks import has_batch_statistics
from harness.losses.base import Loss
from harness.losses.cross_entropy import CrossEntropy
from harness.losses.external import ExternalLoss
from harness.models.base import Model, Network
from harness.regularizers.base import Regularizer
from harness.regularizers.stopping import EarlyStopping
from harness.spec.component import as_a
from harness.spec.resolved import ResolvedRecipe

AMP_TYPES: dict[bool | str, torch.dtype | None] = {
    False: None,
    True: torch.bfloat16,
    "fp16": torch.float16,
}
"""What forward passes are computed in, by a recipe's ``amp``."""


def check_fields(
    recipe: ResolvedRecipe, network: Network, data: Dataset, device: torch.device
) -> None:
    """Refuse fields that do not go together, or not with the data or the device.

    Args:
        recipe: of any member.
        network: what it trains.
        data: the data set.
        device: where it trains.

    Raises:
        HarnessError: the field, what was expected and got, and the fix.
    """
    _check_precision(recipe)
    _check_batch_size(recipe, data.count("train"))
    _check_accumulate(recipe, data.count("train"))
    _check_stream(recipe, data)
    _check_endless(recipe, network, data)
    _check_processes(recipe, device)


def check_targets(
    recipe: ResolvedRecipe, loss: Loss, data: Dataset, regularizers: tuple[Regularizer, ...]
) -> None:
    """Refuse a loss that does not know such targets.

    Args:
        recipe: names the data.
        loss: the recipe's, or the data's default.
        data: the data set.
        regularizers: of the recipe.

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


def check_regularizers(
    recipe: ResolvedRecipe,
    regularizers: tuple[Regularizer, ...],
    stopping: EarlyStopping | None,
    data: Dataset,
    numbers: bool,
) -> None:
    """Refuse regularizers that would do nothing with this model or these data.

    Args:
        recipe: names the model and the data.
        regularizers: the recipe's.
        stopping: the early stopping among them, if there is one.
        data: the data set.
        numbers: whether the network is given fractions, and not tokens or several arrays.

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
        if part.for_pictures:
            part.check_picture(data.input_shape)
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

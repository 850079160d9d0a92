"""A program: the recipe's parts made ready to train one cohort, without any state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.core.errors import HarnessError
from harness.core.parameter_layout import Layout, layout_of
from harness.data.base import Data, Dataset, Part, load_data
from harness.engine.samples import Samples
from harness.engine.test_set import Sealed
from harness.losses.base import Loss
from harness.models.base import Context, Model, Network, Seen, Weight
from harness.models.external import ModuleNetwork
from harness.models.init import Init
from harness.optimizers.base import Optimizer
from harness.optimizers.external import ExternalOptimizer
from harness.regularizers.base import Regularizer
from harness.regularizers.stopping import EarlyStopping
from harness.schedules.base import Schedule
from harness.spec.component import as_a
from harness.spec.resolved import ResolvedRecipe

PartName = Literal["train", "valid", "test"]


class Timetable(NamedTuple):
    """The lengths of a run, counted in updates."""

    batch: int
    """Samples in an update."""
    per_epoch: int
    """Updates in an epoch."""
    steps: int
    """Updates in the run."""
    evaluations: tuple[int, ...]
    """Steps after which the run is evaluated; the first is 0, the last ``steps``."""


class Program(NamedTuple):
    """What all members of a cohort share."""

    recipe: ResolvedRecipe
    network: Network
    layout: Layout
    initial: dict[str, Weight]
    loss: Loss
    optimizer: Optimizer | ExternalOptimizer
    hooks: tuple[Regularizer, ...]
    stopping: EarlyStopping | None
    train: Samples
    valid: Samples
    test: Sealed
    times: Timetable
    classify: bool
    device: torch.device
    dtype: torch.dtype

    def part(self, name: PartName) -> Samples | Sealed:
        """Return one part of the data."""
        found: Samples | Sealed = getattr(self, name)
        return found


def program_of(recipe: ResolvedRecipe) -> Program:
    """Build the program of a resolved recipe.

    Raises:
        HarnessError: parts of the recipe do not go together.
    """
    source, data = as_a(Data, recipe.data), load_data(recipe.data)
    device, dtype = resolve_device(recipe.device), getattr(torch, recipe.dtype)
    network = build_network(recipe, data)
    train, valid, test = (_place(source, p, device, dtype) for p in PARTS)
    hooks: Any = recipe.regularizers
    loss: Any = recipe.loss or source.default_loss()
    optimizer: Any = recipe.optimizer
    _check(recipe, data)
    return Program(
        recipe=recipe,
        network=network,
        layout=layout_of({name: w.shape for name, w in network.weights().items()}),
        initial=network.weights(),
        loss=loss,
        optimizer=optimizer,
        hooks=hooks,
        stopping=next((h for h in hooks if isinstance(h, EarlyStopping)), None),
        train=train,
        valid=valid,
        test=Sealed(test),
        times=timetable(recipe, train.size),
        classify=data.task == "classification",
        device=device,
        dtype=dtype,
    )


PARTS: tuple[PartName, ...] = ("train", "valid", "test")


@lru_cache(maxsize=24)
def _place(data: Data, part: PartName, device: torch.device, dtype: torch.dtype) -> Samples:
    arrays: Part = getattr(load_data(data), part)
    return Samples(*(torch.as_tensor(a, dtype=dtype, device=device) for a in arrays))


def build_network(recipe: ResolvedRecipe, data: Dataset) -> Network:
    """Build the network for the data's shapes.

    Raises:
        HarnessError: the model does not fit the data.
    """
    source = as_a(Data, recipe.data)
    model = recipe.model or source.default_model()
    if not isinstance(model, Model):
        raise HarnessError(f"recipe.model: expected a model for data {source.name}, got none")
    try:
        return model.network(data.input_shape, data.outputs)
    except (TypeError, ValueError, RuntimeError) as error:
        raise HarnessError(
            f"recipe.model: {model.name} can't be built for inputs {data.input_shape}: {error}"
        ) from error


def _check(recipe: ResolvedRecipe, data: Dataset) -> None:
    rates = {"Dropout"} & {r.name for r in recipe.regularizers}
    if rates and recipe.model is not None and "dropout" not in type(recipe.model).model_fields:
        raise HarnessError(
            f"recipe.regularizers: model {recipe.model.name} has no place for Dropout; use MLP, CNN1D, CNN2D or Transformer"
        )
    if any(isinstance(r, EarlyStopping) for r in recipe.regularizers) and not len(data.valid.x):
        raise HarnessError(
            "recipe.regularizers: EarlyStopping needs validation data; set data.valid_fraction above 0"
        )


def resolve_device(name: str) -> torch.device:
    """Return the device; "auto" is the GPU where there is one.

    Raises:
        HarnessError: a GPU is asked for and there is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise HarnessError(
            f"recipe.device: expected a CUDA device for {name!r}, found none; use 'cpu' or 'auto'"
        )
    return torch.device(name)


def timetable(recipe: ResolvedRecipe, samples: int) -> Timetable:
    """Return the run's lengths for a training set of the given size."""
    batch = samples if recipe.batch_size == "full" else min(recipe.batch_size, samples)
    per_epoch = samples // batch if recipe.drop_last else -(-samples // batch)
    unit, length = recipe.length
    given = recipe.eval_every or -(-length // 100)
    if unit == "epochs":
        steps, every = length * per_epoch, given * per_epoch
    elif unit == "steps":
        steps, every = length, given
    else:
        whole, rest = divmod(length, per_epoch * batch if recipe.drop_last else samples)
        steps, every = whole * per_epoch - (-rest // batch), max(1, given // batch)
    return Timetable(batch, per_epoch, steps, (*range(0, steps, every), steps))


def batched(recipe: ResolvedRecipe) -> tuple[bool, str]:
    """Return whether runs of the recipe train together in cohorts, and why not if they do not."""
    if isinstance(recipe.optimizer, ExternalOptimizer):
        return False, f"{recipe.optimizer.name} is another library's optimizer"
    network = build_network(recipe, load_data(recipe.data))
    if isinstance(network, ModuleNetwork):
        return _vmaps(network, recipe)
    return True, "all of its parts have a batched form"


def _vmaps(network: ModuleNetwork, recipe: ResolvedRecipe) -> tuple[bool, str]:
    if network.draws:
        return False, "its dropout draws from torch's global generator"
    x = torch.as_tensor(load_data(recipe.data).train.x[:2], dtype=torch.float32)
    params = {
        name: torch.zeros(2, *w.shape, requires_grad=True) for name, w in network.weights().items()
    }
    buffers = {name: torch.stack([b, b]) for name, b in network.buffers().items()}
    try:
        out = network(params, x.expand(2, *x.shape), Context(training=True, buffers=buffers))
        out.sum().backward()
    except Exception as error:
        return False, f"vmap refuses it: {str(error).strip().splitlines()[0][:120]}"
    return True, "its module can be mapped over members by vmap"


def written_out(program: Program) -> bool:
    """Return whether the network's backward pass is written out and can be used."""
    return getattr(program.network, "written_out", False) and not program.recipe.amp


def hyperparameters(
    recipes: Sequence[ResolvedRecipe], device: torch.device, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Return each numeric hyperparameter by path as a tensor (K,); of the optimizer's only the learning rate."""
    rows = [
        {
            p: v
            for p, v in r.numbers().items()
            if p == "optimizer.lr" or not p.startswith("optimizer.")
        }
        for r in recipes
    ]
    return {
        path: torch.tensor([row[path] for row in rows], dtype=torch.float64).to(device, dtype)
        for path in rows[0]
    }


def schedule_factors(
    recipes: Sequence[ResolvedRecipe], times: Timetable, start: int, stop: int
) -> Tensor:
    """Return the schedules' factors (stop − start, K) in float64."""
    curves: list[Any] = [recipe.schedule for recipe in recipes]
    distinct: list[Schedule] = []
    for curve in curves:
        if curve not in distinct:
            distinct.append(curve)
    rows = [
        [curve.factor(step, times.steps, times.per_epoch) for step in range(start, stop)]
        for curve in distinct
    ]
    return torch.tensor([rows[distinct.index(curve)] for curve in curves], dtype=torch.float64).T


def initial_weights(program: Program, seeds: Sequence[int]) -> Tensor:
    """Return the initial rows (K, P), each parameter of each member from its own stream."""
    rows = np.zeros((len(seeds), program.layout.width))
    for row, seed in zip(rows, seeds, strict=True):
        for name, numbers in _drawn(program, seed).items():
            slot = program.layout.slots[name]
            row[slot.offset : slot.offset + slot.size] = numbers.reshape(-1)
    return torch.as_tensor(rows).to(program.device, program.dtype)


def _drawn(program: Program, seed: int) -> dict[str, np.ndarray]:
    init = program.recipe.init
    assert isinstance(init, Init)
    if isinstance(program.network, ModuleNetwork) and init.name == "Default":
        module = program.network.build(seed)
        return {name: p.detach().double().numpy() for name, p in module.named_parameters()}
    return {name: init.draw(name, weight, seed) for name, weight in program.initial.items()}


def member_bytes(program: Program) -> int:
    """Return the memory that one member needs while it trains: weights, gradient, state, and activations."""
    weights = 6 * program.layout.width
    units = sum(math.prod(w.shape[:1]) for w in program.initial.values())
    # what lies between the outputs that layers show, patches for one, is about as much again, and once more with its slopes
    return program.dtype.itemsize * (
        weights + 4 * program.times.batch * max(units, 3 * _shown(program))
    )


def _shown(program: Program) -> int:
    """Return the numbers that the hidden layers put out for one sample; 0 for networks that don't tell."""
    if isinstance(program.network, ModuleNetwork):
        return 0
    meta, seen = torch.device("meta"), Seen()
    params = {name: torch.zeros(1, *w.shape, device=meta) for name, w in program.initial.items()}
    buffers = {name: b[None].to(meta) for name, b in program.network.buffers().items()}
    sample = torch.zeros(1, 1, *program.train.x.shape[1:], device=meta)
    program.network(params, sample, Context(buffers=buffers, seen=seen))
    return sum(output.numel() for output in seen.outputs.values())

"""The initial weights of a cohort.

A parameter's numbers depend on its name, its shape and the run's seed alone: runs of one seed start
from the same weights in every arm that has the parameter, which makes comparisons paired.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from harness.core.errors import HarnessError
from harness.engine.program import Program
from harness.models.base import Buffers, Weight
from harness.models.external import ModuleNetwork
from harness.models.init import Default, Init
from harness.spec.component import as_a


def initial_weights(program: Program, seeds: Sequence[int]) -> Tensor:
    """Return the initial rows (K, P), each parameter of each member from its own stream.

    Args:
        program: the parameters and how they start.
        seeds: the members' seeds, in the order of the rows.

    Raises:
        HarnessError: they don't fit into memory.
    """
    # drawn in float64 on the CPU, so that they are the same whatever the device, and for float32
    # the same numbers rounded; gaps between parameters stay zero
    try:
        rows = np.zeros((len(seeds), program.layout.width))
    except (MemoryError, ValueError) as error:  # the latter of sizes beyond any memory
        raise HarnessError(
            f"recipe.model: expected parameters that fit into memory, got "
            f"{program.layout.width:,} for a member"
        ) from error
    for row, seed in zip(rows, seeds, strict=True):
        for name, numbers in _drawn(program, seed).items():
            slot = program.layout.slots[name]
            row[slot.offset : slot.offset + slot.size] = numbers.reshape(-1)
    return torch.as_tensor(rows).to(program.device, program.dtype)


def initial_buffers(program: Program, seeds: Sequence[int]) -> Buffers:
    """Return the initial running statistics, (K, *shape) each.

    Those of a user's module are what its constructor makes for the seed: it may draw them, or have
    parameters that it does not train among them.

    Args:
        program: its network says how they start.
        seeds: the members' seeds, in the order of the rows.

    Returns:
        By name, in memory of their own; empty for a network without any. Whole numbers, such as a
        count of batches, keep their type.
    """
    network, device = program.network, program.device
    first = network.buffers()
    if not first:
        return {}
    by_seed = [
        network.buffers_of(seed) if isinstance(network, ModuleNetwork) else first for seed in seeds
    ]
    stacked = {name: torch.stack([made[name] for made in by_seed]) for name in first}
    return {
        name: rows.to(device, program.dtype if rows.is_floating_point() else rows.dtype)
        for name, rows in stacked.items()
    }


def _drawn(program: Program, seed: int) -> dict[str, np.ndarray]:
    """Return a member's parameters; a user's module is initialised by its own constructor."""
    init = as_a(Init, program.recipe.init)
    if isinstance(program.network, ModuleNetwork) and type(init) is Default:
        module = program.network.build(seed)
        return {
            name: p.detach().double().numpy()
            for name, p in module.named_parameters()
            if p.requires_grad
        }
    if not program.scalings:
        return {name: init.draw(name, weight, seed) for name, weight in program.initial.items()}
    # the base network's deviation in the wide one's shape
    return {
        name: program.scalings[name].start
        * init.draw(name, _with_fans_of(program.scalings[name].base, weight), seed)
        for name, weight in program.initial.items()
    }


def _with_fans_of(base: Weight, weight: Weight) -> Weight:
    return weight._replace(fan_in=base.fan_in, fan_out=base.fan_out)

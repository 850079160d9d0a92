"""Whether runs can train together, and the memory that each of them needs.

The plan asks the first, and whoever cuts runs into cohorts both (``execution.jobs.cohort_limit``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from harness.data.base import load_data
from harness.engine.build_network import build_network
from harness.engine.draw_trial import draws_in_updates
from harness.engine.placement import as_tensor
from harness.engine.program import Program
from harness.engine.tally import keeps_outputs, numbers_kept
from harness.models.base import Context, Seen
from harness.models.external import ModuleNetwork
from harness.optimizers.base import Optimizer
from harness.optimizers.external import ExternalOptimizer
from harness.spec.resolved import ResolvedRecipe

SMALL = 2**17
"""Weights of a network that computes a sample faster than a computer algebra system is loaded."""


def check_batching(recipe: ResolvedRecipe) -> tuple[bool, str]:
    """Return whether runs of the recipe train together in cohorts, and why or why not.

    Args:
        recipe: its data are loaded and its network is built.

    Returns:
        Whether they do, and the reason in words, which the plan and the report show.

    Raises:
        HarnessError: the model can't be built for the data.
    """
    if recipe.trainer is not None:
        return False, f"{recipe.trainer.name} trains each run in a process of its own"
    if isinstance(recipe.optimizer, ExternalOptimizer):
        return False, f"{recipe.optimizer.name} is another library's optimizer"
    if recipe.compile:
        return False, "recipe.compile makes a pass for one run alone"
    if recipe.processes > 1:
        return False, f"recipe.processes spreads each run over {recipe.processes} processes"
    data = load_data(recipe.data)
    if data.streams is not None:
        return False, f"samples of {recipe.data.name} are read for one run at a time"
    network = build_network(recipe, data)
    together = (True, "all of its parts have a batched form")
    if isinstance(network, ModuleNetwork):
        together = _try_vmap(network, recipe)
    if together[0] and draws_in_updates(recipe):
        return False, "code of your own draws from a global generator, seeded for each run"
    return together


def _try_vmap(network: ModuleNetwork, recipe: ResolvedRecipe) -> tuple[bool, str]:
    """Try a forward and a backward pass of two members on two samples.

    There is no list of what vmap supports; a small trial is quicker than to find out in a worker.
    """
    # members would draw from one generator by turns, and each one's numbers depend on the others
    if network.drops:
        return False, "its dropout draws from torch's global generator"
    if network.draws:
        return False, "it draws random numbers by itself"
    first = load_data(recipe.data).train.x[:2]
    dtype: torch.dtype = getattr(torch, recipe.dtype)
    x = as_tensor(first, torch.device("cpu"), dtype, network.takes_tokens)
    params = {
        name: torch.zeros(2, *weight.shape, dtype=dtype, requires_grad=True)
        for name, weight in network.weights().items()
    }
    buffers = {
        name: torch.stack([b, b]).to(dtype if b.is_floating_point() else b.dtype)
        for name, b in network.buffers().items()
    }
    try:
        out = network(params, x.expand(2, *x.shape), Context(training=True, buffers=buffers))
        several = list(out.values()) if isinstance(out, Mapping) else [out]
        torch.stack([o.float().sum() for o in several]).sum().backward()
    except Exception as error:  # any: the module's code is the user's, and vmap raises many kinds
        # the first line says what is refused; torch's advice follows on others
        return False, f"vmap refuses it: {str(error).strip().splitlines()[0][:120]}"
    return True, "its module can be mapped over members by vmap"


def member_bytes(program: Program) -> int:
    """Return about how many bytes one member needs while it trains.

    It need not be exact: on a CPU it decides how much of a cohort stays in the cache, on a GPU a
    cohort that does not fit is halved. The data are not counted: members of one split share them
    (:func:`copy_bytes` is what another split adds).
    """
    # weights, gradient, and two temporaries of an update
    averages = program.recipe.average is not None
    rows = (4 + averages) * program.layout.width + optimizer_numbers(program)
    # the first dimensions of the weights: about the outputs of all layers for a sample, where a
    # network does not tell more
    units = sum(math.prod(weight.shape[:1]) for weight in program.initial.values())
    # what lies between the outputs that layers show, patches of convolutions for one, is about as
    # much again, and once more with its slopes; each in a forward and a backward pass
    at_once = -(-program.times.batch // program.recipe.accumulate)
    activations = 4 * at_once * max(units, 3 * _shown(program))
    outputs = 0
    if keeps_outputs(program.metrics):
        outputs = program.largest_part() * numbers_kept(program)
    return program.dtype.itemsize * (rows + activations + outputs)


def optimizer_numbers(program: Program) -> int:
    """Return how many numbers the optimizer keeps for a member after its first update.

    Of another library's optimizer it is not known: two for each weight, as Adam has. It trains one
    run at a time, so that no cohort's size depends on it.
    """
    optimizer, layout = program.recipe.optimizer, program.layout
    if not isinstance(optimizer, Optimizer):
        return 2 * layout.width
    w_1P = torch.zeros(1, layout.width, device=_device_of_shapes(program))
    fields = {name: w_1P.new_zeros(1, 1) for name in (*optimizer.numbers(), "schedule")}
    _, state = optimizer.update(
        torch.zeros_like(w_1P), optimizer.init(w_1P), w_1P.clone(), fields, layout
    )
    return _numbers_in(state)


def _numbers_in(state: object) -> int:
    """Return how many numbers the tensors of an optimizer's state have."""
    if isinstance(state, torch.Tensor):
        return state.numel()
    return sum(map(_numbers_in, state)) if isinstance(state, tuple) else 0


def _device_of_shapes(program: Program) -> torch.device:
    """Return where a pass is made that is asked for its shapes alone.

    On the meta device nothing is computed, but its first operation loads a computer algebra system,
    which takes longer than all that a small network computes.
    """
    return torch.device("cpu" if program.layout.width < SMALL else "meta")


def _shown(program: Program) -> int:
    """Return how many numbers hidden layers put out for a sample; 0 if a network doesn't tell."""
    if isinstance(program.network, ModuleNetwork):
        return 0
    device, seen = _device_of_shapes(program), Seen()

    def shaped(like: torch.Tensor, *shape: int) -> torch.Tensor:
        # fractions all in one precision, whatever torch's default is: it does not matter to shapes
        dtype = torch.float32 if like.is_floating_point() else like.dtype
        return torch.zeros(1, *shape, device=device, dtype=dtype)

    params = {name: shaped(torch.empty(0), *w.shape) for name, w in program.initial.items()}
    buffers = {name: shaped(b, *b.shape) for name, b in program.network.buffers().items()}
    sample = shaped(program.train.x, 1, *program.train.x.shape[1:])
    program.network(params, sample, Context(buffers=buffers, seen=seen))
    return sum(output.numel() for output in seen.outputs.values())

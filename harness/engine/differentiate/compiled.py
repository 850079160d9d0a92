"""The gradient of a lone run by passes that ``torch.compile`` has made."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FunctionType
from typing import Any, final

import torch
from torch import Tensor

from harness.core.errors import HarnessError
from harness.core.noise import Noise, RecordedNoise
from harness.engine.differentiate.around import Around
from harness.engine.differentiate.autograd import Autograd, gradient_by
from harness.engine.differentiate.base import Gradient, TrainingPass
from harness.engine.hyperparameters import Hyperparameters
from harness.engine.training_loss import Minibatch, TrainingLoss
from harness.models.base import Buffers, Context
from harness.models.external import ModuleNetwork
from harness.optimizers.sgd import SGD
from harness.spec.keys import shape_key
from harness.spec.recipe import LENGTHS
from harness.spec.resolved import ResolvedRecipe

BACKEND = "inductor"
"""torch's own, which needs a C++ compiler, or Triton on a GPU."""
PASSES_KEPT = 4
"""Compiled passes that a process keeps: programs are built at every rung, compiling takes long."""

_Pass = Callable[..., tuple[Tensor, Buffers]]


class CompiledPass:
    """The loss of a minibatch and the new running statistics, compiled for each shape of batch.

    Streams are drawn from outside: what is compiled is given the numbers.

    Args:
        loss: what is computed.
    """

    def __init__(self, loss: TrainingLoss) -> None:
        self.loss = loss
        # every shape has a pass of its own (dynamic=False) and nothing falls back to Python
        # (fullgraph): a run's bits follow from its shapes, not from what was compiled before it
        self._call = torch.compile(
            _own_code(_pass_of(loss)), fullgraph=True, dynamic=False, backend=BACKEND
        )
        self._draws: dict[torch.Size, list[tuple[int, ...]]] = {}

    def __call__(
        self,
        leaf_KP: Tensor,
        buffers: Buffers,
        batch: Minibatch,
        hyper: Hyperparameters,
        noise: Noise | RecordedNoise | None,
    ) -> tuple[Tensor, Buffers]:
        """Return the losses (K,) and the new running statistics; arguments as of the training loss.

        Raises:
            HarnessError: the pass can't be compiled.
        """
        draws = self._drawn(leaf_KP, buffers, batch, hyper, noise)
        network, fields = self.loss.network, dict(hyper.loss_fields())
        ready: AbstractContextManager[object] = nullcontext()
        if isinstance(network, ModuleNetwork):
            ready = network.prepared(True, noise, len(leaf_KP))
        with ready, _compiler_in_words():
            return self._call(leaf_KP, buffers, *batch, fields, hyper.dropout_K, draws)

    def _drawn(
        self,
        w_KP: Tensor,
        buffers: Buffers,
        batch: Minibatch,
        hyper: Hyperparameters,
        noise: Noise | RecordedNoise | None,
    ) -> list[Tensor]:
        """Return what dropout draws in this pass, in the order of the layers."""
        if hyper.dropout_K is None or noise is None:
            return []
        size = batch.x_KB.shape
        if size not in self._draws:
            noted = _NotedShapes(w_KP)
            with torch.no_grad():
                params = self.loss.layout.views(w_KP)
                self.loss(params, buffers, batch, hyper, noted)  # type: ignore[arg-type]
            self._draws[size] = noted.shapes
        return [noise.uniform(*shape) for shape in self._draws[size]]


class _NotedShapes:
    """Stands for streams, and notes what is asked of them."""

    def __init__(self, w_KP: Tensor) -> None:
        self.w_KP, self.shapes = w_KP, list[tuple[int, ...]]()

    def seed(self) -> None:
        return None

    def uniform(self, *shape: int) -> Tensor:
        self.shapes.append(shape)
        return self.w_KP.new_zeros(len(self.w_KP), *shape)


def _pass_of(loss: TrainingLoss) -> _Pass:
    """Return the pass as one function of tensors."""
    network = loss.network
    outputs = network.evaluate if isinstance(network, ModuleNetwork) else network

    def forward(
        w_KP: Tensor,
        buffers: Buffers,
        x_KB: Tensor,
        y_KBD: Tensor,
        fields: Mapping[str, Tensor],
        dropout_K: Tensor | None,
        draws: Sequence[Tensor],
    ) -> tuple[Tensor, Buffers]:
        ctx = Context(True, RecordedNoise(draws), dropout_K, dict(buffers))
        out_KBD = loss.outputs(loss.layout.views(w_KP), x_KB, ctx, outputs)
        return loss.loss.mean(out_KBD, loss.targets(y_KBD), fields), ctx.buffers

    return forward


def _own_code(function: Any) -> _Pass:
    """Return the function with a code object of its own: torch counts what it has compiled by that,
    and gives up after eight."""
    code = function.__code__.replace()
    return FunctionType(code, function.__globals__, closure=function.__closure__)


@contextmanager
def _compiler_in_words() -> Iterator[None]:
    """Turn what torch's compiler raises into a sentence; errors of other code stay.

    Raises:
        HarnessError: it can't compile.
    """
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        # the first line may say no more than which compiler it was
        lines = [line.strip() for line in str(error).splitlines()]
        said = next((line for line in lines if line and not line.endswith("raised:")), "")
        raise HarnessError(
            "recipe.compile: expected a pass that torch.compile takes whole, and a compiler (g++,"
            f" or Triton on a GPU), got {type(error).__name__}: {said[:300]}; leave out compile"
        ) from error


@final
class Compiled(Around):
    """∂L/∂θ by compiled passes, and every other derivative by autograd.

    Where probes look at the pass, it is made a second time by autograd from the same draws, so that
    they change nothing.

    Args:
        inner: does what is not compiled.
        compiled: the pass.
    """

    def __init__(self, inner: Autograd, compiled: CompiledPass) -> None:
        super().__init__(inner)
        self.writes_apart, self.compiled = False, compiled

    def workspace(self, w_KP: Tensor, columns: Sequence[slice] = ()) -> None:
        return None

    def gradient(
        self,
        w_KP: Tensor,
        buffers: Buffers,
        batch: Minibatch,
        hyper: Hyperparameters,
        noise: Noise | RecordedNoise | None = None,
        workspace: object = None,
        record: TrainingPass | None = None,
    ) -> Gradient:
        if record is not None:
            again = noise.fork() if isinstance(noise, Noise) else noise
            self.inner.gradient(w_KP, buffers, batch, hyper, again, None, record)
        leaf_KP = w_KP.detach().requires_grad_()
        loss_K, after = self.compiled(leaf_KP, buffers, batch, hyper, noise)
        return gradient_by(loss_K, leaf_KP, w_KP, hyper, after)


_PASSES: OrderedDict[str, CompiledPass] = OrderedDict()
"""The passes that this process used last, by what they were compiled for."""


def compiled_pass(recipe: ResolvedRecipe, loss: TrainingLoss) -> CompiledPass:
    """Return the pass of a recipe, which is compiled once a process.

    Args:
        recipe: what the loss is of; neither its numbers nor its length are compiled in.
        loss: what is computed; of another program of the same recipe it is the same function.
    """
    rest = {**dict.fromkeys(LENGTHS), "optimizer": SGD(lr=1.0), "eval_every": None}
    key = shape_key(recipe.model_copy(update=rest))
    made = _PASSES.pop(key, None) or CompiledPass(loss)
    _PASSES[key] = made
    while len(_PASSES) > PASSES_KEPT:
        _PASSES.popitem(last=False)
    return made

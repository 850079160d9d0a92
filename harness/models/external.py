"""Networks given as a torch module by dotted name.

The module is made once and called with each member's weights by ``torch.func.functional_call``.
Whether its runs can share a cohort is decided by :mod:`harness.engine.batching`, which tries it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from harness.core.errors import HarnessError
from harness.core.noise import Noise, RecordedNoise
from harness.core.streams import derive
from harness.core.time_limit import TimeIsUpError, limited
from harness.models.base import Context, DataSizes, Model, Params, Weight
from harness.models.module_roles import roles_of
from harness.spec.calls import check_call, parameters_of
from harness.spec.component import External

RANDOM = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
    nn.RReLU,
)
"""torch's layers that draw from its global generator while training, whatever their arguments.

Whether a layer of a user's own draws is found out by calling it.
"""
EVALUATION = derive(0, "module")
"""Seed of what a module draws in passes without a stream, such as evaluations: one for all."""


ModuleInputs = tuple[tuple[Tensor, ...], dict[str, Tensor]]
"""What a module's ``forward`` is called with, by place and by name."""


class ExternalModel(External, Model):
    """Any ``torch.nn.Module`` class, or a function that makes a module.

    It is given ``input_shape`` and ``outputs`` if it takes arguments of these names,
    ``vocabulary`` where inputs are tokens, and every other argument of the spec. Inputs of several
    arrays are given to its ``forward`` by their names, and ``input_shape`` is their shapes by name.
    Whole numbers reach it as int64 if it has a ``torch.nn.Embedding``, if it says so by an
    attribute ``takes_tokens = True``, or if they are one of several arrays; else as fractions.
    """

    @classmethod
    def check_target(cls, target: object) -> None:
        """Refuse a module made already, which all runs would share, and what makes no module.

        Raises:
            HarnessError: the target is such.
        """
        if isinstance(target, nn.Module):
            name = type(target).__name__
            raise HarnessError(
                f"expected a class or a function that makes the network, since each run"
                f" starts from weights of its own, got a {name} made already; give the class"
                f" ({name}), partial({name}, …) or lambda: {name}(…)"
            )
        wrong = isinstance(target, type) and not issubclass(target, nn.Module)
        if wrong or not callable(target):
            raise HarnessError(
                "expected a torch.nn.Module class or a function that makes a module, got "
                f"{target!r}"[:300]
            )

    def network(self, input_shape: tuple[int, ...], outputs: int) -> ModuleNetwork:
        """Return the module as a network; what the spec gives wins over what the data offer.

        Raises:
            HarnessError: the target makes no torch module.
        """
        return self.network_for(DataSizes(input_shape, outputs))

    def network_for(self, sizes: DataSizes) -> ModuleNetwork:
        make = self.load()
        shapes = sizes.input_shape if sizes.fields is None else sizes.fields.shapes()
        offered = {
            "input_shape": shapes,
            "outputs": sizes.outputs,
            "vocabulary": sizes.vocabulary,
        }
        taken = parameters_of(make)
        arguments = {name: value for name, value in offered.items() if name in taken}
        arguments |= self.arguments()
        check_call(f"model {self.target}", make, arguments)
        return ModuleNetwork(self.target, make, arguments, sizes)


class ModuleNetwork:
    """A torch module as a function of its parameters, for all members of a cohort.

    Several members are mapped over by ``torch.func.vmap``; one member is called as it is, so that
    modules which vmap refuses can be trained one run at a time.

    Args:
        target: the module's dotted name, for errors.
        make: its constructor.
        arguments: keyword arguments of the constructor.
        sizes: of the data, which lazy layers take their own from.

    Raises:
        HarnessError: the constructor makes no torch module.
    """

    def __init__(
        self,
        target: str,
        make: Callable[..., nn.Module],
        arguments: Mapping[str, object],
        sizes: DataSizes,
    ) -> None:
        self.target, self.make, self.arguments = target, make, arguments
        self.sizes, self.fields = sizes, sizes.fields
        # for its names, shapes, buffers and code: its own weights are never used
        self.module = self.build(0)
        if not isinstance(self.module, nn.Module):
            raise HarnessError(
                f"model {target}: expected a torch.nn.Module, got {type(self.module).__name__}"
            )
        if not any(p.requires_grad for p in self.module.parameters()):
            raise HarnessError(
                f"model {target}: expected parameters to train, got none with requires_grad"
            )

    def build(self, seed: int) -> nn.Module:
        """Return the module as its constructor initialises it, drawing from the seed's stream.

        Args:
            seed: the run's seed. The engine takes the initial weights from here unless the recipe
                names another ``init``.
        """
        with global_stream(derive(seed, "init")):
            module = self.make(**self.arguments)
            if any(is_lazy(p) for p in _tensors(module)):
                # lazy layers have their sizes, and draw their weights, from their first inputs;
                # in evaluation, where running statistics stay as they start
                with torch.no_grad():
                    args, named = self._given(self._example(module))
                    module.eval()(*args, **named)
            return module

    @property
    def takes_tokens(self) -> bool:
        """Whether whole numbers reach it as they are, to be looked up."""
        return _takes_tokens(self.module)

    def _example(self, module: nn.Module) -> Tensor:
        """Return two inputs of zeros, as the engine gives them."""
        if self.fields is not None:
            return torch.zeros(2, self.fields.width, dtype=torch.uint8)
        dtype = torch.int64 if _takes_tokens(module) else torch.float32
        return torch.zeros(2, *self.sizes.input_shape, dtype=dtype)

    def _given(self, x: Tensor) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        """Return what ``forward`` is called with: one array, or several by name or by place."""
        if self.fields is None:
            return (x,), {}
        arrays = self.fields.unpack(x)
        if all(name.isdecimal() for name in arrays):  # a tuple's arrays are called by their places
            return tuple(arrays.values()), {}
        return (), arrays

    @property
    def drops(self) -> bool:
        """Whether it has layers of torch's that draw from its global generator while training."""
        # layers that drop inside themselves (attention, GRU) have a rate ``dropout``
        return any(isinstance(m, RANDOM) or getattr(m, "dropout", 0) for m in self.module.modules())

    @cached_property
    def draws(self) -> bool:
        """Whether a pass uses torch's, NumPy's or Python's global generator, which a cohort can't
        share."""
        if self.drops:
            return True
        # one of its own: a module may remember what it was called with
        module = self.build(0)
        args, named = self._given(self._example(module))
        with global_stream(0), torch.no_grad():
            before = generator_states()
            for training in (True, False):
                # why it fails, or does not come back, is said where the plan tries the program
                try:
                    with limited("model"):
                        module.train(training)(*args, **named)
                except TimeIsUpError:
                    return True
                except Exception:
                    continue
            return generator_states() != before

    @cached_property
    def frozen(self) -> frozenset[str]:
        """Names of the parameters that the module does not train (``requires_grad`` is False).

        They go with the buffers: no optimizer, penalty or noise is told of them.
        """
        return frozenset(n for n, p in self.module.named_parameters() if not p.requires_grad)

    @property
    def refuses_single_samples(self) -> bool:
        """Whether it can't be trained on a batch of one: torch's batch normalization raises."""
        return any(isinstance(m, _BatchNorm) for m in self.module.modules())

    def weights(self) -> dict[str, Weight]:
        """Return the parameters by the module's own names.

        The fans are guessed from the shapes, the roles as :func:`roles_of` says. Frozen ones are
        left out, and one that is in several places is there once, by its first name.
        """
        described = roles_of(self.module)
        return {
            name: Weight(tuple(p.shape), *_fans(p), role=role, fused=fused)
            for (name, p), (role, fused) in zip(
                self.module.named_parameters(), described.values(), strict=True
            )
            if name not in self.frozen
        }

    def buffers(self) -> dict[str, Tensor]:
        """Return the module's buffers and frozen parameters as they start: copies, so that nobody
        writes into its own."""
        return self._fixed(self.module)

    def buffers_of(self, seed: int) -> dict[str, Tensor]:
        """Return the same as the constructor makes them for a run's seed."""
        return self._fixed(self.build(seed))

    def _fixed(self, module: nn.Module) -> dict[str, Tensor]:
        frozen = {n: p.detach().clone() for n, p in module.named_parameters() if n in self.frozen}
        return frozen | {name: b.clone() for name, b in module.named_buffers()}

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return outputs (K, B, D); in training the new buffers are put into the context.

        Args:
            params: weights (K, *shape) by the module's names.
            x_KB: inputs (K, B, *shape), or (1, B, *shape) where all members share them.
            ctx: training or evaluation, streams, buffers.
        """
        members = len(next(iter(params.values())))
        with self.prepared(ctx.training, ctx.noise, members), self._momentum(ctx.momentum):
            return self.evaluate(params, x_KB, ctx)

    @contextmanager
    def _momentum(self, momentum: float | None) -> Iterator[None]:
        """Let batches move running statistics so far; None leaves that to each layer."""
        layers = [m for m in self.module.modules() if isinstance(m, _BatchNorm)]
        before = [layer.momentum for layer in layers]
        try:
            for layer in layers if momentum is not None else ():
                layer.momentum = momentum
            yield
        finally:
            for layer, own in zip(layers, before, strict=True):
                layer.momentum = own

    def prepared(
        self, training: bool, noise: Noise | RecordedNoise | None, members: int
    ) -> AbstractContextManager[None]:
        """Return the context of a pass: the module's mode, and the global generators that a lone
        member's module draws from, seeded from that member's stream.

        Args:
            training: or evaluation; the one module serves both alternately.
            noise: the members' streams.
            members: how many there are.
        """
        self.module.train(training)
        seed = None
        if members == 1 and self.draws:
            # one number of the member's stream seeds the generators for this pass
            seed = noise.seed() if noise else None
            seed = EVALUATION if seed is None else seed
        return global_stream(seed)

    def evaluate(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return what ``__call__`` does, in the context of :meth:`prepared`: a function of tensors
        that a compiler can follow."""
        members, given = len(next(iter(params.values()))), self._given(x_KB)
        # modules write into their buffers; copies keep the caller's as they are
        buffers = {name: b.clone() for name, b in ctx.buffers.items()}
        if members == 1:
            out = self._alone(params, buffers, given)
        else:
            shared = len(x_KB) == 1
            mapped = torch.func.vmap(self._call, in_dims=(0, 0, None if shared else 0))
            out = mapped(dict(params), buffers, _first(given) if shared else given)
        if ctx.training:
            ctx.buffers.update({name: b.detach() for name, b in buffers.items()})
        return out

    def _call(
        self, params: dict[str, Tensor], buffers: dict[str, Tensor], given: ModuleInputs
    ) -> Tensor:
        """Return one member's outputs (B, D); the module may write into ``buffers``.

        A mapping of outputs goes on as it is to the loss, which is a function of the user's own.
        """
        out: object = functional_call(self.module, (params, buffers), *given)
        if isinstance(out, Mapping) and all(isinstance(value, Tensor) for value in out.values()):
            return cast("Tensor", dict(out))
        if not isinstance(out, Tensor):
            raise HarnessError(
                f"model {self.target}: expected its forward to return a tensor (B, D), got "
                f"{type(out).__name__}; return the outputs alone"
            )
        return out

    def _alone(self, params: Params, buffers: dict[str, Tensor], given: ModuleInputs) -> Tensor:
        """Return the outputs (1, B, D) of one member."""
        # views: what the module writes into its buffers must arrive in ``buffers``
        first = {name: b[0] for name, b in buffers.items()}
        own = {name: p[0] for name, p in params.items()}
        out = self._call(own, first, _first(given))
        if isinstance(out, Mapping):
            return cast("Tensor", {name: value[None] for name, value in out.items()})
        return out[None]


def _first(given: ModuleInputs) -> ModuleInputs:
    """Return the first member's inputs."""
    args, named = given
    return tuple(x[0] for x in args), {name: x[0] for name, x in named.items()}


def _takes_tokens(module: nn.Module) -> bool:
    """Return whether a module looks whole numbers up: it has an embedding, or says so."""
    tables = nn.Embedding, nn.EmbeddingBag
    looks_up = any(isinstance(layer, tables) for layer in module.modules())
    return bool(getattr(module, "takes_tokens", looks_up))


def _tensors(module: object) -> Iterator[Tensor]:
    """Yield the parameters and buffers of what a user's constructor made."""
    if isinstance(module, nn.Module):
        yield from module.parameters()
        yield from module.buffers()


@contextmanager
def global_stream(seed: int | None) -> Iterator[None]:
    """Seed torch's, NumPy's and Python's global generators for the code inside, and put their
    states back afterwards.

    Args:
        seed: what they are seeded with; None leaves them as they are.
    """
    if seed is None:
        yield
        return
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            torch.manual_seed(seed)
            np.random.seed(seed % 2**32)  # as large as NumPy takes
            random.seed(seed)
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)


def generator_states() -> tuple[object, ...]:
    """Return the states of the global generators, to compare them."""
    numpy_state = np.random.get_state(legacy=False)
    own = numpy_state["state"]
    numpys = own["key"].tobytes(), own["pos"], numpy_state["has_gauss"]
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    torchs = [state.tolist() for state in (torch.get_rng_state(), *gpus)]
    return torchs, numpys, random.getstate()


def _fans(p: Tensor) -> tuple[int, int]:
    """Return (fan-in, fan-out) of weights (out, in, *kernel); of vectors their length for both.

    A scalar has fans of 1, since distributions divide by them.
    """
    if p.ndim < 2:
        return max(1, p.numel()), max(1, p.numel())
    taps = p[0, 0].numel()
    return p.shape[1] * taps, p.shape[0] * taps

"""Networks given as a torch module by dotted name.

The module is made once and called with each member's weights by ``torch.func.functional_call``.
Whether its runs can share a cohort is decided by :mod:`harness.engine.batching`, which tries it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from harness.core.errors import HarnessError
from harness.core.streams import derive
from harness.models.base import Context, Model, Params, Weight
from harness.models.module_roles import roles_of
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

A layer of a user's own that draws is not known of: vmap refuses random calls by default, so such a
module trains one run at a time, and draws from the generator as it is.
"""


class ExternalModel(External, Model):
    """Any ``torch.nn.Module`` class, by its dotted name.

    Its constructor is given ``input_shape`` and ``outputs`` if it takes arguments of these names,
    and every other argument of the spec.
    """

    def network(self, input_shape: tuple[int, ...], outputs: int) -> ModuleNetwork:
        """Return the module as a network; what the spec gives wins over what the data offer.

        Raises:
            HarnessError: the target makes no torch module.
        """
        make = self.load()
        offered = {"input_shape": input_shape, "outputs": outputs}
        taken = inspect.signature(make).parameters
        arguments = {name: value for name, value in offered.items() if name in taken} | self.args
        return ModuleNetwork(self.target, make, arguments, input_shape)


class ModuleNetwork:
    """A torch module as a function of its parameters, for all members of a cohort.

    Several members are mapped over by ``torch.func.vmap``; one member is called as it is, so that
    modules which vmap refuses can be trained one run at a time.

    Args:
        target: the module's dotted name, for errors.
        make: its constructor.
        arguments: keyword arguments of the constructor.
        input_shape: shape of one input, which lazy layers take their sizes from.

    Raises:
        HarnessError: the constructor makes no torch module.
    """

    def __init__(
        self,
        target: str,
        make: Callable[..., nn.Module],
        arguments: Mapping[str, object],
        input_shape: tuple[int, ...],
    ) -> None:
        self.target, self.make, self.arguments = target, make, arguments
        self.input_shape = input_shape
        # for its names, shapes, buffers and code: its own weights are never used
        self.module = self.build(0)
        if not isinstance(self.module, nn.Module):
            raise HarnessError(
                f"model {target}: expected a torch.nn.Module, got {type(self.module).__name__}"
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
                    module.eval()(torch.zeros(2, *self.input_shape))
            return module

    @property
    def draws(self) -> bool:
        """Whether it uses the global generator while training, which a cohort can't share."""
        # layers of torch's that drop inside themselves (attention, GRU) have a rate ``dropout``
        return any(isinstance(m, RANDOM) or getattr(m, "dropout", 0) for m in self.module.modules())

    @property
    def refuses_single_samples(self) -> bool:
        """Whether it can't be trained on a batch of one: torch's batch normalization raises."""
        return any(isinstance(m, _BatchNorm) for m in self.module.modules())

    def weights(self) -> dict[str, Weight]:
        """Return the parameters by the module's own names.

        The fans are guessed from the shapes, the roles as :func:`roles_of` says.
        """
        described = roles_of(self.module)
        return {
            name: Weight(tuple(p.shape), *_fans(p), role=role, fused=fused)
            for (name, p), (role, fused) in zip(
                self.module.named_parameters(), described.values(), strict=True
            )
        }

    def buffers(self) -> dict[str, Tensor]:
        """Return the module's buffers as they start: copies, so that nobody writes into its own."""
        return {name: b.clone() for name, b in self.module.named_buffers()}

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return outputs (K, B, D); in training the new buffers are put into the context.

        Args:
            params: weights (K, *shape) by the module's names.
            x_KB: inputs (K, B, *shape), or (1, B, *shape) where all members share them.
            ctx: training or evaluation, streams, buffers.
        """
        # the one module serves training and evaluation alternately
        self.module.train(ctx.training)
        members = len(next(iter(params.values())))
        # modules write into their buffers; copies keep the caller's as they are
        buffers = {name: b.clone() for name, b in ctx.buffers.items()}
        if members == 1:
            out = self._alone(params, buffers, x_KB, ctx)
        else:
            shared = len(x_KB) == 1
            mapped = torch.func.vmap(self._call, in_dims=(0, 0, None if shared else 0))
            out = mapped(dict(params), buffers, x_KB[0] if shared else x_KB)
        if ctx.training:
            ctx.buffers.update({name: b.detach() for name, b in buffers.items()})
        return out

    def _call(self, params: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor) -> Tensor:
        """Return one member's outputs (B, D); the module may write into ``buffers``."""
        out: object = functional_call(self.module, (params, buffers), (x,))
        if not isinstance(out, Tensor):
            raise HarnessError(
                f"model {self.target}: expected its forward to return a tensor (B, D), got "
                f"{type(out).__name__}; return the outputs alone"
            )
        return out

    def _alone(
        self, params: Params, buffers: dict[str, Tensor], x_KB: Tensor, ctx: Context
    ) -> Tensor:
        """Return the outputs (1, B, D) of one member, which may draw from its own stream."""
        # views: what the module writes into its buffers must arrive in ``buffers``
        first = {name: b[0] for name, b in buffers.items()}
        own = {name: p[0] for name, p in params.items()}
        # one number of the member's stream seeds torch's generator for this pass; the bound only
        # has to fit into a signed 64-bit seed
        seed = int(ctx.noise.host[0].integers(2**62)) if ctx.noise and self.draws else None
        with global_stream(seed):
            return self._call(own, first, x_KB[0])[None]


def _tensors(module: object) -> Iterator[Tensor]:
    """Yield the parameters and buffers of what a user's constructor made."""
    if isinstance(module, nn.Module):
        yield from module.parameters()
        yield from module.buffers()


@contextmanager
def global_stream(seed: int | None) -> Iterator[None]:
    """Seed torch's global generators for the code inside, and put their state back afterwards.

    Args:
        seed: what they are seeded with; None leaves them as they are.
    """
    if seed is None:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def _fans(p: Tensor) -> tuple[int, int]:
    """Return (fan-in, fan-out) of weights (out, in, *kernel); of vectors their length for both.

    A scalar has fans of 1, since distributions divide by them.
    """
    if p.ndim < 2:
        return max(1, p.numel()), max(1, p.numel())
    taps = p[0, 0].numel()
    return p.shape[1] * taps, p.shape[0] * taps

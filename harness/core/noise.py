"""The random numbers of training itself: dropout, mixup, noise on the inputs.

Initial weights, the order of samples and splits of the data have streams of their own
(:mod:`harness.core.streams`). The training loop makes one :class:`Noise` for the updates between
two evaluations; models and regularizers draw from it and from nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.core.lazy import Lazy
from harness.core.streams import derive, numpy_stream

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


_STREAMS = ("host", "drops", "streams", "purposes")


class Noise:
    """Each member's own streams of random numbers, named by (seed, purpose, step).

    The streams start afresh at every evaluation, named by the step reached, so that a cohort that
    is handed on there goes on with the same numbers without any generator's state. Dropout has
    streams of its own: it draws for all members of a cohort if one of them drops, and a member
    whose own rate is 0 must draw the same other noise as it does in a cohort without dropout.

    CPU and GPU draw different numbers for dropout, where copying them to the GPU would be slow;
    everything else is drawn on the CPU and is the same on both.

    Args:
        seeds: the members' seeds, K of them; members of one seed draw the same numbers.
        step: updates made when the streams begin.
        device: where the numbers are wanted.
        dtype: what they are wanted as.

    >>> import torch
    >>> Noise([0, 1], 0, torch.device("cpu"), torch.float32).normal(3).shape
    torch.Size([2, 3])
    """

    def __init__(
        self, seeds: Sequence[int], step: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.seeds, self.step, self.device, self.dtype = tuple(seeds), step, device, dtype
        self.place, self.parts = 0, 1

    @cached_property
    def host(self) -> list[np.random.Generator]:
        """The members' streams of everything but dropout."""
        return [numpy_stream(seed, "noise", self.step) for seed in self.seeds]

    @cached_property
    def drops(self) -> list[np.random.Generator]:
        """The members' streams of dropout on a CPU."""
        return [numpy_stream(seed, "dropout", self.step) for seed in self.seeds]

    @cached_property
    def streams(self) -> list[torch.Generator]:
        """The members' streams of dropout on a GPU; empty on a CPU."""
        if self.device.type == "cpu":
            return []
        return [_generator(seed, self.step, self.device) for seed in self.seeds]

    @cached_property
    def purposes(self) -> dict[str, list[np.random.Generator]]:
        """The streams of those purposes that have one of their own, as :meth:`named` made them."""
        return {}

    def named(self, purpose: str) -> list[np.random.Generator]:
        """Return the members' streams of one purpose: what else draws does not move them.

        Args:
            purpose: what is drawn, such as ``crop``.
        """
        if purpose not in self.purposes:
            streams = [numpy_stream(seed, purpose, self.step) for seed in self.seeds]
            self.purposes[purpose] = streams
        return self.purposes[purpose]

    def begun(self) -> dict[str, object]:
        """Return the streams that have been drawn from, by name: what a checkpoint keeps."""
        return {name: value for name, value in vars(self).items() if name in _STREAMS}

    def go_on(self, begun: dict[str, object]) -> None:
        """Draw on from streams that :meth:`begun` returned.

        Args:
            begun: generators by name.
        """
        # where ``cached_property`` keeps what it has made
        vars(self).update(begun)

    def fork(self) -> Noise:
        """Return streams that draw from here on what these draw, and move none of these."""
        other = Noise(self.seeds, self.step, self.device, self.dtype)
        begun = self.begun()
        # torch's generators can't be copied by ``deepcopy``
        streams = begun.pop("streams", None)
        other.go_on(deepcopy(begun))
        if isinstance(streams, list):
            other.go_on({"streams": [stream.clone_state() for stream in streams]})
        return other

    def part(self, place: int, parts: int) -> Noise:
        """Return the same streams for one of several equal parts of each batch: dropout's numbers
        are drawn for the whole batch, and those of the part's samples are handed out.

        Args:
            place: of the part, from 0.
            parts: how many there are.
        """
        other = Noise(self.seeds, self.step, self.device, self.dtype)
        # the streams themselves, begun here where they had not begun
        other.go_on({name: getattr(self, name) for name in _STREAMS})
        other.place, other.parts = place, parts
        return other

    def seed(self) -> int | None:
        """Return a seed for code that draws by itself, of the first member's stream; of each part
        of a batch another one."""
        drawn = int(self.host[0].integers(2**62))
        return derive(drawn, "part", self.place) if self.place else drawn

    def uniform(self, *shape: int) -> Tensor:
        """Return numbers (K, *shape) from U[0, 1), for dropout; every call draws further.

        Args:
            shape: of one member's numbers, samples first.
        """
        if self.parts > 1:
            samples = slice(self.place * shape[0], (self.place + 1) * shape[0])
            return self._uniform(self.parts * shape[0], *shape[1:])[:, samples]
        return self._uniform(*shape)

    def _uniform(self, *shape: int) -> Tensor:
        """Return numbers (K, *shape), of whole batches."""
        if self.streams:
            drawn_K = [torch.rand(shape, generator=g, device=self.device) for g in self.streams]
            return torch.stack(drawn_K).to(self.dtype)
        # float32 even where training is in float64: a threshold for dropping needs no more bits
        drawn = np.empty((len(self.drops), *shape), np.float32)
        for row, stream in zip(drawn, self.drops, strict=True):
            stream.random(out=row, dtype=np.float32)
        return torch.from_numpy(drawn).to(self.dtype)

    def normal(self, *shape: int) -> Tensor:
        """Return numbers (K, *shape) from N(0, 1), drawn in float32; every call draws further.

        Args:
            shape: of one member's numbers.
        """
        drawn = np.empty((len(self.host), *shape), np.float32)
        for row, stream in zip(drawn, self.host, strict=True):
            stream.standard_normal(out=row, dtype=np.float32)
        return torch.from_numpy(drawn).to(self.device, self.dtype)


class RecordedNoise:
    """What dropout drew in an earlier pass, handed out once more in the same order.

    Probes that repeat a pass, such as one for each sample of a batch, get the function that was
    trained on: the same units are dropped.

    Args:
        draws: numbers (K, *shape) from U[0, 1), one tensor for each time that dropout drew.
    """

    def __init__(self, draws: Sequence[Tensor]) -> None:
        self._draws = iter(draws)

    def seed(self) -> int | None:
        """Return None: nothing else is recorded."""
        return None

    def uniform(self, *shape: int) -> Tensor:
        """Return the next recorded numbers (K, *shape)."""
        drawn = next(self._draws)
        assert drawn.shape[1:] == shape, "the pass is not the one that was recorded"
        return drawn


def _generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    return torch.Generator(device=device).manual_seed(derive(seed, "dropout", step))

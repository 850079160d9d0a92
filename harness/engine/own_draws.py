"""Parts of a user's own that draw from Python's, NumPy's and torch's global generators.

A module's passes have streams of their own (``models/external.py``). For what else draws (losses,
metrics, probes, regularizers, optimizers) the generators are seeded before every update and every
evaluation, which needs a run by itself: members of a cohort would draw by turns.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from harness.core.errors import HarnessError
from harness.core.streams import derive
from harness.models.external import generator_states, global_stream

STREAMED = ("data", "model")
"""Fields whose parts have streams of their own."""


class SharedDrawsError(HarnessError):
    """Members of a cohort drew from one generator: each has to be trained by itself."""


class OwnStreams:
    """Seeds the global generators for a run by itself, and looks after those of a cohort.

    Args:
        own: whether any of the runs has code that may draw.
        seeds: the seeds of those that train, in their order.
        device: where; a GPU has a generator of its own.
    """

    def __init__(self, own: bool, seeds: Sequence[int], device: torch.device) -> None:
        self.own = own
        self.seed = seeds[0] if len(seeds) == 1 else None
        self.device = device

    def begin(self, step: int, what: str = "own update") -> None:
        """Seed the generators for an update, or for the evaluation after it."""
        if self.own and self.seed is not None:
            seed = derive(self.seed, what, step)
            random.seed(seed)
            np.random.seed(seed % 2**32)
            # not torch.manual_seed, which would touch the generators of all GPUs
            torch.default_generator.manual_seed(seed)
            if self.device.type == "cuda":
                torch.cuda.default_generators[self.device.index or 0].manual_seed(seed)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Put the generators back when all is done: nothing else may depend on them."""
        with global_stream(0 if self.own else None):
            yield

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Refuse draws of the code inside where several runs train.

        Raises:
            SharedDrawsError: there were some.
        """
        if not self.own or self.seed is not None:
            yield
            return
        before = generator_states()
        yield
        if generator_states() != before:
            raise SharedDrawsError(
                "code of your own draws from Python's, NumPy's or torch's global generator, which "
                "the runs of a cohort can't share: they are trained one by one"
            )

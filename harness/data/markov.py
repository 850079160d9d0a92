"""A random language whose entropy is known exactly."""

from __future__ import annotations

from typing import final

import numpy as np
from pydantic import Field

from harness.core.streams import numpy_stream
from harness.core.tokens import IGNORED
from harness.data.base import Data
from harness.data.dataset import Raw

SETTLED = 1e-15
"""Change of the stationary distribution in a step from which on it counts as found."""


@final
class Markov(Data):
    """Sequences of a Markov chain: the next of V symbols depends on the last one or two alone.

    Each row of the transition probabilities is drawn from a Dirichlet distribution; sequences start
    from the stationary one. No model's loss is below the entropy rate (:meth:`entropy_rate`) but by
    the chance of a finite test part, and one that has learnt the language is at it (Shannon 1948).
    Targets that follow fewer symbols than the chain looks back at count nowhere.
    """

    task = "tokens"
    symbols: int = Field(default=8, ge=2)
    """Symbols V."""
    order: int = Field(default=2, ge=1, le=2)
    """Symbols that the next one depends on."""
    concentration: float = Field(default=0.3, gt=0)
    """Parameter of the Dirichlet distribution; the smaller, the more predictable the language."""
    context: int = Field(default=32, ge=2)
    """Symbols that a prediction sees at most, T."""
    samples: int = Field(default=2000, ge=10)
    """Sequences in all."""

    def sample_tokens(self) -> int:
        return self.context

    def transitions(self) -> np.ndarray:
        """Return P(next | the last ones), (V, V), or (V, V, V) of order 2: the oldest first."""
        stream = numpy_stream(self.seed, "markov transitions")
        shape = (self.symbols,) * self.order
        return stream.dirichlet(np.full(self.symbols, self.concentration), shape)

    def stationary(self) -> np.ndarray:
        """Return how often the chain is in each of its states, (V,), or (V, V) of order 2."""
        rows, now = self.transitions(), np.full((self.symbols,) * self.order, 1.0)
        now /= now.size
        for _ in range(100_000):
            joint = now[..., None] * rows  # of the state and the next symbol
            after = joint.sum(0)  # the oldest symbol is forgotten
            if np.abs(after - now).max() < SETTLED:
                break
            now = after
        return now

    def entropy_rate(self) -> float:
        """Return the least expected loss of a prediction, Σ π(state) H(next | state), in nats."""
        rows = self.transitions()
        entropies = -np.sum(rows * np.log(rows, where=rows > 0, out=np.zeros_like(rows)), -1)
        return float(np.sum(self.stationary() * entropies))

    def least_loss(self, x: np.ndarray, y: np.ndarray) -> float:
        """Return the loss of the true probabilities on some sequences, in nats a symbol.

        Args:
            x: symbols (N, T).
            y: the symbol after each.
        """
        states = [x[:, place : x.shape[1] - self.order + 1 + place] for place in range(self.order)]
        return float(-np.log(self.transitions()[(*states, y[:, self.order - 1 :])]).mean())

    def raw(self) -> Raw:
        stream, rows = numpy_stream(self.seed, "markov"), self.transitions()
        first = stream.choice(self.stationary().size, self.samples, p=self.stationary().ravel())
        chain = [*np.unravel_index(first, rows.shape[:-1])]
        ends = rows.cumsum(-1)
        for _ in range(self.context + 1 - self.order):
            # the first symbol whose cumulative probability is above a uniform number
            drawn = stream.random((self.samples, 1))
            after = (ends[tuple(chain[-self.order :])] <= drawn).sum(1)
            chain.append(after.clip(max=self.symbols - 1))  # rounding may leave the last end below
        tokens = np.stack(chain, 1)
        y = tokens[:, 1:].copy()
        y[:, : self.order - 1] = IGNORED
        return Raw(tokens[:, :-1], y, classes=self.symbols)

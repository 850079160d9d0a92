"""Data sets made from formulas, with random numbers from the data's own seed.

The order of the draws is part of a data set: another order gives other data by the same name, and
every run's key changes.
"""

from __future__ import annotations

from typing import final

import numpy as np
from pydantic import Field

from harness.core.streams import numpy_stream
from harness.data.base import Data
from harness.data.dataset import Raw


@final
class Spirals(Data):
    """Two interleaved spirals in the plane, one class each (Lang & Witbrock 1988).

    r = √u with u from U[0, 1), φ = 2π·turns·r + π·class, x = r(cos φ, sin φ) + noise: equally dense
    by area.
    """

    samples: int = Field(default=1000, ge=10)
    """Points in all."""
    turns: float = Field(default=1.75, gt=0)
    """Turns of each spiral."""
    noise: float = Field(default=0.02, ge=0)
    """Deviation of the points from the curve."""

    def raw(self) -> Raw:
        stream = numpy_stream(self.seed, "spirals")
        y = np.arange(self.samples) % 2
        radius = np.sqrt(stream.random(self.samples))  # the share of a disc within r is r²
        angle = 2 * np.pi * self.turns * radius + np.pi * y
        x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
        return Raw(x + self.noise * stream.standard_normal(x.shape), y)


@final
class TeacherStudent(Data):
    """Regression on a random network's outputs, y = v·tanh(Wx) + noise (Gardner & Derrida 1989).

    x from N(0, I), W from N(0, 1/features), v from N(0, 1/hidden), so that y is of order 1 whatever
    the sizes.
    """

    task = "regression"
    samples: int = Field(default=2000, ge=10)
    """Points in all."""
    features: int = Field(default=20, ge=1)
    """Inputs of the teacher."""
    hidden: int = Field(default=10, ge=1)
    """Hidden units of the teacher."""
    noise: float = Field(default=0.1, ge=0)
    """Deviation of the noise added to the outputs."""

    def raw(self) -> Raw:
        stream = numpy_stream(self.seed, "teacher")
        weights = stream.standard_normal((self.features, self.hidden)) / np.sqrt(self.features)
        readout = stream.standard_normal(self.hidden) / np.sqrt(self.hidden)
        x = stream.standard_normal((self.samples, self.features))
        y = np.tanh(x @ weights) @ readout
        return Raw(x, y + self.noise * stream.standard_normal(self.samples))

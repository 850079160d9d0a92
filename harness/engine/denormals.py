"""Numbers below the smallest normal one, on which a CPU's arithmetic takes many times as long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL = 1e-40
"""A number that float32 holds only as a subnormal."""


@contextmanager
def flushed() -> Iterator[None]:
    """Take subnormal numbers as 0 in this thread, as the momentum of units that have died soon would be.

    >>> with flushed():
    ...     float(torch.tensor(SMALL) * 1)
    0.0
    """
    before = not torch.tensor(SMALL).mul(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)

"""Denormal numbers, the smallest of all: a CPU's arithmetic is many times slower on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

DENORMAL = 1e-40
"""A number that float32 holds only as a denormal."""


@contextmanager
def denormals_as_zero() -> Iterator[None]:
    """Take denormal numbers as 0 in this thread.

    The momentum of a unit that has died decays into them, and every later update would be slow.

    >>> with denormals_as_zero():
    ...     float(torch.tensor(DENORMAL) * 1)
    0.0
    """
    before = not torch.tensor(DENORMAL).mul(1)  # torch has no way to ask for the setting
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)

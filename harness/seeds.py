"""Random streams named by (seed, purpose): no draw ever touches a global generator."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

Name = str | int


def derive(seed: int, *purpose: Name) -> int:
    """Return the 63-bit seed of the stream named ``(seed, *purpose)``.

    >>> derive(0, "init") == derive(0, "init"), derive(0, "init") == derive(1, "init")
    (True, False)
    """
    name = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") >> 1


def numpy_stream(seed: int, *purpose: Name) -> np.random.Generator:
    """Return a fresh NumPy generator for the named stream."""
    return np.random.Generator(np.random.SFC64(derive(seed, *purpose)))


def torch_stream(seed: int, *purpose: Name, device: str = "cpu") -> torch.Generator:
    """Return a fresh torch generator on ``device`` for the named stream."""
    import torch

    return torch.Generator(device=device).manual_seed(derive(seed, *purpose))

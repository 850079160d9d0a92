"""Rotary positions: what turns queries and keys by their place (Su et al. 2021, RoFormer)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.lazy import Lazy

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

BASE = 10_000
"""The slowest pair turns once in about 2π · 10,000 places."""


def rotary_tables(places: int, features: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return cos and sin of the angles t·BASE^(−2i/d), (T, d/2) each.

    Args:
        places: T.
        features: d of a head, an even number.
        like: whose device and type are wanted.
    """
    # in float64, so that far places keep their angles in float32
    device = like.device
    pair = torch.arange(0, features, 2, dtype=torch.float64, device=device)
    place = torch.arange(places, dtype=torch.float64, device=device)
    angle = torch.outer(place, BASE ** (-pair / features))
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return each pair (x₂ᵢ, x₂ᵢ₊₁) turned by its place's angle.

    (x₂ᵢ cos − x₂ᵢ₊₁ sin, x₂ᵢ sin + x₂ᵢ₊₁ cos): the product of a query and a key so turned depends
    on their distance alone.

    Args:
        x: (…, T, d).
        cos: (T, d/2).
        sin: (T, d/2).
    """
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)

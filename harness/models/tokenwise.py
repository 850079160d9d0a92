"""Layers applied to every token by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.models.base import Params
from harness.models.dense import Dense

if TYPE_CHECKING:
    from torch import Tensor


def per_token(layer: Dense, params: Params, x_KBTF: Tensor) -> Tensor:
    """Return a layer's outputs (K, B, T, out) for every token by itself.

    Args:
        layer: a dense layer, which takes samples of one axis: tokens count as samples.
        params: the parameters by name.
        x_KBTF: tokens (K, B, T, F), or (1, B, T, F) where the members share them.
    """
    rows_KNO = layer(params, x_KBTF.flatten(1, 2))
    out_KBTO: Tensor = rows_KNO.unflatten(1, x_KBTF.shape[1:3])
    return out_KBTO

"""The block of transformers: attention over tokens, then a network on each of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.models.activation import GELU
from harness.models.base import Context, Params
from harness.models.dense import Dense
from harness.models.dropout import dropout
from harness.models.norm import LayerNorm
from harness.models.tokenwise import per_token

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


class Block:
    """x ← x + attention(norm₁(x)), then x ← x + down(gelu(up(norm₂(x)))), 4·width units inside.

    Args:
        name: what its parameters' names begin with.
        width: features F of a token.
        heads: attention heads.
        inner: deviation of the initial weights; None leaves them to the recipe's ``init``.
        added: the same for the weights of what is added to the tokens.
        wider: how many times as many features a head has as at the base width of muP, r.
    """

    def __init__(
        self,
        name: str,
        width: int,
        heads: int,
        inner: float | None = None,
        added: float | None = None,
        wider: float = 1.0,
    ) -> None:
        self.heads, self.wider, self.activation = heads, wider, GELU()
        self.norm1 = LayerNorm(f"{name}.norm1", width)
        self.qkv = Dense(f"{name}.qkv", width, 3 * width, fused=3, std=inner)
        self.mix = Dense(f"{name}.mix", width, width, std=added)
        self.norm2 = LayerNorm(f"{name}.norm2", width)
        self.up = Dense(f"{name}.up", width, 4 * width, std=inner)
        self.down = Dense(f"{name}.down", 4 * width, width, std=added)

    def layers(self) -> tuple[Dense | LayerNorm, ...]:
        """Return the layers that have weights, in the order of their use."""
        return self.norm1, self.qkv, self.mix, self.norm2, self.up, self.down

    def __call__(self, params: Params, x_KBTF: Tensor, ctx: Context) -> Tensor:
        """Return the tokens after the block.

        Args:
            params: the parameters by name.
            x_KBTF: tokens (K, B, T, F); left as they are.
            ctx: whether and how dropout drops.

        Returns:
            (K, B, T, F).
        """
        x = x_KBTF + dropout(self._attend(params, self.norm1(params, x_KBTF, ctx)), ctx)
        hidden = per_token(self.up, params, self.norm2(params, x, ctx))
        hidden = self.activation.forward(hidden)
        return x + dropout(per_token(self.down, params, hidden), ctx)

    def _attend(self, params: Params, x_KBTF: Tensor) -> Tensor:
        """Return the heads' softmax(qkᵀ/√d) v, mixed; d = F/heads."""
        # one product for all three, as torch lays them out: rows of q, then of k, then of v
        split = per_token(self.qkv, params, x_KBTF).unflatten(-1, (3, self.heads, -1))
        q, k, v = split.permute(3, 0, 1, 4, 2, 5)  # (K, B, heads, T, d) each
        shares = torch.softmax(self.scores(q, k), -1)
        return per_token(self.mix, params, (shares @ v).transpose(2, 3).flatten(-2))

    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        """Return how much each token looks at each other one, qkᵀ/√(rd), before the softmax.

        That is qkᵀ/√d in the standard parametrization, and qkᵀ√d₀/d in muP (Yang et al. 2022), with
        d₀ = d/r features at the base width.

        Args:
            q: queries (K, B, heads, T, d).
            k: keys (K, B, heads, T, d).

        Returns:
            (K, B, heads, T, T); every token sees all.
        """
        # a sum of d products has deviation √d while queries and keys know nothing of each other;
        # trained in muP they do, and it is in proportion to d
        return q @ k.mT / math.sqrt(q.shape[-1] * self.wider)

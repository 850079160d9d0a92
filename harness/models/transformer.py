"""A small pre-norm transformer encoder; autograd makes its gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.models.base import Context, Model, Params, Weight
from harness.models.dense import Dense
from harness.models.norm import LayerNorm
from harness.models.tokenwise import per_token
from harness.models.transformer_block import Block
from harness.spec.space import Count, Fraction, value_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:
    torch, functional = Lazy("torch"), Lazy("torch.nn.functional")


@final
class Transformer(Model):
    """Patches → embedding + position → blocks → layer norm → mean over tokens → linear.

    A block (Vaswani et al. 2017) in the pre-norm form of Xiong et al. 2020:
    x ← x + attention(norm(x)), then x ← x + MLP(norm(x)).
    """

    patch: int = Field(default=4, ge=1)
    """Numbers in a token; the inputs are padded with zeros to a multiple."""
    width: Count = 32
    """Features of a token."""
    depth: int = Field(default=2, ge=1)
    """Blocks."""
    heads: int = Field(default=4, ge=1)
    """Attention heads; they divide ``width``."""
    dropout: Fraction = 0.0
    """Share dropped, in training, of what attention and MLP add to the tokens."""

    def at_width(self, width: int) -> Transformer:
        heads = heads_at_width(width, value_of(self.width, "model.width"), self.heads)
        return self.model_copy(update={"width": width, "heads": heads})

    def dropout_rate(self) -> float:
        return self.numbers()["dropout"]

    def network(self, input_shape: tuple[int, ...], outputs: int) -> TransformerNetwork:
        """Return the network for inputs of any shape, which are flattened and cut into patches.

        Raises:
            ValueError: ``heads`` does not divide ``width``.
        """
        return TransformerNetwork(self, math.prod(input_shape), outputs)


def heads_at_width(width: int, own_width: int, heads: int) -> int:
    """Return the heads of the same size in a transformer of another width.

    With heads that stay of one size the products of queries and keys are of one size too, whatever
    the width, and √d is what they are divided by.

    Args:
        width: the other width.
        own_width: width of the transformer that has ``heads``.
        heads: its heads.

    Raises:
        HarnessError: heads of that size do not divide the other width.

    >>> heads_at_width(64, 256, 16)
    4
    """
    other, rest = divmod(heads * width, own_width)
    if rest or not other:
        raise HarnessError(
            f"recipe.parametrization: expected heads of the same size at base_width {width} as at"
            f" width {own_width} ({own_width / heads:g} features each), which they do not divide;"
            " let heads grow with the width, or take another base_width"
        )
    return other


class TransformerNetwork:
    """The function of a Transformer spec.

    Args:
        spec: patches, widths, blocks and heads.
        numbers: numbers in one input.
        outputs: numbers out.

    Raises:
        ValueError: the heads do not divide the width.
    """

    def __init__(self, spec: Transformer, numbers: int, outputs: int) -> None:
        width = value_of(spec.width, "model.width")
        if width % spec.heads:
            raise ValueError(f"model.heads: expected a divisor of width {width}, got {spec.heads}")
        self.patch, self.tokens, self.width = spec.patch, math.ceil(numbers / spec.patch), width
        self.embed = Dense("embed", spec.patch, width, role="input")
        self.blocks = [Block(f"block.{i}", width, spec.heads) for i in range(spec.depth)]
        self.norm, self.out = LayerNorm("norm", width), Dense("out", width, outputs, role="output")

    def weights(self) -> dict[str, Weight]:
        """Return the parameters by name: ``embed.weight``, ``block.0.up.bias``, ``position``, …."""
        inner = [layer for block in self.blocks for layer in block.layers()]
        layers = (self.embed, *inner, self.norm, self.out)
        weights = {name: weight for layer in layers for name, weight in layer.weights().items()}
        return weights | {"position": Weight((self.tokens, self.width), role="embedding")}

    def buffers(self) -> dict[str, Tensor]:
        """Return no running statistics."""
        return {}

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return outputs (K, B, D)."""
        flat = x_KB.flatten(2)
        # zeros behind the last number fill its patch
        flat = functional.pad(flat, (0, self.tokens * self.patch - flat.shape[-1]))
        x = per_token(self.embed, params, flat.unflatten(-1, (self.tokens, self.patch)))
        # attention knows no order: what tells tokens apart is a trained vector for each place
        x = x + params["position"][:, None]
        for i, block in enumerate(self.blocks):
            x = block(params, x, ctx)
            ctx.show(f"block.{i}", x)
        return self.out(params, self.norm(params, x, ctx).mean(2))

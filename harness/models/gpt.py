"""A decoder-only language model in the form of GPT-2; autograd makes its gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, final

from pydantic import Field

from harness.core.lazy import Lazy
from harness.models.base import Context, DataSizes, Model, Params, Weight
from harness.models.dense import Dense
from harness.models.dropout import dropout
from harness.models.embedding import Embedding
from harness.models.norm import LayerNorm
from harness.models.positions import rotary_tables, rotate
from harness.models.tokenwise import per_token
from harness.models.transformer_block import Block
from harness.spec.space import Count, Fraction, value_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

DEVIATION = 0.02
"""Of GPT-2's initial weights."""


@final
class GPT(Model):
    """Token (+ position) → blocks → layer norm → logits of the next token (Radford et al. 2019).

    A block is pre-norm: x ← x + attention(norm(x)), then x ← x + MLP(norm(x)), with GELU. A token
    sees itself and those before it. Initial weights are GPT-2's: N(0, 0.02²), divided by
    √(2·layers) where they add to the tokens, biases 0; with another ``init`` than the default, that
    one's. In muP the heads keep their number and grow with the width: scores are qkᵀ√d₀/d, with d₀
    the features of a head at the base width, and tied embeddings put out logits that are divided by
    the ratio of the widths (Yang et al. 2022, table 8 and definition 4.1).
    """

    parametrized = 2

    layers: int = Field(default=2, ge=1)
    """Blocks."""
    width: Count = 64
    """Features of a token."""
    heads: int = Field(default=4, ge=1)
    """Attention heads; they divide ``width``."""
    positions: Literal["learned", "rotary"] = "learned"
    """A trained vector for each place (GPT-2), or queries and keys turned by an angle in proportion
    to their place (Su et al. 2021), which takes an even number of features a head."""
    tied: bool = True
    """Whether the embeddings are the weights of the output layer too (Press & Wolf 2017)."""
    dropout: Fraction = 0.0
    """Share dropped, in training, of the embeddings and of what attention and MLP add to them."""

    def at_width(self, width: int) -> GPT:
        return self.model_copy(update={"width": width})

    def dropout_rate(self) -> float:
        return self.numbers()["dropout"]

    def network_for(self, sizes: DataSizes) -> GPTNetwork:
        vocabulary = sizes.vocabulary
        if not isinstance(vocabulary, int) or len(sizes.input_shape) != 1:
            raise ValueError("expected one sequence of tokens (whole numbers) as an input")
        context = sizes.input_shape[0]
        return GPTNetwork(self, context, vocabulary, sizes.outputs, sizes.base_width)

    def network(self, input_shape: tuple[int, ...], outputs: int) -> GPTNetwork:
        """Return the network for sequences (T,) of tokens below ``outputs``.

        Raises:
            ValueError: ``heads`` does not divide ``width``, or into an odd number of features where
                positions are rotary.
        """
        return self.network_for(DataSizes(input_shape, outputs, vocabulary=outputs))


class DecoderBlock(Block):
    """A block whose tokens see themselves and those before them.

    Args:
        name: what its parameters' names begin with.
        width: features F of a token.
        heads: attention heads.
        rotary: whether queries and keys are turned by their place.
        added: deviation of the initial weights of what is added to the tokens.
        wider: the width by that of muP's base.
    """

    def __init__(
        self, name: str, width: int, heads: int, rotary: bool, added: float, wider: float = 1.0
    ) -> None:
        # as many heads at every width, so that each is so many times as wide
        super().__init__(name, width, heads, DEVIATION, added, wider)
        self.rotary = rotary

    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        if self.rotary:
            tables = rotary_tables(q.shape[-2], q.shape[-1], q)
            q, k = rotate(q, *tables), rotate(k, *tables)
        scores = super().scores(q, k)
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        return scores.masked_fill(later, -math.inf)


class GPTNetwork:
    """The function of a GPT spec.

    Args:
        spec: widths, blocks and heads.
        context: tokens in one input, T.
        vocabulary: values that tokens take, V.
        outputs: classes of the next token.
        base_width: of muP; None in the standard parametrization.

    Raises:
        ValueError: the heads do not divide the width, or a head's features can't be turned in
            pairs, or tied embeddings are fewer than the outputs.
    """

    takes_tokens = True

    def __init__(
        self,
        spec: GPT,
        context: int,
        vocabulary: int,
        outputs: int,
        base_width: int | None = None,
    ) -> None:
        width, rotary = value_of(spec.width, "model.width"), spec.positions == "rotary"
        if width % spec.heads:
            raise ValueError(f"model.heads: expected a divisor of width {width}, got {spec.heads}")
        if rotary and width // spec.heads % 2:
            raise ValueError(
                f"model.positions: rotary expected an even number of features a head, got {width} "
                f"features in {spec.heads} heads"
            )
        if spec.tied and vocabulary < outputs:
            raise ValueError(
                f"model.tied: expected tokens for all of the {outputs} outputs, got inputs of "
                f"{vocabulary} tokens; set tied: false"
            )
        self.context, self.outputs = context, outputs
        self.wider = width / (base_width or width)
        self.tokens = Embedding("tokens", vocabulary, width)
        self.position = None if rotary else Embedding("position", context, width)
        added = DEVIATION / math.sqrt(2 * spec.layers)
        self.blocks = [
            DecoderBlock(f"block.{i}", width, spec.heads, rotary, added, self.wider)
            for i in range(spec.layers)
        ]
        self.norm = LayerNorm("norm", width)
        self.out = None
        if not spec.tied:
            self.out = Dense("out", width, outputs, bias=False, role="output", std=DEVIATION)

    def weights(self) -> dict[str, Weight]:
        """Return the parameters by name: ``tokens.weight``, ``block.0.up.bias``, …."""
        inner = [layer for block in self.blocks for layer in block.layers()]
        layers = (self.tokens, self.position, *inner, self.norm, self.out)
        return {
            name: weight
            for layer in layers
            if layer is not None
            for name, weight in layer.weights().items()
        }

    def buffers(self) -> dict[str, Tensor]:
        """Return no running statistics."""
        return {}

    def __call__(self, params: Params, x_KB: Tensor, ctx: Context) -> Tensor:
        """Return logits (K, B, T, V) of the token after each.

        Args:
            params: weights by name.
            x_KB: tokens (K, B, T), or (1, B, T) where all members share them.
            ctx: training or evaluation, and the members' streams.
        """
        x = self.tokens(params, x_KB)
        if self.position is not None:
            # (K, 1, T, F): the same for every sample
            x = x + params[self.position.w][:, None, : x_KB.shape[2]]
        x = dropout(x, ctx)
        for i, block in enumerate(self.blocks):
            x = block(params, x, ctx)
            ctx.show(f"block.{i}", x)
        x = self.norm(params, x, ctx)
        if self.out is not None:
            return per_token(self.out, params, x)
        # an output's start and rate would be 1/r of an embedding's (table 3); tied weights are
        # both, and so their outputs are divided
        x = x if self.wider == 1 else x / self.wider
        table_KVF = params[self.tokens.w][:, : self.outputs]
        logits_KNV = torch.matmul(x.flatten(1, 2), table_KVF.mT)
        out_KBTV: Tensor = logits_KNV.unflatten(1, x.shape[1:3])
        return out_KBTV

"""What networks the kernels compute, and each as their layers in order and what is beside them."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from harness.engine.differentiate.kernel_structures import KernelShape, KernelTransformer
from harness.models.activation import Identity, ReLU
from harness.models.base import Network
from harness.models.cnn import ConvNetwork
from harness.models.convolution import Conv
from harness.models.dense import Dense
from harness.models.embedding import Embedding
from harness.models.gpt import GPTNetwork
from harness.models.mlp import MLPNetwork
from harness.models.norm import LayerNorm
from harness.models.positions import rotary_tables

LARGEST_LAYER = 2**20
"""Weights of a layer from which PyTorch's products, cut for all levels of the cache and for several
threads, are as fast; measured with benchmarks/kernels.py at widths of 512 to 2048."""


class KernelPart(NamedTuple):
    """A layer, as the kernels have it: outputs × inputs weights, and a bias for each output."""

    w: str
    """The weights' name; of a norm that of its scales, of embeddings that of the table."""
    b: str
    """That of the biases or shifts; there may be none of this name."""
    inputs: int
    outputs: int


class KernelForm(NamedTuple):
    """A network, as the kernels have it."""

    parts: tuple[KernelPart, ...]
    """Its layers, in the kernels' order."""
    dropped: tuple[tuple[int, int], ...]
    """Wherever dropout drops, in its order: behind which layer, and how many numbers a sample."""
    rectified: bool = False
    shapes: ctypes.Array[KernelShape] | None = None
    """Of convolutions."""
    pooled: bool = False
    transformer: KernelTransformer | None = None
    tables: tuple[Tensor, ...] = ()
    """Where the transformer's cos and sin lie: they must outlive it."""


def form_of(network: Network) -> KernelForm | None:
    """Return a network as the kernels have it; None where they can't compute it, or no faster.

    Args:
        network: of a program.
    """
    form = None
    if isinstance(network, ConvNetwork) and not network.norms:
        form = _of_convolutions(network)
    elif isinstance(network, MLPNetwork) and not (network.residual or network.norms):
        form = _of_dense(network)
    elif isinstance(network, GPTNetwork):
        form = _of_transformer(network)
    if form is None or isinstance(network, ConvNetwork):
        return form
    small = all(part.inputs * part.outputs <= LARGEST_LAYER for part in form.parts)
    return form if small else None


def _of_dense(network: MLPNetwork) -> KernelForm | None:
    if not isinstance(network.activation, ReLU | Identity):
        return None
    return KernelForm(
        _parts((*network.hidden, network.out)),
        tuple((i, layer.outputs) for i, layer in enumerate(network.hidden)),
        rectified=isinstance(network.activation, ReLU),
    )


def _of_convolutions(network: ConvNetwork) -> KernelForm:
    return KernelForm(
        _parts((*network.convs, network.out)),
        # behind the last one
        ((len(network.convs) - 1, network.out.inputs),),
        shapes=_shapes_of(network),
        pooled=network.pool,
    )


def _of_transformer(network: GPTNetwork) -> KernelForm:
    blocks, width, places = network.blocks, network.norm.features, network.context
    inner = [layer for block in blocks for layer in block.layers()]
    ends = (network.tokens, network.position, *inner, network.norm, network.out)
    layers = [layer for layer in ends if layer is not None]
    adding = [end for block in blocks for end in (block.mix, block.down)]
    dropping: list[Dense | Embedding] = [network.tokens, *adding]
    head, tied = width // blocks[0].heads, network.out is None
    tables = () if network.position else rotary_tables(places, head, torch.empty(0))
    cos, sin = (table.data_ptr() for table in tables) if tables else (None, None)
    return KernelForm(
        _parts(layers),
        tuple((layers.index(layer), places * width) for layer in dropping),
        transformer=KernelTransformer(
            *(len(blocks), blocks[0].heads, places, network.outputs, cos, sin, tied),
            *(1 / math.sqrt(head * network.wider), 1 / network.wider if tied else 1.0),
        ),
        tables=tables,
    )


def _parts(layers: Iterable[Dense | Conv | Embedding | LayerNorm]) -> tuple[KernelPart, ...]:
    return tuple(map(_part, layers))


def _part(layer: Dense | Conv | Embedding | LayerNorm) -> KernelPart:
    if isinstance(layer, LayerNorm):
        return KernelPart(f"{layer.name}.weight", f"{layer.name}.bias", 1, layer.features)
    if isinstance(layer, Embedding):
        return KernelPart(layer.w, "", *layer.shape[::-1])
    # how many numbers an output is a sum over
    inputs = layer.inputs * (layer.kernel**layer.axes if isinstance(layer, Conv) else 1)
    return KernelPart(layer.w, layer.b, inputs, layer.outputs)


def _shapes_of(network: ConvNetwork) -> ctypes.Array[KernelShape]:
    """Return the convolutions' geometries; a signal is a picture of one line."""
    shapes, sizes = [], network.planes[1:]
    for conv in network.convs:
        line = conv.axes == 1
        height, width = (1, *sizes) if line else sizes
        down = (1, 0) if line else (conv.kernel, conv.padding)
        shapes.append(
            KernelShape(
                *(conv.inputs, height, width, down[0], conv.kernel, conv.stride),
                *(down[1], conv.padding),
            )
        )
        sizes = tuple(conv.size(size) for size in sizes)
    return (KernelShape * len(shapes))(*shapes)

"""Targets that are whole numbers: one class for each token, pixel or sample, never one-hot.

The classes of sequences come last in the outputs, (K, B, T, V) for targets (K, B, T), as language
models give them; those of pictures second, (K, B, V, H, W) for targets (K, B, H, W), as
convolutions do. A single class a sample, (K, B), has outputs (K, B, V).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.lazy import Lazy

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


def are_tokens(y_KB: Tensor) -> bool:
    """Return whether targets are classes as whole numbers (and not one-hot, or numbers)."""
    return y_KB.dtype == torch.int64


def classes_last(out_KB: Tensor, y_KB: Tensor) -> Tensor:
    """Return outputs with the classes on the last axis, (K, B, *S, V).

    Args:
        out_KB: (K, B, T, V) or (K, B, V) of sequences or samples, (K, B, V, *S) of pictures.
        y_KB: targets (K, B, *S), of which only the axes are counted.
    """
    # members, samples, and one axis at most are sequences
    return out_KB if y_KB.ndim <= 3 else out_KB.movedim(2, -1)


def outputs_for(shape: tuple[int, ...], classes: int) -> tuple[int, ...]:
    """Return the shape of one sample's outputs.

    Args:
        shape: S of its targets.
        classes: V.

    >>> outputs_for((32,), 256), outputs_for((8, 8), 3), outputs_for((), 5000)
    ((32, 256), (3, 8, 8), (5000,))
    """
    return (*shape, classes) if len(shape) < 2 else (classes, *shape)


def sum_by_sample(numbers_KB: Tensor) -> Tensor:
    """Return the sums over all but members and samples, (K, B) of (K, B, *S)."""
    return numbers_KB if numbers_KB.ndim == 2 else numbers_KB.flatten(2).sum(2)


def weighted_mean(loss_KB: Tensor, weights_KB: Tensor) -> Tensor:
    """Return Σ_b c_b ℓ_b / Σ_b c_b, (K,); 0 where nothing counts.

    Args:
        loss_KB: losses ℓ of samples.
        weights_KB: how much each counts, c.
    """
    total_K = weights_KB.sum(1)
    # a batch in which nothing counts has the loss 0 and no gradient, not 0/0
    return (loss_KB * weights_KB).sum(1) / (total_K + (total_K == 0))

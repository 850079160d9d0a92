"""Outputs beside their targets, in the forms that metrics ask for.

Shapes: K members of a cohort, N samples (or tokens: whatever has one target), C classes or D
numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.core.lazy import Lazy

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")


@dataclass(frozen=True, eq=False)
class Scored:
    """The outputs of all members on some samples, and the targets that they share.

    What several metrics ask for is computed once; softmax and sums are in float64.
    """

    out_KNC: Tensor
    """The network's outputs."""
    target: Tensor
    """Classes (N,) as whole numbers, one-hot classes (N, C), or numbers (N, D)."""
    numbers: bool = False
    """Whether the targets are numbers, which can't be told from one-hot classes by their shape."""

    @cached_property
    def classes_N(self) -> Tensor:  # noqa: N802
        """The class of every sample."""
        return self.target if self.target.ndim == 1 else self.target.argmax(-1)

    @cached_property
    def error_KND(self) -> Tensor:  # noqa: N802
        """Outputs less targets, of numbers."""
        return self.out_KNC.double() - self.target.double()

    @cached_property
    def log_p_KNC(self) -> Tensor:  # noqa: N802
        """Logarithms of the classes' probabilities, log softmax(out)."""
        return torch.log_softmax(self.out_KNC.double(), -1)

    @cached_property
    def nll_KN(self) -> Tensor:  # noqa: N802
        """Negative log-likelihood of every sample's class, in nats."""
        index_KN1 = self.classes_N.expand(self.out_KNC.shape[:2])[..., None]
        return -self.log_p_KNC.gather(-1, index_KN1)[..., 0]

    @cached_property
    def counts_K3C(self) -> Tensor:  # noqa: N802
        """For each class: its samples that are found, the predictions of it, its samples."""
        guess_KN, classes = self.out_KNC.argmax(-1), self.out_KNC.shape[-1]
        true_KN = self.classes_N.expand_as(guess_KN)
        counts = self.out_KNC.new_zeros(len(guess_KN), 3, classes, dtype=torch.float64)
        ones_KN = torch.ones_like(guess_KN, dtype=torch.float64)
        counts[:, 0].scatter_add_(1, true_KN, (guess_KN == true_KN).double())
        counts[:, 1].scatter_add_(1, guess_KN, ones_KN)
        counts[:, 2].scatter_add_(1, true_KN, ones_KN)
        return counts


def score(out: Tensor, y: Tensor, numbers: bool = False, ignored: int | None = None) -> Scored:
    """Return outputs beside targets, whatever shape a sample has.

    Args:
        out: outputs (K, N, …, C): of tokens, a row for each.
        y: targets, the same for all members: classes (N, …) as whole numbers, or one-hot classes or
            numbers (N, …, C).
        numbers: whether the targets are numbers.
        ignored: the whole number that stands for no class, such as that of padding; those places
            are left out.

    Returns:
        All places as samples.

    >>> tokens = score(torch.zeros(2, 3, 4, 5), torch.tensor([[1, 2, 3, 0]] * 3), ignored=0)
    >>> tokens.out_KNC.shape, tokens.target.tolist()
    (torch.Size([2, 9, 5]), [1, 2, 3, 1, 2, 3, 1, 2, 3])
    """
    if numbers:  # however many a sample has, they are its own
        return Scored(out.flatten(2), y.flatten(1), numbers=True)
    out_KNC = out.flatten(1, -2)
    if y.is_floating_point():
        return Scored(out_KNC, y.flatten(0, -2))
    target_N = y.flatten()
    if ignored is None:
        return Scored(out_KNC, target_N)
    kept_N = target_N != ignored
    return Scored(out_KNC[:, kept_N], target_N[kept_N])


def join(parts: list[Scored]) -> Scored:
    """Return the samples of several pieces as one.

    Args:
        parts: of the same members.
    """
    if len(parts) == 1:
        return parts[0]
    out_KNC = torch.cat([part.out_KNC for part in parts], 1)
    return Scored(out_KNC, torch.cat([part.target for part in parts]), parts[0].numbers)

"""Pictures that training sees changed: moved, mirrored, with a square left out.

Each draws from a stream of its own, named by (seed, purpose), and as many numbers whatever its
strength: arms of one seed and batch size see the same crops, and a larger padding or a larger share
of mirrored pictures moves those further that were moved before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

import numpy as np

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.regularizers.base import Regularizer, RegularizerContext
from harness.spec.space import Space, Tunable, largest_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

Pixels = Annotated[int | Space, Tunable(hyper=True, ge=1)]
Share = Annotated[float | Space, Tunable(hyper=True, ge=0, le=1)]
LEARNT = ("classification", "regression")
"""Tasks whose targets a changed picture keeps; those that are pictures would have to move too."""


@final
class RandomCrop(Regularizer):
    """Each training picture is moved by up to ``padding`` pixels in both directions; 0 moves in.

    The same as a crop of the old size out of the picture with a border of zeros, as torchvision's
    ``RandomCrop(size, padding)`` draws it (Krizhevsky 2009, He et al. 2016).
    """

    tasks: ClassVar[tuple[str, ...]] = LEARNT
    computes_with_inputs: ClassVar[bool] = True
    for_pictures: ClassVar[bool] = True
    padding: Pixels = 4
    """Width of the border in pixels."""

    def check_picture(self, input_shape: tuple[int, ...]) -> None:
        _check_pixels("RandomCrop.padding", self.padding, min(input_shape[-2:]) - 1, input_shape)

    def batch(self, x_KB: Tensor, y_KBD: Tensor, ctx: RegularizerContext) -> tuple[Tensor, Tensor]:
        drawn_2KB = _drawn(ctx, "crop", 2, x_KB)
        padding_K1 = ctx.column("padding").to(torch.float64)
        # one of the 2·padding + 1 places
        moved_2KB = (drawn_2KB * (2 * padding_K1 + 1)).floor() - padding_K1
        x_KB = x_KB.expand(moved_2KB.shape[1], *x_KB.shape[1:])  # members may share their inputs
        return _moved(_moved(x_KB, moved_2KB[0], -2), moved_2KB[1], -1), y_KBD


@final
class HorizontalFlip(Regularizer):
    """Each training picture is mirrored, left for right, with a probability."""

    tasks: ClassVar[tuple[str, ...]] = LEARNT
    computes_with_inputs: ClassVar[bool] = True
    for_pictures: ClassVar[bool] = True
    probability: Share = 0.5
    """How often."""

    def batch(self, x_KB: Tensor, y_KBD: Tensor, ctx: RegularizerContext) -> tuple[Tensor, Tensor]:
        (drawn_KB,) = _drawn(ctx, "flip", 1, x_KB)
        mirrored_KB = drawn_KB < ctx.column("probability")
        chosen = mirrored_KB.view(*mirrored_KB.shape, *(1,) * (x_KB.ndim - 2))
        return torch.where(chosen, x_KB.flip(-1), x_KB), y_KBD


@final
class Cutout(Regularizer):
    """In each training picture a square around a random pixel is 0 (DeVries & Taylor 2017).

    Every pixel is as likely to be the square's centre, so that part of it may lie outside.
    """

    tasks: ClassVar[tuple[str, ...]] = LEARNT
    computes_with_inputs: ClassVar[bool] = True
    for_pictures: ClassVar[bool] = True
    size: Pixels = 8
    """Side of the square in pixels."""

    def check_picture(self, input_shape: tuple[int, ...]) -> None:
        _check_pixels("Cutout.size", self.size, min(input_shape[-2:]), input_shape)

    def batch(self, x_KB: Tensor, y_KBD: Tensor, ctx: RegularizerContext) -> tuple[Tensor, Tensor]:
        drawn_2KB = _drawn(ctx, "cutout", 2, x_KB)
        size_K1 = ctx.column("size").to(torch.float64)
        rows_KBH, columns_KBW = (
            _inside(drawn_KB, size_K1, length)
            for drawn_KB, length in zip(drawn_2KB, x_KB.shape[-2:], strict=True)
        )
        square = rows_KBH[..., :, None] & columns_KBW[..., None, :]
        if x_KB.ndim == 5:  # (K, B, C, H, W): the same square in every channel
            square = square[:, :, None]
        return x_KB.masked_fill(square, 0.0), y_KBD


def _check_pixels(field: str, pixels: int | Space, most: int, input_shape: tuple[int, ...]) -> None:
    """Refuse more pixels than a picture has.

    Raises:
        HarnessError: so many, or a space with so many.
    """
    if isinstance(largest := largest_of(pixels), int | float) and largest > most:
        raise HarnessError(
            f"recipe.regularizers: expected {field} of at most {most}, since pictures are "
            f"{input_shape[-2]} × {input_shape[-1]} pixels, got {pixels}"
        )


def _drawn(ctx: RegularizerContext, purpose: str, count: int, x_KB: Tensor) -> Tensor:
    """Return numbers (count, K, B) from U[0, 1) in float64, from the members' own streams."""
    assert ctx.noise is not None, "augmentation draws"
    rows = [stream.random((count, x_KB.shape[1])) for stream in ctx.noise.named(purpose)]
    return torch.from_numpy(np.stack(rows, axis=1)).to(x_KB.device)


def _moved(x_KB: Tensor, by_KB: Tensor, axis: int) -> Tensor:
    """Return pictures moved along an axis; what comes in from outside is 0.

    x′[…, i, …] = x[…, i + by, …]
    """
    length = x_KB.shape[axis]
    from_KBL = torch.arange(length, device=x_KB.device) + by_KB.long()[..., None]
    shape = [*x_KB.shape[:2], *(1,) * (x_KB.ndim - 2)]
    shape[axis] = length
    source = from_KBL.clamp(0, length - 1).view(shape).expand(x_KB.shape)
    outside = ((from_KBL < 0) | (from_KBL >= length)).view(shape)
    return x_KB.gather(axis, source).masked_fill(outside, 0.0)


def _inside(drawn_KB: Tensor, size_K1: Tensor, length: int) -> Tensor:
    """Return which positions of an axis are in the square, (K, B, L)."""
    first_KB = (drawn_KB * length).floor() - (size_K1 / 2).floor()
    at_L = torch.arange(length, device=drawn_KB.device)
    return (at_L >= first_KB[..., None]) & (at_L < (first_KB + size_K1)[..., None])

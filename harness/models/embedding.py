"""Tables of vectors that tokens look up, for all members of a cohort at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.lazy import Lazy
from harness.models.base import Params, Weight

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:
    torch, functional = Lazy("torch"), Lazy("torch.nn.functional")


class Embedding:
    """token ↦ row of W, with W (V, F) for each member.

    Args:
        name: what its parameter is called: ``<name>.weight``.
        count: rows V.
        features: numbers F of a row.
    """

    def __init__(self, name: str, count: int, features: int) -> None:
        self.w, self.shape = f"{name}.weight", (count, features)

    def weights(self) -> dict[str, Weight]:
        """Return W."""
        return {self.w: Weight(self.shape, *self.shape, role="embedding")}

    def __call__(self, params: Params, x_KB: Tensor) -> Tensor:
        """Return the tokens' rows (K, B, T, F).

        Args:
            params: W (K, V, F) by name.
            x_KB: tokens (K, B, T), or (1, B, T) where all members share them.
        """
        w_KVF = params[self.w]
        members, count = w_KVF.shape[:2]
        # one table of all members' rows, in which a member's begin at V times its place: each row's
        # gradient is a sum over that member's tokens alone, in their order
        first_K = torch.arange(0, members * count, count, device=x_KB.device)
        return functional.embedding(x_KB + first_K.view(-1, 1, 1), w_KVF.flatten(0, 1))

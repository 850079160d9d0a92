"""Normalization layers of all members of a cohort at once.

They have no hand-written backward pass: networks that use them are differentiated by autograd. Both
expect the features on the last axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from harness.core.lazy import Lazy
from harness.models.base import Context, Params, Weight
from harness.spec.space import Space, Tunable

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:
    torch, functional = Lazy("torch"), Lazy("torch.nn.functional")

NormChoice = Annotated[Literal["none", "batch", "layer"] | Space, Tunable()]
"""The type of a model's field that says which layers it has."""


class BatchNorm:
    """γ(x − μ)/√(σ² + ε) + β, with μ and σ² over batch and positions (Ioffe & Szegedy 2015).

    In training μ and σ² are the batch's, and the running ones follow: r ← (1 − m) r + m·now. In
    evaluation the running ones are used. As in torch, a batch is divided by its biased σ² (over n)
    and the running one follows the unbiased (over n − 1).

    Args:
        name: what its parameters and buffers are called: ``<name>.weight`` (γ), ``.bias`` (β),
            ``.mean``, ``.var``.
        features: length of the last axis, one μ and σ² each.
    """

    eps, momentum = 1e-5, 0.1  # ε and m, torch's defaults

    def __init__(self, name: str, features: int) -> None:
        self.name, self.features = name, features

    def weights(self) -> dict[str, Weight]:
        """Return γ and β."""
        return _scale_and_shift(self.name, self.features)

    def buffers(self) -> dict[str, Tensor]:
        """Return the running mean, from 0, and variance, from 1."""
        return {
            f"{self.name}.mean": torch.zeros(self.features),
            f"{self.name}.var": torch.ones(self.features),
        }

    def __call__(self, params: Params, x: Tensor, ctx: Context) -> Tensor:
        """Return the inputs normalised; in training, update the context's running statistics.

        Args:
            params: γ and β (K, F) by name.
            x: inputs (K, B, …, F).
            ctx: training or evaluation, and the running statistics (K, F) by name.

        Returns:
            (K, B, …, F).
        """
        # mixed precision gives bfloat16, whose sums over a batch lose digits: as in torch,
        # statistics are computed and kept in the parameters' own precision
        x = x.to(params[f"{self.name}.weight"].dtype)
        rows_KNF = x.flatten(1, -2)
        if ctx.training:
            # correction=0: divide by n, as torch does to normalise the batch
            var_KF, mean_KF = torch.var_mean(rows_KNF, 1, correction=0)
            self._update_running(mean_KF.detach(), var_KF.detach(), rows_KNF.shape[1], ctx)
        else:
            mean_KF, var_KF = ctx.buffers[f"{self.name}.mean"], ctx.buffers[f"{self.name}.var"]
        scale_KF = params[f"{self.name}.weight"] * torch.rsqrt(var_KF + self.eps)
        shift_KF = params[f"{self.name}.bias"]
        # x − μ first, then the scale. scale·x + (β − scale·μ) is the same with one pass less, but
        # for a batch of a single sample, x = μ, it gives β plus a rounding error. β starts at 0,
        # where that error would decide whether a ReLU is on or off.
        centred_KNF = rows_KNF - mean_KF[:, None]
        normal_KNF = torch.addcmul(shift_KF[:, None], centred_KNF, scale_KF[:, None])
        return normal_KNF.view(len(scale_KF), *x.shape[1:])

    def _update_running(self, mean_KF: Tensor, var_KF: Tensor, count: int, ctx: Context) -> None:
        """Move the running statistics towards the batch's: r ← (1 − m) r + m·now.

        Args:
            mean_KF: the batch's mean.
            var_KF: its biased variance.
            count: numbers n that they are over, batch and positions.
            ctx: whose entries are replaced by new tensors; the old ones are the caller's.
        """
        momentum = self.momentum if ctx.momentum is None else ctx.momentum
        unbiased_KF = var_KF * (count / max(1, count - 1))  # a single sample's is 0, not 0/0
        for key, now_KF in (("mean", mean_KF), ("var", unbiased_KF)):
            name = f"{self.name}.{key}"
            ctx.buffers[name] = torch.lerp(ctx.buffers[name], now_KF, momentum)


class LayerNorm:
    """γ(x − μ)/√(σ² + ε) + β, with μ and σ² over the features of a position (Ba et al. 2016).

    Args:
        name: what its parameters are called: ``<name>.weight`` (γ), ``<name>.bias`` (β).
        features: length of the last axis.
    """

    eps = 1e-5  # ε, torch's default

    def __init__(self, name: str, features: int) -> None:
        self.name, self.features = name, features

    def weights(self) -> dict[str, Weight]:
        """Return γ and β."""
        return _scale_and_shift(self.name, self.features)

    def buffers(self) -> dict[str, Tensor]:
        """Return nothing: training and evaluation do the same."""
        return {}

    def __call__(self, params: Params, x: Tensor, ctx: Context) -> Tensor:
        """Return the inputs normalised.

        Args:
            params: γ and β (K, F) by name.
            x: inputs (K, B, …, F).
            ctx: not used; every network calls its normalizations in the same way.

        Returns:
            (K, B, …, F).
        """
        normal = functional.layer_norm(x, (self.features,), eps=self.eps)
        shape = (-1, *(1,) * (x.ndim - 2), self.features)
        scale, shift = params[f"{self.name}.weight"], params[f"{self.name}.bias"]
        return scale.view(shape) * normal + shift.view(shape)


NORMS: dict[str, type[BatchNorm] | type[LayerNorm]] = {"batch": BatchNorm, "layer": LayerNorm}
"""Normalizations by the name that specs use."""


def norm_layers(norm: str, widths: Sequence[int]) -> list[BatchNorm | LayerNorm]:
    """Return ``norm.0``, ``norm.1``, … for layers of the given widths; [] for the norm "none".

    Args:
        norm: "none", "batch" or "layer".
        widths: features of each layer that is normalised.

    >>> [layer.name for layer in norm_layers("batch", (8, 4))], norm_layers("none", (8, 4))
    (['norm.0', 'norm.1'], [])
    """
    if norm == "none":
        return []
    return [NORMS[norm](f"norm.{i}", width) for i, width in enumerate(widths)]


def _scale_and_shift(name: str, features: int) -> dict[str, Weight]:
    """Return γ, which starts at 1, and β, which starts at 0."""
    return {
        f"{name}.weight": Weight((features,), role="norm", value=(1.0,) * features),
        f"{name}.bias": Weight((features,), role="norm", value=(0.0,) * features),
    }

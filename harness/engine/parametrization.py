"""The maximal update parametrization (muP): how starts and learning rates go with width.

A wide network is measured by one of ``base_width``, which has the same depth. With r the ratio of a
parameter's fan-in to the base network's (Yang et al. 2022, "Tensor Programs V", table 3)::

    parameter                    starts at      rate, gradient      rate, entrywise
    inputs, embeddings, vectors  as the base    outputs' ratio      1
    between hidden units         1/√r           outputs' ratio / r  1/r
    outputs                      1/r            1/r                 1/r

"Starts at" multiplies what the recipe's ``init`` gives the base network. "Gradient" are optimizers
whose updates are in proportion to the gradient, as SGD's, and "entrywise" those whose updates do
not depend on its scale, as Adam's. Decays are divided by the factor of the rate, so that what a
decay takes away in an update does not depend on the width. At ``base_width`` all factors are 1, and
no output needs a multiplier: that of the paper's table 8 is in the outputs' start and rate here.
Embeddings that are tied to the outputs have it, and attention has a factor of its own; those are
the network's (:class:`harness.models.gpt.GPT`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, get_args

from harness.core.errors import HarnessError
from harness.data.base import Data
from harness.models.base import Model, Weight
from harness.optimizers.base import Optimizer, UpdateRule
from harness.spec.component import as_a
from harness.spec.resolved import ResolvedRecipe


class Scaling(NamedTuple):
    """What is different of one parameter of a wide network."""

    base: Weight
    """The parameter in the network of the base width, whose fans it starts by."""
    start: float
    """Factor on its start."""
    rates: Mapping[UpdateRule, float]
    """Factors on the learning rate, by how updates follow from the gradient."""


Scalings = Mapping[str, Scaling]
"""By the parameters' names; empty for the standard parametrization."""


def at_base_width(recipe: ResolvedRecipe) -> ResolvedRecipe:
    """Return the recipe with its model at the base width.

    Args:
        recipe: with ``parametrization="mup"``.

    Raises:
        HarnessError: its model has no width, or its optimizer none of the rules of the table.
    """
    model = recipe.model or as_a(Data, recipe.data).default_model()
    base = model.at_width(recipe.base_width) if isinstance(model, Model) else None
    if base is None:
        raise HarnessError(
            "recipe.parametrization: expected a model whose hidden layers have a width for 'mup',"
            f" such as MLP, got {model.name if model else 'none'}; a Model of your own may have a"
            " method at_width"
        )
    optimizer = recipe.optimizer
    if not isinstance(optimizer, Optimizer) or optimizer.update_rule is None:
        raise HarnessError(
            "recipe.parametrization: expected an optimizer for 'mup' of which it is known how its"
            f" updates follow from the gradient, such as SGD, AdamW or Muon, got {optimizer.name};"
            " an Optimizer of your own says it in update_rule"
        )
    return recipe.model_copy(update={"model": base})


def scalings_of(weights: Mapping[str, Weight], base: Mapping[str, Weight]) -> Scalings:
    """Return the scaling of each parameter.

    Args:
        weights: of the network that is trained, by name.
        base: of the network of the base width, by the same names.
    """
    return {name: scaling_of(weight, base[name]) for name, weight in weights.items()}


def scaling_of(weight: Weight, base: Weight) -> Scaling:
    """Return the row of the table for one parameter.

    Args:
        weight: in the network that is trained.
        base: the same parameter in the network of the base width.

    >>> wide, narrow = Weight((256, 256), 256, 256), Weight((64, 64), 64, 64)
    >>> scaling_of(wide, narrow)[1:]
    (0.5, {'gradient': 1.0, 'entrywise': 0.25, 'spectral': 1.0})
    """
    ratio = weight.fan_in / base.fan_in
    if weight.role == "hidden":
        wider = weight.fan_out / base.fan_out
        # a matrix whose spectral norm is 1 changes units alike at every width
        rates = _rates(gradient=wider / ratio, entrywise=1 / ratio, spectral=1.0)
        return Scaling(base, 1 / math.sqrt(ratio), rates)
    if weight.role == "output":
        return Scaling(base, 1 / ratio, _rates(1 / ratio, 1 / ratio, 1 / ratio))
    # of their axes one at most goes with the width
    wider = math.prod(weight.shape) / math.prod(base.shape)
    return Scaling(base, 1.0, _rates(gradient=wider, entrywise=1.0, spectral=1.0))


def _rates(gradient: float, entrywise: float, spectral: float) -> dict[UpdateRule, float]:
    rules: tuple[UpdateRule, ...] = get_args(UpdateRule)
    return dict(zip(rules, (gradient, entrywise, spectral), strict=True))

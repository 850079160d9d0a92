"""Resolved recipes: nothing in them is left to a search, so that one run can be trained from
one.

Everything from the engine down takes this type, and need not ask for spaces. Its plain form is the
recipe's own: run keys do not depend on which of the two types a recipe had.
"""

from __future__ import annotations

from math import ceil
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.spec.recipe import LENGTHS, Recipe
from harness.spec.recipe_fields import BatchSize

_WholeNumber = Annotated[int, Field(ge=1)]


class ResolvedRecipe(Recipe):
    """A recipe whose fields and parts hold values and no spaces.

    The fields that may be spaces are declared again with narrower types; those of parts are looked
    at when it is made.
    """

    batch_size: BatchSize[int | Literal["full"]] = 32
    """Samples in an update, or "full" for the whole training set."""
    epochs: _WholeNumber | None = None
    """Length of training in passes over the training set."""
    steps: _WholeNumber | None = None
    """Length of training in updates."""
    samples: _WholeNumber | None = None
    """Length of training in samples seen."""
    gradients: _WholeNumber | None = None
    """Length of training in gradients of single samples."""
    seconds: Annotated[float, Field(gt=0)] | None = Field(
        default=None, exclude_if=lambda seconds: seconds is None
    )
    """Length of training in seconds, for a trainer of your own."""

    @property
    def length(self) -> tuple[str, int]:
        """The unit that the length is given in, and how many of it; seconds are rounded up.

        >>> from harness import SGD, Recipe
        >>> resolve(Recipe(data="iris", optimizer=SGD(lr=0.1), epochs=3)).length
        ('epochs', 3)
        """
        given = {unit: getattr(self, unit) for unit in LENGTHS}
        # a recipe is refused that has not exactly one
        return next((unit, ceil(count)) for unit, count in given.items() if count is not None)

    @model_validator(mode="after")
    def _no_spaces(self) -> Self:
        """Refuse spaces in parts, and in fields whose types would let them pass."""
        if spaces := self.spaces():
            raise ValueError(
                f"expected a recipe without spaces, got {', '.join(spaces)}; a Study searches them"
            )
        return self


def resolve(recipe: Recipe) -> ResolvedRecipe:
    """Return the recipe as one that holds no spaces.

    Raises:
        ValidationError: it holds some.
    """
    if isinstance(recipe, ResolvedRecipe):
        return recipe
    # dict() keeps the parts as they are, which are frozen and need not be copied
    return ResolvedRecipe.model_validate(dict(recipe))

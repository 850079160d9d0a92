"""What is done to the arrays of every data set: the options that all sources share."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from harness.spec.component import Component


class DataOptions(Component):
    """Splits, noise and scaling; the same options always make the same data set.

    :mod:`harness.data.prepare` says in which order they act.
    """

    kind = "data"
    seed: int = 0
    """Names the streams of the split, the noise and the shuffle. It is the data's own: runs with
    different seeds see the same data set."""
    train_size: int | None = Field(default=None, ge=1)
    """Number of training samples kept (smaller sets are nested in larger ones); all by default."""
    valid_fraction: float = Field(default=0.2, ge=0, lt=1)
    """Share of the training part held out for validation."""
    split: int = Field(default=0, ge=0)
    """Which random split of the samples that the test part leaves into training and validation:
    each number names another one of the same sizes, so that searches can be repeated on several.
    The test part does not depend on it."""
    groups: str | None = Field(default=None, exclude_if=lambda name: name is None)
    """Column or array that tells which samples belong together (a patient, a place): no group is in
    two parts. Parts are as near to their shares as whole groups allow."""
    stratify: bool = Field(default=False, exclude_if=lambda stratify: not stratify)
    """Give every part the same share of each class, to one sample."""
    order_by: str | None = Field(default=None, exclude_if=lambda name: name is None)
    """Column or array of times or numbers: the last samples are the test part, those before them
    validation, and ``train_size`` keeps the latest. There is one such split, whatever ``split``."""
    label_noise: float = Field(default=0.0, ge=0, le=1)
    """Share of training labels replaced by ones drawn from all classes, the true one included."""
    shuffle_pixels: bool = False
    """Permute the features by one fixed permutation."""
    polynomial: int = Field(default=1, ge=1)
    """Degree up to which products of the features are added to them."""
    standardize: bool = False
    """Scale each feature to mean 0 and deviation 1, as measured on the training samples."""

    @model_validator(mode="after")
    def _one_way_to_split(self) -> Self:
        ways = [name for name in ("groups", "stratify", "order_by") if getattr(self, name)]
        if len(ways) > 1:
            raise ValueError(
                f"expected one of groups, stratify, order_by, got {' and '.join(ways)}"
            )
        return self

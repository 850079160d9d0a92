"""What is done to the arrays of every data set: the options that all sources share."""

from __future__ import annotations

from pydantic import Field

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
    label_noise: float = Field(default=0.0, ge=0, le=1)
    """Share of training labels replaced by ones drawn from all classes, the true one included."""
    shuffle_pixels: bool = False
    """Permute the features by one fixed permutation."""
    polynomial: int = Field(default=1, ge=1)
    """Degree up to which products of the features are added to them."""
    standardize: bool = False
    """Scale each feature to mean 0 and deviation 1, as measured on the training samples."""

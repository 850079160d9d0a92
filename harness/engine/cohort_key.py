"""Which runs train together, of those that can."""

from __future__ import annotations

import numpy as np

from harness.data.base import Data, load_data
from harness.engine.timetable import make_timetable
from harness.spec.component import as_a
from harness.spec.keys import digest, shape_key
from harness.spec.resolved import ResolvedRecipe

MIXED = 2**24
"""Bytes of a training part up to which runs on several splits of the data share a cohort, which
then holds each split's part: 8 splits are 128 MB at most. Larger data take so long to train on that
little is gained. It is compared with the size of the data alone, so that cohorts are cut the same
on every start and every machine."""


def cohort_key(recipe: ResolvedRecipe) -> str:
    """Return what runs must share to train in one cohort, as ``dispatch`` cuts them.

    Runs on other splits of the data are of one shape. They train apart where all members share
    their inputs otherwise (full batches), where the data are too large to be held several times, or
    where whole groups make parts of other sizes.

    Args:
        recipe: its data are loaded.

    Returns:
        The recipe's :func:`~harness.spec.keys.shape_key`, with the split where it is trained apart.
    """
    shape = shape_key(recipe)
    return shape if copy_bytes(recipe) else digest([shape, as_a(Data, recipe.data).split])


def copy_bytes(recipe: ResolvedRecipe) -> int:
    """Return the bytes of a training part that a cohort may hold once for every split.

    Args:
        recipe: its data are loaded.

    Returns:
        The bytes; 0 where runs on other splits train apart.
    """
    data = load_data(recipe.data)
    if data.splits == "sizes differ":
        return 0
    x, y = data.train
    number = np.dtype(recipe.dtype).itemsize
    size = sum(a.nbytes if a.dtype.fields else a.size * number for a in (x, y))
    count = data.count("train")
    full = make_timetable(recipe, count).batch == count
    return 0 if full or size > MIXED else size

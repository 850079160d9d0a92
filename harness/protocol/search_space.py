"""The values of spaces in the form that samplers choose from; points of a grid and of Sobol'.

Optuna's categories are single values, which it compares by ``==``: where the options of a choice
are not (lists, mappings, 1 beside True), they go to it as JSON text, and come back as the options
themselves.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping

from harness.core.streams import numpy_stream
from harness.protocol.sobol import sobol_sequence
from harness.spec.search import Search
from harness.spec.space import Choice, IntUniform, LogUniform, Range, Space

Sampled = str | int | float | bool | None
"""A value that a sampler chooses; options that it could not tell apart stand as JSON text."""


def sampled_forms(choice: Choice) -> list[Sampled]:
    """Return the options of a choice as a sampler knows them, in their order, all different.

    >>> sampled_forms(Choice(0.9, None, [16])), sampled_forms(Choice(1, True))
    ([0.9, None, '[16]'], ['1', 'true'])
    """
    forms = [_sampled_form(option) for option in choice.options]
    if len(set(forms)) < len(forms):
        return [json.dumps(option) for option in choice.options]
    return forms


def _sampled_form(option: object) -> Sampled:
    """Return an option by itself: a single value as it is, anything else as JSON text."""
    if option is None or isinstance(option, (str, int, float, bool)):
        return option
    return json.dumps(option)


def recipe_form(space: Space, sampled: Sampled) -> object:
    """Return the value that a recipe takes for what a sampler chose.

    Args:
        space: what was sampled from.
        sampled: the value; of a choice the form of one of its options.

    >>> recipe_form(Choice([16], [16, 16]), "[16, 16]")
    [16, 16]
    """
    if not isinstance(space, Choice):
        return sampled
    return space.options[sampled_forms(space).index(sampled)]


def grid_size(spaces: Mapping[str, Space], search: Search) -> int:
    """Return the number of the grid's points.

    Args:
        spaces: the axes, by path in the recipe.
        search: the points on each axis.

    >>> grid_size({"a": LogUniform(0.1, 1.0), "b": Choice(None, 0.5)}, Search(grid=3))
    6
    """
    return math.prod(len(grid_axis(space, search.grid)) for space in spaces.values())


def count_trials(spaces: Mapping[str, Space], search: Search) -> int:
    """Return how many trials an arm gets: those asked for, and of a grid no more than its points;
    none without spaces."""
    if not spaces:
        return 0
    points = grid_size(spaces, search) if search.sampler == "grid" else search.trials
    return min(search.trials, points)


def shuffled_grid(
    spaces: Mapping[str, Space], search: Search, number: int = 0
) -> list[dict[str, Sampled]]:
    """Return the grid's points by path, in a seeded random order.

    A budget below the number of points then leaves out points anywhere, and not one corner.

    Args:
        spaces: the axes, by path in the recipe.
        search: the points on each axis, and the seed of the order.
        number: which of the study's searches it is.
    """
    axes = [grid_axis(space, search.grid) for space in spaces.values()]
    points = [dict(zip(spaces, values, strict=True)) for values in itertools.product(*axes)]
    order = numpy_stream(search.seed, "grid", *search.sampler_stream(number)).permutation(
        len(points)
    )
    return [points[i] for i in order]


def sobol_points(
    spaces: Mapping[str, Space], search: Search, arm: str, count: int, number: int = 0
) -> list[dict[str, Sampled]]:
    """Return scrambled Sobol' points by path (Owen 1998): spread out, and each one uniform.

    The first points are the same whatever their number.

    Args:
        spaces: the axes, by path in the recipe.
        search: its seed, and the arm's name, name the scrambling.
        arm: the arm's name.
        count: how many.
        number: which of the study's searches it is.
    """
    stream = numpy_stream(search.seed, "search", arm, "sobol", *search.sampler_stream(number))
    u_ND = sobol_sequence(len(spaces), count, stream)
    return [
        {path: at_share(spaces[path], u) for path, u in zip(spaces, u_D, strict=True)}
        for u_D in u_ND.tolist()
    ]


def at_share(space: Space, u: float) -> Sampled:
    """Return the value below which a share ``u`` of the space lies.

    low + (high − low) u, or low (high / low)^u on a logarithmic scale; of whole numbers and of
    options the ⌊n u⌋-th of the n there are.

    Args:
        space: what is searched.
        u: from 0 to below 1.

    >>> at_share(LogUniform(1.0, 4.0), 0.5), at_share(IntUniform(1, 3), 0.99)
    (2.0, 3)
    """
    if isinstance(space, Choice):
        return sampled_forms(space)[int(u * len(space.options))]
    assert isinstance(space, Range)
    low, high = space.low, space.high
    if isinstance(space, IntUniform):
        return int(low) + int(u * (int(high) - int(low) + 1))
    if isinstance(space, LogUniform):
        point: float = low * (high / low) ** u
        return min(high, max(low, point))  # rounding may step over a bound
    return low + (high - low) * u


def grid_axis(space: Space, count: int) -> list[Sampled]:
    """Return the options of a choice, else ``count`` points evenly spaced on the space's scale.

    With t = i / (count − 1), i = 0 … count − 1, the points are low + (high − low) t, or
    low (high / low)^t on a logarithmic scale; those of whole numbers are rounded, and fewer where
    two fall together.

    Args:
        space: what is searched on this axis.
        count: points from one end to the other, both included; from 2.

    >>> grid_axis(LogUniform(0.01, 1.0), 3), grid_axis(IntUniform(1, 3), 9)
    ([0.01, 0.1, 1.0], [1, 2, 3])
    """
    if isinstance(space, Choice):
        return sampled_forms(space)
    assert isinstance(space, Range)
    low, high = space.low, space.high
    if isinstance(space, IntUniform):
        return [*sorted({round(low + (high - low) * i / (count - 1)) for i in range(count)})]
    if isinstance(space, LogUniform):
        points = [low * (high / low) ** (i / (count - 1)) for i in range(count)]
        return [min(high, max(low, point)) for point in points]  # rounding may step over a bound
    return [low + (high - low) * i / (count - 1) for i in range(count)]

"""Figures that move: what is drawn of the ways, and what the page's slider goes over."""

import numpy as np
import pytest

import harness as h
from harness.core.surfaces import SURFACES
from harness.report.figures.base import FigureContext
from harness.report.figures.surfaces import SURFACES_FIGURE, compute_surfaces
from harness.report.figures.trajectories import TRAJECTORIES_FIGURE, compute_trajectories
from tests.report.pages import finished, many

PROBES = [h.Surfaces(steps=20, rates=5), h.Trajectory(every=2, unit="steps", plane=5)]


@pytest.fixture
def context(folder):
    # rates are those of the functions: two arms that differ in theirs alone move alike
    levels = {"slow": h.SGD(lr=0.01), "fast": h.SGD(lr=0.1), "Adam": h.Adam(lr=0.01)}
    return FigureContext.of(finished(many([], compare={"optimizer": levels}, probes=PROBES)))


def ways(figure, axis="x"):
    return [t for t in figure.data if t.meta and t.meta["kind"] == "way" and t.xaxis == axis]


def test_ways_are_those_that_the_probes_recorded(context):
    data = compute_surfaces(context)
    assert list(data.arms) == ["slow", "Adam"] and data.same == {"fast": "slow"}
    assert "fast moves as slow" in SURFACES_FIGURE.on_page(context).text.shows
    drawn = SURFACES_FIGURE.draw(context)
    for i, axis in enumerate(("x", "x2", "x3", "x4")):
        for way, arm in zip(ways(drawn, axis), ("slow", "Adam"), strict=True):
            recorded = context.arrays[arm]["surfaces/paths"][0, i]
            np.testing.assert_allclose([way.x, way.y], recorded, rtol=1e-5)
    # contours are lowest where the function is
    for surface, contour in zip(SURFACES.values(), drawn.data, strict=False):
        row, column = np.unravel_index(np.argmin(contour.z), np.shape(contour.z))
        step = max(side[1] - side[0] for side in (contour.x, contour.y))
        lowest = surface.value(contour.x[column], contour.y[row])
        assert lowest - surface.value(*surface.minimum) < 40 * step**2

    planes = compute_trajectories(context)
    assert list(planes.arms) == ["slow", "fast", "Adam"] and planes.left_out == 0
    figure = TRAJECTORIES_FIGURE.draw(context)
    for arm, axis in (("slow", "x"), ("fast", "x2"), ("Adam", "x3")):
        (way,) = ways(figure, axis)
        path = context.arrays[arm]["trajectory/path"][0]
        assert list(way.customdata) == sorted(set(path[0]))
        np.testing.assert_allclose(way.x, path[1, : len(way.x)], rtol=1e-5)
        assert (way.x[-1], way.y[-1]) == pytest.approx((0, 0), abs=1e-6)
        first, second = planes.arms[arm].shares
        assert 0 < second < first < first + second < 1 + 1e-6


def test_the_slider_goes_over_every_update_that_a_way_has(context):
    surfaces, planes = (f.on_page(context) for f in (SURFACES_FIGURE, TRAJECTORIES_FIGURE))
    steps = compute_trajectories(context).arms["slow"].way.steps
    assert surfaces.frames == 21 and planes.frames == len(steps)
    assert TRAJECTORIES_FIGURE.draw(context).layout.meta == {"steps": [*map(int, steps)]}

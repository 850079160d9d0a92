"""Distances from the initial weights."""

import pytest

import harness as h
from tests.probes.recipes import every, recipe


def test_distance_is_from_the_initial_weights():
    curves = h.train(recipe(), probes=every("Distance", "UpdateRatio", stride=1)).curves
    assert curves["distance/all"].iloc[0] == 0
    assert curves["distance/all"].iloc[1] == pytest.approx(curves["update/norm"].iloc[0])
    assert curves["distance/all"].iloc[8] <= curves["update/norm"].iloc[:8].sum()

"""Spaces and their plain form."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness as h
from harness.spec.space import Choice, IntUniform, LogUniform, Uniform, parse_space


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-6, 1), st.floats(1.5, 1e6), st.integers(-5, 5), st.integers(6, 50))
def test_spaces_survive_their_plain_form(low, high, start, stop):
    for space in (
        LogUniform(low, high),
        Uniform(low, high),
        IntUniform(start, stop),
        Choice("a", 1, 2.5),
    ):
        assert parse_space(json.loads(json.dumps(space.dump()))) == space


@pytest.mark.parametrize(
    "value, said",
    [
        ({"uniform": 3}, "expected a list after 'uniform', such as \\[0.001, 1.0\\]"),
        ({"uniform": [1]}, "expected two numbers \\[low, high\\] after 'uniform', got 1 values"),
        ({"uniform": [2, 1]}, "expected low < high, got 2.0 and 1.0"),
        ({"log_uniform": [0, 1]}, "greater than 0"),
        ({"choice": []}, "at least 1 item"),
    ],
)
def test_spaces_that_are_none(value, said):
    with pytest.raises(ValueError, match=said):
        parse_space(value)


@pytest.mark.parametrize(
    "value", [0.1, "uniform", {"unifrm": [0, 1]}, {}, {"uniform": [0, 1], "x": 1}]
)
def test_ordinary_values_are_no_spaces(value):
    assert parse_space(value) is None


def test_the_bounds_of_a_field_hold_for_a_space_s_ends_and_options():
    assert h.SGD(lr=Choice(0.1, 0.2)).lr == Choice(0.1, 0.2)
    for space in (Uniform(-1.0, 1.0), Choice(0.1, -0.1), IntUniform(0, 3)):
        with pytest.raises(ValueError, match="greater than 0"):
            h.SGD(lr=space)

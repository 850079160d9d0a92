"""Spaces and their plain form."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness as h
from harness.core.errors import HarnessError
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
        ({"log_uniform": [1, float("inf")]}, "finite number"),
        ({"choice": []}, "at least 1 item"),
        (
            {"choice": [1, {"uniform": [0, 1]}]},
            "expected values to choose from, got the space Uniform",
        ),
        (
            {"choice": [[1], 2, (1,)]},
            "expected different options, got \\(1,\\) twice|got \\[1\\] twice",
        ),
        ({"choice": [float("nan")]}, "expected finite numbers, got nan"),
        ({"choice": [{1: 2}]}, "expected a mapping with texts for names, got 1"),
        ({"choice": [{1}]}, "expected None, a number, a text, a list or a mapping, got set"),
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
        with pytest.raises(ValueError, match="a number above 0"):
            h.SGD(lr=space)


def test_options_keep_their_types():
    assert Choice(1, True).dump() == {"choice": [1, True]}
    assert [type(option) for option in Choice(1, True, 1.0).options] == [int, bool, float]
    assert len({Choice(1), Choice(True), Choice(1.0), Choice("1")}) == 4
    assert Choice((8,), {"a": 1, "b": 2}) == Choice([8], {"b": 2, "a": 1})
    assert h.MLP(widths=Choice((8,))) == h.MLP(widths=Choice([8]))
    assert len({h.MLP(widths=Choice((8,))), h.MLP(widths=Choice([8]))}) == 1


def test_truth_values_take_choices_and_no_range():
    assert h.SGD(lr=0.1, nesterov=Choice(False, True)).nesterov == Choice(False, True)
    for space in (Uniform(0, 1), Choice(False, 0.5)):
        with pytest.raises(ValueError, match="expected true or false"):
            h.SGD(lr=0.1, nesterov=space)
    with pytest.raises(HarnessError, match="optimizer.nesterov: expected a value, got Choice"):
        _ = h.SGD(lr=0.1, nesterov=Choice(False, True)).looks_ahead


def test_whole_numbers_take_no_range_that_only_ends_in_them():
    recipe = h.Recipe(data="iris", optimizer=h.SGD(lr=0.1), epochs=IntUniform(1, 8))
    for fields in (
        {"epochs": Uniform(1, 8)},
        {"batch_size": Uniform(1, 8)},
        {"batch_size": Choice(8, 0)},
    ):
        with pytest.raises(ValueError, match="expected a whole number"):
            recipe.with_values(fields)


NO_SPACE = [
    ({"amp": Choice(False, True)}, "amp: expected a value, got Choice(False, True)"),
    ({"amp": {"choice": [False, True]}}, "amp: expected a value, got Choice(False, True)"),
    ({"regularizers": Choice([], [h.L2(strength=0.1)])}, "regularizers: expected a list of regularizers, got Choice"),
    ({"model": {"name": "MLP", "activation": {"choice": ["relu", "rely"]}}}, "got 'rely' of Choice(relu, rely)"),
    ({"optimizer": h.Adam(lr=0.1, bias_correction=Choice(False, True)), "epochs": Uniform(1, 2)}, "of Uniform(1.0, 2.0)"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "said"), NO_SPACE, ids=str)
def test_spaces_that_do_not_fit_are_named(fields, said):
    with pytest.raises(ValueError) as caught:
        h.Recipe(**{"data": "iris", "optimizer": h.SGD(lr=0.1), "epochs": 1} | fields)
    assert said in caught.value.args[0]


def test_a_space_in_the_place_of_a_part_is_refused_with_the_fix():
    said = "expected one optimizer, got Choice.*parts are compared as a factor's levels"
    with pytest.raises(ValueError, match=said):
        h.Recipe(data="iris", optimizer=Choice(h.SGD(lr=0.1), h.Adam(lr=0.1)), epochs=1)

"""Seeds: numbers, lists and looks, and what is no set of seeds."""

import pytest

import harness as h
from harness.core.errors import SpecError
from harness.spec.looks import SEARCH_SEED
from harness.spec.seeds import parse_seeds


@pytest.mark.parametrize(
    "given, seeds",
    [
        (1, (0,)),
        (3, (0, 1, 2)),
        ([7, 3], (7, 3)),
        (range(2, 4), (2, 3)),
        ((SEARCH_SEED - 1,), (SEARCH_SEED - 1,)),
    ],
)
def test_seeds(given, seeds):
    assert parse_seeds(given) == seeds


@pytest.mark.parametrize(
    "given", [0, -1, True, [], [1, 1], [1, True], [1.0], ["1"], [-1], [SEARCH_SEED], "3", None, 2.5]
)
def test_what_is_no_set_of_seeds(given):
    with pytest.raises(ValueError, match="expected different whole numbers from 0 to 9999"):
        parse_seeds(given)


@pytest.mark.parametrize(
    "fields, looks",
    [
        ({"min": 5, "max": 40}, (5, 10, 20, 40)),
        ({"min": 5, "max": 30}, (5, 10, 20, 30)),
        ({"min": 4, "max": 4}, (4,)),
        ({"min": 4, "max": 8}, (4, 8)),
        ({"min": 2, "max": 9, "looks": [3, 9]}, (3, 9)),
    ],
)
def test_looks(fields, looks):
    assert h.Seeds(**fields).schedule() == looks
    assert parse_seeds(fields) == h.Seeds(**fields)


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"min": 6, "max": 5}, "expected min at most max, got 6 and 5"),
        ({"max": 9, "looks": [9, 3]}, "rising looks that end with max = 9, got \\[9, 3\\]"),
        ({"max": 9, "looks": [3, 8]}, "rising looks that end with max = 9, got \\[3, 8\\]"),
        ({"max": 9, "looks": [3, 3, 9]}, "rising looks"),
        ({"max": 40, "start": SEARCH_SEED - 39}, "expected seeds below 10000, got up to 10000"),
    ],
)
def test_looks_that_make_no_sense(fields, said):
    with pytest.raises(SpecError, match=said):
        h.Seeds(**fields)

"""Figures in few bytes: what may be left out, and what may not."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from harness.report.compact import COARSE_DIGITS, compact_traces, short_numbers


def run(seed, y, **fields):
    meta = {"kind": "seed", "arm": "a", "part": "valid", "seed": seed, "at": None}
    return {"type": "scatter", "name": "a", "y": y, "meta": meta} | fields


@pytest.mark.parametrize(
    ("number", "short"),
    [
        (1 / 3, 0.33333),
        (-123456.7, -123460),
        (1e-9 / 7, 1.4286e-10),
        (123456.0, 123456),
        (2.0**60, 1.1529e18),
        (0.0, 0),
        (float("nan"), None),
        (float("-inf"), None),
        (7, 7),
        (True, True),
        ("1.2345678", "1.2345678"),
        (None, None),
    ],
)
def test_numbers_have_five_digits_and_whole_ones_all_of_theirs(number, short):
    shortened = short_numbers({"x": [number]})["x"][0]
    assert shortened == short and type(shortened) is type(short)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i4", "u1", "i2"])
@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_arrays_packed_by_plotly_are_the_same_numbers(dtype, shape):
    z = np.arange(6).reshape(shape).astype(dtype)
    trace = json.loads(go.Figure(go.Heatmap(z=z)).to_json())["data"][0]
    assert "bdata" in trace["z"]
    assert short_numbers(trace)["z"] == z.tolist()


def test_runs_that_look_the_same_share_a_trace():
    traces = compact_traces([run(1, [0.5, 2.0]), run(2, [0.123456, 3.0]), {"name": "other"}])
    assert [trace["name"] for trace in traces] == ["a", "other"]
    assert traces[0]["runs"] == [
        {"seed": 1, "at": None, "y": [0.5, 2]},
        {"seed": 2, "at": None, "y": [round(0.123456, COARSE_DIGITS), 3]},
    ]
    assert "y" not in traces[0] and traces[0]["meta"] == {
        "kind": "seed",
        "arm": "a",
        "part": "valid",
    }


def test_runs_that_look_different_do_not():
    traces = compact_traces([run(1, [0.5]), run(2, [0.5], line={"width": 3})])
    assert [len(trace["runs"]) for trace in traces] == [1, 1]


def test_a_centre_keeps_more_digits_than_the_ends_of_its_interval():
    rows = [[1.234567], [1.134567], [1.334567]]
    meta = {"kind": "mean", "centres": {"mean": rows}}
    (trace,) = compact_traces([{"meta": meta}])
    assert trace["meta"]["centres"]["mean"] == [[1.2346], [1.135], [1.335]]
    assert rows[0] == [1.234567], "the figure itself is left as it is"

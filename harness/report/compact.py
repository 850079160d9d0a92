"""A figure in few bytes: numbers as short as it can show them, and what runs share said once.

Only pages need it (:mod:`harness.report.page_figure`); figures in notebooks are left as they are.
The page's script (``assets/page/curves.js``) is the other end of :func:`compact_traces`.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

_Trace: TypeAlias = dict[str, object]

READ_DIGITS = 5
"""Significant digits of a figure's numbers: as many as the texts show that appear over a point."""
COARSE_DIGITS = 4
"""Digits of what is many and is looked at, not read: single runs, and the ends of intervals."""
_EXACT = 2.0**53
"""From here on not every whole number is a float, nor a number of JavaScript: printing one as a
whole number would show digits that it does not have."""


def compact_traces(traces: Sequence[Mapping[str, object]]) -> list[_Trace]:
    """Return a figure's traces with short numbers, and runs that look the same in one trace.

    Args:
        traces: Plotly's traces in plain form. Their ``meta`` says what they are, as
            :mod:`harness.report.figures.curves` makes it; others are shortened alone.
    """
    return _fold_runs([_short_trace(trace) for trace in traces])


def short_numbers(value: object, digits: int = READ_DIGITS) -> object:
    """Return JSON with its numbers in so many significant digits; whole numbers stay exact.

    Arrays that Plotly has packed become lists, which gzip makes smaller than Plotly's base64. What
    is not finite becomes None, which Plotly takes for a missing point.

    Args:
        value: what JSON can hold, or Plotly's packed arrays in it; it is not changed.
        digits: significant digits.

    >>> short_numbers({"x": [1 / 3, 2.0, 123456.0, 1234.567, float("nan")], "name": "0.123456"})
    {'x': [0.33333, 2, 123456, 1234.6, None], 'name': '0.123456'}
    """
    if isinstance(value, float):
        return _short_number(value, digits)
    if isinstance(value, Mapping):
        if "bdata" in value:
            return short_numbers(_unpacked_array(value), digits)
        return {key: short_numbers(part, digits) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [short_numbers(part, digits) for part in value]
    return value


def _short_number(value: float, digits: int) -> int | float | None:
    """Return the number that takes the fewest characters (2, and not 2.0); None for what JSON can't
    say."""
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < _EXACT:
        return int(value)
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < _EXACT else rounded


def _unpacked_array(packed: Mapping[str, object]) -> object:
    """Return an array that Plotly has written as base64 of its memory."""
    flat = np.frombuffer(base64.b64decode(str(packed["bdata"])), dtype=str(packed["dtype"]))
    shape = str(packed.get("shape", len(flat)))
    return flat.reshape([int(side) for side in shape.split(",")]).tolist()


def _short_trace(trace: Mapping[str, object]) -> _Trace:
    """Return a trace with short numbers: shortest in single runs and the ends of intervals."""
    meta = trace.get("meta")
    kind = meta.get("kind") if isinstance(meta, dict) else None
    coarse: _Trace = {}
    if kind == "seed":
        coarse["y"] = short_numbers(trace["y"], COARSE_DIGITS)
    if kind == "mean" and isinstance(meta, dict):
        coarse["meta"] = {**meta, "centres": _short_centres(meta["centres"])}
    return {key: short_numbers(part) for key, part in {**trace, **coarse}.items()}


def _short_centres(centres: Mapping[str, Sequence[object]]) -> dict[str, list[object]]:
    """Shorten (centre, low, high) of each kind of centre: of the three, only centres are read."""
    return {
        name: [short_numbers(rows[0]), *(short_numbers(ends, COARSE_DIGITS) for ends in rows[1:])]
        for name, rows in centres.items()
    }


def _fold_runs(traces: Sequence[_Trace]) -> list[_Trace]:
    """Gather runs whose traces differ only in their numbers: one trace with all of them in "runs".

    A page of 20 seeds would say each arm's name, colours and texts 20 times for every metric. The
    page's script (``assets/page/curves.js``) makes a trace of each run again.
    """
    folded: list[_Trace] = []
    runs_like: dict[str, list[_Trace]] = {}
    for trace in traces:
        meta = trace.get("meta")
        if not isinstance(meta, dict) or meta.get("kind") != "seed":
            folded.append(trace)
            continue
        shared = {key: part for key, part in trace.items() if key != "y"}
        shared["meta"] = {key: part for key, part in meta.items() if key not in ("seed", "at")}
        # the text of what they share, since dictionaries can't be keys
        look = json.dumps(shared, sort_keys=True)
        if look not in runs_like:
            # this very list is in the trace already, and is filled as further runs are met
            runs_like[look] = []
            folded.append({**shared, "runs": runs_like[look]})
        runs_like[look].append({"seed": meta["seed"], "at": meta["at"], "y": trace["y"]})
    return folded

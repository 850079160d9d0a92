"""Intervals, paired tests, times to a target and verdicts; NumPy and SciPy only."""

from harness.stats.intervals import Interval, mean_interval
from harness.stats.paired import Comparison, compare_paired, holm
from harness.stats.target import Reached, first_reach, restricted
from harness.stats.verdict import Verdict, judge

__all__ = [
    "Comparison",
    "Interval",
    "Reached",
    "Verdict",
    "compare_paired",
    "first_reach",
    "holm",
    "judge",
    "mean_interval",
    "restricted",
]

"""Statistics of training runs, for the harness and on their own; NumPy and SciPy only.

Everything random takes a generator: the same one in the same state gives the same numbers.
Functions take arrays or lists and know nothing of studies or tables; those who call them say what a
value is. A run that diverged has an infinite value; functions that take those say what they make
of them. SciPy is imported inside the functions that need it: its import takes longer than all that
the command line does for ``--help``.

The three steps from values to a verdict are :mod:`~harness.stats.paired` (differences and p),
:mod:`~harness.stats.verdict` (evidence for one claim) and :mod:`~harness.stats.sequential`
(corrected for other claims and looks).
"""

from harness.stats.bootstrap import bootstrap
from harness.stats.design import (
    Design,
    Variances,
    best_seeds,
    best_split,
    cheapest_design,
    power_of,
)
from harness.stats.effect import (
    cliffs_delta,
    cohen_d,
    hedges_g,
    paired_d,
    probability_of_improvement,
)
from harness.stats.factorial import Effect, factorial_effects
from harness.stats.hierarchy import MeanTest, Scope, Spread, mean_test, spread_of
from harness.stats.intervals import (
    Interval,
    fewest_for,
    mean_interval,
    median_interval,
    summaries,
)
from harness.stats.location import located, repeated
from harness.stats.monotone import Steps, monotone_steps
from harness.stats.paired import PairedComparison, compare_paired, holm, permutation, wilcoxon
from harness.stats.profiles import algoperf_score, performance_profile, performance_ratios
from harness.stats.ranks import (
    Friedman,
    average_ranks,
    cliques,
    critical_difference,
    friedman,
    nemenyi_q,
)
from harness.stats.reml import Reml, fit_reml
from harness.stats.sequential import Size, decide, look_levels, spending
from harness.stats.share_taken import ShareTaken, share_taken
from harness.stats.simultaneous import differences_from_best
from harness.stats.success import Success, barnard, success_of
from harness.stats.summary import iqm, mean, median
from harness.stats.survival import Survival, kaplan_meier, restricted_mean
from harness.stats.target import Reached, first_reach, horizon_of, restricted
from harness.stats.trend import page_trend
from harness.stats.tuning import expected_max, median_best
from harness.stats.verdict import Decision, Evidence, Verdict, equivalent, judge, superior

__all__ = [
    "Decision",
    "Design",
    "Effect",
    "Evidence",
    "Friedman",
    "Interval",
    "MeanTest",
    "PairedComparison",
    "Reached",
    "Reml",
    "Scope",
    "ShareTaken",
    "Size",
    "Spread",
    "Steps",
    "Success",
    "Survival",
    "Variances",
    "Verdict",
    "algoperf_score",
    "average_ranks",
    "barnard",
    "best_seeds",
    "best_split",
    "bootstrap",
    "cheapest_design",
    "cliffs_delta",
    "cliques",
    "cohen_d",
    "compare_paired",
    "critical_difference",
    "decide",
    "differences_from_best",
    "equivalent",
    "expected_max",
    "factorial_effects",
    "fewest_for",
    "first_reach",
    "fit_reml",
    "friedman",
    "hedges_g",
    "holm",
    "horizon_of",
    "iqm",
    "judge",
    "kaplan_meier",
    "located",
    "look_levels",
    "mean",
    "mean_interval",
    "mean_test",
    "median",
    "median_best",
    "median_interval",
    "monotone_steps",
    "nemenyi_q",
    "page_trend",
    "paired_d",
    "performance_profile",
    "performance_ratios",
    "permutation",
    "power_of",
    "probability_of_improvement",
    "repeated",
    "restricted",
    "restricted_mean",
    "share_taken",
    "spending",
    "spread_of",
    "success_of",
    "summaries",
    "superior",
    "wilcoxon",
]

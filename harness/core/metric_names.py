"""The names of metrics: what each one means, its unit, and whether more of it is better.

The table of them is :mod:`harness.core.metric_table`. Metrics of a user's own are declared in the
spec, with their direction (:class:`harness.spec.metrics.DeclaredMetric`): such declarations are
given to these functions beside the name, and kept nowhere.

A metric is *recorded* (``test/loss``, a probe's ``gradient/all``), or *derived* of recorded ones by
the word in front: ``gap/loss``, ``mean/valid/accuracy``.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal

from harness.core.metric_table import (
    DERIVED,
    PARTS_IN_WORDS,
    PLACEHOLDERS,
    RECORDED,
    Description,
    share,
)

Declared = Mapping[str, Description]
"""Metrics that a spec declares, by name without the part of the data, such as ``f_half``."""
NOTHING_DECLARED: Declared = {}


RENAMED_RECORDS = {"curvature/edge": "curvature/stability_threshold"}
"""Metrics that were recorded under another name in version 0.1."""
RENAMED: dict[str, str] = {
    r"^start/(?=.+/)": "initial/",
    r"^order/(?=(train|valid|batch)$)": "rank_correlation/",
    **{rf"(^|(?<=/)){old}$": new for old, new in RENAMED_RECORDS.items()},
}
"""What names of version 0.1 became, as regular expressions; understood until version 0.3."""


def larger_is_better(metric: str, declared: Declared = NOTHING_DECLARED) -> bool:
    """Return whether more of a metric is better.

    Args:
        metric: its name in a claim, or as a run records it.
        declared: metrics that the study declares.

    >>> [larger_is_better(name) for name in ("mean/valid/accuracy", "gap/accuracy", "test/loss")]
    [True, False, False]
    """
    return bool(describe(metric, declared).larger_is_better)


def describe(metric: str, declared: Declared = NOTHING_DECLARED) -> Description:
    """Return what is known of a metric, recorded or derived.

    Of a name that neither the harness nor the study knows, such as one of a user's own probe, only
    the direction is known: more is better if it ends in "accuracy".

    Args:
        metric: its name in a claim, or as a run records it.
        declared: metrics that the study declares; they go before the harness's own.

    Returns:
        Its label, description, unit and direction, with the names of layers and parts filled in.

    >>> describe("mean/valid/accuracy").label
    'mean validation accuracy over training'
    >>> describe("gradient/layers.0").label, describe("noise/scale").unit
    ('gradient norm of layers.0', 'samples')
    >>> own = {"recall_at_5": Description("recall at 5", larger_is_better=True)}
    >>> describe("mean/valid/recall_at_5", own).label
    'mean validation recall at 5 over training'
    """
    if not declared:
        return _describe_known(metric)
    return (
        _describe_declared(metric, declared)
        or _describe_recorded(metric)
        or _describe_derived(metric, declared)
        or _describe_unknown(metric)
    )


@cache
def _describe_known(metric: str) -> Description:
    return (
        _describe_recorded(metric)
        or _describe_derived(metric, NOTHING_DECLARED)
        or _describe_unknown(metric)
    )


def percent_of(metric: str, declared: Declared = NOTHING_DECLARED) -> Literal["", "%", "pp"]:
    """Return whether people read a metric in percent, or in percentage points; empty for neither.

    What lies between 0 and 1, with more being better, is read in percent, whoever described it.

    >>> [percent_of(name) for name in ("test/accuracy", "activation/dead", "gap/accuracy")]
    ['%', '%', 'pp']
    >>> percent_of("test/loss"), percent_of("throughput/samples"), percent_of("gap/loss")
    ('', '', '')
    """
    known = describe(metric, declared)
    bounded = (known.least, known.most) == (0.0, 1.0) and not known.unit
    return known.percent or ("%" if known.larger_is_better is True and bounded else "")


def is_share(metric: str, declared: Declared = NOTHING_DECLARED) -> bool:
    """Return whether a metric is read in percent.

    >>> is_share("mean/valid/accuracy"), is_share("gap/accuracy")
    (True, False)
    """
    return percent_of(metric, declared) == "%"


def why_impossible(metric: str, value: float, declared: Declared = NOTHING_DECLARED) -> str:
    """Return what is wrong with a value that a metric can't have; nothing where it can.

    >>> why_impossible("test/accuracy", 93.2)
    'expected test/accuracy from 0 to 1, got 93.2; divide percent by 100, or give it another name'
    """
    known = describe(metric, declared)
    if known.holds(value):
        return ""
    said = f"expected {metric} from {known.least:g} to {known.most:g}, got {value:g}"
    if is_share(metric, declared):
        return f"{said}; divide percent by 100, or give it another name"
    return f"{said}; give it another name, or declare its bounds in recipe.metrics"


def may_be_undefined(declared: Declared) -> tuple[str, ...]:
    """Return the metrics, without the part of the data, that may have no value in a run that goes
    well: all but losses and accuracies, and those that nobody has described.

    Args:
        declared: metrics that the study declares.

    >>> "auroc" in may_be_undefined({}), "loss" in may_be_undefined({})
    (True, False)
    """
    known = [name.removeprefix("<part>/") for name in RECORDED if name.startswith("<part>/")]
    plain = {name for name in known if "<" not in name} - {"loss", "accuracy"}
    return tuple(sorted({*plain, *declared}))


def _describe_declared(metric: str, declared: Declared) -> Description | None:
    """Return what a spec declares of a metric on a part of the data.

    A function that returns several numbers may be declared as a whole (``mine`` for
    ``valid/mine/recall``) or number by number.
    """
    if metric in declared:  # with its part
        return declared[metric]
    part, _, name = metric.partition("/")
    if part not in PARTS_IN_WORDS:
        return None
    whole, _, inner = name.partition("/")
    own = declared.get(name)
    if own is None and whole in declared:
        own = declared[whole]._replace(label=f"{declared[whole].label} {inner}")
    return own and own._replace(label=f"{PARTS_IN_WORDS[part]} {own.label}")


def _describe_recorded(metric: str) -> Description | None:
    for pattern, known in RECORDED.items():
        matched = _regex(pattern).fullmatch(metric)
        if matched is not None:
            # a part is called by its word ("valid" is "validation"), a layer or number as it is
            words = {
                name: PARTS_IN_WORDS.get(text, text) for name, text in matched.groupdict().items()
            }
            return known._replace(
                label=known.label.format(**words), description=known.description.format(**words)
            )
    return None


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a name; each placeholder becomes a named group."""
    # re.escape leaves < and > as they are, so that the placeholders can still be found
    escaped = re.escape(pattern)
    for name, allowed in PLACEHOLDERS.items():
        escaped = escaped.replace(f"<{name}>", f"(?P<{name}>{allowed})")
    return re.compile(escaped)


def _describe_derived(metric: str, declared: Declared) -> Description | None:
    word, _, rest = metric.partition("/")
    derivation = DERIVED.get(word)
    if derivation is None or not rest:
        return None
    if not derivation.keeps_direction:
        # such a metric is another quantity than its source (a gap, a correlation): it inherits
        # neither unit nor direction, and less of it is better
        label = derivation.label.format(PARTS_IN_WORDS.get(rest, rest))
        points = word == "gap" and is_share(f"test/{rest}", declared)
        return Description(label, derivation.description, percent="pp" if points else "")
    source = describe(rest, declared)
    return source._replace(
        label=derivation.label.format(source.label),
        description=f"{derivation.description}: {source.description}".removesuffix(": "),
    )


def _describe_unknown(metric: str) -> Description:
    return share(metric, "") if metric.endswith("accuracy") else Description(metric)


def recorded_sources(metric: str) -> tuple[str, ...]:
    """Return the recorded metrics that a metric is made of: itself, unless it is derived.

    The analysis asks the store for the curves of these.

    >>> recorded_sources("gap/loss"), recorded_sources("initial/gradient/all")
    (('test/loss', 'train/loss'), ('gradient/all',))
    >>> recorded_sources("mean/noise/scale")
    ('noise/variance', 'noise/signal')
    """
    word, _, rest = metric.partition("/")
    if word not in DERIVED or not rest:
        return (metric,)
    # a mean of ratios is ruled by the smallest denominator, so that the mean of a ratio is made of
    # the means of its parts
    parts = describe(rest).ratio_of if word == "mean" else None
    if parts is not None:
        return parts
    return tuple(source.format(rest) for source in DERIVED[word].sources)


def current_name(metric: str) -> str:
    """Return today's name of a metric; one that has been renamed is understood, with a warning.

    Specs pass every metric that a user names through it, so that studies of version 0.1 still load.

    >>> current_name("gap/loss")
    'gap/loss'
    """
    renamed = metric
    for pattern, name in RENAMED.items():
        renamed = re.sub(pattern, name, renamed)
    if renamed != metric:
        warnings.warn(
            f"the metric {metric!r} is now called {renamed!r}; "
            "the old name is understood until version 0.3",
            FutureWarning,
            stacklevel=2,
        )
    return renamed


def stored_names(metrics: Iterable[str]) -> list[str]:
    """Return the names under which a store may hold the given metrics: today's, and older ones.

    Args:
        metrics: recorded metrics by today's names.

    Returns:
        The given names, then the former names of those that were renamed.

    >>> stored_names(["test/loss", "curvature/stability_threshold"])
    ['test/loss', 'curvature/stability_threshold', 'curvature/edge']
    """
    names = list(metrics)
    return names + [old for old, new in RENAMED_RECORDS.items() if new in names]

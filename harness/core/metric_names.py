"""The names of metrics: what each one means, its unit, and whether more of it is better.

A new metric is one line here.

A metric is *recorded* (``test/loss``, a probe's ``gradient/all``), or *derived* of recorded ones by
the word in front: ``gap/loss``, ``mean/valid/accuracy``. In the table of recorded metrics,
``<layer>``, ``<part>`` and ``<number>`` stand for the name of a layer, a part of the data and a
whole number.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple


class Metric(NamedTuple):
    """What is known of a metric."""

    label: str
    """What people call it, such as "test accuracy"."""
    description: str = ""
    """What it is, in one line; empty for a metric that the harness does not know."""
    unit: str = ""
    """Unit; empty for a number without one."""
    larger_is_better: bool = False
    """Whether more is better; a metric of which neither is said counts as one to be minimised."""
    least: float = -math.inf
    """The smallest value there can be: what a run that diverged counts as, where more is better."""
    ratio_of: tuple[str, str] | None = None
    """Numerator and denominator, of a ratio of estimates whose mean is the ratio of their means."""


def _share(label: str, description: str) -> Metric:
    """Return a metric from 0 to 1 of which more is better."""
    return Metric(label, description, larger_is_better=True, least=0.0)


RECORDED: dict[str, Metric] = {
    "<part>/loss": Metric("{part} loss", "mean loss of the {part} samples"),
    "<part>/accuracy": _share("{part} accuracy", "share of the {part} samples classified rightly"),
    "batch/noise": Metric(
        "batch noise", "jump of the loss from one batch to the next (von Neumann 1941)"
    ),
    "best/step": Metric("best step", "update at which the run was at its best", "steps"),
    "best/epoch": Metric("best epoch", "epoch at which the run was at its best", "epochs"),
    "best/valid/loss": Metric(
        "best validation loss", "validation loss at the run's best evaluation"
    ),
    "cost/steps": Metric("updates made", "updates that the run made", "steps"),
    "cost/gradients": Metric(
        "gradients computed", "gradients of single samples that the run computed", "gradients"
    ),
    "cost/seconds": Metric("seconds of training", "the run's share of its worker's time", "s"),
    "gradient/all": Metric("gradient norm", "norm of the whole gradient"),
    "gradient/ratio": Metric(
        "gradient ratio", "gradient norm of the first layer over that of the last hidden layer"
    ),
    "gradient/hidden_ratio": Metric(
        "gradient ratio between hidden layers",
        "gradient norm of the first layer between hidden layers over that of the last",
    ),
    "gradient/<layer>": Metric(
        "gradient norm of {layer}", "norm of the gradient of the layer's weights"
    ),
    "update/norm": Metric("update norm", "norm of the whole update"),
    "update/weights": Metric("weight norm", "norm of all weights"),
    "update/<layer>": Metric(
        "update ratio of {layer}",
        "norm of the update of the layer's weights over that of the weights",
    ),
    "activation/dead": Metric(
        "dead units", "share of units that give the same number for all samples, mean over layers"
    ),
    "activation/saturated": Metric(
        "saturated outputs", "share of outputs near a bound of the nonlinearity, mean over layers"
    ),
    "activation/ratio": Metric(
        "activation ratio", "root mean square of the last layer's output over the first's"
    ),
    "activation/<layer>/mean": Metric(
        "mean output of {layer}", "mean of the layer's output over a batch"
    ),
    "activation/<layer>/std": Metric(
        "spread of the output of {layer}", "standard deviation of the layer's output over a batch"
    ),
    "activation/<layer>/rms": Metric(
        "size of the output of {layer}", "root mean square of the layer's output over a batch"
    ),
    "activation/<layer>/dead": Metric(
        "dead units of {layer}",
        "share of the layer's units that give the same number for all samples",
    ),
    "activation/<layer>/saturated": Metric(
        "saturated outputs of {layer}",
        "share of the layer's outputs near a bound of the nonlinearity",
    ),
    "alignment/gradients": Metric("alignment of gradients", "cosine of two successive gradients"),
    "alignment/updates": Metric("alignment of updates", "cosine of two successive updates"),
    "descent/real": Metric(
        "real descent", "change of the batch's loss by a step against its gradient"
    ),
    "descent/predicted": Metric("predicted descent", "change of the loss to first order"),
    "descent/error": Metric(
        "error of the first order", "relative error of the change predicted to first order"
    ),
    "descent/predicted2": Metric(
        "predicted descent, second order", "change of the loss to second order"
    ),
    "descent/error2": Metric(
        "error of the second order", "relative error of the change predicted to second order"
    ),
    "noise/scale": Metric(
        "gradient noise scale",
        "batch size at which noise and signal of the gradient are equal",
        "samples",
        ratio_of=("noise/variance", "noise/signal"),
    ),
    "noise/signal": Metric("gradient signal", "squared norm of the true gradient"),
    "noise/variance": Metric(
        "gradient variance", "trace of the covariance of single samples' gradients"
    ),
    "spread/ratio": Metric(
        "gradient spread", "deviation of single samples' gradients over the norm of their mean"
    ),
    "spread/conflict": Metric(
        "gradient conflict", "share of pairs of samples whose gradients point apart"
    ),
    "distance/all": Metric(
        "distance from the start", "norm of the weights' way from their initial values"
    ),
    "distance/<layer>": Metric(
        "distance of {layer} from the start", "way of the layer's weights over their initial norm"
    ),
    "calibration/error": Metric(
        "calibration error", "expected difference of confidence and accuracy (Guo et al. 2017)"
    ),
    "calibration/confidence": Metric("confidence", "mean probability of the predicted class"),
    "confusion/worst": _share("accuracy of the worst class", "lowest of all classes' accuracies"),
    "confusion/accuracy<number>": _share(
        "accuracy of class {number}", "share of the class's samples classified rightly"
    ),
    "generalization/loss": Metric(
        "generalization gap of the loss", "validation less training loss"
    ),
    "generalization/accuracy": Metric(
        "generalization gap of the accuracy", "training less validation accuracy"
    ),
    "throughput/samples": Metric(
        "throughput", "training samples of the whole cohort in a second", "samples/s", True, 0.0
    ),
    "throughput/updates": Metric(
        "updates a second",
        "updates in a second, one for all members of a cohort",
        "updates/s",
        True,
        0.0,
    ),
    "throughput/memory": Metric("memory", "most memory taken so far", "MiB"),
    "curvature/top": Metric("sharpness", "largest eigenvalue of the loss's Hessian"),
    "curvature/top<number>": Metric(
        "eigenvalue {number}", "eigenvalue of the loss's Hessian, counted from the top"
    ),
    "curvature/trace": Metric(
        "trace of the Hessian", "sum of the eigenvalues of the loss's Hessian"
    ),
    "curvature/preconditioned": Metric(
        "preconditioned sharpness", "largest eigenvalue of the Hessian as the optimizer rescales it"
    ),
    "curvature/stability_threshold": Metric(
        "stability threshold",
        "sharpness at which the optimizer stops being stable (Cohen et al. 2021)",
    ),
    "curvature/sharpness": Metric(
        "relative sharpness", "largest eigenvalue over the stability threshold"
    ),
    "slice/barrier": Metric(
        "loss barrier", "highest rise of the loss above the straight line from the start to the end"
    ),
    "gradcheck/error": Metric(
        "error of the gradient",
        "median over weights of the derivative's relative error against central differences",
    ),
    "gradcheck/direction": Metric(
        "error along a direction",
        "relative error of the derivative along the gradient plus a random direction",
    ),
    "gradcheck/kinks": Metric(
        "kinks met",
        "share of weights with a kink of the loss between the two ends of their difference",
    ),
    "jump/loss": Metric(
        "jump of the loss",
        "deviation of the training loss after one update, over batches drawn at equal weights",
    ),
    "jump/mean": Metric(
        "mean descent of an update",
        "mean change of the training loss by one update, over batches drawn at equal weights",
    ),
}
"""The metrics that the harness records, by name.

The first pattern that fits a name counts, so that a fixed name such as ``gradient/all`` must stand
above ``gradient/<layer>``, which fits it too.
"""

PARTS_IN_WORDS = {
    "train": "training",
    "valid": "validation",
    "test": "test",
    "batch": "batch",
}
"""What the parts of the data are called."""

PLACEHOLDERS = {
    "part": "|".join(PARTS_IN_WORDS),
    "layer": r"[\w.-]+",
    "number": r"\d+",
}
"""What each placeholder of a name may stand for, as regular expressions."""


class Derivation(NamedTuple):
    """How a metric is derived of recorded ones; ``{}`` stands for what follows its word."""

    label: str
    description: str
    sources: tuple[str, ...] = ("{}",)
    """The recorded metrics that it is made of."""
    keeps_direction: bool = True
    """Whether more of it is better where more of its source is; otherwise less is better."""


DERIVED: dict[str, Derivation] = {
    "initial": Derivation("initial {}", "first value of the curve"),
    "lowest": Derivation("lowest {} over training", "smallest value of the curve"),
    "highest": Derivation("highest {} over training", "largest value of the curve"),
    "mean": Derivation(
        "mean {} over training", "mean over all evaluations; of a ratio, the ratio of the means"
    ),
    "gap": Derivation(
        "generalization gap of the {}",
        "test less training loss, or training less test accuracy",
        ("test/{}", "train/{}"),
        keeps_direction=False,
    ),
    "rank_correlation": Derivation(
        "rank correlation of {} loss and accuracy",
        "Spearman's ρ over training; −1 where accuracy rises whenever the loss falls",
        ("{}/loss", "{}/accuracy"),
        keeps_direction=False,
    ),
}
"""Words in front of a name that derive a metric from recorded ones."""

RENAMED_RECORDS = {"curvature/edge": "curvature/stability_threshold"}
"""Metrics that were recorded under another name in version 0.1."""
RENAMED: dict[str, str] = {
    r"^start/(?=.+/)": "initial/",
    r"^order/(?=(train|valid|batch)$)": "rank_correlation/",
    **{rf"(^|(?<=/)){old}$": new for old, new in RENAMED_RECORDS.items()},
}
"""What names of version 0.1 became, as regular expressions; understood until version 0.3."""


def larger_is_better(metric: str) -> bool:
    """Return whether more of a metric is better.

    >>> [larger_is_better(name) for name in ("mean/valid/accuracy", "gap/accuracy", "test/loss")]
    [True, False, False]
    """
    return describe(metric).larger_is_better


@cache
def describe(metric: str) -> Metric:
    """Return what is known of a metric, recorded or derived.

    Of a name that the harness does not know, such as one of a user's own probe, only the direction
    is known: more is better if it ends in "accuracy".

    Args:
        metric: its name in a claim, or as a run records it.

    Returns:
        Its label, description, unit and direction, with the names of layers and parts filled in.

    >>> describe("mean/valid/accuracy").label
    'mean validation accuracy over training'
    >>> describe("gradient/layers.0").label, describe("noise/scale").unit
    ('gradient norm of layers.0', 'samples')
    """
    return _describe_recorded(metric) or _describe_derived(metric) or _describe_unknown(metric)


def _describe_recorded(metric: str) -> Metric | None:
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


def _describe_derived(metric: str) -> Metric | None:
    word, _, rest = metric.partition("/")
    derivation = DERIVED.get(word)
    if derivation is None or not rest:
        return None
    if not derivation.keeps_direction:
        # such a metric is another quantity than its source (a gap, a correlation): it inherits
        # neither unit nor direction, and less of it is better
        label = derivation.label.format(PARTS_IN_WORDS.get(rest, rest))
        return Metric(label, derivation.description)
    source = describe(rest)
    return source._replace(
        label=derivation.label.format(source.label),
        description=f"{derivation.description}: {source.description}".removesuffix(": "),
    )


def _describe_unknown(metric: str) -> Metric:
    return _share(metric, "") if metric.endswith("accuracy") else Metric(metric)


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

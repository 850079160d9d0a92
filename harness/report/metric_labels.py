"""What figures call a metric: its label for people, or that with the recorded name.

The labels themselves are in :mod:`harness.core.metric_names`; here they are made ready for Plotly,
whose texts are markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from harness.analysis.quantities import Quantity, quantity_of
from harness.core.metric_names import NOTHING_DECLARED, Declared, describe, percent_of
from harness.core.metric_table import PARTS_IN_WORDS
from harness.report.style import label

_declared: ContextVar[Declared] = ContextVar("declared metrics", default=NOTHING_DECLARED)


@contextmanager
def labels_of(declared: Declared) -> Iterator[None]:
    """Use a study's own labels and units inside: figures are drawn without knowing their study.

    Args:
        declared: what the study's recipe declares of its metrics.
    """
    token = _declared.set(declared)
    try:
        yield
    finally:
        _declared.reset(token)


def plain_label(metric: str) -> str:
    """Return a metric's label as plain text; of a metric that is not known, its own name."""
    return describe(metric, _declared.get()).label


def label_on_any_part(metric: str) -> str:
    """Return the label of a metric without the part of the data, as plain text.

    >>> label_on_any_part("auroc"), label_on_any_part("loss")
    ('AUROC', 'loss')
    """
    return plain_label(f"valid/{metric}").removeprefix(f"{PARTS_IN_WORDS['valid']} ")


def title_on_any_part(metric: str) -> str:
    """Return the label of a metric without the part of the data, with its unit, for an axis."""
    unit = describe(f"valid/{metric}", _declared.get()).unit
    text = label(label_on_any_part(metric))
    return f"{text} ({label(unit)})" if unit else text


def metric_label(metric: str) -> str:
    """Return a metric's label, ready for Plotly; of a metric that is not known, its own name.

    >>> metric_label("test/loss"), metric_label("mine/<b>")
    ('test loss', 'mine/&lt;b&gt;')
    """
    return label(plain_label(metric))


def axis_title(metric: str) -> str:
    """Return a metric's label with its unit, for an axis.

    >>> axis_title("noise/scale"), axis_title("valid/accuracy")
    ('gradient noise scale (samples)', 'validation accuracy')
    """
    unit = describe(metric, _declared.get()).unit
    return f"{metric_label(metric)} ({label(unit)})" if unit else metric_label(metric)


def value_format(metric: str) -> str:
    """Return how Plotly writes a value of a metric in a hover box: shares in per cent, as the text
    does.

    >>> value_format("test/accuracy"), value_format("test/loss")
    ('.2~%', '.5g')
    """
    return ".2~%" if percent_of(metric, _declared.get()) else ".5g"


def value_axis(metric: str, title: str = "") -> dict[str, object]:
    """Return the title and ticks of an axis of a metric's values: those of shares in per cent.

    Args:
        metric: its name.
        title: ready for Plotly; by default the metric's label with its unit.
    """
    axis: dict[str, object] = {"title": {"text": title or axis_title(metric)}}
    # ~ leaves the zeros at the end out: 55 %, and 59.75 % where ticks are close
    return axis | ({"tickformat": ".4~%"} if percent_of(metric, _declared.get()) else {})


def quantity_of_metric(metric: str) -> Quantity:
    """Return how a metric's values are written in words: shares in per cent, others with a unit."""
    return quantity_of(metric, _declared.get())


def label_and_name(metric: str) -> str:
    """Return a metric's label with the name that it is recorded and asked for by, as plain text.

    >>> label_and_name("gradient/all"), label_and_name("mine/value")
    ('gradient norm (gradient/all)', 'mine/value')
    """
    known = plain_label(metric)
    return known if known == metric else f"{known} ({metric})"

"""What figures call a metric: its label for people, or that with the recorded name.

The labels themselves are in :mod:`harness.core.metric_names`; here they are made ready for Plotly,
whose texts are markup.
"""

from __future__ import annotations

from harness.core.metric_names import describe
from harness.report.style import label


def metric_label(metric: str) -> str:
    """Return a metric's label, ready for Plotly; of a metric that is not known, its own name.

    >>> metric_label("test/loss"), metric_label("mine/<b>")
    ('test loss', 'mine/&lt;b&gt;')
    """
    return label(describe(metric).label)


def axis_title(metric: str) -> str:
    """Return a metric's label with its unit, for an axis.

    >>> axis_title("noise/scale"), axis_title("valid/accuracy")
    ('gradient noise scale (samples)', 'validation accuracy')
    """
    unit = describe(metric).unit
    return f"{metric_label(metric)} ({label(unit)})" if unit else metric_label(metric)


def label_and_name(metric: str) -> str:
    """Return a metric's label with the name that it is recorded and asked for by, as plain text.

    >>> label_and_name("gradient/all"), label_and_name("mine/value")
    ('gradient norm (gradient/all)', 'mine/value')
    """
    known = describe(metric).label
    return known if known == metric else f"{known} ({metric})"

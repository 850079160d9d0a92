"""Views of a study's runs that MLflow's UI offers: which runs, and the columns that matter first.

MLflow's UI keeps a view that somebody saves as a tag of the experiment, and links to it by its
name. The form is that of MLflow 3.17's UI: the state of its page as JSON, in an envelope with a
name. Other versions pass over what they do not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from harness.tracking.schema import Tag, level_name, stored_name

VIEW_KEY = "viewStateShareKey"
"""What the name of a view follows in the address of MLflow's page."""
ARMS_VIEW = "harness-arms"
"""Name of the view of a study's arms, in addresses."""
TIME_VIEW = "harness-time"
"""Name of the view of the arms' curves over time, in addresses."""
_SECTION = "harness-curves"
"""Name of the section of charts that stands above those that MLflow makes by itself."""


def study_page(experiment: str) -> str:
    """Return where MLflow's UI shows a study's arms, after the address of its site.

    Args:
        experiment: id of the study's experiment.
    """
    return _view_page(experiment, ARMS_VIEW)


def charts_page(experiment: str) -> str:
    """Return where MLflow's UI draws the curves of a study's arms over time, as
    :func:`study_page`."""
    return f"{_view_page(experiment, TIME_VIEW)}&compareRunsMode=CHART"


def _view_page(experiment: str, view: str) -> str:
    # without its kind of work the UI opens on pages for language models
    kind = "workflowType=machine_learning"
    return f"#/experiments/{experiment}/runs?{kind}&{VIEW_KEY}={view}"


def with_links(note: str, experiment: str) -> str:
    """Return an experiment's description with links to its views.

    MLflow's own list of views opens them as tables, among the pages for language models: only an
    address can ask for charts and for the pages for training. They stand in the first paragraph,
    the part that the UI shows of a description that is folded.

    Args:
        note: Markdown.
        experiment: id of the study's experiment.
    """
    pages = {"Arms": study_page(experiment), "Curves over time": charts_page(experiment)}
    links = "".join(f" · [{label}]({page})" for label, page in pages.items())
    first, gap, rest = note.partition("\n\n")
    return f"{first}{links}{gap}{rest}"


def without_links(note: str) -> str:
    """Return a description without the links of :func:`with_links`, for another experiment.

    >>> without_links(with_links("Which?\\n\\nThe first.", "7"))
    'Which?\\n\\nThe first.'
    """
    return re.sub(r" · \[[^\]]+\]\(#/experiments/[^)]*\)", "", note)


class View(NamedTuple):
    """A view of some runs."""

    name: str
    """In addresses."""
    label: str
    """As MLflow's UI lists it."""
    runs: str
    """MLflow's filter."""
    columns: tuple[str, ...]
    """MLflow's names of columns, in their order."""
    sort: str = "attributes.start_time"
    ascending: bool = False
    axis: str = "step"
    """What curves are drawn over: ``step``, or ``time-relative``, of arms by their clocks."""
    curves: tuple[str, ...] = ()
    """MLflow's names of the curves that are drawn first, on the page of charts."""


def views_of(
    factors: Sequence[str],
    metrics: Sequence[str],
    parameters: Sequence[str],
    ascending: bool,
    curves: Sequence[str] = (),
) -> tuple[View, ...]:
    """Return the views of a study: its arms, the runs that answer it, and its search.

    Args:
        factors: what is compared.
        metrics: what arms are judged by, MLflow's names of closing values; what they are ranked by
            first.
        parameters: what is searched.
        ascending: whether less of the first metric is better.
        curves: what is drawn of the arms first, MLflow's names.
    """
    levels = tuple(f"tags.`{level_name(factor)}`" for factor in factors)
    values = tuple(f"metrics.`{metric}`" for metric in metrics)
    searched = tuple(f"params.`{stored_name(name)}`" for name in parameters)
    first = metrics[0]
    spread = tuple(f"metrics.`{first}/{part}`" for part in ("low", "high", "n"))
    kind, answers = f"tags.`{Tag.KIND}`", f"tags.`{Tag.ANSWERS}` = 'yes'"
    stage, status = f"tags.`{Tag.STAGE}`", f"tags.`{Tag.STATUS}`"
    best = {"sort": values[0], "ascending": ascending}
    arms = View(
        ARMS_VIEW,
        "Arms",
        f"{kind} = 'arm'",
        (*levels, values[0], *spread, *values[1:], "attributes.`Duration`"),
        curves=tuple(curves),
        **best,  # type: ignore[arg-type]  # its two fields
    )
    place = (f"tags.`{Tag.SEARCH}`", f"tags.`{Tag.SEED}`", status)
    runs = View(
        "harness-runs",
        "Runs that answer",
        f"{stage} = 'confirm' and {answers}",
        (*levels, *values, *searched, *place),
        **best,  # type: ignore[arg-type]  # its two fields
    )
    search = View(
        "harness-search",
        "Search",
        f"{stage} = 'search' and {answers}",
        (*levels, *searched, f"tags.`{Tag.SEARCH}`", f"tags.`{Tag.TRIAL}`", status),
    )
    timed = arms._replace(name=TIME_VIEW, label="Arms over time", axis="time-relative")
    return arms, timed, runs, search


def saved_view(view: View, made: int) -> str:
    """Return a view as MLflow's UI keeps it.

    Args:
        view: what it shows.
        made: milliseconds since 1970; the UI lists the latest first.
    """
    state: dict[str, object] = {
        "searchFilter": view.runs,
        "orderByKey": view.sort,
        "orderByAsc": view.ascending,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(view.columns),
        "columnOrder": list(view.columns),
        "runsHiddenMode": "SHOW_ALL",
        "globalLineChartConfig": {
            "xAxisKey": view.axis,
            "lineSmoothness": 0,
            "selectedXAxisMetricKey": "",
        },
    }
    if view.curves:
        # what is not named here follows, in the order of its names
        section = {"uuid": _SECTION, "name": "curves", "display": True, "isReordered": False}
        state["compareRunSections"] = [section]
        state["compareRunCharts"] = [_chart(metric) for metric in view.curves]
        state["isAccordionReordered"] = True
    envelope = {"name": view.label, "createdAt": made, "state": json.dumps(state)}
    return json.dumps(envelope)


def _chart(metric: str) -> dict[str, object]:
    """Return a chart of a metric's curves, over what the view says, as MLflow's UI keeps it."""
    return {
        "uuid": f"harness-{metric}",
        "type": "LINE",
        "runsCountToCompare": 10,
        "metricSectionId": _SECTION,
        "deleted": False,
        "isGenerated": True,
        "metricKey": metric,
        "displayName": metric,
        "lineSmoothness": 0,
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "range": {},
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "ignoreOutliers": False,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }

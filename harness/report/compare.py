"""The page that shows two or more studies side by side: ``harness report --compare``.

It makes no test across studies: their data, budgets and seeds may differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from harness.analysis.answer import Answer, answer_study
from harness.analysis.quantities import Quantity, quantity_of, say
from harness.analysis.results import Results
from harness.core.metric_names import describe
from harness.core.whole_file import write_whole
from harness.report.figures.curve_data import units_of
from harness.report.file_names import slug
from harness.report.index import tally, write_index
from harness.report.library import place_of, write_shared
from harness.report.linked_curves import main_curves
from harness.report.style import assign_looks
from harness.report.template import fill_page


class ComparedStudy(NamedTuple):
    """What the page says of one study."""

    name: str
    question: str
    answer: Answer
    tally: str
    """How many of its claims have which verdict."""
    file: str
    """Its own report."""
    label: str
    """Of what its arms are ranked by."""
    quantity: Quantity
    """How that is written."""


def write_comparison(studies: Sequence[Results], folder: Path, published: bool = False) -> Path:
    """Write one page on several studies, renew the index of its folder, and return the page's path.

    Args:
        studies: results of finished studies, in the order of the page.
        folder: where the page and the index go; ``local`` in it, among published ones.
        published: whether the folder's pages share one file with plotly.js; else each holds it.

    Raises:
        OSError: the folder can't be written to.
    """
    folder = place_of(folder, published)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"compare-{'-'.join(slug(results.study.name) for results in studies)}.html"
    write_whole(path, render_comparison(studies, published))
    if published:
        write_shared(folder)
    write_index(folder)
    return path


def render_comparison(studies: Sequence[Results], published: bool = False) -> str:
    """Return the page: answers, curves of all arms together, and the settings that differ.

    Args:
        studies: results of finished studies; arms are named ``study: arm`` in the curves.
        published: whether plotly.js lies in a file beside the page; else the page holds it.
    """
    compared = [_compared(results) for results in studies]
    names = [f"{study.name}: {place.arm}" for study in compared for place in study.answer.ranking]
    curves = pd.concat([_curves_of(results) for results in studies], ignore_index=True)
    arm_looks = assign_looks(names)
    return fill_page(
        "compare.html",
        published,
        studies=compared,
        say=say,
        names=names,
        looks=arm_looks,
        units=units_of(curves),
        figures=main_curves(curves, names, arm_looks),
        settings=_differences([results.study.dump() for results in studies]),
        about=json.dumps({"compares": [study.name for study in compared]}),
    )


def _curves_of(results: Results) -> pd.DataFrame:
    """Return a study's curves, with its name before those of its arms."""
    curves = results.confirmed_curves
    return curves.assign(arm=results.study.name + ": " + curves["arm"].astype(str))


def _compared(results: Results) -> ComparedStudy:
    study, study_answer = results.study, answer_study(results)
    verdicts = tally(tested.verdict.verdict for tested in study_answer.claims)
    file = f"{slug(study.name)}.html"
    metric, declared = study_answer.metric, study.recipe.declared
    label, quantity = describe(metric, declared).label, quantity_of(metric, declared)
    return ComparedStudy(study.name, study.question, study_answer, verdicts, file, label, quantity)


def _differences(specs: Sequence[Mapping[str, object]]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the fields whose values differ between specs, sorted, with a value of each spec; "—"
    where it has no such field."""
    flat = [_flat(spec) for spec in specs]
    fields = sorted({field for fields in flat for field in fields} - {"name", "question"})
    rows = [(field, tuple(fields.get(field, "—") for fields in flat)) for field in fields]
    return [(field, values) for field, values in rows if len(set(values)) > 1]


def _flat(spec: Mapping[str, object], path: str = "") -> dict[str, str]:
    """Return the leaves of a spec as text, by dotted path; lists and empty mappings are leaves.

    >>> _flat({"recipe": {"epochs": 3, "regularizers": []}})
    {'recipe.epochs': '3', 'recipe.regularizers': '[]'}
    """
    leaves: dict[str, str] = {}
    for key, value in spec.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict) and value:
            leaves |= _flat(value, here)
        else:
            leaves[here] = str(value)
    return leaves

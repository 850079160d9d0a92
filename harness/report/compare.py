"""Two or more studies side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.analysis.answer import answer
from harness.analysis.results import Results
from harness.report import texts
from harness.report.figures.curves import compute_curves
from harness.report.page import fill_page, slug, tally, write_index
from harness.report.sections import METRICS, curve_of
from harness.report.style import looks


def write_comparison(studies: Sequence[Results], folder: Path) -> Path:
    """Write one page on several studies; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"compare-{'-'.join(slug(found.study.name) for found in studies)}.html"
    path.write_text(render_comparison(studies), encoding="utf-8")
    write_index(folder)
    return path


def render_comparison(studies: Sequence[Results]) -> str:
    """Return the page: answers, curves of all arms together, and the settings that differ."""
    answers = {found.study.name: answer(found) for found in studies}
    names = [f"{study}: {place.arm}" for study, said in answers.items() for place in said.ranking]
    curves = pd.concat([_named(found) for found in studies], ignore_index=True)
    drawn = [data for metric in METRICS if (data := compute_curves(curves, metric, names)).bands]
    look = looks(names)
    return fill_page(
        "compare.html",
        studies=[_about(found, answers[found.study.name]) for found in studies],
        names=names,
        looks=look,
        units=drawn[0].units if drawn else (),
        figures=[
            curve_of(
                f"curves-{data.metric}",
                texts.CURVES._replace(title=texts.CURVES.title.format(data.metric.capitalize())),
                data,
                look,
            )
            for data in drawn
        ],
        settings=_differences([found.study.dump() for found in studies]),
        about=json.dumps({"compares": list(answers)}),
    )


def _named(found: Results) -> pd.DataFrame:
    curves = found.confirmed_curves
    return curves.assign(arm=found.study.name + ": " + curves["arm"].astype(str))


def _about(found: Results, said: Any) -> dict[str, Any]:
    study = found.study
    verdicts = tally(t.verdict.verdict for t in said.claims)
    file = f"{slug(study.name)}.html"
    return {
        "name": study.name,
        "question": study.question,
        "answer": said,
        "tally": verdicts,
        "file": file,
    }


def _differences(specs: Sequence[Any]) -> list[tuple[str, tuple[str, ...]]]:
    flat = [dict(_flat(spec)) for spec in specs]
    fields = sorted({field for one in flat for field in one} - {"name", "question"})
    rows = [(field, tuple(str(one.get(field, "—")) for one in flat)) for field in fields]
    return [(field, values) for field, values in rows if len(set(values)) > 1]


def _flat(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(tree, dict) and tree:
        return [
            pair
            for key, value in tree.items()
            for pair in _flat(value, f"{path}.{key}" if path else str(key))
        ]
    return [(path, tree)]

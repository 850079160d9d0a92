"""One offline HTML file for a study: its answer, figures, tables, and how it was run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.analysis.answer import Answer
from harness.analysis.audit import gather_findings, run_checks
from harness.analysis.number_column import interval_column
from harness.analysis.quantities import quantity_of, quantity_of_gap
from harness.analysis.results import Results
from harness.core.metric_names import describe
from harness.core.whole_file import write_whole
from harness.report.arm_looks import factor_keys
from harness.report.citation import cite
from harness.report.facts import list_facts, spec_as_yaml
from harness.report.figures.base import FigureContext
from harness.report.forest import ForestRow, forest_of
from harness.report.index import PageAbout, made_of, page_of, tally, write_index
from harness.report.library import place_of, write_shared
from harness.report.near_best import find_near_best
from harness.report.page_figure import PageFigure
from harness.report.page_record import page_record, record_text
from harness.report.progress_table import progress_table
from harness.report.run_table import list_runs, pack_runs
from harness.report.sections import draw_sections, page_context, take_hero
from harness.report.template import fill_page
from harness.report.thumbnail import card_forest, card_lines
from harness.report.winner_table import winner_table


def write_report(
    results: Results, folder: Path, published: bool = False, page: str | None = None
) -> Path:
    """Write the study's report, renew the index of its folder, and return the report's path.

    Args:
        results: of a finished study.
        folder: where the report and the index go; ``local`` in it, among published ones.
        published: whether the folder's reports share one file with plotly.js; else each holds it.
        page: the report, where it has been rendered already.

    Raises:
        OSError: the folder can't be written to.
    """
    folder = place_of(folder, published)
    folder.mkdir(parents=True, exist_ok=True)
    path = page_of(folder, results.study.name)
    write_whole(path, page or render(results, published))
    # after the page, since both read the pages of the folder
    if published:
        write_shared(folder)
    write_index(folder)
    return path


def save_report(results: Results, path: Path) -> Path:
    """Write the study's report to a file, or into a folder with its index; return the file.

    Args:
        results: of a finished study.
        path: a file if it ends with ``.html``, else a folder.

    Raises:
        OSError: it can't be written.
    """
    if path.suffix != ".html":
        return write_report(results, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(results), encoding="utf-8")
    return path


def render(results: Results, published: bool = False, context: FigureContext | None = None) -> str:
    """Return the report as a page; the same results give the same bytes.

    Args:
        results: of a finished study.
        published: whether plotly.js lies in a file beside the page; else the page holds it.
        context: what its figures are computed from, where others share it.
    """
    context = context or page_context(results)
    answer, declared = context.answer, results.study.recipe.declared
    quantity = quantity_of(answer.metric, declared)
    search = results.study.search
    objective = search.objective if search else ""
    checks = run_checks(results)
    audit = gather_findings(finding for checked in checks for finding in checked.findings)
    sections, hero = take_hero(draw_sections(context), results.study.hero)
    forest = forest_of(answer, declared)
    return fill_page(
        "template.html",
        published,
        study=results.study,
        answer=answer,
        forest=forest,
        hero=hero,
        look=str(results.look),
        metric=describe(answer.metric, declared),
        means=interval_column([place.interval for place in answer.ranking], quantity),
        gaps=interval_column(
            [place.from_best for place in answer.ranking], quantity_of_gap(quantity)
        ),
        looks=context.looks,
        key=factor_keys(results.arms, context.looks),
        sections=sections,
        near=find_near_best(results),
        winners=winner_table(results),
        objective=objective,
        objective_label=describe(objective, declared).label,
        tally=tally(tested.verdict.verdict for tested in answer.claims),
        audit=audit,
        passed=[checked.name for checked in checks if not checked.findings],
        progress=progress_table(results.confirmed_curves, declared),
        runs=pack_runs(list_runs(results, answer)),
        # the script puts a run's id in the place of {}
        run_link=results.link("{}"),
        facts=list_facts(results),
        citation=cite(results),
        spec=spec_as_yaml(results),
        environment=results.environment,
        record=record_text(page_record(results, answer)),
        about=json.dumps(_about(results, answer, forest, hero)),
    )


def _about(
    results: Results, answer: Answer, forest: Sequence[ForestRow], hero: PageFigure | None
) -> PageAbout:
    """Return what the index of all reports shows of this one."""
    return {
        "name": results.study.name,
        "question": results.study.question,
        "answer": answer.headline,
        "verdicts": [f"{tested.verdict.verdict}: {tested.claim}" for tested in answer.claims],
        "arms": len(answer.ranking),
        "runs": len(results.runs),
        "made_of": made_of(results.identity),
        "forest": card_forest(forest),
        "lines": card_lines(hero),
    }

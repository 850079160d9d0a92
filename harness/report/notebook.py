"""Results as notebooks show them: a table of the arms, and the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from harness.analysis.answer import answer_study
from harness.analysis.claims import Tested, judge_claims
from harness.analysis.number_column import NumberColumn, interval_column
from harness.analysis.quantities import quantity_of, quantity_of_gap, say_p
from harness.analysis.ranking import Place
from harness.analysis.results import Results
from harness.core.html import html_table
from harness.core.metric_names import describe


class Verdicts(tuple[Tested, ...]):
    """The verdicts on a study's claims, in their order; a notebook shows them as a list."""

    def __str__(self) -> str:
        return "\n".join(f"{own.verdict.verdict}: {own.sentence}" for own in self)

    def _repr_html_(self) -> str:
        return verdict_list(self)


def verdicts_of(results: Results) -> Verdicts:
    """Return the verdicts on the claims of a study that has been run to its end."""
    return Verdicts(judge_claims(results))


def results_html(results: Results) -> str:
    """Return the ranking as a table (mean with interval and number of runs of each arm), and the
    verdicts on the claims.

    Args:
        results: of a finished study.
    """
    answer, study = answer_study(results), results.study
    quantity = quantity_of(answer.metric, study.recipe.declared)
    means = interval_column([place.interval for place in answer.ranking], quantity)
    gaps = interval_column([p.from_best for p in answer.ranking], quantity_of_gap(quantity))
    label = describe(answer.metric, study.recipe.declared).label
    heads = ["arm", _head(label, means), "runs", _head("from the best", gaps)]
    if not study.first_look:
        heads += ["p", "told apart"]
    rows = [
        _cells(place, i == 0, study.first_look, means.cells[i], gaps.cells[i])
        for i, place in enumerate(answer.ranking)
    ]
    title = f"<p><b>{escape(study.name)}</b>: {escape(answer.headline)}</p>"
    return title + html_table(heads, rows) + verdict_list(answer.claims)


def _head(label: str, column: NumberColumn) -> str:
    unit = f" ({column.unit})" if column.unit else ""
    return f"{label}{unit} [interval]"


def _cells(place: Place, best: bool, first_look: bool, mean: str, gap: str) -> list[str]:
    """Return an arm's row."""
    lost = f" ({place.ended_badly} diverged or failed)" if place.ended_badly else ""
    compared = place.measured and not best
    cells = [place.arm, mean, f"{place.runs}{lost}"]
    cells.append(gap if compared else "—")
    if first_look:
        return cells
    told = "best" if best else "yes" if place.behind else "no"
    return [*cells, say_p(place.p) if compared else "—", told if place.measured else "—"]


def verdict_list(claims: Sequence[Tested]) -> str:
    """Return the verdicts as a list in HTML; nothing where nothing was claimed."""
    items = "".join(
        f"<li><b>{own.verdict.verdict}</b>: {escape(own.sentence)}{_p_of(own)}</li>"
        for own in claims
    )
    return f"<ul>{items}</ul>" if items else ""


def _p_of(tested: Tested) -> str:
    """Return a verdict's p in words; a first look has none."""
    if tested.verdict.verdict == "first look":
        return ""
    return f" (adjusted p {p if (p := say_p(tested.verdict.p)).startswith('<') else f'= {p}'})"

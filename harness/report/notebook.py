"""Results as notebooks show them: a table of the arms, and the verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from harness.analysis.answer import answer_study
from harness.analysis.claims import Tested, judge_claims
from harness.analysis.ranking import Place, show
from harness.analysis.results import Results
from harness.core.html import html_table


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
    heads = ["arm", f"{answer.metric} [interval]", "runs", "from the best [interval]"]
    if not study.first_look:
        heads += ["p", "told apart"]
    rows = [_cells(place, i == 0, study.first_look) for i, place in enumerate(answer.ranking)]
    title = f"<p><b>{escape(study.name)}</b>: {escape(answer.headline)}</p>"
    return title + html_table(heads, rows) + verdict_list(answer.claims)


def _cells(place: Place, best: bool, first_look: bool) -> list[str]:
    """Return an arm's row."""
    lost = f" ({place.ended_badly} diverged or failed)" if place.ended_badly else ""
    compared = place.measured and not best
    cells = [place.arm, show(place.interval), f"{place.runs}{lost}"]
    cells.append(show(place.from_best) if compared else "—")
    if first_look:
        return cells
    told = "best" if best else "yes" if place.behind else "no"
    return [*cells, f"{place.p:.3g}" if compared else "—", told if place.measured else "—"]


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
    return f" (adjusted p = {tested.verdict.p:.3g})"

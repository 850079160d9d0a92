"""A study's answer as MLflow's UI shows it: a description in Markdown, and its arms' means."""

from __future__ import annotations

from harness.analysis.answer import Answer, answer_study
from harness.analysis.arm_means import MeanCurves, closing_means, mean_curves
from harness.analysis.claims.wording import claim_in_words
from harness.analysis.quantities import quantity_of, quantity_of_effect, say
from harness.analysis.results import Results
from harness.core.metric_names import describe
from harness.core.study_record import StudyRecord
from harness.spec.study import Study
from harness.tracking import Reader
from harness.tracking.about import Mean, ShownAnswer, ShownArm

_MOST_ROWS = 20
"""Rows of a table: MLflow's descriptions are short, and the report has all of them."""
_MARKS = {"supported": "✅", "opposite": "❌", "smaller than claimed": "🟡", "undecided": "⚪"}
"""A mark for each verdict."""


def shown_answer(reader: Reader, study: Study, record: StudyRecord) -> ShownAnswer:
    """Return what MLflow's UI shows of an answer that is about to be written.

    Args:
        reader: of the study's store.
        study: what was asked.
        record: which runs answer it.
    """
    return show_results(Results(reader, study.dump(), record, {}))


def show_results(results: Results) -> ShownAnswer:
    """Return what MLflow's UI shows of a study's answer.

    Args:
        results: of a study that has been run to its end.
    """
    if not len(results.confirmed):
        return ShownAnswer(results.study.question or results.study.name, {})
    curves = mean_curves(results)
    of = f"mean over {results.look}"
    arms = {arm: _shown_arm(results, arm, curves.get(arm), of) for arm in results.by_arm}
    return ShownAnswer(describe_answer(results, answer_study(results)), arms)


def _shown_arm(results: Results, arm: str, curves: MeanCurves | None, of: str) -> ShownArm:
    closing = {
        metric: Mean(*mean.interval, runs=mean.runs)
        for metric, mean in closing_means(results, arm).items()
    }
    return ShownArm(of, closing, curves.curves if curves else {}, curves.seconds if curves else {})


def describe_answer(results: Results, answer: Answer) -> str:
    """Return the question, its answer, the verdicts and the ranking in Markdown.

    Args:
        results: of the study.
        answer: its answer.
    """
    study = results.study
    parts = [
        study.question or study.name,
        f"**{_escaped(answer.headline)}**",
        _verdicts(results, answer),
        _ranking(results, answer),
        *results.notes,
        "Intervals of the table hold together; an arm's own run has each mean with a 95 % interval "
        "of its own (`…/low`, `…/high`) over `…/n` runs. *Views* lists the arms, the runs that "
        "answer the study, and its search; the links above open training's pages. The report is "
        "an artifact of the study's run.",
    ]
    return "\n\n".join(part for part in parts if part)


def _verdicts(results: Results, answer: Answer) -> str:
    """Return a table of the claims with their verdicts; nothing without claims."""
    declared = results.study.recipe.declared
    rows = []
    for tested in answer.claims[:_MOST_ROWS]:
        verdict = tested.verdict
        effect = say(verdict.effect, quantity_of_effect(tested.claim, declared))
        words = claim_in_words(tested.claim, declared)
        rows.append([f"{_MARKS.get(verdict.verdict, '')} {verdict.verdict}", words, effect])
    return _table(["verdict", "claim", "effect"], rows, len(answer.claims))


def _ranking(results: Results, answer: Answer) -> str:
    """Return a table of the arms, best first where they are rivals."""
    declared = results.study.recipe.declared
    quantity = quantity_of(answer.metric, declared)
    rows = [
        [place.arm, say(place.interval, quantity), str(place.runs)]
        for place in answer.ranking[:_MOST_ROWS]
    ]
    label = describe(answer.metric, declared).label
    return _table(["arm", label, "runs"], rows, len(answer.ranking))


def _table(head: list[str], rows: list[list[str]], there: int) -> str:
    """Return a Markdown table, and how many rows it leaves out."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)
    more = there - len(rows)
    return f"{table}\n\n… and {more} more in the report." if more > 0 else table


def _escaped(text: str) -> str:
    """Return text without what Markdown would take for its own."""
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")

"""The sentence that answers a study's question: what became of its claims, in people's numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.analysis.claims import Tested
from harness.analysis.claims.wording import claim_in_words
from harness.analysis.quantities import quantity_of_effect, say
from harness.core.metric_names import Declared
from harness.spec.claims.bound import Bound
from harness.spec.study import Study

FEW = 3
"""Claims that are all told; of more, how many have which verdict, and the first one."""
OPENINGS = {
    "supported": "",
    "opposite": "The opposite holds: ",
    "smaller than claimed": "Less than claimed: ",
    "undecided": "Undecided: ",
}
"""What a claim's sentence begins with, by its verdict.

Neither yes nor no: what is supported may answer the question with either, or with a number.
"""


def headline(study: Study, claims: Sequence[Tested], ranking: str) -> str:
    """Return what answers the study's question.

    Args:
        study: says which claims answer it, if not all.
        claims: all of its claims with their verdicts.
        ranking: the ranking in a sentence, or why there is none; it answers where no claim does.

    >>> from harness import SGD, Recipe
    >>> study = Study(name="s", recipe=Recipe(data="iris", epochs=1, optimizer=SGD(lr=0.1)))
    >>> headline(study, (), "A is best.")
    'A is best.'
    """
    declared = study.recipe.declared
    if not claims:
        return ranking
    chosen = [claims[number] for number in study.answer]
    if study.first_look:
        first = (chosen or claims)[0]
        return f"No verdict yet: {_continued(_claim_and_effect(first, declared))} so far."
    if not chosen and len(claims) > FEW:
        return f"{_count(claims)} {_said(claims[0], declared)}"
    return " ".join(_said(tested, declared) for tested in chosen or claims)


def _said(tested: Tested, declared: Declared) -> str:
    """Return a claim's verdict and effect in a sentence."""
    said = _claim_and_effect(tested, declared)
    opening = OPENINGS[tested.verdict.verdict]
    return f"{opening}{_continued(said)}." if opening else f"{_begun(said)}."


def _continued(sentence: str) -> str:
    """Return what is said after a colon: a claim's own first word ("What … does to …") is small."""
    return sentence.replace("What ", "what ", 1) if sentence.startswith("What ") else sentence


def _begun(sentence: str) -> str:
    """Return a sentence with a capital; Greek letters of hyperparameters stay (η is no Η)."""
    return sentence[0].upper() + sentence[1:] if sentence[0].isascii() else sentence


def _claim_and_effect(tested: Tested, declared: Declared) -> str:
    claim = tested.claim
    effect = say(tested.verdict.effect, quantity_of_effect(claim, declared))
    middle = "it is" if isinstance(claim, Bound) else "effect"
    return f"{claim_in_words(claim, declared)} ({middle} {effect})"


def _count(claims: Sequence[Tested]) -> str:
    """Return how many claims have which verdict, the most frequent first."""
    counts = Counter(tested.verdict.verdict for tested in claims)
    (first, most), *others = counts.most_common()
    rest = "".join(f", {count} {verdict}" for verdict, count in others)
    return f"{most} of {len(claims)} claims {'is' if most == 1 else 'are'} {first}{rest}."

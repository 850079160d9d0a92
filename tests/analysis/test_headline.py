"""The first sentence of a report: what became of the claims, in numbers for people."""

import pytest

import harness as h
from harness.analysis.answer import answer_study
from harness.analysis.headline import headline
from harness.analysis.quantities import PERCENT, quantity_of, quantity_of_effect, say, three_digits
from harness.stats import Interval
from tests.analysis.made import results
from tests.analysis.test_claims import NOISE

ACCURACIES = {
    name: {"test/accuracy": list(level + NOISE[i] / 100), "test/loss": list(1 - level + NOISE[i])}
    for i, (name, level) in enumerate(zip("ABC", (0.9, 0.8, 0.8), strict=True))
}


def study(claims, **fields):
    recipe = h.Recipe(data="digits", model=h.MLP(widths=(4,)), epochs=1, optimizer=h.SGD(lr=0.1))
    compare = fields.pop("compare", {"optimizer": {n: h.SGD(lr=0.1) for n in "ABC"}})
    return h.Study(
        name="s", recipe=recipe, compare=compare, claims=claims, seeds=len(NOISE[0]), **fields
    )


def told(claims, **fields):
    return answer_study(results(study(claims, **fields), ACCURACIES))


BETTER = h.Claim.better("A", than="B", on="test/accuracy")
WORSE = h.Claim.better("B", than="A", on="test/accuracy")
BOUND = h.Claim.above("A", 0.5, on="test/accuracy")


def test_verdicts_are_said_as_answers_with_percentage_points():
    said = told((BETTER,)).headline
    assert said.startswith("A ends with a better test accuracy than B (effect 10.")
    assert said.endswith(" pp).") and "test/accuracy" not in said
    assert told((WORSE,)).headline.startswith("The opposite holds: B ends")
    assert "(it is 9" in told((BOUND,)).headline


def test_of_many_claims_their_count_and_the_first_or_those_chosen():
    many = (BETTER, WORSE, BOUND, BETTER)
    assert told(many).headline.startswith("3 of 4 claims are supported, 1 opposite. A ends")
    assert told(many, answer=(1,)).headline.startswith("The opposite holds")
    assert told(many, answer=(1, 0)).headline.count("ends with") == 2
    with pytest.raises(ValueError, match="numbers of claims, from 0 to 0, got 1"):
        study((BETTER,), answer=(1,))


def test_a_first_look_has_no_verdict():
    assert told((BETTER,), first_look=True).headline.startswith("No verdict yet: A ends")


def test_without_claims_the_ranking_answers():
    answer = told(())
    assert answer.headline == answer.sentence
    assert answer.sentence.startswith("A has the best test loss:") and answer.ranked


def test_arms_on_other_data_or_of_other_losses_are_not_ranked():
    data = {"data": {"A": "digits", "B": "mnist1d", "C": "digits"}}
    answer = told((), compare=data)
    assert not answer.ranked and "different data" in answer.sentence
    assert [place.arm for place in answer.ranking] == ["A", "B", "C"]
    losses = {"loss": {"A": "CrossEntropy", "B": "MSE", "C": "MSE"}}
    assert "different losses" in told((), compare=losses).sentence
    assert told((), compare=losses, metric="test/accuracy").ranked


@pytest.mark.parametrize(
    "claim, unit",
    [
        (h.Claim.faster("A", than="B", to=("valid/accuracy", 0.5)), "steps"),
        (h.Claim.faster("A", than="B", to=("valid/accuracy", 0.5), by="seconds"), "s"),
        (h.Claim.cured("A", of="B"), "%"),
        (h.Claim.equal("A", than="B", margin=0.1, on="gap/accuracy"), "pp"),
        (BOUND, "%"),
        (h.Claim.better("A", than="B"), ""),
        (h.Claim.above("A", 16, on="mean/noise/scale"), "samples"),
    ],
)
def test_effects_have_units(claim, unit):
    assert quantity_of_effect(claim, {}).unit == unit


@pytest.mark.parametrize(
    "interval, said",
    [
        ((0.92345, 0.9, 0.95), "92.3 [90.0, 95.0] %"),
        ((float("nan"), float("nan"), float("nan")), "not recorded"),
        ((float("inf"), -float("inf"), float("inf")), "diverged"),
    ],
)
def test_numbers_have_equal_decimals(interval, said):
    assert say(Interval(*interval), PERCENT) == said


def test_small_large_and_negative_numbers():
    assert [three_digits(v) for v in (-0.00001, 99999.0, 1e5)] == [
        "−1.00 × 10⁻⁵",
        "100000",
        "1.00 × 10⁵",
    ]
    assert say(Interval(-0.001, -0.02, 0.018)) == "−0.0010 [−0.0200, 0.0180]"
    assert quantity_of("throughput/samples", {}).unit == "samples/s"


def test_headline_is_plain_text():
    assert headline(study(()), (), "x") == "x"

"""Each kind of claim: each of the four words where it should be."""

from typing import Literal

import numpy as np
import pytest

import harness as h
from harness import stats
from harness.analysis.claims import judge_claims as verdicts
from harness.analysis.claims.evidence import Weighed, evidence_on, weigh
from harness.analysis.quantities import say
from harness.spec.claims import Claim
from harness.spec.looks import Look
from tests.analysis.judged import NOISE, judged, losses
from tests.analysis.made import results, study


@pytest.mark.parametrize(
    "claim, levels, verdict",
    [
        (h.Claim.better("A", than="B"), (1.0, 2.0), "supported"),
        (h.Claim.better("A", than="B"), (2.0, 1.0), "opposite"),
        (h.Claim.better("A", than="B"), (1.0, 1.0), "undecided"),
        (h.Claim.better("A", than="B", margin=0.5), (1.0, 1.2), "smaller than claimed"),
        (h.Claim.no_worse("A", than="B", margin=0.2), (1.0, 1.0), "supported"),
        (h.Claim.no_worse("A", than="B", margin=0.2), (1.5, 1.0), "opposite"),
        (h.Claim.equal("A", than="B", margin=0.2), (1.0, 1.0), "supported"),
        (h.Claim.equal("A", than="B", margin=0.2), (1.0, 1.5), "opposite"),
        (h.Claim.equal("A", than="B", margin=0.01), (1.0, 1.0), "undecided"),
        (h.Claim.cured("A", of="B", on="test/loss"), (1.0, 2.0), "supported"),
        (h.Claim.cured("A", of="B", on="test/loss", share=0.4), (1.0, 2.0), "supported"),
        (h.Claim.cured("A", of="B", on="test/loss", share=0.6), (1.0, 2.0), "smaller than claimed"),
        (h.Claim.cured("A", of="B", on="test/loss", share=0.6), (3.0, 2.0), "opposite"),
        (h.Claim.above("A", 0.5, on="test/loss"), (1.0, 2.0), "supported"),
        (h.Claim.below("A", 0.5, on="test/loss"), (1.0, 2.0), "opposite"),
        (h.Claim.better("A", than="B", on="test/f1"), (1.0, 2.0), "undecided"),
    ],
)
def test_claims_on_closing_values(claim, levels, verdict):
    result = judged(claim, losses(*levels))
    assert result.verdict.verdict == verdict and str(claim)[1:] in result.sentence


def test_more_accuracy_is_better_and_more_loss_is_not():
    up = judged(
        h.Claim.better("A", than="B", on="test/accuracy"), losses(0.9, 0.5, metric="test/accuracy")
    )
    assert up.verdict.verdict == "supported" and up.verdict.effect.mean == pytest.approx(
        0.4, abs=0.05
    )


def losses_of(seeds):
    return {n: {"test/loss": [1.0] * seeds} for n in "ABC"}


def speeds(arrive_a, arrive_b, length=30, seeds=8):
    def rise(arrive):
        return [
            [float(step >= arrive + seed % 3) for step in range(length)] for seed in range(seeds)
        ]

    return {
        n: {"valid/accuracy": rise(at)}
        for n, at in zip("ABC", (arrive_a, arrive_b, 1), strict=True)
    }


@pytest.mark.parametrize(
    "a, b, verdict",
    [
        (5, 15, "supported"),
        (15, 5, "opposite"),
        (7, 7, "undecided"),
        (5, 99, "supported"),
        (99, 99, "undecided"),
    ],
)
@pytest.mark.parametrize("by", ["steps", "samples", "seconds"])
def test_speed(a, b, verdict, by):
    claim = h.Claim.faster("A", than="B", to=("valid/accuracy", 0.5), by=by)
    clock = {n: {"seconds": 0.01, "spread": 1.0, "load": 0.0} for n in "ABC"}
    curves = speeds(a, b)
    for shift, run in enumerate(curves["A"]["valid/accuracy"]):
        run[:] = run[shift % 2 :] + [run[-1]] * (shift % 2)
    result = judged(claim, losses_of(8), seeds=8, curves=curves, clock=clock)
    if (a, b) == (7, 7):
        assert result.verdict.verdict in ("undecided", "supported")
    else:
        assert result.verdict.verdict == verdict
    assert ("missed the target" in result.sentence) == (b == 99)


def test_time_saved_is_the_difference_of_the_means_unless_runs_are_censored():
    claim = h.Claim.faster("A", than="B", to=("valid/accuracy", 0.5))
    whole = judged(claim, losses_of(8), seeds=8, curves=speeds(5, 20))
    assert whole.verdict.effect.mean == pytest.approx(15) and "restricted" not in whole.sentence
    missed = judged(claim, losses_of(8), seeds=8, curves=speeds(5, 99))
    assert missed.verdict.effect.mean == pytest.approx(29 - np.mean([5 + s % 3 for s in range(8)]))
    assert "restricted to 29" in missed.sentence


def test_a_run_that_diverged_never_arrives():
    claim = h.Claim.faster("A", than="B", to=("valid/accuracy", 0.5))
    curves = speeds(5, 20)
    curves["B"]["valid/accuracy"] = [[0.0, 0.0]] * 7 + curves["B"]["valid/accuracy"][7:]
    statuses = {("B", seed): "diverged" for seed in range(7)}
    result = judged(claim, losses_of(8), seeds=8, curves=curves, statuses=statuses)
    assert result.verdict.verdict == "supported" and "7 of 8 runs of B missed" in result.sentence


def test_a_smaller_gap_of_accuracy_is_better():
    assert not h.Claim.better("A", than="B", on="gap/accuracy").maximize


@pytest.mark.parametrize(
    "levels, verdict",
    [
        ((1, 2, 3), "supported"),
        ((3, 2, 1), "opposite"),
        ((1, 3, 2), "opposite"),
        ((1, 1, 1), "undecided"),
    ],
)
def test_every_step_between_levels(levels, verdict):
    result = judged(h.Claim.monotone("optimizer", on="test/loss", rising=True), losses(*levels))
    assert result.verdict.verdict == verdict
    assert ("Most against it is the step" in result.sentence) == (verdict != "supported")
    assert ("against it is the step from B to C" in result.sentence) or levels != (1, 3, 2)


def test_a_plateau_is_a_trend_and_monotone_within_a_margin():
    rising = {"on": "test/loss", "rising": True}
    plateau = losses(1, 3, 3)
    assert judged(h.Claim.monotone("optimizer", **rising), plateau).verdict.verdict == "undecided"
    within = judged(h.Claim.monotone("optimizer", margin=0.2, **rising), plateau)
    assert within.verdict.verdict == "supported" and "smallest step" in within.sentence
    assert within.verdict.effect.mean == pytest.approx(0, abs=0.1)
    trend = judged(h.Claim.trend("optimizer", **rising), plateau)
    assert trend.verdict.verdict == "supported" and "mean rank correlation 0.79" in trend.sentence
    falling = h.Claim.trend("optimizer", on="test/loss", rising=False)
    assert judged(falling, plateau).verdict.verdict == "opposite"
    assert judged(falling, losses(1, 1, 1)).verdict.verdict == "undecided"


def test_the_effect_of_a_cure_is_the_share_that_was_tested():
    result = judged(h.Claim.cured("A", of="B", on="test/loss", share=0.4), losses(1.0, 2.0))
    share, low, high = result.verdict.effect
    assert share == pytest.approx(0.5, abs=0.02) and 0.4 < low < share < high
    assert "share taken away: 49.6 [" in result.sentence


def test_a_gap_below_zero_can_t_be_cured():
    result = judged(h.Claim.cured("A", of="B", on="test/loss"), losses(-2.0, -1.0))
    assert result.verdict.verdict == "undecided" and result.verdict.p == 1.0
    assert "test loss of B is −1" in result.sentence and "nothing" in result.sentence
    assert say(result.verdict.effect) == "not defined"


def test_interaction_and_levels_kept_fixed():
    spec = {
        "compare": {
            "optimizer": {"A": h.SGD(lr=0.1), "B": h.SGD(lr=0.2)},
            "batch_size": {"8": 8, "16": 16, "32": 32},
        }
    }
    crossed = {
        f"{a} / {b}": {"test/loss": list((i * j) + NOISE[j])}
        for i, a in enumerate("AB")
        for j, b in enumerate(("8", "16", "32"))
    }
    result = judged(h.Claim.interaction("optimizer", "batch_size"), crossed, spec=spec)
    assert result.verdict.verdict == "supported" and "alone" in result.sentence
    # the two optimizers' noise is the same here, and the error 0
    assert 0.99 < result.verdict.effect.low < result.verdict.effect.mean == 1
    flat = {
        name: {"test/loss": list(1 + NOISE[i % 3] * (1 + i // 3))} for i, name in enumerate(crossed)
    }
    none = judged(h.Claim.interaction("optimizer", "batch_size"), flat, spec=spec).verdict
    assert none.verdict == "undecided" and none.effect.low == 0
    rising = h.Claim.monotone("batch_size", on="test/loss", rising=True, among={"optimizer": "B"})
    assert judged(rising, crossed, spec=spec).verdict.verdict == "supported"


def test_an_interaction_of_few_steps_has_the_spread_of_rounding():
    """Of five seeds four have one cell one sample higher: what spreads less than steps of 1/30 do
    would make F 16. With r²/12 below, it is n z̄²/(r²/12) = 9.6."""
    step = 1 / 30
    spec = {
        "compare": {
            "optimizer": {"A": h.SGD(lr=0.1), "B": h.SGD(lr=0.2)},
            "batch_size": {"x": 16, "y": 32},
        }
    }
    ends = {arm: [0.9] * 5 for arm in ("A / y", "B / x", "B / y")}
    ends["A / x"] = [0.9 + step] * 4 + [0.9]
    values = {arm: {"test/accuracy": own} for arm, own in ends.items()}
    claim = h.Claim.interaction("optimizer", "batch_size", on="test/accuracy")
    result = judged(claim, values, seeds=5, spec=spec)
    assert "F(1, 4) = 9.6." in result.sentence


CROSSED = {
    "optimizer": {"A": h.SGD(lr=0.1), "B": h.SGD(lr=0.2)},
    "batch_size": {str(size): size for size in (8, 16, 32, 64, 128, 256)},
}
A_8, B_256 = "A / 8", "B / 256"


@pytest.mark.parametrize(
    "claim, said",
    [
        (h.Claim.interaction("optimizer", "batch_size"), "it takes two or more"),
        (h.Claim.monotone("batch_size", on="test/loss", rising=True), "smallest step 0.1"),
        (h.Claim.trend("batch_size", on="test/loss", rising=True), "mean rank correlation 1"),
        (h.Claim.better(A_8, than=B_256), "Mean advantage"),
        (h.Claim.no_worse(A_8, than=B_256, margin=0.1), "Mean advantage"),
        (h.Claim.equal(A_8, than=B_256, margin=9.0), "Mean advantage"),
        (h.Claim.below(A_8, 0.5, on="test/loss"), "Median test loss"),
        (h.Claim.cured(A_8, of=B_256, on="test/loss"), "taken away"),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_one_seed_decides_nothing_and_says_so(claim, said):
    arms = [f"{a} / {b}" for a in "AB" for b in CROSSED["batch_size"]]
    values = {arm: {"test/loss": [0.1 * i]} for i, arm in enumerate(arms)}
    result = judged(claim, values, seeds=1, spec={"compare": CROSSED})
    assert result.verdict.verdict == "undecided" and said in result.sentence


@pytest.mark.parametrize(
    "claim, said",
    [
        (h.Claim.interaction("optimizer", "dtype"), "factors: expected factors of two levels or more, got 'dtype' with one"),
        (h.Claim.interaction("optimizer", "batch_size", among={"optimizer": "A"}), "among: expected other factors than those compared"),
        (h.Claim.monotone("batch_size", on="test/loss", rising=True, among={"batch_size": "8"}), "among: expected other factors than those compared"),
    ],
)  # fmt: skip
def test_claims_over_levels_that_there_are_not(claim, said):
    with pytest.raises(ValueError, match=said):
        study(claims=[claim], compare=CROSSED | {"dtype": ["float32"]})


def test_claims_are_corrected_for_each_other():
    pair = [h.Claim.better("A", than="B"), h.Claim.better("A", than="C")]
    both = verdicts(results(study(claims=pair, seeds=12), losses(1.0, 1.02, 1.0)))
    alone = verdicts(results(study(claims=pair[:1], seeds=12), losses(1.0, 1.02, 1.0)))
    assert both[0].verdict.p >= alone[0].verdict.p


def test_looks_are_judged_in_turn_and_a_decision_stays():
    spec = study(claims=[h.Claim.better("A", than="B")], seeds=h.Seeds(min=4, max=12))
    late = {"A": list(1.0 + NOISE[0]), "B": list(2.0 + NOISE[1]), "C": list(NOISE[2])}
    late["B"][8:] = [0.5, -3.0, 9.0, 0.0]
    (result,) = verdicts(results(spec, {arm: {"test/loss": v} for arm, v in late.items()}))
    assert (result.verdict.verdict, result.look.runs) == (
        "supported",
        4,
    ) and "Decided at look 1, with 4 seeds" in result.sentence
    early = verdicts(results(spec, {arm: {"test/loss": v[:4]} for arm, v in late.items()}))
    assert early[0].verdict.p == pytest.approx(result.verdict.p)


def test_evidence_is_of_the_seeds_asked_for():
    tables = results(study(seeds=12), losses(1.0, 2.0))
    few = weigh(tables, h.Claim.better("A", than="B"), Look((0,), ((0, 1, 2),))).evidence
    assert few.effect.mean == pytest.approx(np.mean(1 + NOISE[1][:3] - NOISE[0][:3]))


@pytest.fixture
def own_kind():
    """A kind of claim as a user or a contributor writes it: a class with its sentence, and its evidence."""

    class Never(Claim):
        kind: Literal["never"] = "never"
        arm: str

        def __str__(self):
            return f"{self.arm} never diverges"

    @evidence_on.register(Never)
    def evidence_on_never(claim, results, look, level):
        runs = results.by_arm[claim.arm].loc[list(look.seeds[0])]
        failed = [float(status == "diverged") for status in runs["status"]]
        return Weighed(stats.superior([0.5] * len(failed), failed), f"{sum(failed):g} diverged.")

    yield Never
    del Claim.kinds["never"]


def test_a_kind_of_one_s_own(own_kind):
    result = judged({"kind": "never", "arm": "A"}, losses(1.0, 2.0))
    assert isinstance(result.claim, own_kind) and result.verdict.verdict == "supported"
    assert result.sentence == "A never diverges. 0 diverged."
    assert result.basis == "over 12 seeds; the interval holds with 96 %"
    diverged = {("A", seed): "diverged" for seed in range(12)}
    result = judged(own_kind(arm="A"), losses(1.0, 2.0), statuses=diverged)
    assert result.verdict.verdict == "opposite"


def tuned_study(searches, **fields):
    rates = {n: h.SGD(lr=h.LogUniform(1e-3, 1.0)) for n in "AB"}
    search = h.Search(trials=16, searches=searches)
    claims = [h.Claim.better("A", than="B")]
    base = {"compare": {"optimizer": rates}, "search": search, "seeds": 4, "claims": claims}
    return study(**base | fields)


def searched(searches, a, b, **fields):
    """Return the verdict where the difference is of searches: large between them, small within."""
    values = {"A": {"test/loss": list(np.ravel(a))}, "B": {"test/loss": list(np.ravel(b))}}
    (result,) = verdicts(results(tuned_study(searches, **fields), values))
    return result


BY_SEARCH = np.random.default_rng(3).normal(0.3, 1.0, (6, 1)) + np.zeros((6, 4))


def test_methods_are_judged_by_the_means_of_their_searches():
    """By its runs the lead was plain; it is the search's luck, which another search does not have."""
    b = 5 + BY_SEARCH + 0.01 * np.random.default_rng(4).normal(size=(6, 4))
    method = searched(6, np.full((6, 4), 5.0), b)
    assert method.verdict.verdict == "undecided"
    assert method.basis.startswith("of the methods, tuned with 16 trials each, over 6 searches × 4")
    assert "The search makes 100 % [100, 100] of the spread" in method.sentence
    claim = h.Claim.better("A", than="B", scope="winner")
    winner = searched(6, np.full((6, 4), 5.0), b, claims=[claim])
    assert winner.verdict.verdict == "supported"
    assert winner.basis.startswith("of the recipes that these searches froze")


def test_one_search_speaks_of_its_frozen_recipes():
    one = searched(1, np.full(4, 1.0) + NOISE[0][:4], np.full(4, 2.0) + NOISE[1][:4])
    assert one.verdict.verdict == "supported"
    assert one.basis.startswith("of these frozen recipes (one search; another may freeze others)")


def test_a_first_look_has_effects_and_no_verdict():
    one = searched(1, np.full(4, 1.0), np.full(4, 2.0), first_look=True)
    assert (one.verdict.verdict, one.verdict.effect.mean) == ("first look", 1.0)

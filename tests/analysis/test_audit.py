"""What the audit finds, and that it finds nothing where nothing is wrong."""

import numpy as np
import pytest

import harness as h
from harness.analysis import audit as audit_module
from harness.analysis.audit import CHECKS
from harness.analysis.audit.metrics import undefined_metrics
from harness.analysis.claims import judge_claims
from harness.core.study_record import LookShown
from tests.analysis.made import CLOCK, VALUES, results, trials, tuned
from tests.analysis.made import study as made_study


def audit(made):
    """Return the findings but the one that all studies have that were searched once."""
    return [finding for finding in audit_module.audit(made) if finding.check != "one search"]


def checks_that_fail(made):
    return {finding.check for finding in audit(made)}


def searched(searches, **more):
    """Return the results of a study with several searches, in which an audit finds nothing."""
    every = [row | {"search": k} for k in range(searches) for row in trials({"A": 4, "B": 4})]
    rng = np.random.default_rng(0)
    values = {
        arm: {metric: list(rng.normal(1, 0.1, 4 * searches)) for metric in VALUES[arm]}
        for arm in "AB"
    }
    spec = {"search": h.Search(trials=4, searches=searches)} | more.pop("spec", {})
    return tuned(**{"values": values, "trials": every, "spec": spec} | more)


def test_nothing_is_found_where_nothing_is_wrong():
    assert not audit(tuned()) and not audit_module.audit(searched(5))


@pytest.mark.parametrize(
    ("searches", "check"), [(1, "one search"), (2, None), (3, "few searches"), (4, "few searches")]
)
def test_verdicts_of_few_searches(searches, check):
    found = [finding.check for finding in audit_module.audit(searched(searches))]
    assert found == ([check] if check else [])
    assert not audit_module.audit(
        searched(
            searches, spec={"first_look": True, "search": h.Search(trials=4, searches=searches)}
        )
    )
    assert "5" in audit_module.audit(searched(3))[0].advice


def test_a_claim_that_was_said_after_its_runs_were_shown():
    made = tuned(spec={"claims": [h.Claim.better("A", than="B", on="test/loss")]})
    said = tuple(map(str, made.study.claims))
    for looks, found in [
        ((), False),
        ((LookShown(1, 4, 0.04),), False),  # of an earlier version, which has not kept claims
        ((LookShown(1, 4, 0.04, said),), False),
        ((LookShown(1, 4, 0.04, ()),), True),
        ((LookShown(1, 2, 0.04, ("another",)), LookShown(1, 4, 0.005, said)), True),
    ]:
        made.looks_shown = looks
        assert ("claim said afterwards" in checks_that_fail(made)) == found, looks


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (h.Claim.better("A", than="B", on="test/accuracy"), "by test/accuracy"),
        (h.Claim.better("A", than="B", on="lowest/test/loss"), "by lowest/test/loss"),
        (h.Claim.cured("A", of="B"), "by gap/loss"),
        (h.Claim.faster("A", than="B", to=("train/loss", 0.5)), "by steps to train/loss 0.5"),
        (h.Claim.better("A", than="B", on="test/loss"), None),
        (h.Claim.equal("A", than="B", on="train/loss", margin=1.0), None),
    ],
)
def test_arms_tuned_for_another_quantity_than_is_judged(claim, said):
    found = [f for f in audit(tuned(spec={"claims": [claim]})) if f.check == "tuned for another"]
    assert len(found) == (said is not None)
    if said:
        assert found[0].text.endswith(f"judged {said}") and "last valid/loss" in found[0].text


def test_the_reduction_is_a_part_of_what_is_tuned():
    best = h.Search(trials=4, reduce="best")
    (finding,) = audit(tuned(spec={"search": best}))
    assert finding.check == "tuned for another" and "test/loss (the ranking)" in finding.text
    same = {"search": best, "metric": "lowest/test/loss"}
    assert not [f for f in audit(tuned(spec=same)) if f.check == "tuned for another"]
    mean = {"search": h.Search(trials=4, reduce="mean"), "metric": "mean/test/loss"}
    assert not [f for f in audit(tuned(spec=mean)) if f.check == "tuned for another"]


@pytest.mark.parametrize(
    ("on", "found"),
    [
        ("valid/loss", True),
        ("rank_correlation/valid", True),
        ("gap/loss", False),
        ("test/loss", False),
    ],
)
def test_arms_judged_on_the_split_that_tuned_them(on, found):
    claim = h.Claim.better("A", than="B", on=on)
    checks = [f for f in audit(tuned(spec={"claims": [claim]})) if f.check == "judged where tuned"]
    assert len(checks) == found
    if found:
        assert f"on the valid part, on which the winners were chosen: {on}" in checks[0].text


def test_arms_that_nothing_tunes_are_judged_as_they_are():
    arms = {"A": h.SGD(lr=h.LogUniform(1e-3, 1.0)), "B": h.SGD(lr=0.1), "C": h.SGD(lr=0.2)}
    claim = h.Claim.better("B", than="C", on="valid/loss")
    values = VALUES | {"C": VALUES["B"]}
    made = tuned(values=values, spec={"claims": [claim], "compare": {"optimizer": arms}})
    assert "judged where tuned" not in checks_that_fail(made)
    other = h.Claim.better("A", than="C", on="valid/loss")
    made = tuned(values=values, spec={"claims": [other], "compare": {"optimizer": arms}})
    assert "judged where tuned" in checks_that_fail(made)


def test_early_stopped_arms_against_others():
    def compare(*stopping):
        return {
            "regularizers": {
                arm: [h.EarlyStopping(patience=2)] if arm in stopping else [] for arm in "AB"
            }
        }

    def found(*stopping, **spec):
        made = tuned(spec={"compare": compare(*stopping), "search": None} | spec)
        return [f for f in audit(made) if f.check == "early-stopped against whole"]

    (finding,) = found("A")
    assert "A ended at the best evaluation, others at the last" in finding.text
    assert not found("A", "B") and not found()
    claim = h.Claim.faster("A", than="B", to=("valid/loss", 0.5))
    assert len(found("A", claims=[claim])) == 1  # the ranking; a time is no closing value


def with_rates(rates, values):
    """Return trials of A and B with the given learning rates and objectives."""
    return [
        {
            "arm": arm,
            "trial": i,
            "status": "finished",
            "value": value,
            "values": {"optimizer.lr": rate},
        }
        for arm in "AB"
        for i, (rate, value) in enumerate(zip(rates, values, strict=True))
    ]


@pytest.mark.parametrize(
    ("rates", "values", "found"),
    [
        ([0.05, 0.5, 0.1, 0.2], [0.98, 0.99, 1.5, 1.6], True),  # a seed's spread is .08
        ([0.05, 0.05, 0.1, 0.2], [0.98, 0.98, 1.5, 1.6], False),  # the same recipe, nearly
        ([0.05, 0.5, 0.1, 0.2], [0.98, 1.30, 1.5, None], False),
    ],
)
def test_winners_that_a_seed_would_have_chosen_otherwise(rates, values, found):
    made = tuned(trials=with_rates(rates, values))
    assert ("tied winners" in checks_that_fail(made)) == found
    if found:
        (tied,) = [f for f in audit(made) if f.check == "tied winners"]
        assert tied.text.endswith("in A, B")
        many = [row | {"search": k} for k in range(5) for row in with_rates(rates, values)]
        assert "tied winners" not in checks_that_fail(searched(5, trials=many))


def test_budgets_that_differ():
    assert checks_that_fail(tuned(counts={"A": 4, "B": 3})) == {"unequal budgets"}


def test_values_at_the_edge_with_the_end_to_widen():
    (finding,) = audit(tuned(lr_a=0.98))
    assert (
        finding.check == "best value at the edge"
        and "upper end" in finding.text
        and "widen" in finding.advice
    )
    assert not audit(tuned(lr_a=0.7))


def test_undecided_claims_say_what_their_interval_excludes():
    values = {"A": {"test/loss": [1.0, 1.2, 0.8, 1.1]}, "B": {"test/loss": [1.05, 1.4, 1.2, 1.0]}}
    (finding,) = audit(tuned(values=values, spec={"claims": [h.Claim.better("A", than="B")]}))
    assert finding.check == "undecided" and "harness plan SPEC --detect" in finding.advice
    effect = judge_claims(tuned(values=values, spec={"claims": [h.Claim.better("A", than="B")]}))[
        0
    ].verdict.effect
    ends = [f"{end:.3f}".replace("-", "−") for end in (effect.low, effect.high)]
    assert f"excludes effects below {ends[0]} and above {ends[1]}" in finding.text
    one = {arm: {"test/loss": own["test/loss"][:1]} for arm, own in values.items()}
    made = tuned(values=one, spec={"claims": [h.Claim.better("A", than="B")], "seeds": 1})
    assert "excludes no effect at all" in audit(made)[0].text


def test_censored_times_and_pruned_trials():
    curves = {n: {"valid/accuracy": [[0.1, 0.9]] * 3 + [[0.1, 0.2]]} for n in "AB"}
    claim = h.Claim.faster("A", than="B", to=("valid/accuracy", 0.5))
    assert "censored times" in checks_that_fail(tuned(curves=curves, spec={"claims": [claim]}))
    pruned = trials({"A": 4, "B": 4}) + trials({"A": 1, "B": 1}, status="pruned")
    assert "pruned trials" in checks_that_fail(tuned(trials=pruned))


def test_ranking_that_turns_over_in_the_search():
    turned = trials({"A": 4, "B": 4})
    for row in turned:
        row["value"] = 0.5 if (row["arm"], row["trial"]) == ("A", 3) else row["value"]
    assert "ranking not settled" in checks_that_fail(tuned(trials=turned))
    # of several searches the mean decides: one that turns over among five does not
    steady = [row | {"search": k} for k in range(1, 5) for row in trials({"A": 4, "B": 4})]
    one = [row | {"value": max(row["value"], 0.9)} for row in turned]
    assert "ranking not settled" not in checks_that_fail(searched(5, trials=one + steady))
    every = [row | {"search": k} for k in range(5) for row in turned]
    assert "ranking not settled" in checks_that_fail(searched(5, trials=every))


def test_trials_that_all_failed_have_no_leader():
    """The report of such a study ended with pandas's "argmin of an empty sequence"."""
    failed = [row | {"value": np.nan} for row in trials({"A": 4, "B": 4})]
    assert "ranking not settled" not in checks_that_fail(tuned(trials=failed))


def test_winner_that_was_lucky_in_its_search():
    lucky = trials({"A": 4, "B": 4})
    for row in lucky:
        row["value"] = 0.1 if (row["arm"], row["trial"]) == ("B", 0) else row["value"]
    assert "lucky winner" in checks_that_fail(tuned(trials=lucky))


def test_timings_under_load():
    assert checks_that_fail(
        tuned(clock=CLOCK | {"A": {"seconds": 0.01, "spread": 2.0, "load": 0.0}})
    ) == {"timings under load"}


def test_leaks():
    leaked = [
        {
            "run_id": "s",
            "key": "s",
            "arm": "A",
            "stage": "search",
            "trial": 0,
            "seed": 2,
            "status": "finished",
        }
    ]
    assert checks_that_fail(tuned(search_runs=leaked)) == {"leak"}


def test_every_check_is_named():
    assert len(CHECKS) == 20


def test_metrics_without_values_of_runs_that_ended_well():
    recipe = made_study().recipe.with_values({"metrics": ["auroc", "f1"]})
    spec = made_study(recipe=recipe, seeds=3)
    values = {
        arm: {"test/loss": [1.0, 1.1, 1.2], "test/f1": [0.5, 0.6, 0.7], "test/auroc": auroc}
        for arm, auroc in (("A", [0.8, 0.9, 0.8]), ("B", [0.7, np.nan, np.nan]), ("C", [0.5] * 3))
    }
    found = list(undefined_metrics(results(spec, values)))
    assert [f.text for f in found] == [
        "runs that ended well have no value: test/auroc in 2 of 9 (arms B)"
    ]
    diverged = {("B", 1): "diverged", ("B", 2): "diverged"}
    assert not list(undefined_metrics(results(spec, values, statuses=diverged)))
    for own in values.values():
        del own["test/auroc"]
    (never,) = undefined_metrics(results(spec, values))
    assert never.text == "runs that ended well have no value: auroc in all of 9"


@pytest.mark.parametrize(
    ("searches", "last", "found"), [(1, 1.0, True), (5, 1.0, True), (5, 1.5, False)]
)
def test_runs_that_are_the_same_whatever_their_seed(searches, last, found):
    count = 4 * searches
    moving = list(np.random.default_rng(0).normal(1, 0.1, count))
    values = {
        "A": {"test/loss": [*[1.0] * (count - 1), last], "valid/loss": [1.0] * count},
        "B": {"test/loss": moving, "valid/loss": [1.0] * count},
    }
    made = searched(searches, values=values) if searches > 1 else tuned(values=values)
    said = [each.text for each in audit(made) if each.check == "seeds without effect"]
    assert bool(said) == found and all("runs of A end" in text for text in said)

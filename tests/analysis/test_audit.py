"""What the audit finds, and that it finds nothing where nothing is wrong."""

import harness as h
from harness.analysis.audit import CHECKS, audit
from tests.analysis.made import CLOCK, trials, tuned


def checks_that_fail(made):
    return {finding.check for finding in audit(made)}


def test_nothing_is_found_where_nothing_is_wrong():
    assert not audit(tuned())


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


def test_undecided_claims_say_how_many_seeds_would_do():
    values = {"A": {"test/loss": [1.0, 1.2, 0.8, 1.1]}, "B": {"test/loss": [1.05, 1.4, 1.2, 1.0]}}
    (finding,) = audit(tuned(values=values, spec={"claims": [h.Claim.better("A", than="B")]}))
    assert finding.check == "too few seeds to decide" and "takes about" in finding.advice


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
    assert len(CHECKS) == 10

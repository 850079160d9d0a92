"""What the audit finds, and that it keeps quiet where nothing is wrong; the failures of single runs."""

import numpy as np
import pandas as pd
import pytest

import harness as h
from harness.analysis.audit import CHECKS, audit
from harness.analysis.budget import winner_by_budget
from harness.analysis.failures import labels_of
from tests.analysis.made import results, study

SPACES = {"A": h.SGD(lr=h.LogUniform(1e-3, 1.0)), "B": h.SGD(lr=h.LogUniform(1e-3, 1.0))}
VALUES = {n: {"test/loss": [1.0, 1.1, 0.9, 1.0], "valid/loss": [1.0, 1.1, 0.9, 1.0]} for n in "AB"}
CLOCK = {n: {"seconds": 0.01, "spread": 1.05, "load": 0.0} for n in "AB"}


def trials(counts, better="B", status="finished"):
    return [
        {
            "arm": arm,
            "trial": i,
            "status": status,
            "value": 1.0 + (0.1 if arm != better else 0.0) + 0.01 * (count - i),
            "values": {},
        }
        for arm, count in counts.items()
        for i in range(count)
    ]


def tuned(lr_a=0.05, lr_b=0.05, counts=None, **more):
    spec = study(
        compare={"optimizer": SPACES}, search=h.Search(trials=4), seeds=4, **more.pop("spec", {})
    )
    winners = {
        "A": spec.recipe.with_values({"optimizer.lr": lr_a}),
        "B": spec.recipe.with_values({"optimizer.lr": lr_b}),
    }
    more = {"clock": CLOCK, "trials": trials(counts or {"A": 4, "B": 4})} | more
    return results(spec, more.pop("values", VALUES), winners=winners, **more)


def found(made):
    return {finding.check for finding in audit(made)}


def test_nothing_is_found_where_nothing_is_wrong():
    assert not audit(tuned())


def test_budgets_that_differ():
    assert found(tuned(counts={"A": 4, "B": 3})) == {"unequal budgets"}


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
    assert "censored times" in found(tuned(curves=curves, spec={"claims": [claim]}))
    pruned = trials({"A": 4, "B": 4}) + trials({"A": 1, "B": 1}, status="pruned")
    assert "pruned trials" in found(tuned(trials=pruned))


def test_ranking_that_turns_over_in_the_search():
    turned = trials({"A": 4, "B": 4})
    for row in turned:
        row["value"] = 0.5 if (row["arm"], row["trial"]) == ("A", 3) else row["value"]
    assert "ranking not settled" in found(tuned(trials=turned))


def test_winner_that_was_lucky_in_its_search():
    lucky = trials({"A": 4, "B": 4})
    for row in lucky:
        row["value"] = 0.1 if (row["arm"], row["trial"]) == ("B", 0) else row["value"]
    assert "lucky winner" in found(tuned(trials=lucky))


def test_timings_under_load():
    assert found(tuned(clock=CLOCK | {"A": {"seconds": 0.01, "spread": 2.0, "load": 0.0}})) == {
        "timings under load"
    }


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
    assert found(tuned(search_runs=leaked)) == {"leak"}


def test_every_check_is_named():
    assert len(CHECKS) == 10


def test_winner_as_a_function_of_the_budget():
    rows = [{"arm": arm, "trial": i, "status": "finished", "value": v, "values": {}}
            for arm, values in {"A": [1.0, 1.0, 1.0, 1.0], "B": [0.5, 2.0, 2.0, 2.0]}.items() for i, v in enumerate(values)]  # fmt: skip
    budget = winner_by_budget(tuned(trials=rows))
    assert (
        budget.leaders == ("A", "A", "A", "B")
        and budget.changes == ((4, "B"),)
        and not budget.exact
    )
    assert budget.arms["B"][1].mean == pytest.approx(2.0 - 1.5 * (1 - (3 / 4) ** 2))
    assert winner_by_budget(results(study(seeds=4), {n: VALUES["A"] for n in "ABC"})) is None


def curve(**columns):
    length = len(next(iter(columns.values())))
    named = {name.replace("_", "/", 1): values for name, values in columns.items()}
    return pd.DataFrame({"step": range(length), "epoch": range(length), **named})


STEEP, FLAT = (
    np.geomspace(2.0, 0.2, 20),
    np.concatenate([np.linspace(2, 0.5, 10), np.full(10, 0.5)]),
)


@pytest.mark.parametrize(
    "columns, names",
    [
        ({"valid_loss": FLAT, "train_loss": FLAT}, []),
        ({"valid_loss": STEEP, "train_loss": STEEP}, ["too low a learning rate, or too short"]),
        (
            {
                "valid_loss": np.concatenate([FLAT[:10], np.linspace(0.5, 1, 10)]),
                "train_loss": STEEP,
            },
            ["overfitted"],
        ),
        ({"valid_loss": np.full(20, 2.3), "train_loss": np.full(20, 2.3)}, ["underfitted"]),
        (
            {"valid_loss": FLAT, "train_loss": FLAT, "activation_dead": np.full(20, 0.8)},
            ["dead units"],
        ),
        (
            {"valid_loss": FLAT, "train_loss": FLAT, "gradient_ratio": np.full(20, 1e-9)},
            ["vanishing gradient"],
        ),
    ],
)
def test_failures_of_a_run(columns, names):
    assert [label.name for label in labels_of("finished", "", curve(**columns))] == names


def test_a_diverged_run_says_where():
    (label,) = labels_of("diverged", "loss not finite at step 7", curve(valid_loss=[1.0]))
    assert label == ("diverged", "loss not finite at step 7")

"""What it takes to find an effect, in runs and seconds."""

import pytest

import harness as h
from harness import stats
from harness.protocol.detect import plan_detection
from harness.protocol.plan import plan_study
from harness.stats import Variances
from tests.studies import small


@pytest.fixture
def forecast(monkeypatch):
    from harness.protocol import plan

    monkeypatch.setattr(plan, "forecast_seconds", lambda recipe, members: 3.0)


def planned(study, effect, spread, workers=1, **options):
    return plan_detection(study, plan_study(study, workers), workers, effect, spread, **options)


def test_costs_count_the_trials_of_each_search(forecast):
    search = h.Search(trials=6, repeats=2, searches=5)
    study = small(search=search, seeds=4)
    variances = Variances(1e-4, 4e-4)
    made = planned(study, 0.01, {"A against B": variances}, workers=2)
    assert made.search_cost == 12 and made.alpha == pytest.approx(0.04)
    (row,) = made.pairs
    assert row.wanted == made.wanted == stats.cheapest_design(0.01, variances, 12, alpha=0.04)
    assert row.power == stats.power_of(0.01, variances, 5, 4, 0.04)
    assert row.split.cost <= 5 * (12 + 4) and row.split.power >= row.power
    runs = 2 * row.wanted.searches * (12 + row.wanted.seeds)
    assert made.runs(row.wanted) == runs and made.seconds(row.wanted) == runs * 3.0 / 2


def test_pruned_trials_cost_less(forecast):
    study = small(search=h.Search(trials=6, searches=5))
    spread = {"A against B": Variances(1e-4, 4e-4)}
    assert planned(study, 0.01, spread, trial_length=0.5).search_cost == 3


def test_arms_that_nothing_tunes_take_seeds(forecast):
    study = small(
        search=None,
        seeds=10,
        compare={"optimizer": {"SGD": h.SGD(lr=0.1), "Adam": h.Adam(lr=0.01)}},
    )
    made = planned(study, 0.5, {"SGD against Adam": Variances(0.0, 1.0)})
    (row,) = made.pairs
    assert made.search_cost == 0 and row.wanted.seeds == 1
    assert (
        row.wanted.searches == stats.cheapest_design(0.5, Variances(0, 1), 0, alpha=0.04).searches
    )
    assert row.power == stats.power_of(0.5, Variances(0, 1), 10, 1, 0.04)


def test_the_hardest_pair_decides_and_one_that_is_hopeless_all(forecast):
    study = small(search=h.Search(trials=6, searches=5))
    easy, hard = Variances(1e-6, 1e-6), Variances(1e-4, 1e-4)
    made = planned(study, 0.01, {"easy": easy, "hard": hard})
    assert made.wanted == made.pairs[1].wanted and made.pairs[0].wanted.cost < made.wanted.cost
    assert planned(study, 0.01, {"easy": easy, "lost": Variances(1e6, 1.0)}).wanted is None


def test_claims_share_the_risk(forecast):
    claims = [h.Claim.better("Adam", than="SGD"), h.Claim.equal("Adam", than="SGD", margin=0.1)]
    study = small(search=h.Search(trials=6, searches=5), claims=claims)
    assert planned(study, 0.1, {"pair": Variances(0.01, 0.01)}).alpha == pytest.approx(0.02)

"""Several searches of one study: each with its own streams, winners and seeds; shared runs once."""

import pytest

import harness as h
from harness import results
from harness.analysis.claims import judge_claims
from harness.core.errors import SpecError
from harness.protocol.reproduce import reproduce
from harness.protocol.run import Options, run_study
from harness.spec.arms import arms_of_search
from harness.spec.files import validate
from harness.spec.looks import BLOCK, SEARCH_SEED
from tests.studies import small

SERIAL = Options(workers=0)


def searched(searches=3, **fields):
    search = h.Search(trials=3, sampler="random", searches=searches, **fields.pop("search", {}))
    return small(search=search, seeds=2, **fields)


def test_each_search_has_winners_and_seeds_of_its_own_paired_between_arms(folder):
    study = searched()
    run_study(study, SERIAL)
    loaded = results.load("small")
    assert {arm: [w.search for w in own] for arm, own in loaded.winners.items()} == {
        "SGD": [0, 1, 2],
        "Adam": [0, 1, 2],
    }
    assert loaded.look == study.looks[-1]
    assert loaded.look.seeds[2] == (2 * BLOCK, 2 * BLOCK + 1)
    by_arm = [set(zip(r["search"], r.index, strict=True)) for r in loaded.by_arm.values()]
    assert by_arm[0] == by_arm[1]
    tuned_with = loaded.searched.groupby("search")["seed"].unique().to_dict()
    assert {k: list(v) for k, v in tuned_with.items()} == {
        k: [k * BLOCK + SEARCH_SEED] for k in range(3)
    }
    splits = [winner.recipe["data"]["split"] for winner in loaded.winners["SGD"]]
    assert splits == [0, 1, 2]
    rates = loaded.trials[loaded.trials["arm"] == "SGD"].groupby("search")["optimizer.lr"]
    assert len({tuple(own) for _, own in rates}) == 3


def test_more_searches_go_on_from_the_first_which_stay_as_they_were(folder):
    run_study(searched(1), SERIAL)
    one = results.load("small")
    summary = run_study(searched(3), SERIAL)
    three = results.load("small")
    assert (summary.known, len(one.runs)) == (len(one.runs), len(one.runs))
    first = three.runs[three.runs["search"] == 0]
    assert set(first["key"]) == set(one.runs["key"])
    assert [look[:3] for look in three.looks_shown] == [
        (1, 2, pytest.approx(0.04)),
        (3, 2, pytest.approx(0.005)),
    ], "the earlier answer was a look at these runs"
    run_study(searched(3, question="The same runs, asked anew?"), SERIAL)
    assert results.load("small").looks_shown == three.looks_shown


@pytest.mark.parametrize("fixed, differ", [("sampler", "optimizer.lr"), ("training", "seed")])
def test_what_is_held_fixed_is_the_same_in_all_searches(folder, fixed, differ):
    run_study(searched(2, search={"fixed": (fixed,)}), SERIAL)
    loaded = results.load("small")
    table = loaded.trials if differ.startswith("optimizer") else loaded.searched
    own = [list(rows[differ].sort_values()) for _, rows in table.groupby("search")]
    assert own[0] == own[1]


def test_a_fixed_split_is_that_of_the_recipe(folder):
    study = searched(3, search={"fixed": ("split",)})
    assert [arms_of_search(study, k)[0].recipe.data.split for k in range(3)] == [0, 0, 0]
    other = searched(3, search={"seed": 2})
    assert [arms_of_search(other, k)[0].recipe.data.split for k in range(3)] == [2000, 2001, 2002]


def test_searches_are_added_until_claims_are_decided(folder):
    rates = {"SGD": h.SGD(lr=h.LogUniform(0.1, 0.3)), "bad": h.SGD(lr=h.LogUniform(1e-4, 2e-4))}
    search = h.Search(trials=2, searches=h.Searches(min=4, max=8))
    plain = small(
        compare={"optimizer": rates},
        search=search,
        seeds=2,
        claims=[h.Claim.better("SGD", than="bad")],
    )
    run_study(plain, SERIAL)
    loaded = results.load("small")
    (claim,) = judge_claims(loaded)
    assert claim.verdict.verdict == "supported"
    assert loaded.look.searches == tuple(range(len(loaded.look.searches)))
    assert "of the methods, tuned with 2 trials each" in claim.basis
    assert f"over {claim.look.shape[0]} searches × 2 seeds" in claim.basis


def test_nothing_to_tune_is_one_search():
    study = small(
        compare={"optimizer": {"a": h.SGD(lr=0.1)}}, claims=[], search=h.Search(searches=5)
    )
    assert study.looks[-1].searches == (0,) and study.scope == "winner"


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"search": {"searches": 0}}, "a whole number from 1 to 1000, or min and max, got 0"),
        ({"search": {"searches": "five"}}, "or min and max, got 'five'"),
        ({"search": {"searches": {"min": 2}}}, "search.searches"),
        (
            {"search": {"searches": 2}, "claims": [{"scope": "method"}]},
            "claims.0.scope: expected 3 searches or more to speak of a method, got 2",
        ),
        ({"search": {"searches": 3}, "seeds": {"min": 2, "max": 4}}, "expected a fixed number"),
        ({"search": {"searches": {"min": 3}}, "claims": []}, "expected claims to decide"),
    ],
)
def test_searches_that_can_t_be_judged_are_refused(fields, said):
    study = small(claims=[h.Claim.better("SGD", than="Adam")]).dump()
    study["search"] |= fields.get("search", {})
    if "claims" in fields:
        study["claims"] = [study["claims"][0] | own for own in fields["claims"]]
    if "seeds" in fields:
        study["seeds"] = fields["seeds"]
    with pytest.raises(SpecError) as caught:
        validate(study, "here")
    assert said in str(caught.value)


@pytest.mark.parametrize("fixed", [(), ("training",)])
def test_runs_of_every_search_are_reproduced(folder, fixed):
    run_study(searched(2, search={"fixed": fixed}), SERIAL)
    loaded = results.load("small")
    for stage in ("search", "confirm"):
        own = loaded.runs[(loaded.runs["stage"] == stage) & (loaded.runs["search"] == 1)]
        again = reproduce(str(own["run_id"].iloc[0]))
        assert again.verdict == "identical"


def test_a_report_follows_a_study_that_needs_no_new_runs(folder):
    run_study(searched(3), SERIAL)
    assert run_study(searched(3), SERIAL).answered
    fewer = run_study(searched(1), SERIAL)
    assert (fewer.trained, fewer.answered) == (0, False)

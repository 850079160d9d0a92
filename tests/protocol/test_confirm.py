"""Studies that add seeds until their claims are decided; the clock; the commands that judge."""

import pytest

import harness as h
from harness import results
from harness.analysis.answer import answer_study
from harness.core.errors import ProtocolError, SpecError
from harness.protocol.confirm import confirm_look
from harness.protocol.run import Options, run_study
from tests.studies import small

SEEDS = h.Seeds(min=6, max=12)


def sequential(**fields):
    arms = {"good": h.SGD(lr=0.3), "bad": h.SGD(lr=0.001)}
    base = {
        "compare": {"optimizer": arms},
        "search": None,
        "seeds": SEEDS,
        "claims": [h.Claim.better("good", than="bad", margin=0.1)],
    }
    return small(**base | fields)


def test_a_plain_difference_is_decided_at_the_first_look(folder):
    assert run_study(sequential(), Options(workers=0)).trained == 12
    (claim,) = answer_study(results.load("small")).claims
    assert (claim.verdict.verdict, claim.look.runs) == ("supported", 6)
    assert run_study(sequential(), Options(workers=0)).trained == 0


def test_arms_that_are_the_same_are_looked_at_to_the_end(folder):
    never = h.Claim.faster("good", than="bad", to=("valid/loss", 0.0))
    run_study(sequential(claims=[never, h.Claim.better("good", than="bad")]), Options(workers=0))
    loaded = results.load("small")
    assert loaded.confirmed.groupby("arm").size().to_dict() == {"good": 12, "bad": 12}
    assert [(t.verdict.verdict, t.look.runs) for t in answer_study(loaded).claims] == [
        ("undecided", 12),
        ("supported", 6),
    ]


def test_a_recipe_that_is_changed_back_pays_for_the_looks_at_its_runs(folder):
    def looked(seeds, epochs=1):
        recipe = small().recipe.with_values({"epochs": epochs})
        run_study(sequential(seeds=seeds, recipe=recipe), Options(workers=0))
        return [(*look[:2], round(look.level, 4)) for look in results.load("small").looks_shown]

    assert looked(4) == [(1, 4, 0.04)]
    assert looked(5, epochs=2) == [(1, 5, 0.04)], "its runs are others, which nobody has seen"
    assert looked(6) == [(1, 4, 0.04), (1, 6, 0.005)], "a second look at these very runs"


def test_seeds_start_where_they_are_told_to(folder):
    run_study(sequential(seeds=h.Seeds(min=6, max=12, start=700)), Options(workers=0))
    assert set(results.load("small").confirmed["seed"]) == set(range(700, 706))


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"seeds": {"min": 9, "max": 3}}, "min at most max"),
        ({"seeds": {"min": 3, "max": 9, "looks": [3, 5]}}, "end with max = 9"),
        ({"seeds": {"min": 3, "max": 9, "start": 9_995}}, "seeds below 10000"),
        ({"claims": []}, "expected claims to decide"),
        (
            {"claims": [{"kind": "equal", "arm": "good", "than": "bad"}]},
            "claims.0.margin: expected a value, got none",
        ),
        (
            {"claims": [{"kind": "monotone", "factor": "optimiser"}]},
            "unknown factor 'optimiser': did you mean 'optimizer'?",
        ),
        ({"claims": [{"kind": "monotone", "factor": "optimizer"}]}, "three levels or more"),
        (
            {"claims": [{"kind": "interaction", "factors": ["optimizer", "optimizer"]}]},
            "two different factors",
        ),
        (
            {"claims": [{"kind": "better", "arm": "god", "than": "bad"}]},
            "unknown arm 'god': did you mean 'good'?",
        ),
    ],
)
def test_mistakes_in_seeds_and_claims(fields, said):
    from harness.spec.files import validate

    with pytest.raises(SpecError) as caught:
        validate(sequential().dump() | fields, "here")
    assert said in str(caught.value)


def test_confirm_seeds_that_were_used_to_tune_are_refused():
    study = small()
    leaky = study.model_copy(update={"seeds": (10_000,)})
    with pytest.raises(ProtocolError, match=r"seeds \[10000\] were used to tune"):
        confirm_look(leaky, leaky.looks[0], [], None, None, 0)


def test_probes_of_a_study_are_recorded_in_its_confirm_runs(folder):
    study = small(
        probes=[h.GradientNorm(every="log")],
        claims=[h.Claim.above("SGD", 0.0, on="initial/gradient/all")],
    )
    run_study(study, Options(workers=0))
    loaded = results.load("small")
    assert (
        loaded.confirmed["gradient/all"].notna().all()
        and loaded.searched["gradient/all"].isna().all()
    )
    assert answer_study(loaded).claims[0].verdict.effect.mean > 0
    assert run_study(small(), Options(workers=0)).trained == 4, (
        "without probes these are other runs"
    )


def test_claims_on_what_no_probe_records_are_refused(folder):
    with pytest.raises(SpecError, match="gradient/all"):
        run_study(
            small(claims=[h.Claim.above("SGD", 0.0, on="initial/gradient/all")]), Options(workers=0)
        )

"""Claims that runs of any kind would answer alike are refused before anything trains."""

import pandas as pd
import pytest

import harness as h
from harness.core.errors import SpecError
from harness.protocol.check import check_study, notes_of

RECIPE = h.Recipe(data="iris", model=h.MLP(widths=(4,)), epochs=1, optimizer=h.SGD(lr=0.1))
TWO = {"optimizer": {"a": h.SGD(lr=0.1), "b": h.SGD(lr=0.2)}}
ACCURACY = "test/accuracy"


def study(claim, compare=TWO):
    return h.Study(name="s", recipe=RECIPE, compare=compare, seeds=6, claims=[claim])


@pytest.mark.parametrize(
    "claim, said",
    [
        (h.Claim.no_worse("a", than="b", margin=2, on=ACCURACY), "claims.0.margin: expected less"),
        (h.Claim.equal("a", than="b", margin=1, on=ACCURACY), "which no two values of test/acc"),
        (h.Claim.better("a", than="b", margin=5, on=ACCURACY), "got 5; divide percent by 100"),
        (h.Claim.above("a", 90, on=ACCURACY), "claims.0.value: expected test/accuracy from 0 to 1"),
        (h.Claim.faster("a", than="b", to=("valid/accuracy", 90)), "claims.0.target: expected val"),
        (h.Claim.faster("a", than="b", to=(ACCURACY, 0.9)), "which a run has once, at its end"),
        (h.Claim.faster("a", than="b", to=("gap/loss", 0.9)), "measured during training"),
    ],
)
def test_values_that_the_metric_cannot_have(claim, said):
    """39 points behind were "no worse by 2", and "supported"."""
    with pytest.raises(SpecError) as refused:
        check_study(study(claim))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "claim",
    [
        h.Claim.no_worse("a", than="b", margin=0.02, on=ACCURACY),
        h.Claim.no_worse("a", than="b", margin=2),
        h.Claim.above("a", 1, on=ACCURACY),
        h.Claim.faster("a", than="b", to=("valid/accuracy", 0.9)),
    ],
)
def test_values_that_it_can_have(claim):
    check_study(study(claim))


@pytest.mark.parametrize("kind", ["equal", "no worse", "better", "cured", "faster"])
def test_an_arm_is_not_compared_with_itself(kind):
    """It was equal to itself, "supported"."""
    more = {"margin": 0.1} if kind in ("equal", "no worse") else {}
    more |= {"target": 0.1, "on": "valid/loss"} if kind == "faster" else {}
    with pytest.raises(SpecError, match=r"claims.0.than: expected another arm"):
        study({"kind": kind, "arm": "a", "than": "a", **more})


def test_no_arms_differ_by_less_than_nothing():
    with pytest.raises(SpecError, match="margin: expected a number above 0, got 0"):
        h.Claim.equal("a", than="b", margin=0)


@pytest.mark.parametrize("kind", ["monotone", "trend"])
def test_levels_that_are_numbers_stand_in_order(kind):
    claim = getattr(h.Claim, kind)("batch_size", on="test/loss", rising=True)
    with pytest.raises(SpecError, match=r"claims.0.factor: .* got 16, 8, 32; list them"):
        check_study(study(claim, {"batch_size": [16, 8, 32]}))
    named = {"middle": 16, "small": 8, "large": 32}
    with pytest.raises(SpecError, match="got middle, small, large"):
        check_study(study(claim, {"batch_size": named}))
    check_study(study(claim, {"batch_size": [8, 16, "full"]}))
    falling = study(claim, {"batch_size": [32, 16, 8]})
    check_study(falling)
    assert any("from 32 to 8" in note for note in notes_of(falling))
    rising = study(claim, {"batch_size": [8, 16, 32]})
    assert not any("as its levels are listed" in note for note in notes_of(rising))


@pytest.mark.parametrize(
    "claim, said",
    [
        (h.Claim.no_worse("A", than="B", margin=2, on=ACCURACY), "claims.0.margin: expected less"),
        (h.Claim.above("A", 90, on=ACCURACY), "claims.0.value: expected test/accuracy from 0 to 1"),
    ],
)
def test_runs_from_elsewhere(claim, said, tmp_path):
    arms = ["A"] * 5 + ["B"] * 5
    table = pd.DataFrame({"arm": arms, "seed": [*range(5)] * 2, "test_accuracy": [0.5] * 10})
    with pytest.raises(SpecError) as refused:
        store = f"sqlite:///{tmp_path / 'm.db'}"
        h.Study.from_frame(table, name="mine", claims=[claim], store=store)
    assert said in str(refused.value)

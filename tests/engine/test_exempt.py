"""Which parameters decay: their roles, alone and in cohorts, on both paths of the gradient, and searched."""

import pytest

import harness as h
from harness.core.parameter_layout import layout_of
from harness.engine.program import program_of
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.engine.test_cohort import assert_same, outcomes

NORMED = h.Recipe(
    data="digits",
    model=h.MLP(widths=(12, 7), norm="layer"),
    optimizer=h.AdamW(lr=0.01, weight_decay=0.5),
    batch_size=100,
    epochs=2,
    dtype="float64",
)


@pytest.mark.parametrize("part", ["optimizer", "regularizers.L2", "regularizers.WeightDecay"])
def test_members_of_other_exemptions_train_as_alone(part):
    base = NORMED
    if part != "optimizer":
        name = part.partition(".")[2]
        base = base.with_values({"optimizer": h.Adam(lr=0.01), "regularizers": [name]})
    choices = [("bias", "norm"), (), ("bias",), ("bias", "norm")]
    runs = [
        Run.of(base.with_values({f"{part}.exempt": roles, "optimizer.lr": 0.01 + 0.002 * i}), 0)
        for i, roles in enumerate(choices)
    ]
    if part != "optimizer":  # a regularizer is one for the whole cohort
        runs = [runs[0], runs[3]]
    together = outcomes(runs)
    for run, outcome in zip(runs, together, strict=True):
        (alone,) = outcomes([run])
        assert_same(outcome, alone)
    curves = {o.series("train/loss")[-1] for o in together}
    assert len(curves) == len(runs)


def final(recipe):
    (outcome,) = train_outcomes(recipe, [0])
    return outcome.series("train/loss")


@pytest.mark.parametrize("roles", [(), ("bias",), ("norm",), ("hidden", "input", "output")])
def test_both_paths_of_the_gradient_exempt_alike(roles, monkeypatch):
    """Without a norm the gradient is written by hand, in inference mode; autograd's is the same."""
    from harness.engine import program as programs
    from harness.engine.differentiate.autograd import Autograd

    recipe = NORMED.with_values(
        {"model": h.MLP(widths=(12, 7)), "regularizers": [h.L1(strength=0.01, exempt=roles)]}
    ).with_values({"optimizer.exempt": roles})
    by_hand = final(recipe)
    monkeypatch.setattr(programs, "differentiator_of", lambda loss, _: Autograd(loss))
    assert type(program_of(resolve(recipe)).differentiator) is Autograd
    assert final(recipe) == pytest.approx(by_hand, rel=1e-10)


def test_roles_that_there_are_not_are_refused():
    with pytest.raises(ValueError, match="'biases'"):
        h.L2(exempt=("biases",))


def test_exemptions_are_searched_and_written_as_other_choices():
    choice = h.Choice((), ("bias", "norm"))
    recipe = NORMED.with_values({"optimizer.exempt": choice})
    assert set(recipe.spaces()) == {"optimizer.exempt"}
    again = h.Recipe.model_validate(recipe.dump())
    assert again.dump() == recipe.dump()
    chosen = resolve(again.with_values({"optimizer.exempt": ["bias"]}))
    assert chosen.optimizer.exempt == ("bias",)


def test_roles_and_not_shapes_say_what_decays():
    made = program_of(resolve(NORMED)).layout
    decaying = {n for n, slot in made.slots.items() if slot.role not in ("bias", "norm")}
    assert decaying == {"hidden.0.weight", "hidden.1.weight", "out.weight"}
    assert layout_of({"w": (2,)}).slots["w"].role == "hidden"

"""Arms: the levels of factors crossed, and levels that set several fields."""

import pytest

import harness as h
from harness.spec.arms import build_arms
from harness.spec.recipe import Recipe


def recipe(**fields):
    return Recipe(
        **{"data": "digits", "model": h.MLP(), "optimizer": h.SGD(lr=0.1), "epochs": 2} | fields
    )


def test_factors_of_one_s_own_map_levels_to_fields():
    study = h.Study(
        name="own",
        recipe=recipe(),
        compare={
            "size": {
                "small": {"model.widths": [8], "batch_size": 16},
                "large": {"model.widths": [64]},
            },
            "batch_size": [8, 32],
        },
    )
    recipes = {a.name: a.recipe for a in build_arms(study)}
    assert list(recipes) == ["small / 8", "small / 32", "large / 8", "large / 32"]
    assert recipes["large / 32"].model.widths == (64,) and recipes["small / 8"].batch_size == 8


def test_a_study_that_compares_nothing_has_one_arm():
    (arm,) = build_arms(h.Study(name="alone", recipe=recipe()))
    assert (arm.name, arm.levels, arm.recipe) == ("base", {}, recipe())


def test_arms_are_built_from_anything_with_a_recipe_and_levels():
    class Plain:
        recipe = recipe()
        compare = {"batch_size": {"8": 8}, "optimizer.lr": {"low": 0.1, "high": 0.2}}

    built = build_arms(Plain())
    assert [arm.name for arm in built] == ["8 / low", "8 / high"]
    assert built[1].levels == {"batch_size": "8", "optimizer.lr": "high"}
    assert (built[1].recipe.batch_size, built[1].recipe.optimizer.lr) == (8, 0.2)


@pytest.mark.parametrize(
    "compare, said",
    [
        ({"optimiser": ["SGD"]}, "compare.optimiser: unknown field of the recipe: did you mean 'optimizer'?"),
        ({"size": {"big": {"batchsize": 3}}}, "compare.size.big: unknown field batchsize: did you mean 'batch_size'?"),
        ({"batch_size": {"none": 0}}, "compare.batch_size.none: batch_size: "),
        (
            {"batch_size": {"a / b": 8, "a": 16}, "optimizer.lr": {"c": 0.1, "b / c": 0.2}},
            "expected a name of its own for each arm, got 'a / b / c' for (batch_size: 'a / b', optimizer.lr: 'c') "
            "and for (batch_size: 'a', optimizer.lr: 'b / c')",
        ),
        ({"batch_size": {"a": 8, " a": 16}}, "got ' a' for (batch_size: 'a') and for (batch_size: ' a')"),
        ({"batch_size": {"": 8, "b": 16}}, "compare.batch_size: expected names for factors and levels, got an empty one"),
        ({"batch_size": {"a": 8, " ": 16}}, "compare.batch_size: expected names for factors and levels, got an empty one"),
        ({"": {"a": {"epochs": 1}, "b": {"epochs": 2}}}, "compare.'': expected names for factors and levels"),
        ({"batch_size": {1: 8, "1": 16}}, "compare.batch_size: expected a name of its own for each level, got '1' twice"),
        ({"optimizer": [h.SGD(lr=0.1), h.SGD(lr=0.2)]}, "compare.optimizer: expected a name of its own for each level, got 'SGD' twice"),
        ({"optimizer.lr.more": {"x": 1}}, "compare.optimizer.lr.more.x: lr.more: expected a field that has fields of its own"),
    ],
)  # fmt: skip
def test_levels_that_do_not_fit(compare, said):
    with pytest.raises(ValueError) as caught:
        h.Study(name="bad", recipe=recipe(), compare=compare)
    assert said in str(caught.value)

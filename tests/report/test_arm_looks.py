"""What colour, dash and panel mean: a factor each; of many arms, the best, the named and grey."""

from itertools import product

import pytest

import harness as h
from harness.report.arm_looks import code_factors, factor_keys, looks_of, prominent_arms
from harness.report.style import DASHES, HUES, REST
from harness.spec.arms import build_arms

RECIPE = h.Recipe(data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), epochs=1)


def crossed(*counts, claims=()):
    """Arms of a study whose factors have so many levels."""
    fields = ("optimizer.lr", "batch_size", "epochs", "optimizer.momentum")
    values = ([0.01 * (i + 1) for i in range(20)], [*range(8, 28)], [*range(1, 21)], [0.04 * i for i in range(20)])  # fmt: skip
    names = dict(zip(fields, ("rate", "size", "length", "push"), strict=True))
    compare = {
        names[field]: {f"{names[field]} {j}": {field: own[j]} for j in range(count)}
        for field, own, count in zip(fields, values, counts, strict=False)
    }
    study = h.Study(name="s", recipe=RECIPE, compare=compare, claims=claims, seeds=2)
    return study, build_arms(study)


@pytest.mark.parametrize(
    ("counts", "coding"),
    [
        ((3, 2), ("rate", "size", "")),
        ((3, 2, 3), ("rate", "size", "length")),
        ((12, 5), ("size", "", "rate")),
        ((3, 3, 3), ("rate", "length", "size")),
        ((12,), None),
        ((9, 9), None),  # no factor has few enough levels for colours
        ((2, 13), None),  # too many panels
        ((2, 2, 2, 2), None),  # more factors than ways of drawing
    ],
)
def test_what_each_factor_is_drawn_by(counts, coding):
    _, arms = crossed(*counts)
    assert code_factors(arms) == coding


@pytest.mark.parametrize("counts", [(3, 2), (3, 2, 3), (12, 5), (7, 3)])
def test_a_colour_means_one_level_and_no_two_arms_look_the_same(counts):
    _, arms = crossed(*counts)
    looks, coding = looks_of(arms), code_factors(arms)
    for way, factor in zip(("colour", "dash", "panel"), coding, strict=True):
        levels = {(getattr(looks[arm.name], way), arm.levels.get(factor, "")) for arm in arms}
        assert len(levels) == len({shown for shown, _ in levels}) == len({own for _, own in levels})
    drawn = {(look.colour, look.dash, look.panel) for look in looks.values()}
    assert len(drawn) == len(arms)
    assert {look.colour for look in looks.values()} <= set(HUES) and {look.dash for look in looks.values()} <= set(DASHES)  # fmt: skip


def test_each_level_of_the_key_has_its_arms():
    study, arms = crossed(3, 2, 3)
    key = factor_keys(arms, looks_of(arms))
    assert [(own.factor, own.drawn_by, len(own.levels)) for own in key] == [("rate", "colour", 3), ("size", "line", 2), ("length", "panel", 3)]  # fmt: skip
    for one, two in product(key, key):
        assert {arm for level in one.levels for arm in level.arms} == {arm for level in two.levels for arm in level.arms}  # fmt: skip
    assert not factor_keys(crossed(12)[1], {})


def test_of_many_arms_the_best_and_the_named_have_colours_and_dashes_mean_nothing():
    names = [f"rate {i}" for i in range(12)]
    study, arms = crossed(12, claims=[h.Claim.better(names[11], than=names[9])])

    class Ranked:
        ranked = True
        ranking = [type("Place", (), {"arm": name}) for name in (names[4], names[9], names[2], names[0])]  # fmt: skip

    chosen = prominent_arms(study, Ranked)
    assert chosen == [names[4], names[9], names[2], names[11]]
    looks = looks_of(arms, chosen)
    assert {name for name, look in looks.items() if look.colour != REST} == set(chosen)
    assert {look.dash for look in looks.values()} == {"solid"}
    assert {look.end_label for look in looks.values()} == {"", *chosen}

"""Splits by group, by class and by time: nothing leaks, and each has the properties of scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit

import harness as h
from harness.core.errors import HarnessError, SpecError
from harness.data.base import Data, load_data
from harness.data.dataset import Raw
from harness.data.splitting import split_samples
from harness.engine.cohort_key import cohort_key
from harness.protocol.check import check_study
from harness.protocol.train import train
from harness.spec.recipe import Recipe
from harness.spec.resolved import resolve

GROUP_SIZES = [1, 2, 3, 5, 8, 13, 21, 4, 4, 4, 7, 9, 2, 2, 6, 9]
RNG = np.random.default_rng(3)


def source(name, **options):
    return Data.parse({"name": f"tests.data.given.{name}", **options})


def parts(options, raw, classes=None):
    """The three parts' indices, which together are all samples, each once."""
    split = split_samples(h.Digits(**options), raw, classes)
    found = np.concatenate(split[:3])
    assert sorted(found) == list(range(len(raw.y))) and len(set(found)) == len(found)
    return split[:3]


def groups_of(sizes):
    """Groups of these sizes, their samples among each other."""
    labels = np.array([f"g{i}" for i, size in enumerate(sizes) for _ in range(size)])
    return RNG.permutation(labels)


@pytest.mark.parametrize("split", range(8))
def test_no_group_is_in_two_parts_and_parts_are_near_their_shares(split):
    groups = groups_of(GROUP_SIZES)
    raw = Raw(np.zeros((len(groups), 1)), np.zeros(len(groups)), groups=groups)
    # the field names what the source gives: the array itself is looked at here
    train_, valid, test = parts({"split": split, "valid_fraction": 0.25}, raw)
    theirs = next(
        GroupShuffleSplit(1, test_size=0.2, random_state=split).split(groups, None, groups)
    )
    assert not set(groups[theirs[0]]) & set(groups[theirs[1]]), "the reference's own promise"
    named = [set(groups[part]) for part in (train_, valid, test)]
    assert not (named[0] & named[1] or named[0] & named[2] or named[1] & named[2])
    wanted = 0.2 * len(groups)
    assert abs(len(test) - wanted) <= max(GROUP_SIZES) / 2
    assert abs(len(valid) - 0.25 * (len(groups) - len(test))) <= max(GROUP_SIZES) / 2


def test_group_splits_are_drawn_again_and_the_test_part_is_not():
    raw = Raw(np.zeros((100, 1)), np.zeros(100), groups=groups_of(GROUP_SIZES))
    each = [parts({"split": k}, raw) for k in range(4)]
    assert all(np.array_equal(other[2], each[0][2]) for other in each)
    assert len({tuple(other[1]) for other in each}) == 4
    assert not np.array_equal(parts({"seed": 1}, raw)[2], each[0][2])


@pytest.mark.parametrize("split", range(4))
@pytest.mark.parametrize("sizes", [(50, 30, 20), (97, 41, 11, 5), (7, 5, 3), (200, 2, 1)])
def test_every_part_has_every_class_s_share_to_one_sample(sizes, split):
    y = RNG.permutation(np.repeat(np.arange(len(sizes)), sizes))
    raw = Raw(np.zeros((len(y), 1)), y)
    test = parts({"stratify": True, "split": split}, raw, y)[2]
    train_, valid, _ = parts({"stratify": True, "split": split, "valid_fraction": 0.3}, raw, y)
    pool = np.concatenate([train_, valid])
    for part, of in ((valid, pool), (test, np.arange(len(y)))):
        exact = np.array(sizes if of is not pool else np.bincount(y[pool])) * len(part) / len(of)
        got = np.bincount(y[part], minlength=len(sizes))
        assert (np.abs(got - exact) < 1).all(), (got, exact)
    if min(sizes) > 4:  # it refuses rare classes
        share = StratifiedShuffleSplit(1, test_size=len(test), random_state=split)
        theirs = next(share.split(y, y))[1]
        ours, reference = np.bincount(y[test]), np.bincount(y[theirs])
        assert (np.abs(ours - reference) <= 1).all()
    assert set(y[train_]) == set(range(len(sizes))), "every class is trained on"


def test_smaller_stratified_training_parts_are_nested_and_have_the_shares():
    small, large = (
        load_data(Data.parse({"name": "digits", "stratify": True, "train_size": n}))
        for n in (50, 600)
    )
    rows = [{row.tobytes() for row in data.train.x} for data in (small, large)]
    assert rows[0] < rows[1]
    for data, size in ((small, 50), (large, 600)):
        assert np.abs(data.train.y.sum(0) - size * data.valid.y.mean(0)).max() < 2


@pytest.mark.parametrize("kind", ["numbers", "times"])
def test_time_order_never_looks_ahead(kind):
    times = RNG.permutation(np.repeat(np.arange(40), 3))
    order = times if kind == "numbers" else times.astype("datetime64[D]")
    raw = Raw(np.zeros((120, 1)), np.zeros(120), order=order)
    train_, valid, test = parts({}, raw)
    assert times[train_].max() < times[valid].min() and times[valid].max() < times[test].min()
    assert 24 <= len(test) < 27 and 18 <= len(valid) < 24, "whole times, rounded up"
    again = parts({"split": 7, "seed": 3}, raw)
    assert all(map(np.array_equal, again, (train_, valid, test))), "nothing is drawn"
    kept = split_samples(h.Digits(train_size=9), raw, None).train
    assert times[kept].min() >= np.sort(times[train_])[-9], "the latest are kept"


def test_a_function_s_arrays_are_split_by_name():
    data = load_data(source("named", groups="person"))
    person = {
        row.tobytes(): i // 3 for i, row in enumerate(np.ascontiguousarray(source("named").raw().x))
    }
    own = [{person[row.tobytes()] for row in part.x} for part in data[:3]]
    assert not (own[0] & own[1] or own[0] & own[2] or own[1] & own[2])
    assert data.splits == "sizes differ"
    assert load_data(source("named", order_by="time")).splits == "one"
    assert load_data(source("named", stratify=True)).train.y.sum(0).tolist() == [25, 26, 26]


def test_arrays_called_groups_are_kept_together_unless_the_spec_splits_otherwise():
    data = load_data(source("grouped"))
    assert data.splits == "sizes differ" and any("'groups'" in note for note in data.notes)
    assert load_data(source("grouped", stratify=True)).splits == "alike"


def test_own_parts_stay_as_they_are():
    data = load_data(source("own_parts"))
    given = source("own_parts").load()()
    assert np.array_equal(data.valid.x, given["x_valid"])
    assert np.array_equal(data.test.x, given["x_test"]) and len(data.train.x) == 80
    assert data.splits == "one"


def test_two_ways_to_split_are_refused():
    with pytest.raises(
        ValueError, match="one of groups, stratify, order_by, got groups and stratify"
    ):
        h.Digits(groups="a", stratify=True)


@pytest.mark.parametrize(
    "name, options, said",
    [
        ("Digits", {"groups": "person"}, "data.groups: Digits has no column 'person'"),
        ("Digits", {"order_by": "time"}, "data.order_by: Digits has no column 'time'"),
        ("Diabetes", {"stratify": True}, "data.stratify: expected classes"),
        ("tests.data.given.named", {"groups": "persn"}, "did you mean 'person'"),
        ("tests.data.given.grouped", {"order_by": "groups"}, "texts have no order in time"),
    ],
)
def test_what_can_t_be_split_by_is_said(name, options, said):
    with pytest.raises(HarnessError, match=said):
        load_data(Data.parse({"name": name, **options}))


@pytest.mark.parametrize(
    "raw, said",
    [
        (Raw(np.zeros((9, 1)), np.zeros(9), groups=np.zeros(9)), "several groups in every part, got 1"),
        (Raw(np.zeros((9, 1)), np.zeros(9), order=np.zeros(9)), "samples of several times, got 1 among 9"),
        (Raw(np.zeros((2, 1)), np.zeros(2), order=np.array([0, np.nan])), "got 1 missing, the first in sample 1"),
        (Raw(np.zeros((2, 1)), np.zeros(2), groups=np.array(["a", None])), "got 1 missing, the first in sample 1"),
        (Raw(np.zeros((2, 1)), np.zeros(2), groups=np.zeros(3)), "one value for each of the 2 samples"),
    ],
)  # fmt: skip
def test_sources_that_can_t_be_split_are_refused(raw, said):
    with pytest.raises(HarnessError, match=said):
        split_samples(h.Digits(), raw, None)


def test_runs_on_other_group_splits_train_in_cohorts_of_their_own():
    recipes = [
        resolve(Recipe(data=source("grouped", split=k), model=h.Linear(), optimizer=h.SGD(lr=0.1), epochs=1))
        for k in (0, 1)
    ]  # fmt: skip
    assert cohort_key(recipes[0]) != cohort_key(recipes[1])
    assert train(recipes[1])


def test_searches_that_share_a_split_by_time_must_say_so():
    def study(**fixed):
        recipe = Recipe(data=source("named", order_by="time"), model=h.Linear(), epochs=1,
                        optimizer=h.SGD(lr=h.LogUniform(0.01, 1)))  # fmt: skip
        return h.Study(name="times", recipe=recipe, search=h.Search(trials=2, searches=3, **fixed))

    with pytest.raises(
        SpecError, match=r"one split \(order_by\), which all 3 searches share.*fixed: \[split\]"
    ):
        check_study(study())
    check_study(study(fixed=("split",)))


def test_fields_at_their_defaults_are_no_part_of_a_key():
    for data in (h.Digits(), source("plain")):
        assert not {"groups", "stratify", "order_by"} & data.dump().keys()
    assert source("named", groups="person").dump()["groups"] == "person"

"""The contract of every data set: its fields act, on the part that they are meant for and no other."""

import numpy as np
import pytest

import harness as h
from harness.core.registry import REGISTRY, lookup
from harness.data.base import Data, fingerprint, load_data
from tests.cases import DATA

SHARED = {
    "seed": 1,
    "train_size": 50,
    "valid_fraction": 0.4,
    "split": 1,
    "label_noise": 0.5,
    "shuffle_pixels": True,
    "polynomial": 2,
}
"""Another value of every field that all data sets have; ``standardize`` is turned round."""
NAMED = {"groups", "stratify", "order_by"}
"""Ways to split, of which test_splitting.py has the tests: most need a column that few sources have."""
OWN = {
    "Digits": {"image": True},
    "MNIST1D": {"channels": True},
    "Spirals": {"samples": 100, "turns": 0.5, "noise": 0.5},
    "TeacherStudent": {"samples": 100, "features": 3, "hidden": 2, "noise": 1.0},
    "Markov": {"samples": 100, "symbols": 4, "order": 1, "concentration": 1.0, "context": 9},
    "Induction": {"samples": 100, "symbols": 20, "context": 16},
}
"""Another value of every field that a data set has alone."""
FILES = {"Arrays", "Table", "ImageFolder", "Text"}
"""Data from a user's file, which have tests of their own."""
LEARNT = [name for name, case in DATA.items() if case[2] != "function"]


def others(name):
    """Return another value of every field that may act on a data set."""
    data = lookup("data", name)()
    fields = {**SHARED, "standardize": not data.standardize, **OWN.get(name, {})}
    # refused: see test_mistakes_are_said, and of tokens tests/data/test_language.py
    if DATA[name][2] in ("regression", "tokens"):
        del fields["label_noise"]
    if DATA[name][2] == "tokens":
        for field in ("shuffle_pixels", "polynomial", "standardize"):
            del fields[field]
    return fields


def changed(name, field):
    return lookup("data", name)(**{field: others(name)[field]})


@pytest.mark.parametrize("name, field", [(n, f) for n in LEARNT for f in others(n)])
def test_every_field_acts(name, field):
    if (name, field) in (("MNIST1D", "polynomial"), ("Digits", "polynomial")):
        pytest.skip("acts alike on all tables; hundreds of features make thousands of products")
    assert fingerprint(changed(name, field)) != fingerprint(lookup("data", name)())


@pytest.mark.parametrize("name", ["Digits", "MNIST1D", "Spirals"])
@pytest.mark.parametrize("field, parts", [("train_size", {"train"}), ("label_noise", {"train"})])
def test_what_is_done_to_training_samples_leaves_the_others_alone(name, field, parts):
    plain, other = load_data(lookup("data", name)()), load_data(changed(name, field))
    for part in ("train", "valid", "test"):
        same = all(
            np.array_equal(a, b)
            for a, b in zip(getattr(plain, part), getattr(other, part), strict=True)
        )
        assert same == (part not in parts), part


def test_more_label_noise_hits_the_same_samples_and_some_more():
    clean, some, more = (
        load_data(h.Digits(label_noise=share)).train.y.argmax(1) for share in (0.0, 0.2, 0.6)
    )
    hit_some, hit_more = some != clean, more != clean
    # the labels are drawn for all samples alike, so that a sample hit by both gets the same one
    assert hit_some.sum() > 100 and (hit_more[hit_some]).all() and hit_more.sum() > hit_some.sum()


@pytest.mark.parametrize("name", [n for n, case in DATA.items() if case[2] == "function"])
def test_a_function_s_start_is_that_of_its_model(name):
    start = (0.25,) * DATA[name][1]
    data = lookup("data", name)(start=start)
    assert data.default_model().start == start and data.default_loss().name == "Objective"


def test_fields_of_every_data_set_are_in_the_tables():
    shared = set(Data.model_fields)
    assert shared == {*SHARED, *NAMED, "standardize"}
    for name in REGISTRY["data"].parts:
        own = set(lookup("data", name).model_fields) - shared
        if name in LEARNT:
            assert own == set(OWN.get(name, {})), name
        else:
            assert own <= {"start", "root", "image", "dataset"} or name in FILES, name

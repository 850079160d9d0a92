"""A user's targets become classes and it is told, or one sentence says why not."""

import numpy as np
import pytest

from harness.core.errors import HarnessError
from harness.data.base import Data, load_data
from harness.data.dataset import Raw
from tests.data import given


def load(name, **fields):
    return load_data(Data.parse({"name": f"tests.data.given.{name}", **fields}))


def classes(data):
    """The labels of all samples, by their inputs."""
    parts = (data.train, data.valid, data.test)
    return {x.tobytes(): int(y.argmax()) for part in parts for x, y in zip(*part, strict=True)}


CLASSES = {x.tobytes(): int(label) for x, label in zip(given.X, given.Y, strict=True)}


@pytest.mark.parametrize(
    "name, note",
    [
        ("from_one", "labels 1, 2, 3 became classes 0, 1, 2"),
        ("with_gaps", "labels 0, 5, 10 became classes 0, 1, 2"),
        ("texts", "labels 'setosa', 'versicolor', 'virginica' became classes 0, 1, 2"),
        ("one_hot", "rows of a single 1 became 3 classes"),
    ],
)
def test_labels_become_classes_in_the_order_of_their_values(name, note):
    data = load(name)
    assert (data.task, data.outputs) == ("classification", 3)
    assert data.notes == (f"data tests.data.given.{name}: {note}",)
    assert classes(data) == CLASSES


@pytest.mark.parametrize(
    "name, note",
    [
        ("minus_and_plus", "labels -1, 1 became classes 0, 1"),
        ("column_of_texts", "labels 'no', 'yes' became classes 0, 1"),
    ],
)
def test_two_labels(name, note):
    data = load(name)
    assert data.outputs == 2 and data.notes == (f"data tests.data.given.{name}: {note}",)
    assert classes(data) == {x: label % 2 for x, label in CLASSES.items()}


def test_booleans_are_classes():
    data = load("booleans")
    assert data.notes == ("data tests.data.given.booleans: labels False, True became classes 0, 1",)
    assert classes(data) == {x: int(label == 1) for x, label in CLASSES.items()}


def test_classes_that_have_their_numbers_are_left_alone():
    for name in ("plain", "lists", "test_part_of_one_class"):
        assert load(name).notes == () and load(name).outputs == 3
    assert load_data(Data.parse("digits")).notes == ()


def test_the_test_part_s_labels_are_those_of_the_rest():
    data = load("own_test_part")
    assert data.outputs == 3 and np.array_equal(data.test.y, np.eye(3)[given.Y[:30]])


def test_numbers_are_no_classes():
    for name, outputs in (("numbers", 1), ("column_of_numbers", 1)):
        data = load(name)
        assert (data.task, data.outputs, data.notes) == ("regression", outputs, ())


@pytest.mark.parametrize(
    "name, task, note",
    [
        (
            "several_labels",
            "regression",
            "y of shape (120, 3) is 3 numbers to be predicted, and not 3 classes, since not every "
            "row has a single 1 (none: 40 rows, several: 40); loss: BCE takes each column for a yes"
            " or no of its own",
        ),
        (
            "whole_numbers",
            "regression",
            "y of shape (120, 2) is 2 numbers to be predicted, each a column of whole numbers",
        ),
        (
            "colors_last",
            "classification",
            "inputs (8, 6, 3) look like pictures (H, W, C), whose channels are last; models take "
            "them as (C, H, W): give x.transpose(0, 3, 1, 2) / 255",
        ),
    ],
)
def test_what_may_be_meant_otherwise_is_told(name, task, note):
    data = load(name)
    assert (data.task, data.notes) == (task, (f"data tests.data.given.{name}: {note}",))


@pytest.mark.parametrize(
    "name, said",
    [
        ("floats_like_classes", "expected y as integers .* got float64 of shape .120,."),
        ("column_of_integers", "expected y as integers .* got int64 of shape .120, 1."),
        ("one_hot_but_one", "got int64 .* with 1 rows of zeros, the first in sample 7; leave such"),
        ("unseen_in_test", "expected the labels of y in y_test .0, 1, 2., got 3, 4, which no"),
        ("rare", "no training sample is of class 1, but others are; .* another data.seed"),
        ("one_class", "at least 2 classes in y, got 1 .0."),
        ("empty", r"expected samples with features, got x of shape \(0, 4\)"),
        ("lengths", "one y for each x, got 120 inputs and 50 targets"),
        ("infinite", "finite numbers in x, got 1 .* the first .inf. in sample 5, feature 2"),
        ("not_a_number", "finite numbers in y, got 40 .* the first .nan. in sample 1;"),
        ("missing_label", "texts as labels in y, got None among them"),
        ("fractions_as_labels", "texts as labels in y, got {'a': 1} among them"),
        ("column_of_text", "expected numbers in x, got column 'city'"),
        ("boolean_beside_float", "expected numbers in x, got column 'old' of type bool"),
        ("objects", "numbers in x, got an array of type object.* x.astype.float."),
        ("flat", r"x of shape \(N, features\), got \(120,\); one feature is x\[:, None\]"),
        ("other_features_in_test", r"same shape as x, \(4,\), got \(3,\)"),
        ("other_targets_in_test", r"same shape as y, \(120, 4\), got \(30, 2\)"),
        ("raises", r"expected arrays, got RuntimeError: the file is gone \(given.py:\d+\)"),
        ("nothing", "x, y, x_test, y_test.*, got a NoneType"),
        ("three", "x, y, x_test, y_test.*, got 3 values"),
    ],
)
def test_what_can_t_be_trained_on_is_refused_in_one_sentence(name, said):
    fields = {"seed": 7} if name == "rare" else {}
    with pytest.raises(HarnessError, match=said) as caught:
        load(name, **fields)
    assert str(caught.value).startswith(f"data tests.data.given.{name}: ")
    assert "\n" not in str(caught.value)


def test_a_training_set_that_is_asked_to_be_too_small_for_all_classes_is_told():
    (note,) = load("plain", train_size=2).notes
    assert "no training sample is of class " in note and "data.train_size keeps 2 samples" in note


class Halves(Data):
    """A user's data set whose labels are floats."""

    by: float = 1.0

    def raw(self):
        return Raw(given.X, given.Y * self.by)


def test_a_data_set_that_says_it_has_classes_has_them():
    assert load_data(Halves(by=2.0)).notes == (
        "data tests.data.test_labels.Halves: labels 0.0, 2.0, 4.0 became classes 0, 1, 2",
    )
    with pytest.raises(HarnessError, match="whole numbers, .* labels in y, got 0.5"):
        load_data(Halves(by=0.5))

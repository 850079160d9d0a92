"""Arrays and torch's data sets as data."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

import harness as h
from harness.core.errors import HarnessError
from harness.data.base import fingerprint, load_data
from harness.spec.component import parse_part

X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
Y = np.arange(60) % 3


class Pairs(Dataset):
    def __init__(self, x, y, noise=0.0):
        self.x, self.y, self.noise = x, y, noise

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return torch.tensor(self.x[index]) + self.noise * torch.rand(1), int(self.y[index])


class Lone(Pairs):
    def __getitem__(self, index):
        return torch.tensor(self.x[index])


def made(count):
    return Pairs(X[:count], Y[:count])


ALIKE = {
    "arrays": (X, Y),
    "lists": [X.tolist(), Y.tolist()],
    "tensors": (torch.from_numpy(X), torch.from_numpy(Y)),
    "pandas": (pd.DataFrame(X), pd.Series(Y)),
    "mapping": {"x": X, "y": Y},
    "Dataset": Pairs(X, Y),
    "TensorDataset": TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)),
    "function": lambda: (X, Y),
    "Dataset class": lambda: made(60),
}


@pytest.mark.parametrize("name", ALIKE)
def test_all_forms_of_the_same_samples_are_the_same_data(name):
    given = h.ExternalData(ALIKE[name], valid_fraction=0.25)
    expected = h.ExternalData((X, Y), valid_fraction=0.25)
    got, known = load_data(given), load_data(expected)
    for part in ("train", "valid", "test"):
        assert np.allclose(getattr(got, part).x, getattr(known, part).x)
        assert np.array_equal(getattr(got, part).y, getattr(known, part).y)
    assert [len(part.x) for part in got[:3]] == [36, 12, 12]
    assert given == h.ExternalData(ALIKE[name], valid_fraction=0.25)


def test_a_test_set_can_be_given():
    for given in ((X[:40], Y[:40], X[40:], Y[40:]), (made(40), Pairs(X[40:], Y[40:]))):
        data = load_data(parse_part("data", given))
        assert np.array_equal(data.test.x, X[40:]) and len(data.train.x) + len(data.valid.x) == 40


def test_a_validation_set_can_be_given():
    parts = {"train": made(30), "val": Pairs(X[30:40], Y[30:40]), "test": Pairs(X[40:], Y[40:])}
    data = load_data(parse_part("data", parts))
    assert [len(part.x) for part in data[:3]] == [30, 10, 20]
    assert np.array_equal(data.valid.x, X[30:40])


def test_other_bytes_are_other_data():
    a, b, c = (parse_part("data", (x, Y)) for x in (X, X.copy(), X + 1e-3))
    assert a == b != c and fingerprint(a) == fingerprint(b) != fingerprint(c)


WRONG = {
    "such as valid_fraction, got count": lambda: h.ExternalData((X, Y), count=3),
    "expected arguments of .count., got .number.: missing": lambda: h.ExternalData(made, number=3),
    "expected an array 'x', got none; .*inputs": lambda: h.ExternalData({"inputs": X, "y": Y}),
    "expected samples .x, y., got sample 0 as a Tensor": lambda: h.ExternalData(Lone(X, Y)),
    "got sample 0 drawn anew; leave out random transforms": lambda: h.ExternalData(
        Pairs(X, Y, noise=1.0)
    ),
    "by the names train, valid and test, got a": lambda: h.ExternalData({"a": made(40)}),
    "expected x of one shape": lambda: h.ExternalData(Pairs([X[0], X[1, :2]], Y)),
    "give its data set: loader.dataset": lambda: h.ExternalData(DataLoader(Pairs(X, Y))),
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_no_data_is_refused_in_a_sentence(said):
    with pytest.raises(HarnessError, match=said):
        load_data(WRONG[said]())

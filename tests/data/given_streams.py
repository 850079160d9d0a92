"""Data sets whose samples are made when they are read, as users have them."""

import os
import random

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, WeightedRandomSampler

import harness as h

PIXELS = (1, 4, 4)


class Made(Dataset):
    """Pictures of two classes, sample by sample; the first 64 numbers of ``offset`` are one part."""

    classes = ("dark", "bright")

    def __init__(self, count, offset=0, bad=None):
        self.count, self.offset, self.bad = count, offset, bad

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index >= self.count:
            raise IndexError(index)
        if index == self.bad:
            raise KeyError(f"no picture {index}")
        drawn = np.random.RandomState(self.offset + index)
        label = int(drawn.rand() < 0.5)
        return torch.from_numpy(drawn.randn(*PIXELS).astype(np.float32)) + label, label


def parts(count=60):
    return {"train": Made(count), "valid": Made(40, 1000), "test": Made(40, 2000)}


def as_arrays(count=60):
    """The same parts, read into memory."""
    arrays = {}
    for part, dataset in parts(count).items():
        suffix = "" if part == "train" else f"_{part}"
        xs, ys = zip(*dataset, strict=True)
        arrays[f"x{suffix}"] = torch.stack(xs).numpy()
        arrays[f"y{suffix}"] = np.array(ys)
    return arrays


def pair():
    return Made(100), Made(40, 2000)


def loaders():
    return tuple(DataLoader(made, batch_size=7, shuffle=True) for made in pair())


def weighted():
    return DataLoader(Made(10), sampler=WeightedRandomSampler([1.0] * 10, 10))


def failing():
    return {"train": Made(60, bad=37), "test": Made(40, 2000)}


class Nameless(Dataset):
    """Classes that nobody counted."""

    def __len__(self):
        return 30

    def __getitem__(self, index):
        return torch.zeros(3) + index, index % 3


def nameless():
    return Nameless()


class Words(Dataset):
    """Token ids, each followed by the next."""

    def __init__(self, count, seed):
        self.ids = np.random.RandomState(seed).randint(0, 7, (count, 9))

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        return self.ids[index, :-1], self.ids[index, 1:]


def words():
    return {"train": Words(60, 1), "valid": Words(30, 2), "test": Words(30, 3)}


def words_as_arrays():
    made = words().items()
    parts = {"" if part == "train" else f"_{part}": own.ids for part, own in made}
    return {
        f"{name}{part}": ids[:, rows]
        for part, ids in parts.items()
        for name, rows in (("x", slice(None, -1)), ("y", slice(1, None)))
    }


class Named(Made):
    """Several inputs by name, or targets that are texts."""

    def __init__(self, inputs):
        super().__init__(30)
        self.inputs = inputs

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return ({"pixels": x}, y) if self.inputs else (x, self.classes[y])


def named(inputs=True):
    return Named(inputs)


class Rows(IterableDataset):
    def __iter__(self):
        yield from (Nameless()[i] for i in range(30))

    def __len__(self):
        return 30


class Fresh(Made):
    """Draws from a generator of its own, anew each time."""

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return x + np.random.default_rng().normal(), y


def fresh():
    return Fresh(30)


class Dying(Made):
    """Ends the process that reads late samples, as out of memory does."""

    def __getitem__(self, index):
        if index == 50:
            os._exit(3)
        return super().__getitem__(index)


def dying():
    return {"train": Dying(60), "test": Made(40, 2000)}


def jitter(x):
    """A transform that draws from all three global generators."""
    return x + 0.3 * torch.randn(()) + np.random.rand() + random.random()


def cropped(x):
    return x[:, 1:, 1:]


def streamed(function="parts", transform="jitter", **fields):
    """Return data of a function above, read as they are trained on."""
    own = {"transform": f"tests.data.given_streams.{transform}"} if transform else {}
    return {"name": f"tests.data.given_streams.{function}", "stream": {**own, **fields}}


def recipe(data=None, **fields):
    base = {
        "data": data or streamed(),
        "model": h.MLP(widths=(6,)),
        "optimizer": h.Adam(lr=0.01),
        "batch_size": 16,
        "epochs": 3,
        "eval_every": 1,
    }
    return h.Recipe(**base | fields)

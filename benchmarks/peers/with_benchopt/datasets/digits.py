"""Digits, split as the other peers split them."""

import torch
from benchopt import BaseDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Dataset(BaseDataset):
    """The pictures and their labels."""

    name = "digits"

    def get_data(self):
        x, y = load_digits(return_X_y=True)
        x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
        rest, test = train_test_split(range(len(x)), test_size=0.2, random_state=0)
        train, valid = train_test_split(rest, test_size=0.25, random_state=0)
        parts = {"train": train, "valid": valid, "test": test}
        return {name: (x[part], y[part]) for name, part in parts.items()}

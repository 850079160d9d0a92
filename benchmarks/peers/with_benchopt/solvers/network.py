"""An MLP by torch, with the optimizer, the batch size, the rate and the seed as parameters."""

import torch
from benchopt import BaseSolver
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MAKERS = {
    "SGD": lambda p, lr: torch.optim.SGD(p, lr=lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "Adam": lambda p, lr: torch.optim.Adam(p, lr=lr),
}


class Solver(BaseSolver):
    """One training run."""

    name = "network"
    sampling_strategy = "run_once"
    parameters = {"optimizer": ["SGD"], "batch_size": [32], "lr": [0.1], "seed": [1000]}

    def set_objective(self, train):
        torch.set_num_threads(1)
        self.train = train

    def run(self, _):
        torch.manual_seed(self.seed)
        self.model = nn.Sequential(
            nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
        )
        step = MAKERS[self.optimizer](self.model.parameters(), self.lr)
        loader = DataLoader(TensorDataset(*self.train), self.batch_size, shuffle=True)
        for _ in range(5):
            for x, y in loader:
                step.zero_grad()
                nn.functional.cross_entropy(self.model(x), y).backward()
                step.step()

    def get_result(self):
        return {"model": self.model}

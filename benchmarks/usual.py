"""The usual stack as its documentation teaches it: Optuna, a PyTorch loop, MLflow each epoch."""

from __future__ import annotations

from typing import NamedTuple

import mlflow
import optuna
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from harness.data.base import Data, load_data


class Work(NamedTuple):
    """What is trained: each optimizer tuned, then its best trained again with other seeds."""

    model: str
    data: dict
    batch: int
    epochs: int
    trials: int
    seeds: int
    optimizers: tuple[str, ...] = ("SGD", "Momentum", "Adam")


MAKERS = {
    "SGD": lambda p, lr: torch.optim.SGD(p, lr=lr),
    "Momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "Adam": lambda p, lr: torch.optim.Adam(p, lr=lr),
}
RANGES = {"SGD": (1e-2, 1.0), "Momentum": (1e-3, 1e-1), "Adam": (1e-4, 1e-2)}


def network(work: Work, inputs: int, outputs: int) -> nn.Module:
    if work.model == "MLP":
        return nn.Sequential(
            nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs)
        )
    convolutions = [
        nn.Conv1d(1, 25, 5, 2, 1),
        nn.ReLU(),
        nn.Conv1d(25, 25, 3, 2, 1),
        nn.ReLU(),
        nn.Conv1d(25, 25, 3, 2, 1),
    ]
    return nn.Sequential(*convolutions, nn.ReLU(), nn.Flatten(), nn.Linear(125, outputs))


def train_one(work: Work, optimizer: str, lr: float, seed: int, track: bool) -> float:
    """Train one run; return the last validation loss."""
    torch.manual_seed(seed)
    data = load_data(Data.parse(work.data))
    parts = [
        (torch.tensor(p.x, dtype=torch.float32), torch.tensor(p.y).argmax(1)) for p in data[:3]
    ]
    loader = DataLoader(TensorDataset(*parts[0]), batch_size=work.batch, shuffle=True)
    model, criterion = network(work, parts[0][0].shape[-1], data.outputs), nn.CrossEntropyLoss()
    made = MAKERS[optimizer](model.parameters(), lr)
    for epoch in range(work.epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            made.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            made.step()
            total += loss.item() * len(x)
        model.eval()
        with torch.no_grad():
            out = model(parts[1][0])
            valid, right = (
                criterion(out, parts[1][1]).item(),
                (out.argmax(1) == parts[1][1]).float().mean().item(),
            )
        if track:
            mlflow.log_metric("train/loss", total / len(parts[0][0]), step=epoch)
            mlflow.log_metric("valid/loss", valid, step=epoch)
            mlflow.log_metric("valid/accuracy", right, step=epoch)
    return valid


def tracked(work: Work, optimizer: str, lr: float, seed: int, track: bool) -> float:
    if not track:
        return train_one(work, optimizer, lr, seed, track)
    with mlflow.start_run():
        mlflow.log_params(
            {"optimizer": optimizer, "lr": lr, "seed": seed, "batch_size": work.batch}
        )
        return train_one(work, optimizer, lr, seed, track)


def run(
    work: Work,
    store: str,
    track: bool = True,
    trials: int | None = None,
    seeds: tuple[int, ...] | None = None,
) -> None:
    """Tune every optimizer with ``study.optimize`` and train its best again.

    ``trials`` and ``seeds`` are one process's share of the work; by default all of it.
    """
    torch.set_num_threads(1)
    if track:
        mlflow.set_tracking_uri(store)
        mlflow.set_experiment("usual")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for optimizer in work.optimizers:
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))

        def objective(trial: optuna.Trial, optimizer: str = optimizer) -> float:
            return tracked(
                work,
                optimizer,
                trial.suggest_float("lr", *RANGES[optimizer], log=True),
                10_000,
                track,
            )

        study.optimize(objective, n_trials=work.trials if trials is None else trials)
        for seed in range(work.seeds) if seeds is None else seeds:
            tracked(work, optimizer, study.best_params["lr"], seed, track)

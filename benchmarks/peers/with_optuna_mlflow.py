"""Three optimizers and two batch sizes on digits, tuned, five seeds: with Optuna and MLflow."""

from statistics import mean, stdev

import mlflow
import optuna
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MAKERS = {
    "SGD": (lambda p, lr: torch.optim.SGD(p, lr=lr), 1e-2, 1.0),
    "momentum": (lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9), 1e-3, 1e-1),
    "Adam": (lambda p, lr: torch.optim.Adam(p, lr=lr), 1e-4, 1e-2),
}


def load():
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
    rest, test = train_test_split(range(len(x)), test_size=0.2, random_state=0)
    train, valid = train_test_split(rest, test_size=0.25, random_state=0)
    return [(x[part], y[part]) for part in (train, valid, test)]


def evaluate(model, x, y):
    with torch.no_grad():
        out = model(x)
    loss = nn.functional.cross_entropy(out, y).item()
    return loss, (out.argmax(1) == y).float().mean().item()


def train(parts, optimizer, batch_size, lr, seed):
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    step = MAKERS[optimizer][0](model.parameters(), lr)
    loader = DataLoader(TensorDataset(*parts[0]), batch_size=batch_size, shuffle=True)
    with mlflow.start_run():
        names = {"optimizer": optimizer, "batch_size": batch_size, "lr": lr, "seed": seed}
        mlflow.log_params(names)
        for epoch in range(5):
            for x, y in loader:
                step.zero_grad()
                nn.functional.cross_entropy(model(x), y).backward()
                step.step()
            loss, accuracy = evaluate(model, *parts[1])
            mlflow.log_metrics({"valid_loss": loss, "valid_accuracy": accuracy}, step=epoch)
        test_accuracy = evaluate(model, *parts[2])[1]
        mlflow.log_metric("test_accuracy", test_accuracy)
    return loss, test_accuracy


def main():
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("peers")
    parts = load()
    for optimizer, (_, low, high) in MAKERS.items():
        for batch_size in (32, 128):
            study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))

            def objective(trial, optimizer=optimizer, batch_size=batch_size, ends=(low, high)):
                lr = trial.suggest_float("lr", *ends, log=True)
                return train(parts, optimizer, batch_size, lr, seed=1000)[0]

            study.optimize(objective, n_trials=5)
            lr = study.best_params["lr"]
            found = [train(parts, optimizer, batch_size, lr, seed)[1] for seed in range(5)]
            print(
                f"{optimizer} / {batch_size}: lr {lr:.3g}, {mean(found):.4f} ± {stdev(found):.4f}"
            )


if __name__ == "__main__":
    main()

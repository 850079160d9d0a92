"""Three optimizers and two batch sizes on digits, tuned, five seeds: with Ray Tune."""

import torch
from ray import tune
from ray.tune.search.optuna import OptunaSearch
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


def train(config):
    torch.set_num_threads(1)
    torch.manual_seed(config["seed"])
    parts = load()
    model = nn.Sequential(
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    step = MAKERS[config["optimizer"]][0](model.parameters(), config["lr"])
    loader = DataLoader(TensorDataset(*parts[0]), batch_size=config["batch_size"], shuffle=True)
    for epoch in range(5):
        for x, y in loader:
            step.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            step.step()
        loss, accuracy = evaluate(model, *parts[1])
        last = {"test_accuracy": evaluate(model, *parts[2])[1]} if epoch == 4 else {}
        tune.report({"valid_loss": loss, "valid_accuracy": accuracy, **last})


def main():
    quiet = tune.RunConfig(verbose=0)
    for optimizer, (_, low, high) in MAKERS.items():
        for batch_size in (32, 128):
            arm = {"optimizer": optimizer, "batch_size": batch_size}
            search = tune.TuneConfig(
                metric="valid_loss", mode="min", num_samples=5, search_alg=OptunaSearch(seed=0)
            )
            space = arm | {"lr": tune.loguniform(low, high), "seed": 1000}
            tuned = tune.Tuner(train, param_space=space, tune_config=search, run_config=quiet)
            best = tuned.fit().get_best_result().config
            seeds = best | {"seed": tune.grid_search([0, 1, 2, 3, 4])}
            found = tune.Tuner(train, param_space=seeds, run_config=quiet).fit().get_dataframe()
            accuracy = found["test_accuracy"]
            text = f"{accuracy.mean():.4f} ± {accuracy.std():.4f}"
            print(f"{optimizer} / {batch_size}: lr {best['lr']:.3g}, {text}")


if __name__ == "__main__":
    main()

"""Three optimizers and two batch sizes on digits, tuned, five seeds: with Lightning and Optuna.

Lightning trains, and leaves search and comparison to others.
"""

import logging
import warnings
from statistics import mean, stdev

import lightning
import optuna
import torch
from lightning.pytorch.loggers import CSVLogger
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


class Classifier(lightning.LightningModule):
    """The network, its losses and its optimizer."""

    def __init__(self, optimizer, lr):
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Sequential(
            nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
        )

    def training_step(self, batch, _):
        return nn.functional.cross_entropy(self.model(batch[0]), batch[1])

    def _log(self, part, batch):
        out = self.model(batch[0])
        self.log(f"{part}_loss", nn.functional.cross_entropy(out, batch[1]))
        self.log(f"{part}_accuracy", (out.argmax(1) == batch[1]).float().mean())

    def validation_step(self, batch, _):
        self._log("valid", batch)

    def test_step(self, batch, _):
        self._log("test", batch)

    def configure_optimizers(self):
        return MAKERS[self.hparams.optimizer][0](self.parameters(), self.hparams.lr)


def train(parts, optimizer, batch_size, lr, seed):
    lightning.seed_everything(seed, verbose=False)
    first, valid, test = (TensorDataset(*part) for part in parts)
    whole = [DataLoader(part, batch_size=len(part)) for part in (valid, test)]
    trainer = lightning.Trainer(
        max_epochs=5,
        accelerator="cpu",
        logger=CSVLogger("lightning_logs", name=f"{optimizer}-{batch_size}"),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = Classifier(optimizer, lr)
    trainer.fit(model, DataLoader(first, batch_size=batch_size, shuffle=True), whole[0])
    loss = trainer.callback_metrics["valid_loss"].item()
    return loss, trainer.test(model, whole[1], verbose=False)[0]["test_accuracy"]


def main():
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
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

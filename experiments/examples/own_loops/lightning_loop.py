"""A LightningModule and a callback that tells the harness (pip install lightning)."""

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Line(L.LightningModule):
    """A line through noise."""

    def __init__(self, lr):
        super().__init__()
        self.layer, self.lr = nn.Linear(3, 1), lr

    def training_step(self, batch, _):
        """Return the loss of a batch."""
        return nn.functional.mse_loss(self.layer(batch[0]), batch[1])

    def validation_step(self, batch, _):
        """Log the loss of a batch of the validation part."""
        self.log("valid/loss", nn.functional.mse_loss(self.layer(batch[0]), batch[1]))

    def configure_optimizers(self):
        """Return plain SGD."""
        return torch.optim.SGD(self.parameters(), lr=self.lr)


class Tell(L.Callback):
    """All that the harness needs."""

    def __init__(self, run):
        self.run = run

    def on_validation_epoch_end(self, trainer, module):
        """Tell the validation loss."""
        if not trainer.sanity_checking:
            epoch = trainer.current_epoch + 1
            self.run.log(epoch, valid_loss=trainer.callback_metrics["valid/loss"])
            trainer.should_stop = self.run.should_stop()


def train(run):
    """Train for run.epochs."""
    x = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    data = TensorDataset(x, x.sum(1, keepdim=True))
    parts = random_split(data, [320, 80], torch.Generator().manual_seed(run.split))
    fit, valid = (DataLoader(part, batch_size=32, shuffle=i == 0) for i, part in enumerate(parts))
    trainer = L.Trainer(
        max_epochs=run.epochs,
        accelerator="cpu",
        callbacks=[Tell(run)],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
    )
    trainer.fit(Line(run.config["lr"]), fit, valid)

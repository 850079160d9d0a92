"""Three optimizers and two batch sizes on digits: what benchopt evaluates of every solver."""

import torch
from benchopt import BaseObjective


class Objective(BaseObjective):
    """Loss and accuracy on all parts; solvers are compared by the validation loss."""

    name = "Digits"
    sampling_strategy = "run_once"

    def set_data(self, train, valid, test):
        self.parts = {"train": train, "valid": valid, "test": test}

    def get_objective(self):
        return {"train": self.parts["train"]}

    def evaluate_result(self, model):
        values = {}
        for part, (x, y) in self.parts.items():
            with torch.no_grad():
                out = model(x)
            values[f"{part}_loss"] = torch.nn.functional.cross_entropy(out, y).item()
            values[f"{part}_accuracy"] = (out.argmax(1) == y).float().mean().item()
        return {"value": values["valid_loss"], **values}

    def get_one_result(self):
        return {"model": torch.nn.Linear(64, 10)}

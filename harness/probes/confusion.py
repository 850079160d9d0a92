"""The confusion matrix: held-out samples by true and predicted class."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from harness.core.lazy import Lazy
from harness.probes.base import Memory, Probe, Scene, Values

if TYPE_CHECKING:
    import torch
else:
    torch = Lazy("torch")

CLASSES = 20
"""Classes at most whose accuracies are recorded one by one: more curves could not be told apart."""


@final
class Confusion(Probe):
    """Counts of the held-out samples by true class (rows) and predicted class (columns).

    The array ``confusion/matrix`` (C, C), of which a run keeps the last; ``confusion/accuracy0``,
    …: the share of each class's samples that are classified rightly, for up to 20 classes that have
    samples; ``confusion/worst``: the lowest of all classes' accuracies. Far below the accuracy, it
    is a class that the network has given up. Only for classes; elsewhere nothing is recorded.
    """

    prefix = "confusion"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return accuracies (K,) and the matrix (K, C, C); {} without held-out classes.

        It costs one evaluation of the held-out samples, which other probes share. Nothing is kept
        in memory.
        """
        held = scene.held()
        if held is None:
            return {}
        out_KBD, y_KBD = held
        guess_KB, true_KB, classes = out_KBD.argmax(-1), y_KBD.argmax(-1), y_KBD.shape[-1]
        # the cell (true, guess) of a flattened matrix; all are counted in one pass
        cell_KB = true_KB * classes + guess_KB
        counts = torch.zeros(len(guess_KB), classes**2, device=guess_KB.device, dtype=torch.float64)
        counts.scatter_add_(1, cell_KB, torch.ones_like(cell_KB, dtype=torch.float64))
        matrix_KCC = counts.view(-1, classes, classes)
        # a class without held-out samples has no accuracy: it is left out. Where only some members'
        # splits have one, the others' is NaN, which is not recorded, and never the worst
        samples_KC = matrix_KCC.sum(2)
        present = samples_KC.sum(0).nonzero()[:, 0].tolist()
        accuracy_KC = (matrix_KCC.diagonal(dim1=1, dim2=2) / samples_KC)[:, present]
        single = {f"accuracy{c}": accuracy_KC[:, i] for i, c in enumerate(present) if c < CLASSES}
        return {**single, "worst": accuracy_KC.nan_to_num(nan=1.0).amin(1), "matrix": matrix_KCC}

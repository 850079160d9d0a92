"""The noise scale of a model whose answer is known."""

import numpy as np
import pytest
import torch

from harness.core.parameter_layout import layout_of
from harness.probes.base import Scene
from harness.probes.noise import NoiseScale


def noise_scene(g_of):
    layout = layout_of({"w": (50,)})
    empty = torch.zeros(1, layout.width)
    tensors = {name: empty for name in ("moved_KP", "g_KP", "x_KB", "y_KBD")}
    unused = dict.fromkeys(
        (
            "losses",
            "noise_free",
            "products",
            "hidden",
            "preconditioner",
            "stability_threshold",
            "held",
            "evaluated",
            "hidden_bounds",
            "grams",
            "paths_elsewhere",
            "sample_norms",
            "sample_norms_at_hand",
        )
    )
    own = {"gradients": g_of, "samples": lambda n, _: (torch.zeros(1, n, 1),) * 2}
    return Scene(
        step=0,
        last=False,
        layout=layout,
        lr_K=torch.ones(1),
        workspace_2KP=torch.stack([empty, empty]),
        **tensors,
        **unused,
        **own,
    )


def test_noise_scale_of_mccandlish_s_model():
    """d = 50, G = 0.1, σ from 0.5 to 1.5: tr(Σ)/|G|² = 108.673."""
    rng = np.random.default_rng(0)
    sigma = np.linspace(0.5, 1.5, 50)

    def gradients(w_KP, x_KB, y_KBD):
        drawn = 0.1 + sigma * rng.normal(size=(1, 50)) / np.sqrt(x_KB.shape[1])
        return torch.nn.functional.pad(torch.tensor(drawn), (0, 14))

    probe, memory, sums = NoiseScale(small=8, large=128, decay=0.0), {}, np.zeros(2)
    for _ in range(4000):
        estimates = probe.measure(noise_scene(gradients), memory)
        sums += [float(estimates["variance"]), float(estimates["signal"])]
    assert sums[0] / sums[1] == pytest.approx(108.673, rel=0.02)

"""What probes cost: the time of an update with them over that without.

    python -m benchmarks.probes [--json FILE]

Each probe and each named set of them, at five cadences, on an MLP 784-128-64-10 with batches of 64,
one run and a cohort of 8; the sets also on DeepOBS's mnist_mlp (784-1000-500-100-10, batches of
128; Schneider et al. 2019), one run. Both sides run by turns in one process on one thread, since a
machine's speed drifts; the figure is the median of the ratios.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

import harness as h
from benchmarks.overhead import ours, ratio
from harness.core.registry import REGISTRY
from harness.core.streams import numpy_stream
from harness.data.base import Data
from harness.data.dataset import Raw
from harness.probes.base import Probe
from harness.spec.probes import PRESETS, expand_sets


class Noise784(Data):
    """Random pictures of MNIST's size with random labels: what is learnt does not matter here."""

    def raw(self) -> Raw:
        stream = numpy_stream(self.seed, "pictures")
        return Raw(stream.standard_normal((5000, 784)), stream.integers(0, 10, 5000))


RECIPE = h.Recipe(
    data=Noise784(),
    model=h.MLP(widths=(128, 64)),
    optimizer=h.SGD(lr=0.01, momentum=0.9),
    batch_size=64,
    steps=100_000,
    eval_every=100_000,
)
DEEPOBS = RECIPE.with_values({"model.widths": (1000, 500, 100), "batch_size": 128})
CADENCES = (1, 4, 16, 64, 256)
"""Updates from one measurement to the next."""
LEAST_STEPS = 64
"""Updates that a timing takes at least; a cadence's measurements are all in it once at least."""
REPEATS = 5
"""Timings of each side, of which the median ratio is taken."""

Costs = dict[int, float]
"""The ratio by cadence."""


def costs(name: str, members: int, recipe: h.Recipe = RECIPE) -> Costs:
    """Return the time of an update with a probe, or a set, over that without, by cadence."""
    ratios = {}
    for every in CADENCES:
        parts = expand_sets([{"name": name, "every": every, "unit": "steps"}])
        probes, steps = tuple(map(Probe.parse, parts)), max(LEAST_STEPS, every)
        with_probes, without = ours(recipe, members, steps, probes), ours(recipe, members, steps)
        ratios[every], _ = ratio(with_probes, without, REPEATS)
    cells = "  ".join(f"{every:3d}: {value:6.2f}×" for every, value in ratios.items())
    print(f"  {name:16s} {cells}", flush=True)
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/probes.json"))
    path = parser.parse_args().json
    torch.set_num_threads(1)
    measured: dict[str, dict[str, Costs]] = {}
    for members in (1, 8):
        print(f"{members} member{'s' if members > 1 else ''}, measured every so many steps:")
        measured[f"{members} members"] = {
            name: costs(name, members) for name in (*PRESETS, *REGISTRY["probe"].parts)
        }
    print("one run of DeepOBS's mnist_mlp:")
    measured["mnist_mlp"] = {name: costs(name, 1, DEEPOBS) for name in PRESETS}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path}")


if __name__ == "__main__":
    main()

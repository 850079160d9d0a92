"""What probes cost: the time of an update with them over that without, for each probe, for both sets, at five cadences.

    python -m benchmarks.probes [--json FILE]

MLP 784-128-64-10, batch 64, one run and a cohort, and for the sets DeepOBS's mnist_mlp (784-1000-500-100-10, batch 128;
Schneider et al. 2019), one run; both sides by turns in one process on one thread, the median of ratios.
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
from harness.data.base import Data, Raw
from harness.spec.probes import PRESETS, Probe, expanded


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


def costs(name: str, members: int, recipe: h.Recipe = RECIPE) -> dict[int, float]:
    """Return the ratio by cadence in steps."""
    found = {}
    for every in CADENCES:
        probes = tuple(
            Probe.parse(p) for p in expanded([{"name": name, "every": every, "unit": "steps"}])
        )
        steps = max(64, every)
        found[every], _ = ratio(
            ours(recipe, members, steps, probes), ours(recipe, members, steps), 5
        )
    cells = "  ".join(f"{every:3d}: {value:6.2f}×" for every, value in found.items())
    print(f"  {name:16s} {cells}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/probes.json"))
    path = parser.parse_args().json
    torch.set_num_threads(1)
    found: dict[str, dict[str, dict[int, float]]] = {}
    for members in (1, 8):
        print(f"{members} member{'s' if members > 1 else ''}, measured every so many steps:")
        found[f"{members} members"] = {
            name: costs(name, members) for name in (*PRESETS, *REGISTRY["probe"].parts)
        }
    print("one run of DeepOBS's mnist_mlp:")
    found["mnist_mlp"] = {name: costs(name, 1, DEEPOBS) for name in PRESETS}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path}")


if __name__ == "__main__":
    main()

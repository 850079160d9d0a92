"""What a search looks for: final losses over two hyperparameters, measured and stored.

    python -m benchmarks.landscapes [--folder DIR]

Each landscape is a study of this harness, whose search is a grid: 13 × 13 trials, each the mean of
two training seeds. It is kept as a table in ``benchmarks/landscapes/``; a trial that diverged is
null. Between the points it is interpolated, so that a search may ask anywhere.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

import harness as h
from benchmarks.store import temporary_store
from harness.protocol.run import Options, run_study

FOLDER = Path(__file__).parent / "landscapes"
POINTS = 13
"""Points on each axis."""


def studies() -> dict[str, h.Study]:
    """Return the studies that measure the landscapes, by name."""
    recipes = {
        "digits-sgd": h.Recipe(
            data="digits",
            model=h.MLP(widths=(32,)),
            batch_size=32,
            epochs=10,
            optimizer=h.SGD(lr=h.LogUniform(1e-4, 10.0), momentum=h.Uniform(0.0, 0.99)),
        ),
        "mnist1d-adam": h.Recipe(
            data="mnist1d",
            model=h.MLP(widths=(64, 64)),
            batch_size=64,
            epochs=15,
            optimizer=h.Adam(lr=h.LogUniform(1e-5, 1.0)),
            regularizers=[h.Dropout(rate=h.Uniform(0.0, 0.6))],
        ),
        "diabetes-decay": h.Recipe(
            data="diabetes",
            loss="mse",
            model=h.MLP(widths=(32,)),
            batch_size=16,
            epochs=30,
            optimizer=h.SGD(lr=h.LogUniform(1e-5, 10.0), momentum=0.9),
            regularizers=[h.L2(strength=h.LogUniform(1e-5, 10.0))],
        ),
    }
    search = h.Search(sampler="grid", grid=POINTS, trials=POINTS**2, batch=POINTS**2, repeats=2)
    return {
        name: h.Study(name=name, recipe=recipe, search=search, seeds=1)
        for name, recipe in recipes.items()
    }


class Landscape(NamedTuple):
    """Losses on a grid."""

    name: str
    axes: Mapping[str, np.ndarray]
    """Rising values of each hyperparameter, by its path in the recipe."""
    loss: np.ndarray
    """A dimension an axis; infinite where training diverged."""

    def at(self, values: Mapping[str, object]) -> float:
        """Return the loss at a point: bilinear between the four around it, infinite beside one
        that diverged if that one is the nearest.

        Args:
            values: of the hyperparameters, by path.
        """
        weights = np.ones(())
        nearest = []
        for path, axis in self.axes.items():
            place = self._place(path, float(str(values[path])))
            along = np.maximum(0.0, 1.0 - np.abs(np.arange(len(axis)) - place))
            weights = np.multiply.outer(weights, along)
            nearest.append(round(place))
        if not np.isfinite(self.loss[tuple(nearest)]):
            return math.inf
        used = np.isfinite(self.loss) & (weights > 0)
        return float(np.average(self.loss[used], weights=weights[used]))

    def _place(self, path: str, value: float) -> float:
        """Return where a value lies on its axis, counted in points from 0."""
        axis, scale = self.axes[path], self._scale(path)
        return float(np.interp(scale(value), scale(axis), np.arange(len(axis))))

    def _scale(self, path: str) -> np.ufunc:
        """Return the logarithm for an axis whose points have equal ratios, else the identity."""
        axis = self.axes[path]
        even = np.allclose(np.diff(axis), axis[1] - axis[0])
        return np.positive if even else np.log

    @property
    def best(self) -> float:
        """The lowest loss; interpolation never goes below it."""
        return float(self.loss.min())


def measure(name: str, study: h.Study) -> Landscape:
    """Train a landscape's grid; takes a minute or so, in a store that is thrown away."""
    with temporary_store():
        run_study(study, Options(workers=2))
        trials = h.results.load(name).trials
    paths = list(study.recipe.spaces())
    loss = trials.set_index(paths)["value"].unstack(paths[1]).sort_index()
    axes = {paths[0]: loss.index.to_numpy(float), paths[1]: loss.columns.to_numpy(float)}
    return Landscape(name, axes, loss.fillna(math.inf).to_numpy(float))


def save(landscape: Landscape, folder: Path = FOLDER) -> None:
    """Write a landscape as JSON, one row of losses a line."""
    rows = [
        json.dumps([float(f"{v:.6g}") if math.isfinite(v) else None for v in row])
        for row in landscape.loss
    ]
    axes = json.dumps({path: list(axis) for path, axis in landscape.axes.items()})
    text = f'{{"axes": {axes},\n "loss": [\n  ' + ",\n  ".join(rows) + "\n]}\n"
    (folder / f"{landscape.name}.json").write_text(text, encoding="utf-8")


def load(name: str, folder: Path = FOLDER) -> Landscape:
    """Read a landscape."""
    kept = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    axes = {path: np.array(axis) for path, axis in kept["axes"].items()}
    loss = [[math.inf if v is None else v for v in row] for row in kept["loss"]]
    return Landscape(name, axes, np.array(loss))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    for name, study in studies().items():
        landscape = measure(name, study)
        save(landscape, given.folder)
        diverged = np.isinf(landscape.loss).mean()
        print(f"{name}: best loss {landscape.best:.4g}, {diverged:.0%} diverged")


if __name__ == "__main__":
    main()

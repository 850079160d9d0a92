"""An update of a cohort's member, through the harness and through JAX, by turns in one process.

    pip install -r benchmarks/jax_requirements.txt        # into an environment of your own
    python -m benchmarks.against_jax [--case 'MLP 64'] [--turn SECONDS]

JAX's side is what its documentation teaches: ``jax.vmap`` over the members of a ``lax.scan`` over the
updates, compiled, with the gather of the minibatches and the losses of all updates in it. Both sides
start from the same weights and see the same samples, and must end in the same losses. Both are pinned
to one core and one thread. The machine may be busy: what is timed is the processor's time of the
process, in turns of a third of a second or so that alternate. Given are the least time of each side, and
the median of the turns' ratios, JAX's time over ours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import torch
from jax import numpy as jnp

import harness as h
from benchmarks import growing
from benchmarks.trained_cohort import TrainedCohort
from harness.core import kernels
from harness.core.parameter_layout import Layout
from harness.engine.batches import Batches
from harness.engine.splits import splits_of

MOMENTUM = 0.9
MEMBERS = (1, 8, 24, 96)
TURNS = 7
TOLERANCE = 0.02
"""Of the mean loss of the first turn's last updates; rounding grows while networks train."""


def _recipe(model: h.Model, **fields: object) -> h.Recipe:
    return h.Recipe(
        model=model,
        optimizer=h.SGD(lr=0.02, momentum=MOMENTUM),
        steps=1_000_000,
        eval_every=1_000_000,
        **fields,
    )


GPT = h.GPT(layers=2, width=64, heads=4)
CASES = {
    **{
        f"MLP {w}": _recipe(h.MLP(widths=(w, w)), data="digits", batch_size=32)
        for w in (64, 128, 256)
    },
    "CNN": _recipe(
        h.CNN1D(channels=25), data={"name": "mnist1d", "channels": True}, batch_size=100
    ),
    "GPT": _recipe(GPT, data=h.Markov(symbols=5, order=2, context=16, samples=4000), batch_size=16),
}


def mlp(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    """Return an MLP's outputs (B, D)."""
    for layer in ("hidden.0", "hidden.1"):
        x = jax.nn.relu(x @ params[f"{layer}.weight"].T + params[f"{layer}.bias"])
    return x @ params["out.weight"].T + params["out.bias"]


def cnn(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    """Return the outputs (B, D) of the 1-25-25-25 CNN of MNIST-1D."""
    for layer in range(3):
        w, b = params[f"conv.{layer}.weight"], params[f"conv.{layer}.bias"]
        x = jax.lax.conv_general_dilated(
            x, w, (2,), [(1, 1)], dimension_numbers=("NCH", "OIH", "NCH")
        )
        x = jax.nn.relu(x + b[:, None])
    return x.reshape(len(x), -1) @ params["out.weight"].T + params["out.bias"]


def gpt(params: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    """Return logits (B, T, V) of a GPT with tied embeddings and learned positions."""

    def norm(name: str, h: jax.Array) -> jax.Array:
        h = (h - h.mean(-1, keepdims=True)) / jnp.sqrt(h.var(-1, keepdims=True) + 1e-5)
        return h * params[f"{name}.weight"] + params[f"{name}.bias"]

    def dense(name: str, h: jax.Array) -> jax.Array:
        return h @ params[f"{name}.weight"].T + params[f"{name}.bias"]

    h = params["tokens.weight"][x] + params["position.weight"][: x.shape[1]]
    seen = jnp.tril(jnp.ones((x.shape[1], x.shape[1]), bool))
    for block in (f"block.{i}" for i in range(GPT.layers)):
        split = dense(f"{block}.qkv", norm(f"{block}.norm1", h))
        q, k, v = split.reshape(*x.shape, 3, GPT.heads, -1).transpose(2, 0, 3, 1, 4)
        scores = q @ k.swapaxes(-1, -2) / jnp.sqrt(q.shape[-1])
        shares = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf))
        h = h + dense(f"{block}.mix", (shares @ v).swapaxes(1, 2).reshape(h.shape))
        inner = jax.nn.gelu(dense(f"{block}.up", norm(f"{block}.norm2", h)), approximate=False)
        h = h + dense(f"{block}.down", inner)
    return norm("norm", h) @ params["tokens.weight"].T


NETWORKS = {"MLP": mlp, "CNN": cnn, "GPT": gpt}


class Theirs:
    """The same in JAX.

    Args:
        ours: where the first weights and the order of the samples are taken from.
        network: (params, x) ↦ outputs, of one member.
    """

    def __init__(self, ours: TrainedCohort, network: Callable[..., jax.Array]) -> None:
        program, layout = ours.program, ours.program.layout
        recipes = [member.run.recipe for member in ours.cohort.members]
        seeds = [member.run.seed for member in ours.cohort.members]
        splits = splits_of(program, recipes)
        self.order = Batches(program, splits, seeds)
        self.times, self.done = program.times, 0
        self.x, self.y = (jnp.array(part.numpy()) for part in (splits.train.x, splits.train.y))
        self.params = _tree(layout, ours.cohort.w_KP)
        self.velocity = jax.tree.map(jnp.zeros_like, self.params)
        self.train = jax.jit(jax.vmap(_train_of(network, self.x, self.y), (0, 0, 0)))

    def __call__(self, steps: int) -> np.ndarray:
        index = jnp.array(self._index(steps))
        self.params, self.velocity, losses_KS = self.train(self.params, self.velocity, index)
        return np.asarray(jax.block_until_ready(losses_KS)).T

    def _index(self, steps: int) -> np.ndarray:
        """Return the samples of the coming updates, (K, S, B)."""
        size, each = self.times.batch, []
        for step in range(self.done, self.done + steps):
            epoch, position = divmod(step, self.times.per_epoch)
            rows = self.order.order(epoch)[:, position * size : (position + 1) * size]
            each.append(rows.numpy())
        self.done += steps
        return np.stack(each, 1).astype(np.int32)


def _tree(layout: Layout, w_KP: torch.Tensor) -> dict[str, jax.Array]:
    return {name: jnp.array(w.numpy()) for name, w in layout.views(w_KP.clone()).items()}


def _train_of(
    network: Callable[..., jax.Array], x: jax.Array, y: jax.Array
) -> Callable[..., object]:
    """Return one member's training over the updates whose samples are given."""

    def loss_of(params: dict[str, jax.Array], rows: jax.Array) -> jax.Array:
        log = jax.nn.log_softmax(network(params, x[rows]))
        if y.ndim == 2 and jnp.issubdtype(y.dtype, jnp.integer):  # tokens
            return -jnp.take_along_axis(log, y[rows][..., None], -1).mean()
        return -(y[rows] * log).sum(-1).mean()

    def update(state: tuple[object, object], rows: jax.Array) -> tuple[object, jax.Array]:
        params, velocity = state
        loss, gradient = jax.value_and_grad(loss_of)(params, rows)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradient)
        return (jax.tree.map(lambda w, v: w - 0.02 * v, params, velocity), velocity), loss

    def train(params: object, velocity: object, index: jax.Array) -> tuple[object, ...]:
        (params, velocity), losses = jax.lax.scan(update, (params, velocity), index)
        return params, velocity, losses

    return train


def compare(recipe: h.Recipe, members: int, seconds: float) -> dict[str, float]:
    """Return microseconds of an update of a member on both sides, and JAX's time over ours."""
    recipe = recipe.with_values({"drop_last": True})
    ours = TrainedCohort(recipe, members)
    theirs = Theirs(ours, NETWORKS[recipe.model.name[:3]])
    steps = _steps(recipe, members, seconds)
    ends = [side(steps)[-max(1, steps // 10) :].mean() for side in (ours, theirs)]
    if abs(ends[0] - ends[1]) > TOLERANCE * max(abs(end) for end in ends):
        raise AssertionError(f"the two sides end in other losses: {ends}")
    pairs = [tuple(_timed(side, steps) for side in (ours, theirs)) for _ in range(TURNS)]
    each = [min(times) / steps / members * 1e6 for times in zip(*pairs, strict=True)]
    return {
        "ours, µs": each[0],
        "JAX, µs": each[1],
        "JAX / ours": statistics.median(b / a for a, b in pairs),
    }


def _steps(recipe: h.Recipe, members: int, seconds: float) -> int:
    """Return as many updates as take the harness about so long."""
    fresh = TrainedCohort(recipe, members)
    fresh(10)
    return max(10, int(seconds / _timed(fresh, 10) * 10))


def _timed(side: Callable[[int], object], steps: int) -> float:
    began = time.process_time()
    side(steps)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/against_jax.json"))
    parser.add_argument("--case", action="append", choices=CASES, help="one network, or several")
    parser.add_argument("--turn", type=float, default=0.35, help="seconds of a turn")
    flags = parser.parse_args()
    # before JAX first computes, which is when it reads them
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    torch.set_num_threads(1)
    measured: dict[str, dict[str, float]] = {}
    for name in flags.case or CASES:
        for members in MEMBERS:
            label = f"{name}, members {members}"
            measured[label] = compare(CASES[name], members, flags.turn)
            print(
                label, {key: round(value, 2) for key, value in measured[label].items()}, flush=True
            )
        growing.add(
            "benchmarks.against_jax",
            {label: row["JAX / ours"] for label, row in measured.items() if label.startswith(name)},
            f"JAX {jax.__version__}, kernels {kernels.version()}",
        )
    flags.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The way of the weights in its principal plane, against a decomposition of all weights."""

from typing import final

import numpy as np
import pytest

import harness as h
from harness.probes.base import Probe
from tests.probes.recipes import recipe


@final
class Weights(Probe):
    """All weights before each update, and after the last."""

    prefix = "weights"
    unit: str = "steps"

    def measure(self, scene, memory):
        import torch

        before = memory.get("all", scene.w_KP[:, None][:, :0])
        memory["all"] = torch.cat([before, scene.w_KP[:, None]], 1)
        return {"all": torch.cat([memory["all"], scene.moved_KP[:, None]], 1)}


def trained(probe, **fields):
    return h.train(recipe(**fields), seeds=2, probes=[probe, Weights()])


@pytest.mark.parametrize("model", ["mlp", "batch norm"])
def test_it_is_the_first_two_principal_components_of_all_weights(model):
    run = trained(h.Trajectory(every=1, unit="steps", plane=0), model=model, steps=12)
    shares = run.curves[["seed", "trajectory/first", "trajectory/second"]].dropna()
    for seed, arrays in run.arrays.items():
        differences = arrays["weights/all"] - arrays["weights/all"][-1]
        u, s, _ = np.linalg.svd(differences, full_matrices=False)
        assert arrays["trajectory/path"].shape == (3, 65)
        assert (arrays["trajectory/path"][:, 12:] == arrays["trajectory/path"][:, 12:13]).all()
        steps, *places = arrays["trajectory/path"][:, :13]
        assert list(steps) == list(range(13))
        for i in range(2):
            sign = np.sign(places[i] @ u[:, i])
            np.testing.assert_allclose(places[i], sign * u[:, i] * s[i], atol=1e-9 * s[0])
        assert places[0][0] < 0 and places[1][np.abs(places[1]).argmax()] > 0
        own = shares[shares["seed"] == seed].iloc[0, 1:]
        np.testing.assert_allclose(own.astype(float), (s**2 / (s**2).sum())[:2], rtol=1e-9)


def test_the_plane_of_a_quadratic_is_a_quadratic_with_the_last_loss_where_the_way_ends():
    """f(θ) = ½θᵀQθ of DeepOBS, which is quadratic in the places along any two directions."""
    spec = h.Recipe(
        data="quadratic_deep",
        optimizer=h.SGD(lr=0.01),
        batch_size=10,
        steps=30,
        eval_every=30,
        dtype="float64",
    )
    probe = h.Trajectory(every=3, unit="steps", plane=6, samples=10_000)
    trained = h.train(spec, probes=[probe])
    arrays = trained.arrays[0]
    b, a = np.meshgrid(*arrays["trajectory/sides"][::-1], indexing="ij")
    terms = np.stack([np.ones_like(a), a, b, a * a, a * b, b * b], -1).reshape(-1, 6)
    losses = arrays["trajectory/plane"].ravel()
    parabola, residual, *_ = np.linalg.lstsq(terms, losses, rcond=None)
    assert residual < 1e-18 * (losses**2).sum()
    assert parabola[0] == pytest.approx(trained.runs["train/loss"].iloc[0], rel=1e-6)
    # the plane reaches a fifth of the way's extent beyond it
    _, *places = arrays["trajectory/path"]
    for side, place in zip(arrays["trajectory/sides"], places, strict=True):
        extent = place.max() - place.min()
        assert side[0] == pytest.approx(place.min() - 0.2 * extent)
        assert side[-1] == pytest.approx(place.max() + 0.2 * extent)


def test_no_more_snapshots_are_kept_than_asked_and_they_stay_evenly_apart():
    probe = h.Trajectory(every=1, unit="steps", snapshots=4, plane=0)
    expected = {4: [0, 1, 2, 3, 4], 6: [0, 2, 4, 6], 9: [0, 4, 8, 9], 17: [0, 8, 16, 17]}
    for steps, kept in expected.items():
        run = trained(probe, steps=steps, eval_every=steps)
        path = run.arrays[0]["trajectory/path"]
        assert list(path[0]) == kept + [steps] * (5 - len(kept))
        path = path[:, : len(kept)]
        whole = run.arrays[0]["weights/all"]
        # distances along the plane are no longer than those of all weights
        far = np.linalg.norm(whole[kept] - whole[-1], axis=1)
        assert (np.hypot(path[1], path[2]) <= far * (1 + 1e-9)).all()
    alone = h.train(recipe(steps=17, eval_every=17), probes=[probe]).arrays[0]
    assert (alone["trajectory/path"][:, : len(kept)] == path).all()


def test_a_run_of_one_update_has_a_straight_way():
    run = trained(h.Trajectory(plane=3), steps=1, eval_every=1)
    path, plane = (run.arrays[0][f"trajectory/{name}"] for name in ("path", "plane"))
    assert path.shape == (3, 65) and path[1, 0] < 0 and np.abs(path[2]).max() < 1e-9
    assert np.isfinite(plane).all()

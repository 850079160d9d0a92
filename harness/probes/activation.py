"""What the hidden layers give out."""

from __future__ import annotations

from harness.probes.base import Measure, Memory, Scene, Values


class Activations(Measure):
    """Mean, root mean square and share of dead units of every hidden layer's output over the update's batch.

    ``activation/<layer>/mean``, ``activation/<layer>/rms`` and ``activation/<layer>/dead`` (units that give the same
    number for all samples, to 1e-6 of the layer's scale), ``activation/ratio`` (the last layer's rms over the first's) and
    ``activation/dead`` (over all layers).
    """

    prefix = "activation"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        found: Values = {}
        layers = scene.activations(scene.w_KP, scene.x_KB)
        for name, h in layers.items():
            h_KNF = h.flatten(1, -2)
            rms_K = h_KNF.square().mean((1, 2)).sqrt()
            still_KF = (h_KNF.amax(1) - h_KNF.amin(1)) <= 1e-6 * rms_K[:, None]
            found |= {f"{name}/mean": h_KNF.mean((1, 2)), f"{name}/rms": rms_K, f"{name}/dead": still_KF.to(h.dtype).mean(1)}
        if layers:
            names = list(layers)
            found["ratio"] = found[f"{names[-1]}/rms"] / found[f"{names[0]}/rms"]
            found["dead"] = sum((found[f"{n}/dead"] for n in names[1:]), found[f"{names[0]}/dead"]) / len(names)
        return found

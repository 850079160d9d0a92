"""The decrease that the first-order rule promises, against the real one."""

from __future__ import annotations

from harness.probes.base import Measure, Memory, Scene, Values


class Descent(Measure):
    """L(θ − ηg) − L(θ) on the update's batch, against its first-order value −η‖g‖².

    ``descent/real``, ``descent/predicted`` and ``descent/error`` = |real/predicted − 1|, which goes to 0 with η (Taylor).
    η is the learning rate and g the gradient of the batch's loss, whatever the optimizer then does.
    """

    prefix = "descent"

    def measure(self, scene: Scene, memory: Memory) -> Values:
        batch = scene.x_KB, scene.y_KBD
        g_KP = scene.gradients(scene.w_KP, *batch)
        predicted_K = -scene.lr_K * g_KP.square().sum(1)
        after_KP = scene.w_KP - scene.lr_K[:, None] * g_KP
        real_K = scene.losses(after_KP, *batch) - scene.losses(scene.w_KP, *batch)
        return {"real": real_K, "predicted": predicted_K, "error": (real_K / predicted_K - 1).abs()}

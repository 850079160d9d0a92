"""The decrease that the loss's expansion promises, to first and second order, against the real one."""

from __future__ import annotations

from harness.probes.base import Memory, Probe, Scene, Values


class Descent(Probe):
    """L(θ − ηg) − L(θ) on the update's batch, against −η‖g‖², and against −η‖g‖² + ½η² gᵀHg.

    ``descent/real``, ``descent/predicted`` and ``descent/error`` = |real/predicted − 1|, which goes to 0 as η (Taylor);
    ``descent/predicted2`` and ``descent/error2`` to second order, which goes to 0 as η². η is the learning rate and g the
    gradient of the batch's loss, whatever the optimizer then does.
    """

    prefix = "descent"
    second: bool = True
    """Also to second order, for which one product with the Hessian is made."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        batch = scene.x_KB, scene.y_KBD
        g_KP = scene.own_gradient()
        predicted_K = -scene.lr_K * g_KP.square().sum(1)
        after_KP = scene.w_KP - scene.lr_K[:, None] * g_KP
        real_K = scene.losses(after_KP, *batch) - scene.own_loss()
        found = {
            "real": real_K,
            "predicted": predicted_K,
            "error": (real_K / predicted_K - 1).abs(),
        }
        if self.second:
            curved_K = (g_KP * scene.products(scene.w_KP, *batch)(g_KP)).sum(1)
            second_K = predicted_K + scene.lr_K.square() * curved_K / 2
            found |= {"predicted2": second_K, "error2": (real_K / second_K - 1).abs()}
        return found

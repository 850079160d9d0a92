"""The decrease of the loss that its Taylor expansion promises, against the real one."""

from __future__ import annotations

from typing import final

from harness.probes.base import Memory, Probe, Scene, Values


@final
class Descent(Probe):
    """L(θ − ηg) − L(θ) on the update's batch, against −η‖g‖² and −η‖g‖² + ½η² gᵀHg.

    η is the learning rate and g the gradient of the batch's loss, whatever the optimizer then does
    with it. In the units of the loss ``descent/real``, ``descent/predicted`` (first order) and
    ``descent/predicted2`` (second); ``descent/error`` = |real/predicted − 1| goes to 0 as η, and
    ``descent/error2`` as η² (Taylor). Well below 1 the loss is as straight as the step assumes; at
    1 the step gains nothing, and above it climbs: the learning rate is too large for plain descent.
    """

    prefix = "descent"
    second: bool = True
    """Also to second order, for which one product with the Hessian is made."""

    def measure(self, scene: Scene, memory: Memory) -> Values:
        """Return the real and the predicted decrease of the loss, and the errors, (K,) each.

        It costs one loss, with ``second`` one product with the Hessian, and where training is noisy
        one gradient and one loss more. Nothing is kept in memory.
        """
        batch = scene.x_KB, scene.y_KBD
        g_KP = scene.own_gradient()
        # first order: −η‖g‖²
        predicted_K = -scene.lr_K * g_KP.square().sum(1)
        after_KP = scene.w_KP - scene.lr_K[:, None] * g_KP
        real_K = scene.losses(after_KP, *batch) - scene.own_loss()
        values = {
            "real": real_K,
            "predicted": predicted_K,
            "error": (real_K / predicted_K - 1).abs(),
        }
        if self.second:
            curved_K = (g_KP * scene.products(scene.w_KP, *batch)(g_KP)).sum(1)  # gᵀHg
            # second order: −η‖g‖² + ½η² gᵀHg
            second_K = predicted_K + scene.lr_K.square() * curved_K / 2
            values |= {"predicted2": second_K, "error2": (real_K / second_K - 1).abs()}
        return values

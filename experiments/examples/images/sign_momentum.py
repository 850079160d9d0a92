"""An optimizer of one's own: a class with the interface of torch.optim."""

import torch


class SignMomentum(torch.optim.Optimizer):
    """Follow the sign of an averaged gradient: m ← βm + (1−β)g, θ ← θ − η sign(m)."""

    def __init__(self, params, lr, beta=0.9):
        super().__init__(params, {"lr": lr, "beta": beta})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("mean", torch.zeros_like(p))
                m.lerp_(p.grad, 1 - group["beta"])
                p.add_(m.sign(), alpha=-group["lr"])
        return loss

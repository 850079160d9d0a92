"""Which of a network's buffers are running statistics of batch normalization."""

from __future__ import annotations

from torch.nn.modules.batchnorm import _BatchNorm

from harness.models.base import Network
from harness.models.external import ModuleNetwork


def statistics_of(network: Network) -> tuple[str, ...]:
    """Return the names of the running statistics that can be gathered anew: of the harness's own
    normalization, and of torch's."""
    if not isinstance(network, ModuleNetwork):
        return tuple(network.buffers())
    layers = [n for n, m in network.module.named_modules() if isinstance(m, _BatchNorm)]
    names = [f"{n}.{kind}".lstrip(".") for n in layers for kind in ("running_mean", "running_var")]
    # layers without running statistics have no such buffers
    return tuple(name for name in names if name in network.buffers())

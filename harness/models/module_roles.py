"""What the parameters of a torch module are in it: guessed from its layers, or said by the module.

A module says it itself by an attribute ``parameter_roles``, such as ``{"position": "embedding"}``,
and ``fused_parameters``, such as ``{"qkv.weight": 3}``; what it leaves out is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, get_args

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from harness.core.errors import HarnessError
from harness.core.parameter_layout import Role

NORMALIZATIONS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
MATRIX_LAYERS = (nn.Linear, nn.Bilinear, nn.modules.conv._ConvNd, nn.MultiheadAttention, nn.RNNBase)
"""torch's layers whose parameters of two or more axes are matrices between units."""
GATES = {"LSTM": 4, "GRU": 3}
"""Gates whose matrices torch keeps in one parameter, below each other."""


class Described(NamedTuple):
    """What a parameter is."""

    role: Role
    fused: int = 1
    """Matrices along its first axis."""


def roles_of(module: nn.Module) -> dict[str, Described]:
    """Return what each parameter of a module is, by name and in the module's order.

    Normalizations, biases and embeddings are known by their layer and name. Of the matrices of
    torch's layers the first takes the inputs (unless an embedding does) and the last gives the
    outputs, in the order in which the module lists them. A matrix that is no layer's is taken for
    an embedding, such as of positions, and a vector that is no bias for a scale.

    Args:
        module: one that may say otherwise, in ``parameter_roles`` and ``fused_parameters``.

    Raises:
        HarnessError: it names parameters that it does not have, or roles that there are not.

    >>> from torch import nn
    >>> deep = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 8), nn.Linear(8, 2))
    >>> [what.role for what in roles_of(deep).values()]
    ['input', 'bias', 'norm', 'norm', 'hidden', 'bias', 'output', 'bias']
    """
    known = dict(_guessed(module))
    matrices = [name for name, what in known.items() if what.role == "hidden"]
    looked_up = any(isinstance(layer, nn.Embedding) for layer in module.modules())
    if matrices and not looked_up:
        known[matrices[0]] = known[matrices[0]]._replace(role="input")
    if matrices:
        known[matrices[-1]] = known[matrices[-1]]._replace(role="output")
    return _as_said(module, known)


def _guessed(module: nn.Module) -> Iterator[tuple[str, Described]]:
    """Yield each parameter's name and what it is; matrices of all layers as hidden ones."""
    for name, parameter in module.named_parameters():
        path, _, own = name.rpartition(".")
        layer = module.get_submodule(path)
        if isinstance(layer, NORMALIZATIONS) or "norm" in type(layer).__name__.lower():
            yield name, Described("norm")
        elif parameter.ndim < 2:
            yield name, Described("bias" if "bias" in own else "norm")
        elif isinstance(layer, MATRIX_LAYERS):
            yield name, Described("hidden", _parts(layer, own))
        else:
            yield name, Described("embedding")


def _parts(layer: nn.Module, name: str) -> int:
    """Return how many matrices torch keeps in a layer's parameter."""
    if isinstance(layer, nn.MultiheadAttention):
        return 3 if name == "in_proj_weight" else 1
    return GATES.get(type(layer).__name__, 1) if name.startswith("weight_") else 1


def _as_said(module: nn.Module, known: dict[str, Described]) -> dict[str, Described]:
    """Return the descriptions with what the module says itself in the place of guesses.

    Raises:
        HarnessError: it says something of a parameter that it does not have, or no role.
    """
    roles = dict(getattr(module, "parameter_roles", {}))
    fused = dict(getattr(module, "fused_parameters", {}))
    if unknown := (roles.keys() | fused.keys()) - known.keys():
        raise HarnessError(
            f"model {type(module).__name__}: expected roles of its parameters"
            f" ({', '.join(known)}), got some of {', '.join(sorted(unknown))}"
        )
    if wrong := set(roles.values()) - set(get_args(Role)):
        raise HarnessError(
            f"model {type(module).__name__}: expected roles among {', '.join(get_args(Role))},"
            f" got {', '.join(sorted(map(str, wrong)))}"
        )
    return {
        name: Described(roles.get(name, what.role), fused.get(name, what.fused))
        for name, what in known.items()
    }

"""A trained network as a module of torch's, from its recipe and the weights that a run kept."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from harness.data.base import load_data
from harness.engine.build_network import build_network
from harness.models.base import Context, Network
from harness.models.external import ModuleNetwork
from harness.spec.resolved import ResolvedRecipe


class TrainedNetwork(nn.Module):
    """One of the harness's own networks with one run's weights, in evaluation.

    Args:
        network: the function of weights and inputs.
        weights: parameters and running statistics by its names.
    """

    def __init__(self, network: Network, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.network, self.names = network, list(network.weights())
        # torch refuses names with dots, which lead through modules
        self.weights = nn.ParameterList(nn.Parameter(weights[name]) for name in self.names)
        self.buffers_by_name = {n: w for n, w in weights.items() if n not in self.names}

    def forward(self, x_B: Tensor) -> Tensor:
        """Return outputs (B, D) of inputs (B, *shape)."""
        params = {name: w[None] for name, w in zip(self.names, self.weights, strict=True)}
        buffers = {name: buffer[None] for name, buffer in self.buffers_by_name.items()}
        out_1BD: Tensor = self.network(params, x_B[None], Context(buffers=buffers))
        return out_1BD[0]


def trained_model(recipe: Mapping[str, object], weights: Mapping[str, np.ndarray]) -> nn.Module:
    """Return the network of a frozen recipe with a run's weights, in evaluation.

    Args:
        recipe: in plain form.
        weights: by the network's own names.

    Raises:
        HarnessError: the model can't be built for its data.
    """
    resolved = ResolvedRecipe.model_validate(recipe)
    network = build_network(resolved, load_data(resolved.data))
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    if not isinstance(network, ModuleNetwork):
        return TrainedNetwork(network, tensors).eval()
    module = copy.deepcopy(network.module).to(getattr(torch, resolved.dtype))
    # not strict: of parameters that are in several places the first one's name alone is there
    module.load_state_dict(tensors, strict=False)
    return module.eval()

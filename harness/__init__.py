"""Fair, fast and trustworthy comparisons of optimizers, batch sizes and regularizers.

Every public name is imported when it is first used, so that ``import harness`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.models.init import Default, He, Normal, UniformInit, Xavier
    from harness.models.mlp import MLP, DeepLinear
    from harness.optimizers.adam import Adam, AdamW
    from harness.optimizers.sgd import SGD
    from harness.spec.recipe import Recipe
    from harness.spec.space import Choice, IntUniform, LogUniform, Uniform
    from harness.spec.study import Claim, Search, Study
    from harness.api import train

__version__ = "0.1.0"

_PLACES = {
    "Recipe": "harness.spec.recipe",
    "Study": "harness.spec.study",
    "Search": "harness.spec.study",
    "Claim": "harness.spec.study",
    "Uniform": "harness.spec.space",
    "LogUniform": "harness.spec.space",
    "IntUniform": "harness.spec.space",
    "Choice": "harness.spec.space",
    "load_study": "harness.spec.files",
    "train": "harness.api",
    "Rule": "harness.optimizers.base",
    "Hook": "harness.regularizers.base",
    "Architecture": "harness.models.base",
    "Source": "harness.data.base",
    "Criterion": "harness.losses",
    "ExternalOptimizer": "harness.optimizers.external",
    "ExternalModel": "harness.models.external",
    "ExternalData": "harness.data.external",
    "ExternalLoss": "harness.losses",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    from harness.spec.registry import REGISTRY

    for components in REGISTRY.values():
        if name in components:
            return getattr(import_module(components[name]), name)
    if name in ("stats", "results", "spec"):
        return import_module(f"harness.{name}")
    raise AttributeError(f"module 'harness' has no attribute {name!r}")

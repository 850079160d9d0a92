"""Fair, fast and trustworthy comparisons of optimizers, batch sizes and regularizers.

Every public name is imported when it is first used, so that ``import harness`` costs nothing.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

# a member's bits must not depend on where in memory its matrices lie; MKL reads this before its first product
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

if TYPE_CHECKING:
    from harness.api import train as train
    from harness.data.base import Source as Source
    from harness.data.external import ExternalData as ExternalData
    from harness.data.functions import Beale as Beale
    from harness.data.functions import Branin as Branin
    from harness.data.functions import QuadraticDeep as QuadraticDeep
    from harness.data.functions import Rosenbrock as Rosenbrock
    from harness.data.images import FashionMNIST as FashionMNIST
    from harness.data.images import Torchvision as Torchvision
    from harness.data.mnist1d import MNIST1D as MNIST1D
    from harness.data.synthetic import Spirals as Spirals
    from harness.data.synthetic import TeacherStudent as TeacherStudent
    from harness.data.tabular import BreastCancer as BreastCancer
    from harness.data.tabular import Diabetes as Diabetes
    from harness.data.tabular import Digits as Digits
    from harness.data.tabular import Iris as Iris
    from harness.data.tabular import Wine as Wine
    from harness.losses import BCE as BCE
    from harness.losses import MAE as MAE
    from harness.losses import MSE as MSE
    from harness.losses import Criterion as Criterion
    from harness.losses import CrossEntropy as CrossEntropy
    from harness.losses import ExternalLoss as ExternalLoss
    from harness.losses import Huber as Huber
    from harness.losses import Objective as Objective
    from harness.models.base import Architecture as Architecture
    from harness.models.cnn import CNN1D as CNN1D
    from harness.models.cnn import CNN2D as CNN2D
    from harness.models.external import ExternalModel as ExternalModel
    from harness.models.init import Default as Default
    from harness.models.init import He as He
    from harness.models.init import Normal as Normal
    from harness.models.init import UniformInit as UniformInit
    from harness.models.init import Xavier as Xavier
    from harness.models.linear import Linear as Linear
    from harness.models.mlp import MLP as MLP
    from harness.models.mlp import DeepLinear as DeepLinear
    from harness.models.parameters import Parameters as Parameters
    from harness.models.transformer import Transformer as Transformer
    from harness.optimizers.adadelta import Adadelta as Adadelta
    from harness.optimizers.adagrad import Adagrad as Adagrad
    from harness.optimizers.adam import Adam as Adam
    from harness.optimizers.adam import AdamW as AdamW
    from harness.optimizers.adamax import Adamax as Adamax
    from harness.optimizers.base import Rule as Rule
    from harness.optimizers.external import ExternalOptimizer as ExternalOptimizer
    from harness.optimizers.lion import Lion as Lion
    from harness.optimizers.muon import Muon as Muon
    from harness.optimizers.nadam import NAdam as NAdam
    from harness.optimizers.radam import RAdam as RAdam
    from harness.optimizers.rmsprop import RMSprop as RMSprop
    from harness.optimizers.sgd import SGD as SGD
    from harness.optimizers.signsgd import SignSGD as SignSGD
    from harness.probes.activation import Activations as Activations
    from harness.probes.alignment import Alignment as Alignment
    from harness.probes.base import Measure as Measure
    from harness.probes.calibration import Calibration as Calibration
    from harness.probes.confusion import Confusion as Confusion
    from harness.probes.curvature import Curvature as Curvature
    from harness.probes.descent import Descent as Descent
    from harness.probes.distance import Distance as Distance
    from harness.probes.generalization import GeneralizationGap as GeneralizationGap
    from harness.probes.gradcheck import GradientCheck as GradientCheck
    from harness.probes.gradient import GradientNorm as GradientNorm
    from harness.probes.noise import NoiseScale as NoiseScale
    from harness.probes.slices import LossSlice as LossSlice
    from harness.probes.spread import GradientSpread as GradientSpread
    from harness.probes.throughput import Throughput as Throughput
    from harness.probes.update import UpdateRatio as UpdateRatio
    from harness.protocol import Options as Options
    from harness.protocol import run_study as run_study
    from harness.regularizers.base import Hook as Hook
    from harness.regularizers.clip import ClipNorm as ClipNorm
    from harness.regularizers.clip import ClipValue as ClipValue
    from harness.regularizers.decay import WeightDecay as WeightDecay
    from harness.regularizers.dropout import Dropout as Dropout
    from harness.regularizers.labels import LabelSmoothing as LabelSmoothing
    from harness.regularizers.maxnorm import MaxNorm as MaxNorm
    from harness.regularizers.mixup import Mixup as Mixup
    from harness.regularizers.noise import InputNoise as InputNoise
    from harness.regularizers.penalty import L1 as L1
    from harness.regularizers.penalty import L2 as L2
    from harness.regularizers.stopping import EarlyStopping as EarlyStopping
    from harness.schedules import Constant as Constant
    from harness.schedules import Cosine as Cosine
    from harness.schedules import OneCycle as OneCycle
    from harness.schedules import StepDecay as StepDecay
    from harness.schedules import WarmUp as WarmUp
    from harness.spec.claim import Claim as Claim
    from harness.spec.files import load_study as load_study
    from harness.spec.recipe import Recipe as Recipe
    from harness.spec.seeds import Seeds as Seeds
    from harness.spec.space import Choice as Choice
    from harness.spec.space import IntUniform as IntUniform
    from harness.spec.space import LogUniform as LogUniform
    from harness.spec.space import Uniform as Uniform
    from harness.spec.study import Search as Search
    from harness.spec.study import Study as Study

__version__ = "0.1.0"

_PLACES = {
    "Recipe": "harness.spec.recipe",
    "Study": "harness.spec.study",
    "Search": "harness.spec.study",
    "Claim": "harness.spec.claim",
    "Seeds": "harness.spec.seeds",
    "Uniform": "harness.spec.space",
    "LogUniform": "harness.spec.space",
    "IntUniform": "harness.spec.space",
    "Choice": "harness.spec.space",
    "load_study": "harness.spec.files",
    "train": "harness.api",
    "run_study": "harness.protocol",
    "Options": "harness.protocol",
    "Rule": "harness.optimizers.base",
    "Measure": "harness.probes.base",
    "Hook": "harness.regularizers.base",
    "Architecture": "harness.models.base",
    "Source": "harness.data.base",
    "Criterion": "harness.losses",
    "ExternalOptimizer": "harness.optimizers.external",
    "ExternalModel": "harness.models.external",
    "ExternalData": "harness.data.external",
    "ExternalLoss": "harness.losses",
}


def _say_mistakes(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    said = import_module("harness.cli.mistakes").explained(error, trace)
    if said is None:
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"error: {said}", file=sys.stderr)


if sys.excepthook is sys.__excepthook__:
    sys.excepthook = _say_mistakes


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    if name in ("results", "stats"):
        return import_module(f"harness.{name}")
    from harness.spec.registry import REGISTRY

    for components in REGISTRY.values():
        if name in components:
            return getattr(import_module(components[name]), name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")

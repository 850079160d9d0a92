"""The names that specs know: one line for each optimizer, model, data set, loss, regularizer and schedule."""

from __future__ import annotations

from importlib import import_module
from typing import Any

REGISTRY: dict[str, dict[str, str]] = {
    "optimizer": {
        "SGD": "harness.optimizers.sgd",
        "Adagrad": "harness.optimizers.adagrad",
        "Adadelta": "harness.optimizers.adadelta",
        "RMSprop": "harness.optimizers.rmsprop",
        "Adam": "harness.optimizers.adam",
        "AdamW": "harness.optimizers.adam",
        "NAdam": "harness.optimizers.nadam",
        "RAdam": "harness.optimizers.radam",
        "Adamax": "harness.optimizers.adamax",
        "Lion": "harness.optimizers.lion",
        "SignSGD": "harness.optimizers.signsgd",
        "Muon": "harness.optimizers.muon",
    },
    "model": {
        "Linear": "harness.models.linear",
        "MLP": "harness.models.mlp",
        "DeepLinear": "harness.models.mlp",
        "CNN1D": "harness.models.cnn",
        "CNN2D": "harness.models.cnn",
        "Transformer": "harness.models.transformer",
        "Parameters": "harness.models.parameters",
    },
    "data": {
        "Digits": "harness.data.tabular",
        "BreastCancer": "harness.data.tabular",
        "Wine": "harness.data.tabular",
        "Iris": "harness.data.tabular",
        "Diabetes": "harness.data.tabular",
        "MNIST1D": "harness.data.mnist1d",
        "Spirals": "harness.data.synthetic",
        "TeacherStudent": "harness.data.synthetic",
        "QuadraticDeep": "harness.data.functions",
        "Rosenbrock": "harness.data.functions",
        "Beale": "harness.data.functions",
        "Branin": "harness.data.functions",
        "FashionMNIST": "harness.data.images",
        "Torchvision": "harness.data.images",
    },
    "loss": {
        "CrossEntropy": "harness.losses",
        "MSE": "harness.losses",
        "MAE": "harness.losses",
        "Huber": "harness.losses",
        "BCE": "harness.losses",
        "Objective": "harness.losses",
    },
    "regularizer": {
        "L2": "harness.regularizers.penalty",
        "L1": "harness.regularizers.penalty",
        "WeightDecay": "harness.regularizers.decay",
        "Dropout": "harness.regularizers.dropout",
        "LabelSmoothing": "harness.regularizers.labels",
        "Mixup": "harness.regularizers.mixup",
        "InputNoise": "harness.regularizers.noise",
        "ClipNorm": "harness.regularizers.clip",
        "ClipValue": "harness.regularizers.clip",
        "MaxNorm": "harness.regularizers.maxnorm",
        "EarlyStopping": "harness.regularizers.stopping",
    },
    "schedule": {
        "Constant": "harness.schedules",
        "StepDecay": "harness.schedules",
        "Cosine": "harness.schedules",
        "OneCycle": "harness.schedules",
        "WarmUp": "harness.schedules",
    },
    "probe": {
        "GradientNorm": "harness.probes.gradient",
        "UpdateRatio": "harness.probes.update",
        "Activations": "harness.probes.activation",
        "Alignment": "harness.probes.alignment",
        "Descent": "harness.probes.descent",
        "NoiseScale": "harness.probes.noise",
        "Distance": "harness.probes.distance",
        "GradientSpread": "harness.probes.spread",
        "Calibration": "harness.probes.calibration",
        "Curvature": "harness.probes.curvature",
        "Confusion": "harness.probes.confusion",
        "GeneralizationGap": "harness.probes.generalization",
        "LossSlice": "harness.probes.slices",
        "Throughput": "harness.probes.throughput",
        "GradientCheck": "harness.probes.gradcheck",
    },
    "init": {
        "Default": "harness.models.init",
        "Xavier": "harness.models.init",
        "He": "harness.models.init",
        "Normal": "harness.models.init",
        "UniformInit": "harness.models.init",
    },
}


def canonical(kind: str, name: str) -> str | None:
    """Return the registered spelling of ``name``: case, ``_`` and ``-`` do not matter.

    >>> canonical("data", "mnist1d"), canonical("loss", "cross_entropy"), canonical("model", "resnet")
    ('MNIST1D', 'CrossEntropy', None)
    """
    return {_plain(known): known for known in REGISTRY[kind]}.get(_plain(name))


def lookup(kind: str, name: str) -> Any:
    """Import the class registered for ``kind`` under exactly ``name``."""
    return getattr(import_module(REGISTRY[kind][name]), name)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")

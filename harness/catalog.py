"""The catalogue: every part and every public name, and the module that has it. A new part is one
line here.

It is the one place where modules are named in strings, since a part's module is imported only when
the part is used: ``import harness`` and ``--help`` need no torch. ``import harness`` hands it to
:mod:`harness.core.registry`, where specs look names up, so that nothing needs to import what lies
above it. Import nothing here but the registry.

A part's name is how specs, files and stored studies call it: names may be added, and
changing one breaks those. After a change run ``make names``.
"""

from __future__ import annotations

from harness.core.registry import KindEntry

KINDS: dict[str, KindEntry] = {
    "optimizer": KindEntry(
        base="harness.optimizers.base:Optimizer",
        external="harness.optimizers.external:ExternalOptimizer",
        parts={
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
            "Adafactor": "harness.optimizers.adafactor",
            "SOAP": "harness.optimizers.soap",
            "ScheduleFreeSGD": "harness.optimizers.schedule_free",
            "ScheduleFreeAdamW": "harness.optimizers.schedule_free",
        },
    ),
    "model": KindEntry(
        base="harness.models.base:Model",
        external="harness.models.external:ExternalModel",
        parts={
            "Linear": "harness.models.linear",
            "MLP": "harness.models.mlp",
            "DeepLinear": "harness.models.mlp",
            "CNN1D": "harness.models.cnn",
            "CNN2D": "harness.models.cnn",
            "Transformer": "harness.models.transformer",
            "GPT": "harness.models.gpt",
            "Parameters": "harness.models.parameters",
        },
    ),
    "data": KindEntry(
        base="harness.data.base:Data",
        external="harness.data.external:ExternalData",
        parts={
            "Digits": "harness.data.tabular",
            "BreastCancer": "harness.data.tabular",
            "Wine": "harness.data.tabular",
            "Iris": "harness.data.tabular",
            "Diabetes": "harness.data.tabular",
            "MNIST1D": "harness.data.mnist1d",
            "Spirals": "harness.data.synthetic",
            "TeacherStudent": "harness.data.synthetic",
            "Text": "harness.data.text",
            "Markov": "harness.data.markov",
            "Induction": "harness.data.induction",
            "QuadraticDeep": "harness.data.functions",
            "Rosenbrock": "harness.data.functions",
            "Beale": "harness.data.functions",
            "Branin": "harness.data.functions",
            "FashionMNIST": "harness.data.images",
            "Torchvision": "harness.data.images",
            "Arrays": "harness.data.npz",
            "Table": "harness.data.table",
            "ImageFolder": "harness.data.image_folder",
        },
    ),
    "loss": KindEntry(
        base="harness.losses.base:Loss",
        external="harness.losses.external:ExternalLoss",
        parts={
            "CrossEntropy": "harness.losses.cross_entropy",
            "MSE": "harness.losses.squared_error",
            "MAE": "harness.losses.absolute_error",
            "Huber": "harness.losses.huber",
            "BCE": "harness.losses.binary_cross_entropy",
            "Objective": "harness.losses.functions",
        },
    ),
    "regularizer": KindEntry(
        base="harness.regularizers.base:Regularizer",
        external="",
        parts={
            "L2": "harness.regularizers.penalty",
            "L1": "harness.regularizers.penalty",
            "WeightDecay": "harness.regularizers.decay",
            "Dropout": "harness.regularizers.dropout",
            "LabelSmoothing": "harness.regularizers.labels",
            "Mixup": "harness.regularizers.mixup",
            "InputNoise": "harness.regularizers.noise",
            "RandomCrop": "harness.regularizers.augmentation",
            "HorizontalFlip": "harness.regularizers.augmentation",
            "Cutout": "harness.regularizers.augmentation",
            "ClipNorm": "harness.regularizers.clip",
            "ClipValue": "harness.regularizers.clip",
            "MaxNorm": "harness.regularizers.maxnorm",
            "EarlyStopping": "harness.regularizers.stopping",
        },
    ),
    "schedule": KindEntry(
        base="harness.schedules.base:Schedule",
        external="harness.schedules.external:ExternalSchedule",
        parts={
            "Constant": "harness.schedules.constant",
            "StepDecay": "harness.schedules.step_decay",
            "Cosine": "harness.schedules.cosine",
            "OneCycle": "harness.schedules.one_cycle",
            "WarmUp": "harness.schedules.warm_up",
            "LinearDecay": "harness.schedules.linear_decay",
            "Polynomial": "harness.schedules.polynomial",
            "InverseSqrt": "harness.schedules.inverse_sqrt",
            "CosineRestarts": "harness.schedules.cosine_restarts",
            "WSD": "harness.schedules.warm_up_stable_decay",
            "Sequence": "harness.schedules.sequence",
        },
    ),
    "average": KindEntry(
        base="harness.averages.base:Average",
        external="",
        parts={
            "EMA": "harness.averages.exponential",
            "SWA": "harness.averages.stochastic",
        },
    ),
    "probe": KindEntry(
        base="harness.probes.base:Probe",
        external="",
        parts={
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
            "Trajectory": "harness.probes.trajectory",
            "Surfaces": "harness.probes.surfaces",
            "Throughput": "harness.probes.throughput",
            "GradientCheck": "harness.probes.gradcheck",
            "LossJump": "harness.probes.jump",
        },
    ),
    "metric": KindEntry(
        base="harness.metrics.base:Metric",
        external="harness.metrics.external:ExternalMetric",
        parts={
            "TopK": "harness.metrics.top_k",
            "Logged": "harness.metrics.logged",
            "F1": "harness.metrics.by_class",
            "Precision": "harness.metrics.by_class",
            "Recall": "harness.metrics.by_class",
            "BalancedAccuracy": "harness.metrics.agreement",
            "MCC": "harness.metrics.agreement",
            "AUROC": "harness.metrics.ranked",
            "AveragePrecision": "harness.metrics.ranked",
            "Perplexity": "harness.metrics.likelihood",
            "BitsPerByte": "harness.metrics.likelihood",
            "Brier": "harness.metrics.likelihood",
            "MeanAbsoluteError": "harness.metrics.errors_of_numbers",
            "RMSE": "harness.metrics.errors_of_numbers",
            "R2": "harness.metrics.errors_of_numbers",
        },
    ),
    "trainer": KindEntry(
        base="harness.trainers.base:Trainer",
        external="harness.trainers.function:ExternalTrainer",
        parts={
            "Command": "harness.trainers.command",
            "Elsewhere": "harness.trainers.elsewhere",
        },
    ),
    "init": KindEntry(
        base="harness.models.init:Init",
        external="",
        parts={
            "Default": "harness.models.init",
            "Xavier": "harness.models.init",
            "He": "harness.models.init",
            "Normal": "harness.models.init",
            "UniformInit": "harness.models.init",
        },
    ),
}
"""What specs can name: the base class of each kind, the class for names from elsewhere, and the
parts by name."""

ENTRIES: dict[str, str] = {
    "recipe.own_data": "harness.data.own:OwnData",
    "study.main": "harness.cli:study_main",
    "progress.choose": "harness.cli.progress:choose_display",
    "study.from_frame": "harness.protocol.imported.frame:from_frame",
    "study.from_mlflow": "harness.protocol.imported.mlflow:from_mlflow",
    "study.from_wandb": "harness.protocol.imported.wandb:from_wandb",
    "results.html": "harness.report.notebook:results_html",
    "results.verdicts": "harness.report.notebook:verdicts_of",
    "results.report": "harness.report.page:save_report",
    "results.figures": "harness.report.gallery:Gallery",
    "results.model": "harness.protocol.trained_model:trained_model",
}
"""What specs and results offer that lies in rooms above them, as ``module:name``.

A study's ``main()`` is the command line, and the figures of its results are the report's.
"""

PUBLIC: dict[str, str] = {
    "Recipe": "harness.spec.recipe",
    "Study": "harness.spec.study",
    "Group": "harness.spec.group",
    "Piece": "harness.schedules.sequence",
    "Search": "harness.spec.search",
    "Claim": "harness.spec.claims",
    "Searches": "harness.spec.looks",
    "Seeds": "harness.spec.seeds",
    "Uniform": "harness.spec.space",
    "LogUniform": "harness.spec.space",
    "IntUniform": "harness.spec.space",
    "Choice": "harness.spec.space",
    "load_study": "harness.spec.files",
    "train": "harness.protocol.train",
    "run_study": "harness.protocol.run",
    "compare": "harness.protocol.compare",
    "Options": "harness.protocol.options",
    "DaskExecutor": "harness.execution.dask_cluster",
    "HarnessError": "harness.core.errors",
    "SpecError": "harness.core.errors",
    "ProtocolError": "harness.core.errors",
    "StoreError": "harness.core.errors",
    "NoStudyError": "harness.core.errors",
}
"""Public names that are no parts."""

MODULES = {"results": "harness.analysis.results", "stats": "harness.stats"}
"""Public modules by the name that they are imported by."""

OLD_NAMES = {
    "Rule": "Optimizer",
    "Architecture": "Model",
    "Source": "Data",
    "Criterion": "Loss",
    "Hook": "Regularizer",
    "Measure": "Probe",
}
"""Public names of version 0.1 and what they are called now; the old ones still work, with a
warning."""


def public_places() -> dict[str, str]:
    """Return every public name, base classes included, and where it is, as ``module:name``.

    ``harness.__getattr__`` imports a name from there when it is first used.
    """
    places = {name: f"{module}:{name}" for name, module in PUBLIC.items()}
    for kind in KINDS.values():
        for name, module in kind.parts.items():
            places[name] = f"{module}:{name}"
        # some kinds have no class for names from outside: ""
        for place in filter(None, (kind.base, kind.external)):
            places[place.partition(":")[2]] = place
    return places


def stub() -> str:
    """Return the text of ``harness/__init__.pyi``.

    ``import harness`` imports names when they are used, which editors and type checkers can't see:
    the stub tells them. ``make names`` writes it, and a test holds that it agrees with this file.
    """
    lines = []
    for name, place in public_places().items():
        lines.append(f"from {place.partition(':')[0]} import {name} as {name}")
    for name, module in MODULES.items():
        package, _, inner = module.rpartition(".")
        lines.append(f"from {package} import {inner} as {name}")
    return "\n".join([NOTE, *sorted(lines), "", "__version__: str", ""])


NOTE = "# made of harness/catalog.py by 'make names'; a test holds that they agree"

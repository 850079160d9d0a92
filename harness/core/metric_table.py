"""The table of metrics: what each is called, its unit, and whether more of it is better.

A new metric is one line of :data:`RECORDED`; :mod:`harness.core.metric_names` reads the table.
``<layer>``, ``<part>`` and ``<number>`` stand for the name of a layer, a part of the data and a
whole number.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

ROUNDED = 1e-6
"""How far past a metric's bounds sums in float32 may come."""


class Description(NamedTuple):
    """What is known of a metric."""

    label: str
    """What people call it, such as "test accuracy"."""
    description: str = ""
    """What it is, in one line; empty for a metric that the harness does not know."""
    unit: str = ""
    """Unit; empty for a number without one."""
    larger_is_better: bool | None = False
    """Whether more is better; a metric of which neither is said counts as one to be minimised.
    None for one of a user's own whose direction is not declared."""
    least: float = -math.inf
    """The smallest value there can be; a mean's interval ends there."""
    ratio_of: tuple[str, str] | None = None
    """Numerator and denominator, of a ratio of estimates whose mean is the ratio of their means."""
    most: float = math.inf
    """The largest value there can be; a mean's interval ends there."""
    percent: Literal["", "%", "pp"] = ""
    """How people read it times 100: a share in percent, a difference of shares in percentage
    points; empty for other numbers."""

    def holds(self, value: float) -> bool:
        """Return whether a metric can have a value, but for rounding; NaN it can.

        >>> share("accuracy", "").holds(93.2)
        False
        """
        return not (value < self.least - ROUNDED or value > self.most + ROUNDED)


def bounded_by(known: Description, least: float | None, most: float | None) -> Description:
    """Return a metric with the bounds that are given."""
    return known._replace(
        least=known.least if least is None else least, most=known.most if most is None else most
    )


def share(label: str, description: str) -> Description:
    """Return a metric from 0 to 1 of which more is better."""
    return Description(label, description, larger_is_better=True, least=0.0, most=1.0, percent="%")


RECORDED: dict[str, Description] = {
    "<part>/loss": Description("{part} loss", "mean loss of the {part} samples"),
    "<part>/accuracy": share("{part} accuracy", "share of the {part} samples classified rightly"),
    "<part>/f1": share("{part} F1", "harmonic mean of precision and recall"),
    "<part>/f1_<average>": share("{part} F1, {average}", "harmonic mean of precision and recall"),
    "<part>/precision": share("{part} precision", "share of a class's predictions that are right"),
    "<part>/precision_<average>": share(
        "{part} precision, {average}", "share of a class's predictions that are right"
    ),
    "<part>/recall": share("{part} recall", "share of a class's samples that are found"),
    "<part>/recall_<average>": share(
        "{part} recall, {average}", "share of a class's samples that are found"
    ),
    "<part>/top<number>": share(
        "{part} top-{number} accuracy",
        "share of samples whose class is among the {number} largest outputs",
    ),
    "<part>/auroc": share("{part} AUROC", "area under the receiver operating characteristic"),
    "<part>/average_precision": share(
        "{part} average precision", "area under the curve of precision over recall, by steps"
    ),
    "<part>/balanced_accuracy": share("{part} balanced accuracy", "mean recall of the classes"),
    "<part>/mcc": Description(
        "{part} MCC",
        "correlation of predicted and true classes (Matthews 1975)",
        larger_is_better=True,
        least=-1.0,
        most=1.0,
    ),
    "<part>/perplexity": Description(
        "{part} perplexity", "exponential of the mean negative log-likelihood", least=1.0
    ),
    "<part>/bits_per_byte": Description(
        "{part} bits per byte",
        "mean negative log-likelihood in bits, for each byte",
        "bits/byte",
        least=0.0,
    ),
    "<part>/brier": Description(
        "{part} Brier score", "mean squared error of the probabilities (Brier 1950)", least=0.0
    ),
    "<part>/mae": Description("{part} mean absolute error", "mean absolute error", least=0.0),
    "<part>/rmse": Description("{part} RMSE", "root of the mean squared error", least=0.0),
    "<part>/r2": Description(
        "{part} R²",
        "share of the targets' variance that is explained",
        larger_is_better=True,
        most=1.0,
    ),
    "batch/noise": Description(
        "batch noise", "jump of the loss from one batch to the next (von Neumann 1941)"
    ),
    "best/step": Description("best step", "update at which the run was at its best", "steps"),
    "best/epoch": Description("best epoch", "epoch at which the run was at its best", "epochs"),
    "best/valid/loss": Description(
        "best validation loss", "validation loss at the run's best evaluation"
    ),
    "cost/steps": Description("updates made", "updates that the run made", "steps"),
    "cost/gradients": Description(
        "gradients computed", "gradients of single samples that the run computed", "gradients"
    ),
    "cost/seconds": Description("seconds of training", "the run's share of its worker's time", "s"),
    "gradient/all": Description("gradient norm", "norm of the whole gradient"),
    "gradient/ratio": Description(
        "gradient ratio", "gradient norm of the first layer over that of the last hidden layer"
    ),
    "gradient/hidden_ratio": Description(
        "gradient ratio between hidden layers",
        "gradient norm of the first layer between hidden layers over that of the last",
    ),
    "gradient/<layer>": Description(
        "gradient norm of {layer}", "norm of the gradient of the layer's weights"
    ),
    "update/norm": Description("update norm", "norm of the whole update"),
    "update/weights": Description("weight norm", "norm of all weights"),
    "update/<layer>": Description(
        "update ratio of {layer}",
        "norm of the update of the layer's weights over that of the weights",
    ),
    "activation/dead": Description(
        "dead units",
        "share of units that give the same number for all samples, mean over layers",
        percent="%",
    ),
    "activation/saturated": Description(
        "saturated outputs",
        "share of outputs near a bound of the nonlinearity, mean over layers",
        percent="%",
    ),
    "activation/ratio": Description(
        "activation ratio", "root mean square of the last layer's output over the first's"
    ),
    "activation/<layer>/mean": Description(
        "mean output of {layer}", "mean of the layer's output over a batch"
    ),
    "activation/<layer>/std": Description(
        "spread of the output of {layer}", "standard deviation of the layer's output over a batch"
    ),
    "activation/<layer>/rms": Description(
        "size of the output of {layer}", "root mean square of the layer's output over a batch"
    ),
    "activation/<layer>/dead": Description(
        "dead units of {layer}",
        "share of the layer's units that give the same number for all samples",
        percent="%",
    ),
    "activation/<layer>/saturated": Description(
        "saturated outputs of {layer}",
        "share of the layer's outputs near a bound of the nonlinearity",
        percent="%",
    ),
    "alignment/gradients": Description(
        "alignment of gradients", "cosine of two successive gradients"
    ),
    "alignment/updates": Description("alignment of updates", "cosine of two successive updates"),
    "descent/real": Description(
        "real descent", "change of the batch's loss by a step against its gradient"
    ),
    "descent/predicted": Description("predicted descent", "change of the loss to first order"),
    "descent/error": Description(
        "error of the first order", "relative error of the change predicted to first order"
    ),
    "descent/predicted2": Description(
        "predicted descent, second order", "change of the loss to second order"
    ),
    "descent/error2": Description(
        "error of the second order", "relative error of the change predicted to second order"
    ),
    "noise/scale": Description(
        "gradient noise scale",
        "batch size at which noise and signal of the gradient are equal",
        "samples",
        ratio_of=("noise/variance", "noise/signal"),
    ),
    "noise/signal": Description("gradient signal", "squared norm of the true gradient"),
    "noise/variance": Description(
        "gradient variance", "trace of the covariance of single samples' gradients"
    ),
    "spread/ratio": Description(
        "gradient spread", "deviation of single samples' gradients over the norm of their mean"
    ),
    "spread/conflict": Description(
        "gradient conflict",
        "share of pairs of samples whose gradients point apart",
        percent="%",
    ),
    "distance/all": Description(
        "distance from the start", "norm of the weights' way from their initial values"
    ),
    "distance/<layer>": Description(
        "distance of {layer} from the start", "way of the layer's weights over their initial norm"
    ),
    "calibration/error": Description(
        "calibration error",
        "expected difference of confidence and accuracy (Guo et al. 2017)",
        percent="pp",
    ),
    "calibration/confidence": Description(
        "confidence", "mean probability of the predicted class", percent="%"
    ),
    "confusion/worst": share("accuracy of the worst class", "lowest of all classes' accuracies"),
    "confusion/accuracy<number>": share(
        "accuracy of class {number}", "share of the class's samples classified rightly"
    ),
    "generalization/loss": Description(
        "generalization gap of the loss", "validation less training loss"
    ),
    "generalization/accuracy": Description(
        "generalization gap of the accuracy", "training less validation accuracy", percent="pp"
    ),
    "throughput/samples": Description(
        "throughput", "training samples of the whole cohort in a second", "samples/s", True, 0.0
    ),
    "throughput/updates": Description(
        "updates a second",
        "updates in a second, one for all members of a cohort",
        "updates/s",
        True,
        0.0,
    ),
    "throughput/memory": Description("memory", "most memory taken so far", "MiB"),
    "curvature/top": Description("sharpness", "largest eigenvalue of the loss's Hessian"),
    "curvature/top<number>": Description(
        "eigenvalue {number}", "eigenvalue of the loss's Hessian, counted from the top"
    ),
    "curvature/trace": Description(
        "trace of the Hessian", "sum of the eigenvalues of the loss's Hessian"
    ),
    "curvature/preconditioned": Description(
        "preconditioned sharpness", "largest eigenvalue of the Hessian as the optimizer rescales it"
    ),
    "curvature/stability_threshold": Description(
        "stability threshold",
        "sharpness at which the optimizer stops being stable (Cohen et al. 2021)",
    ),
    "curvature/sharpness": Description(
        "relative sharpness", "largest eigenvalue over the stability threshold"
    ),
    "slice/barrier": Description(
        "loss barrier", "highest rise of the loss above the straight line from the start to the end"
    ),
    "trajectory/first": Description(
        "way along its first direction",
        "share of the squared distances to the last weights along the first principal direction",
        percent="%",
    ),
    "trajectory/second": Description(
        "way along its second direction",
        "share of the squared distances to the last weights along the second principal direction",
        percent="%",
    ),
    "gradcheck/error": Description(
        "error of the gradient",
        "median over weights of the derivative's relative error against central differences",
    ),
    "gradcheck/direction": Description(
        "error along a direction",
        "relative error of the derivative along the gradient plus a random direction",
    ),
    "gradcheck/kinks": Description(
        "kinks met",
        "share of weights with a kink of the loss between the two ends of their difference",
        percent="%",
    ),
    "jump/loss": Description(
        "jump of the loss",
        "deviation of the training loss after one update, over batches drawn at equal weights",
    ),
    "jump/mean": Description(
        "mean descent of an update",
        "mean change of the training loss by one update, over batches drawn at equal weights",
    ),
}
"""The metrics that the harness records, by name.

The first pattern that fits a name counts, so that a fixed name such as ``gradient/all`` must stand
above ``gradient/<layer>``, which fits it too.
"""

PARTS_IN_WORDS = {
    "train": "training",
    "valid": "validation",
    "test": "test",
    "batch": "batch",
    "run": "recorded",
}
"""What the parts of the data are called; "run" is what runs trained elsewhere have recorded without
saying a part."""

PLACEHOLDERS = {
    "part": "|".join(PARTS_IN_WORDS),
    "layer": r"[\w.-]+",
    "number": r"\d+",
    "average": "binary|macro|micro",
}
"""What each placeholder of a name may stand for, as regular expressions."""


class Derivation(NamedTuple):
    """How a metric is derived of recorded ones; ``{}`` stands for what follows its word."""

    label: str
    description: str
    sources: tuple[str, ...] = ("{}",)
    """The recorded metrics that it is made of."""
    keeps_direction: bool = True
    """Whether more of it is better where more of its source is; otherwise less is better."""


DERIVED: dict[str, Derivation] = {
    "initial": Derivation("initial {}", "first value of the curve"),
    "lowest": Derivation("lowest {} over training", "smallest value of the curve"),
    "highest": Derivation("highest {} over training", "largest value of the curve"),
    "mean": Derivation(
        "mean {} over training", "mean over all evaluations; of a ratio, the ratio of the means"
    ),
    "gap": Derivation(
        "generalization gap of the {}",
        "test less training loss, or training less test accuracy",
        ("test/{}", "train/{}"),
        keeps_direction=False,
    ),
    "rank_correlation": Derivation(
        "rank correlation of {} loss and accuracy",
        "Spearman's ρ over training; −1 where accuracy rises whenever the loss falls",
        ("{}/loss", "{}/accuracy"),
        keeps_direction=False,
    ),
}
"""Words in front of a name that derive a metric from recorded ones."""

"""Whether a study's arms are rivals: numbers on other data, or of other losses, have no order."""

from __future__ import annotations

from collections.abc import Sequence

from harness.spec.arms import Arm


def why_no_rivals(arms: Sequence[Arm], metric: str) -> str:
    """Return why a study's arms can't be ranked; empty where they can.

    Arms on several data sets answer several questions, and one is not better for having the easier
    one. Options that leave the test part and its targets as they are (how many samples are trained
    on, noise on training labels, the scaling of features) are settings like others. Losses of
    different kinds have different units; accuracies of the same runs can be compared.

    Args:
        arms: the study's arms.
        metric: what they would be ranked by.
    """
    if len({arm.recipe.data.name for arm in arms}) > 1:
        return "they are on different data, of which none is better"
    losses = {arm.recipe.loss.name if arm.recipe.loss else "" for arm in arms}
    if metric.endswith("loss") and len(losses) > 1:
        return "they have different losses, whose values can't be compared"
    return ""

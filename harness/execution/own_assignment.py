"""What the process of a user's own run is asked to do, and where its checkpoint is."""

from __future__ import annotations

from pathlib import Path

from harness.core.metric_names import may_be_undefined
from harness.core.paths import cache_folder
from harness.spec.arms import Run
from harness.spec.keys import run_key
from harness.spec.resolved import ResolvedRecipe
from harness.spec.source_code import code_of
from harness.trainers.training_run import Assignment


def folder_of(run: Run, confirming: bool) -> Path:
    """Return where a run's checkpoint is: the same whenever the same run is started."""
    key = run_key(run, "", code_of(run.targets()))
    return cache_folder() / "runs" / f"{key[:32]}{'-confirm' if confirming else ''}"


def assignment_of(run: Run, confirming: bool, folder: Path, spent: float = 0.0) -> Assignment:
    """Return what a run's process is to do."""
    recipe = run.recipe
    unit, length = recipe.length
    split = recipe.data.dump().get("split", 0)
    assert isinstance(split, int)
    return Assignment(
        config=config_of(recipe),
        seed=run.seed,
        split=split,
        device=_device(recipe.device),
        unit=unit,
        length=recipe.seconds or length,
        confirming=confirming,
        folder=str(folder),
        spent=spent,
        undefined=may_be_undefined(recipe.declared),
    )


def config_of(recipe: ResolvedRecipe) -> dict[str, object]:
    """Return what a trainer reads: the recipe's config by name, and its other fields by path."""
    settings = recipe.settings()
    rest = {
        path: v
        for path, v in settings.items()
        if path.partition(".")[0] not in ("config", "trainer")
    }
    return rest | recipe.config


def _device(name: str) -> str:
    """Return the device; "auto" is the GPU where there is one."""
    if name != "auto":
        return name
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"

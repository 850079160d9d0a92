"""``train``: one recipe, without a study and without a record, for a quick look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.cli.changes import parse_changes
from harness.core.errors import SpecError
from harness.protocol.train import train
from harness.spec.arms import build_arms, known_arm
from harness.spec.recipe import Recipe
from harness.spec.study import Study


def train_recipe(
    study: Study,
    arm: str | None,
    seeds: int,
    changes: Sequence[str],
    csv: Path | None,
    test: bool = False,
) -> None:
    """Train a recipe of the study without recording it, and print a row a seed.

    Args:
        study: the study.
        arm: name of the arm whose recipe it is; the study's own by default.
        seeds: how many seeds, from 0 on.
        changes: ``FIELD=VALUE`` texts; a field is one of the recipe.
        csv: file that the curves are written to.
        test: whether the runs are evaluated on the test data; it is said if they are.

    Raises:
        SpecError: there is no such arm, or the recipe holds spaces.
    """
    recipe = _recipe_of(study, arm)
    # fields of the recipe, with or without the "recipe." that ``harness run --set`` wants
    values = {path.removeprefix("recipe."): value for path, value in parse_changes(changes).items()}
    recipe = recipe.with_values(values)
    if spaces := recipe.spaces():
        first = next(iter(spaces))
        raise SpecError(
            f"the recipe has spaces ({', '.join(spaces)}); give values, such as --set {first}=0.1"
        )
    trained = train(recipe, seeds, test=test)
    if csv is not None:
        trained.curves.to_csv(csv, index=False)
    # texts of failures, and the loss of batches, which would make rows too wide to read
    left_out = [column for column in ("detail", "batch/loss") if column in trained.runs]
    print(trained.runs.drop(columns=left_out).to_string(index=False))


def _recipe_of(study: Study, arm: str | None) -> Recipe:
    if arm is None:
        return study.recipe
    recipes = {each.name: each.recipe for each in build_arms(study)}
    return recipes[known_arm(arm, recipes, "--arm: ")]

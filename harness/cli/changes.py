"""The flags that change a study, put into effect."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.cli.flags import Flags
from harness.core.errors import SpecError
from harness.spec.files import override
from harness.spec.study import Study


def change_study(study: Study, flags: Flags) -> Study:
    """Return the study as the flags want it.

    ``--set`` comes last: it wins over the quick form and over the flags for single fields.

    Args:
        study: the study as it is written.
        flags: the command's; those that say how a study is executed are not looked at.

    Raises:
        SpecError: a flag does not fit the study, or the changed study is none.
    """
    changes: dict[str, object] = {}
    if flags.quick:
        # another name, so that its runs and report never take the place of the full study's
        changes |= study.quick | {"name": f"{study.name}-quick", "first_look": True}
    if flags.trials is not None:
        if study.search is None:
            raise SpecError(f"--trials: study {study.name!r} has no search")
        changes["search.trials"] = flags.trials
    if flags.searches is not None:
        if study.search is None:
            raise SpecError(f"--searches: study {study.name!r} has no search")
        changes["search.searches"] = flags.searches
    if flags.seeds is not None:
        changes["seeds"] = flags.seeds
    if flags.device is not None:
        changes["recipe.device"] = flags.device
    changes |= parse_changes(flags.changes or ())
    changed = override(study, changes) if changes else study
    if changed.hero:
        from harness.report.figures.registry import check_hero  # draws with Plotly, which is slow

        check_hero(changed.hero)
    return changed


def parse_changes(texts: Sequence[str]) -> dict[str, object]:
    """Return the values of ``FIELD=VALUE`` texts by field; a value is JSON, or else text.

    Args:
        texts: of the command line; of two with the same field the later one counts.

    >>> parse_changes(["recipe.epochs=20", "recipe.data=iris"])
    {'recipe.epochs': 20, 'recipe.data': 'iris'}

    Raises:
        SpecError: a text is not of that form.
    """
    changes: dict[str, object] = {}
    for change in texts:
        field, equals, text = change.partition("=")
        if not equals or not field:
            raise SpecError(f"--set: expected FIELD=VALUE such as recipe.epochs=20, got {change!r}")
        try:  # numbers, true, null, lists and whole parts; a name such as iris is no JSON
            changes[field] = json.loads(text)
        except (ValueError, RecursionError):
            changes[field] = text
    return changes

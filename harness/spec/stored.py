"""Studies as stores have them: they can be read where the user's own code is not."""

from __future__ import annotations

from harness.spec.objects import reading_stored
from harness.spec.study import Study


def read_stored(tree: object) -> Study:
    """Return the study that a stored plain form stands for.

    Args:
        tree: what :meth:`Study.dump` returned; classes and functions that it names and that can't
            be imported here are left as names, and refuse to be used.

    Raises:
        ValidationError: it is no study.
    """
    with reading_stored():
        return Study.model_validate(tree)

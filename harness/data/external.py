"""Data sets given by a user's function."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.core.errors import HarnessError
from harness.data.base import Data, Raw, Task
from harness.spec.component import External


class ExternalData(External, Data):
    """Arrays from a function by dotted name: it returns ``(x, y)`` or ``(x, y, x_test, y_test)``.

    Integer ``y`` of shape (N,) are classes, anything else are numbers to be predicted. Arguments
    that are options of every data set (``train_size``, ``label_noise``, …) are taken by the
    harness, the rest by the function. The function must give the same arrays for the same
    arguments: a run's key has their fingerprint.
    """

    def __init__(self, target: str | None = None, /, **fields: Any) -> None:
        # in Python: ExternalData("my.function", count=3, seed=1); from a file: target=…, args={…}
        given = fields if target is not None else fields.get("args", {})
        common = {name: value for name, value in given.items() if name in Data.model_fields}
        arguments = {name: value for name, value in given.items() if name not in common}
        External.__init__(self, target=target or fields["target"], args=arguments, **common)

    def dump(self) -> dict[str, Any]:
        common = {k: getattr(self, k) for k in Data.model_fields}
        return {**common, **External.dump(self)}

    def raw(self) -> Raw:
        arrays = tuple(np.asarray(a) for a in self.load()(**self.args))
        if len(arrays) not in (2, 4):
            raise HarnessError(
                f"data {self.target}: expected (x, y) or (x, y, x_test, y_test), "
                f"got {len(arrays)} arrays"
            )
        return Raw(arrays[0], arrays[1], (arrays[2], arrays[3]) if len(arrays) == 4 else None)

    def task_of(self, raw: Raw) -> Task:
        classes = raw.y.ndim == 1 and np.issubdtype(raw.y.dtype, np.integer)
        return "classification" if classes else "regression"

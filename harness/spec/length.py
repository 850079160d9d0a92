"""Lengths within a run, such as of a warm-up: a share of it, or a text with a unit.

One way of writing for all that has lengths: ``0.1`` is a tenth of the run, and ``"500 steps"``,
``"2 epochs"``, ``"64000 samples"`` and ``"1e6 tokens"`` are what they say. Steps are updates.
"""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator

from harness.core.errors import HarnessError

UNITS = ("steps", "epochs", "samples", "tokens")
"""Units of lengths that are no shares of the run."""
_BY_SAMPLE = ("samples", "tokens")
_TEXT = re.compile(rf"\s*([0-9][0-9_]*\.?[0-9]*(?:e\+?[0-9]+)?)\s*({'|'.join(UNITS)})\s*")


class RunLengths(NamedTuple):
    """What lengths in all units are turned into updates by."""

    steps: int
    """Updates in the run."""
    per_epoch: int
    """Updates in an epoch."""
    batch: int
    """Samples in an update; the last of an epoch may have fewer."""
    epoch_samples: int
    """Samples that an epoch uses."""
    sample_tokens: int | None = None
    """Tokens in a sample; None where samples are no sequences of tokens."""


def _check_length(value: object) -> object:
    """Return a length as it is kept: a share from 0 to 1, or a number and its unit as text.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    found = _TEXT.fullmatch(_in_plural(value)) if isinstance(value, str) else None
    amount = float(found[1].replace("_", "")) if found else -1.0
    if found is None or (found[2] != "epochs" and not amount.is_integer()):
        raise ValueError(
            "expected a share of the run from 0 to 1, or a text such as '500 steps', '2.5 epochs',"
            f" '64000 samples' or '1e6 tokens', got {value!r}"
        )
    # one text for equal lengths, since it is in the keys of runs
    return f"{int(amount) if amount.is_integer() else amount} {found[2]}"


def _in_plural(text: str) -> str:
    """Return ``"1 epoch"`` as ``"1 epochs"``."""
    return re.sub(rf"({'|'.join(unit[:-1] for unit in UNITS)})(\s*)$", r"\1s\2", text)


Duration = Annotated[float | str, BeforeValidator(_check_length)]
"""A field for a length within a run."""


def in_updates(length: float | str, steps: int, steps_per_epoch: int) -> int:
    """Return a length in whole updates; shares and epochs are rounded.

    Args:
        length: in samples or tokens only after :func:`fit_lengths`.
        steps: updates in the run, or in the piece of it that shares are of.
        steps_per_epoch: updates in an epoch.

    Raises:
        HarnessError: it is in samples or tokens, of which this function does not know the batch.

    >>> in_updates(0.25, 10, 4), in_updates("3 steps", 10, 4), in_updates("1.5 epochs", 10, 4)
    (2, 3, 6)
    """
    if not isinstance(length, str):
        return round(length * steps)
    amount, _, unit = length.partition(" ")
    if unit == "steps":
        return int(amount)
    if unit == "epochs":
        return round(float(amount) * steps_per_epoch)
    raise HarnessError(
        f"expected a length in steps, epochs or as a share, got {length!r}; lengths in samples and"
        " tokens are turned into steps for a run, by fitted(run)"
    )


def updates_of_samples(samples: int, per_epoch: int, batch: int, epoch_samples: int) -> int:
    """Return the updates that use at least so many samples.

    Args:
        samples: how many are used, over all epochs.
        per_epoch: updates in an epoch.
        batch: samples in an update.
        epoch_samples: samples that an epoch uses.

    >>> updates_of_samples(100 + 1, per_epoch=4, batch=30, epoch_samples=100)
    5
    """
    # whole epochs, whose last update may be smaller, and then full updates; −(−a // b) is a / b
    # rounded up
    epochs, rest = divmod(samples, epoch_samples)
    return epochs * per_epoch - (-rest // batch)


_Spec = TypeVar("_Spec", bound=BaseModel)


def fit_lengths(spec: _Spec, run: RunLengths) -> _Spec:
    """Return a spec whose lengths in samples and tokens are in steps.

    Args:
        spec: a schedule or another spec with fields that are :data:`Duration`.
        run: what they are lengths of.

    Raises:
        HarnessError: a length is in tokens, and the data have none.
    """
    # by their form: no other field of a spec holds such a text
    changed = {
        name: f"{_fitted(value, name, run)} steps"
        for name, value in spec
        if isinstance(value, str) and _TEXT.fullmatch(value) and value.endswith(_BY_SAMPLE)
    }
    return spec.model_copy(update=changed) if changed else spec


def _fitted(length: str, name: str, run: RunLengths) -> int:
    """Return a length in samples or tokens in updates."""
    amount, _, unit = length.partition(" ")
    samples = int(amount)
    if unit == "tokens":
        if run.sample_tokens is None:
            raise HarnessError(
                f"{name}: expected a length in steps, epochs, samples or as a share, got"
                f" {length!r}, but the data's samples are no sequences of tokens"
            )
        samples = -(-samples // run.sample_tokens)
    return updates_of_samples(samples, run.per_epoch, run.batch, run.epoch_samples)

"""What a probe of a user's own gives, looked at before it is recorded."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from harness.core.errors import HarnessError
from harness.probes.base import Probe


def check_values(probe: Probe, values: object, members: int) -> None:
    """Refuse what a probe of a user's own gives that is no value for each member.

    Args:
        probe: the probe.
        values: what its measurement returned.
        members: of the cohort.

    Raises:
        HarnessError: so it is.
    """
    expected = f"probe {probe.name}: expected values by name, tensors with an entry for each of"
    if not isinstance(values, Mapping):
        raise HarnessError(f"{expected} {members} members, got {type(values).__name__}")
    for name, value in values.items():
        if not isinstance(value, torch.Tensor) or value.shape[:1] != (members,):
            got = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
            raise HarnessError(f"{expected} {members} members, got {got} for {name!r}")

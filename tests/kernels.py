"""Compiled kernels for a test module, whatever this machine has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.core import kernels
from harness.core.errors import HarnessError


def compiled_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Kernels in a cache of their own; other tests go on as this machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        try:
            kernels.build()
        except HarnessError as error:
            pytest.skip(str(error))
        yield
    kernels.look_again()

"""Whether this machine has GPUs, as far as that is known without torch."""

from __future__ import annotations

import os
import sys

DEVICES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""What the drivers of GPUs make on Linux: NVIDIA's, AMD's, and that of Windows under it."""


def surely_no_gpu() -> bool:
    """Return whether the machine has none, as far as its devices tell: torch, which knows, takes a
    second to import, for which workers would have to wait."""
    return sys.platform == "linux" and not any(map(os.path.exists, DEVICES))

"""Inner loops in C++, which a machine may have compiled or not.

Everything here has a form in PyTorch that is its reference and takes its place where nothing has
been compiled. The two round differently, so that nothing is compiled unasked: a machine has the
kernels from the day on that ``harness kernels`` made them.
"""

from __future__ import annotations

from harness.core.kernels.build import CHOICE, build, library, look_again, remove, version

__all__ = ["CHOICE", "build", "library", "look_again", "remove", "version"]

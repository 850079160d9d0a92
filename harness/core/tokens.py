"""What data and losses agree on about tokens."""

from __future__ import annotations

IGNORED = -100
"""The target that counts nowhere, as torch has it by default."""

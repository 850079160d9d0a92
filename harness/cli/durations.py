"""Times in words."""

from __future__ import annotations


def describe_time(seconds: float) -> str:
    """Return a time in the unit that suits it.

    >>> describe_time(0.0123), describe_time(90), describe_time(600), describe_time(9000)
    ('12 ms', '90.0 s', '10.0 min', '2.5 h')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"

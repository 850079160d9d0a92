"""Random streams named by (seed, purpose): no result depends on a global generator's state.

Two streams of different names are independent, and one of the same name gives the same numbers
wherever and whenever it is made. So a run does not depend on what else was drawn before it, arms of
one seed start from the same weights and see the same batches, and another draw can be added without
changing those that are there. Keep the names of purposes: with another name every result changes.

Where code of a user's own draws from torch's global generator, that is seeded from a stream for the
call and put back afterwards.
"""

from __future__ import annotations

import hashlib

import numpy as np

Name = str | int


def derive(seed: int, *purpose: Name) -> int:
    """Return the 63-bit seed of the stream named ``(seed, *purpose)``.

    Args:
        seed: the run's, the split's or the search's.
        purpose: what is drawn, and where it matters for which parameter, epoch or step.

    Returns:
        The first 63 bits of a hash of the name: it fits a signed 64-bit integer, which is what
        torch's generators and databases take.

    >>> derive(0, "init") == derive(0, "init"), derive(0, "init") == derive(1, "init")
    (True, False)
    """
    # a hash and not Python's own, which is another in every process
    name = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") >> 1


def numpy_stream(seed: int, *purpose: Name) -> np.random.Generator:
    """Return a fresh NumPy generator for the named stream.

    Args:
        seed: as for :func:`derive`.
        purpose: as for :func:`derive`.
    """
    # the bit generator is named, since ``default_rng`` may take another in a later NumPy; SFC64 is
    # among NumPy's fastest
    return np.random.Generator(np.random.SFC64(derive(seed, *purpose)))

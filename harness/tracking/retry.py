"""Trying again while a store is away.

``Experiment.telling_failures`` tells whether it is away or refuses; here only
:class:`StoreUnavailable` is waited for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 600.0
"""Seconds that a store may be away: long enough for a server to be restarted or upgraded."""
PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between two attempts; the last one again and again, so that many waiting studies don't
crowd a server that has just come back."""

_LOG = logging.getLogger("harness")
_T = TypeVar("_T")


class StoreUnavailable(Exception):  # noqa: N818  (it names a state that passes)
    """The store can't be reached at the moment; what failed is to be tried again."""


def retry(action: Callable[[bool], _T], patience: float = PATIENCE) -> _T:
    """Return what an action returns, trying it again for as long as it raises
    :class:`StoreUnavailable`.

    It blocks this thread for as long, and logs one warning an outage.

    Args:
        action: told whether it was tried before, since a part of the earlier attempt may have
            arrived.
        patience: seconds from the first attempt after which no new one is made.

    Raises:
        StoreUnavailable: the store has been away for longer than ``patience``.
    """
    began = time.monotonic()  # a machine's clock may be set while a server is away
    tried = 0
    while True:
        try:
            result = action(tried > 0)
        except StoreUnavailable as error:
            if time.monotonic() - began > patience:
                raise
            if tried == 0:  # one line an outage, not one an attempt
                _LOG.warning("%s; it is tried again for %.0f s", error, patience)
        else:
            if tried:
                _LOG.warning("the store is back")
            return result
        time.sleep(PAUSES[min(tried, len(PAUSES) - 1)])
        tried += 1

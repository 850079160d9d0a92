"""A cache that keeps what was used last, as far as it fits into so many bytes.

``functools.lru_cache`` counts entries; those here are data sets, of which some are a thousand times
larger than others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, ParamSpec, Protocol, TypeVar


class InMemory(Protocol):
    """What knows its size in memory, as arrays do."""

    @property
    def nbytes(self) -> int:
        """Bytes."""


P = ParamSpec("P")
V = TypeVar("V", bound=InMemory)


def keep_recent(limit: int) -> Callable[[Callable[P, V]], RecentCalls[P, V]]:
    """Return a decorator that keeps a function's last results, as far as they fit.

    Args:
        limit: bytes that are kept; the last result is kept whatever its size.

    >>> import numpy as np
    >>> @keep_recent(limit=20)
    ... def ones(letter):
    ...     print("made", letter)
    ...     return np.ones(1)  # 8 bytes
    >>> _ = ones("a"), ones("b"), ones("a"), ones("c"), ones("a"), ones("b")
    made a
    made b
    made c
    made b
    """
    return lambda function: RecentCalls(function, limit)


class RecentCalls(Generic[P, V]):
    """A function whose last results are kept; its arguments must be hashable."""

    def __init__(self, function: Callable[P, V], limit: int) -> None:
        self.__wrapped__, self.__doc__ = function, function.__doc__
        self._limit = limit
        self._kept: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = Lock()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> V:
        """Return the function's result, made again only if it is no longer kept."""
        key = (args, tuple(sorted(kwargs.items())))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        # without the lock: the function may call itself, or take long
        made = self.__wrapped__(*args, **kwargs)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > 1 and self._bytes() > self._limit:
                self._kept.popitem(last=False)
        return made

    def cache_clear(self) -> None:
        """Forget all results."""
        with self._lock:
            self._kept.clear()

    def _bytes(self) -> int:
        return sum(made.nbytes for made in self._kept.values())

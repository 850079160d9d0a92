"""The values of a run that is only tried: they note which of them are read.

It imports nothing but the standard library, since it is in every run's own process.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any


class NotedConfig(dict[str, Any]):
    """A run's values; whoever takes them all together has read them all.

    >>> config = NotedConfig(lr=0.1, width=8)
    >>> config["lr"], config.get("depth", 2), sorted(config.read)
    (0.1, 2, ['depth', 'lr'])
    >>> {**config} == config, sorted(config.read)
    (True, ['depth', 'lr', 'width'])
    """

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.read: set[str] = set()
        """Names that were asked for."""

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        self.read.add(name)
        return super().pop(name, *default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().setdefault(name, default)

    def _all(self) -> dict[str, Any]:
        names = [*super().keys()]
        self.read.update(names)
        return {name: super(NotedConfig, self).__getitem__(name) for name in names}

    # dict(config) and {**config} ask for these where a class has its own __iter__
    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # the view of a copy serves as well
        return self._all().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        return self._all().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        return self._all().items()

    def copy(self) -> dict[str, Any]:
        return self._all()

    def __or__(self, other: Any) -> Any:
        return self._all() | other

    def __ror__(self, other: Any) -> Any:
        return other | self._all()

    def __reduce__(self) -> Any:
        return dict, (self._all(),)

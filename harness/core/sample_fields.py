"""Several arrays of a sample in one row of bytes, as in NumPy's structured arrays.

Batches, splits and orders index samples and look into none of them. So inputs (or targets) that
consist of several arrays, such as token ids beside a mask, go through the engine as one tensor
(N, bytes); the module or loss that they are for takes them apart by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.core.lazy import Lazy

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

ALIGNED = 8
"""Fields begin at multiples of so many bytes: those of the largest numbers."""


class SampleField(NamedTuple):
    """Where one array of a sample lies in its row."""

    offset: int
    """Its first byte."""
    size: int
    """Its bytes."""
    shape: tuple[int, ...]
    dtype: str
    """torch's name of its type: ``int64``, ``bool``, or that of the weights."""


class SampleFields(NamedTuple):
    """The arrays of a sample, by name."""

    fields: dict[str, SampleField]
    width: int
    """Bytes of a row."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the arrays by name."""
        return {name: field.shape for name, field in self.fields.items()}

    def unpack(self, rows: Tensor) -> dict[str, Tensor]:
        """Return the arrays by name, (…, *shape) each.

        Args:
            rows: (…, bytes); left as they are.
        """
        return {
            name: rows[..., field.offset : field.offset + field.size]
            .contiguous()
            .view(getattr(torch, field.dtype))
            .unflatten(-1, field.shape or (1,))
            .reshape(*rows.shape[:-1], *field.shape)
            for name, field in self.fields.items()
        }


def join_arrays(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return arrays (N, *shape) as one structured array (N,) with a field for each.

    Args:
        arrays: by name, all of one length.

    >>> joined = join_arrays({"ids": np.zeros((3, 5), int), "length": np.ones(3)})
    >>> joined.shape, joined["ids"].shape, joined.dtype.names
    ((3,), (3, 5), ('ids', 'length'))
    """
    count = len(next(iter(arrays.values())))
    dtype = np.dtype([(name, a.dtype, a.shape[1:]) for name, a in arrays.items()])
    joined = np.empty(count, dtype)
    for name, array in arrays.items():
        joined[name] = array
    return joined


def sample_fields(dtype: np.dtype, numbers: str) -> SampleFields | None:
    """Return where the fields of a structured array come to lie; None for other arrays.

    Args:
        dtype: of the array.
        numbers: torch's name of the type that fractions are wanted in.
    """
    if dtype.fields is None or dtype.names is None:
        return None
    fields, offset = {}, 0
    for name in dtype.names:
        base, shape = dtype.fields[name][0].base, dtype.fields[name][0].shape
        wanted = {"b": "bool", "f": numbers}.get(base.kind, "int64")
        size = int(np.prod(shape, dtype=int)) * np.dtype(wanted).itemsize
        fields[name] = SampleField(offset, size, shape, wanted)
        offset += -(-size // ALIGNED) * ALIGNED
    return SampleFields(fields, offset)


def pack_samples(samples: np.ndarray, fields: SampleFields) -> np.ndarray:
    """Return a structured array as rows of bytes (N, width).

    Args:
        samples: (N,), structured.
        fields: where each field goes, and as which type.
    """
    rows = np.zeros((len(samples), fields.width), np.uint8)
    for name, field in fields.fields.items():
        numbers = np.ascontiguousarray(samples[name].astype(field.dtype))
        as_bytes = numbers.reshape(len(samples), -1).view(np.uint8)
        rows[:, field.offset : field.offset + field.size] = as_bytes
    return rows

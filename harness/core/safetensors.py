"""Arrays by name as a safetensors file, which every library reads and which can hold no code.

The format (https://github.com/huggingface/safetensors): 8 bytes with the header's length, little
endian; the header, JSON with each array's type, shape and place; the arrays' bytes in row order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

_NAMES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
_ALIGNED = 8
"""The header is filled with spaces to a multiple of so many bytes, for whoever maps the file."""


def write_safetensors(arrays: Mapping[str, np.ndarray], about: Mapping[str, str]) -> bytes:
    """Return the content of a safetensors file.

    Args:
        arrays: by name; of floats, integers or booleans.
        about: texts by name, which the file's header holds.

    >>> content = write_safetensors({"w": np.ones((2, 3), np.float32)}, {"arm": "SGD"})
    >>> read_safetensors(content)["w"].shape
    (2, 3)
    """
    header: dict[str, object] = {"__metadata__": dict(about)}
    parts, start = [], 0
    for name, array in arrays.items():
        part = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        header[name] = {
            "dtype": _NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, start + len(part)],
        }
        parts.append(part)
        start += len(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGNED)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def read_safetensors(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file by name, in the order of its header.

    Args:
        content: of the file.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    types = {short: name for name, short in _NAMES.items()}
    arrays = {}
    for name, place in header.items():
        first, last = place["data_offsets"]
        own = np.frombuffer(content[start + first : start + last], types[place["dtype"]])
        arrays[name] = own.reshape(place["shape"]).copy()
    return arrays

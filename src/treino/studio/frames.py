"""A frame as bytes: a JSON header and arrays behind it, as ``docs/studio-protocol.md`` describes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.store.encoding import compact_json

ALIGNED = 8  # bytes


def frame_bytes(header: Mapping[str, Any], parts: Sequence[tuple[str, NDArray[Any]]]) -> bytes:
    """parts: arrays of u1, u2, u4 or f4 by their names."""
    listed = [
        {"name": name, "type": array.dtype.str.lstrip("<|=>"), "shape": list(array.shape)}
        for name, array in parts
    ]
    text = compact_json({**header, "parts": listed})
    text += b" " * (-(len(text) + 4) % ALIGNED)
    pieces = [len(text).to_bytes(4, "little"), text]
    for _name, array in parts:
        raw = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        pieces += [raw, b"\0" * (-len(raw) % ALIGNED)]
    return b"".join(pieces)

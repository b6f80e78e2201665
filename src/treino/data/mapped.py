"""Rows in a file that is mapped into memory: read by pages, which are given back as soon as they are used."""

import mmap
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.data.elsewhere import Batch, part_rows

TOUCHED_BYTES = 1 << 26  # pages of the file that may be in memory at a time
AROUND_BYTES = 1 << 16  # what the system maps at the touch of one row


class Mapped:
    """A memory-mapped array of rows that reads like a tensor ``[N, *item]`` and is never in memory whole.

    The system would keep every page that was touched as part of this process until it needs the room;
    here they are given back before they are 64 MB. What the file says is what is read: nothing is copied
    or converted until it is asked for.
    """

    def __init__(self, array: "np.memmap[Any, Any]") -> None:
        self._map: mmap.mmap | None = getattr(array, "_mmap", None)
        if getattr(array, "mode", "r") == "c":
            self._map = None  # what was changed in the copy is nowhere else
        with warnings.catch_warnings():  # torch warns of arrays that can't be written to
            warnings.simplefilter("ignore")
            self._rows = torch.from_numpy(np.asarray(array))
        self.shape, self.dtype = self._rows.shape, self._rows.dtype
        self._row_bytes = max(1, self.shape[1:].numel() * self.dtype.itemsize)
        self._touched = 0

    def __len__(self) -> int:
        return len(self._rows)

    def dim(self) -> int:
        return self._rows.dim()

    def is_floating_point(self) -> bool:
        return self._rows.is_floating_point()

    def __getitem__(self, index: Any) -> Tensor:
        """A copy of these rows: a number, a slice, or a tensor of numbers or truth values."""
        if isinstance(index, int):
            return self.take(torch.tensor([index % len(self)]))[0]
        return self.take(torch.arange(len(self))[index])

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """Rows by number, as a tensor's."""
        if dim:
            raise ValueError(f"rows lie along dimension 0, not {dim}")
        return self.take(index)

    def take(self, index_B: Tensor) -> Tensor:
        """A copy ``[B, *item]`` of these rows; the file is gone through from its front to its end."""
        found = torch.empty(len(index_B), *self.shape[1:], dtype=self.dtype)
        sorted_B, place_B = index_B.sort()
        page_B = sorted_B * self._row_bytes // AROUND_BYTES
        fresh_B = torch.ones(len(index_B), dtype=torch.int64)
        fresh_B[1:] = page_B[1:] != page_B[:-1]
        touched_B = fresh_B.cumsum(0) * AROUND_BYTES + torch.arange(len(index_B)) * self._row_bytes
        at = 0
        while at < len(index_B):
            most = int(touched_B[at]) + TOUCHED_BYTES
            stop = max(at + 1, int(torch.searchsorted(touched_B, most)))
            # rows go straight to their places, for a copy of a copy would cost as much again
            found.index_copy_(0, place_B[at:stop], self._rows.index_select(0, sorted_B[at:stop]))
            self._used(int(touched_B[stop - 1] - touched_B[at]) + AROUND_BYTES)
            at = stop
        return found

    def parts(self, y: Tensor, rows: int) -> Iterator[Batch]:
        return zip(self.split(rows), y.split(rows), strict=True)

    def split(self, rows: int) -> Iterator[Tensor]:
        for start in range(0, len(self), rows):
            part = self._rows[start : start + rows].clone()
            self._used(part.nbytes)
            yield part

    def two(self, y: Tensor) -> Batch:
        most, least, rows = (-torch.inf, 0), (torch.inf, 0), part_rows(self)
        for i, part in enumerate(self.split(rows)):
            flat = part.reshape(len(part), -1)
            high_B, low_B = flat.amax(1), flat.amin(1)
            high, low = int(high_B.argmax()), int(low_B.argmin())
            most = max(most, (float(high_B[high]), i * rows + high), key=lambda pair: pair[0])
            least = min(least, (float(low_B[low]), i * rows + low), key=lambda pair: pair[0])
        index = torch.tensor([most[1], least[1]])
        return self.take(index), y[index]

    def _used(self, size: int) -> None:
        self._touched += size
        if self._touched >= TOUCHED_BYTES and self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)  # of a shared map: the pages stay in the system's cache
            self._touched = 0


def as_mapped(values: Any) -> Any:
    """Rows that NumPy's ``memmap`` or torch's ``from_file`` maps, as Mapped; anything else as it is.

    What is no array of numbers in this machine's byte order is left to those who read it whole.
    """
    if isinstance(values, Tensor) and values.is_contiguous() and values.device.type == "cpu":
        name = getattr(values.untyped_storage(), "filename", None)
        if name is not None and values.dim() > 1 and values.numel():
            offset = int(values.storage_offset()) * values.element_size()
            kind = _NUMPY.get(values.dtype)
            if kind is not None:
                return Mapped(np.memmap(name, kind, "r", offset, tuple(values.shape)))
    if isinstance(values, np.memmap) and _readable(values):
        return Mapped(values)
    return values


_NUMPY: dict[torch.dtype, Any] = {
    torch.float32: np.float32, torch.float64: np.float64, torch.float16: np.float16, torch.uint8: np.uint8,
    torch.int8: np.int8, torch.int16: np.int16, torch.int32: np.int32, torch.int64: np.int64,
}  # fmt: skip


def _readable(values: NDArray[Any]) -> bool:
    return (
        values.ndim > 1
        and values.size > 0
        and values.flags.c_contiguous
        and values.dtype.isnative
        and values.dtype in _NUMPY.values()
    )

"""Rows on disk: what may stand in place of a tensor of rows, and rows in a memory-mapped file.

In a file, in a Dataset or in a DataLoader, of which only the rows that are used are read. They have a shape
``[N, *item]``, a dtype and a length; ``parts(y, rows)``: all rows once, (x ``[B, *item]``, y ``[B, ...]``),
at most so many at a time; ``in_batches(y, order_N, batch_size)``: the rows in this order, so many at a time,
a stream's in its own; ``split(rows)``: parts without the targets; ``two(y)``: copies of two rows, those with
the largest and the smallest number.
"""

import mmap
import os
import threading
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.data.rows import BLOCK_ROWS

# ---- rows on disk

Batch = tuple[Tensor, Tensor]
PART_BYTES = 1 << 24  # of a part of rows that is read at a time
PART_ROWS = 4096  # rows per evaluation of a network, on which the bits of a product may depend


def parts(x: Any, y: Tensor, rows: int | None = None) -> Iterator[Batch]:
    """(x, y) whole if they are in memory, else in parts of at most ``rows`` rows.

    By default parts are small; of small rows they are multiples of ``PART_ROWS``.
    """
    if isinstance(x, Tensor):
        if rows is None:
            yield x, y
        else:
            yield from zip(x.split(rows), y.split(rows), strict=True)
        return
    yield from x.parts(y, part_rows(x) if rows is None else rows)


def part_rows(x: Any) -> int:
    """The number of rows of a part."""
    fit: int = max(1, PART_BYTES // max(1, x.shape[1:].numel() * x.dtype.itemsize))
    return fit // PART_ROWS * PART_ROWS if fit >= PART_ROWS else max(fit, min(PART_ROWS, 4 * fit))


# ---- rows in a memory-mapped file, read when they are used

TOUCHED_BYTES = 1 << 26  # pages of the file that may be in memory at a time
AROUND_BYTES = 1 << 16  # bytes that the system maps when one row is read
CHUNK_BYTES = 1 << 22  # bytes of a chunk, which is read in one go
DENSE = 32  # a chunk is read whole if one in so many of its rows is needed


class MappedRows:
    """A memory-mapped array of rows, indexed like a tensor ``[N, *item]`` and never in memory whole.

    Chunks of which many rows are needed are read from the file in one go, and the newest chunks stay in a
    buffer: an order by blocks needs the rest of them next. Single rows are read through the map, whose pages
    are released before they take 64 MB: the system would keep them in this process. Values are not converted.
    """

    def __init__(self, array: "np.memmap[Any, Any]") -> None:
        with warnings.catch_warnings():  # torch warns of arrays that can't be written to
            warnings.simplefilter("ignore")
            self._rows = torch.from_numpy(np.asarray(array))
        self.shape, self.dtype = self._rows.shape, self._rows.dtype
        self._row_bytes = max(1, self.shape[1:].numel() * self.dtype.itemsize)
        self._map: mmap.mmap | None = getattr(array, "_mmap", None)
        self._file, self._start = _file_of(array)
        if self._file is not None:
            weakref.finalize(self, os.close, self._file)
        if getattr(array, "mode", "r") == "c":
            self._map = self._file = None  # changes of the copy are not in the file
        self._chunk = max(1, min(BLOCK_ROWS, CHUNK_BYTES // self._row_bytes))
        self._buffer = torch.empty(0, dtype=self.dtype)  # [places · chunk, *item]
        self._place_of: dict[int, int] = {}
        self._touched = 0
        self._one_at_a_time = threading.Lock()
        for row in (0, len(self) - 1):  # the name may be another file's by now
            if self._file is not None and not self._read_again(row):
                self._file = None

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
        """Rows by number, as of a tensor."""
        if dim:
            raise ValueError(f"rows lie along dimension 0, not {dim}")
        return self.take(index)

    def take(self, index_B: Tensor) -> Tensor:
        """A copy ``[B, *item]`` of these rows, read in the file's order."""
        sorted_B, place_B = index_B.sort()
        chunk_K, of_B, count_K = torch.unique_consecutive(
            sorted_B // self._chunk, return_inverse=True, return_counts=True
        )
        dense_K = self._dense(chunk_K, count_K)
        if self._file is None or not bool(dense_K.any()):
            return self._touch(
                sorted_B, place_B, torch.empty(len(index_B), *self.shape[1:], dtype=self.dtype)
            )
        with self._one_at_a_time:
            start_K = torch.zeros_like(chunk_K)
            start_K[dense_K] = torch.tensor(self._read(chunk_K[dense_K].tolist())) * self._chunk
            at_B = torch.empty_like(index_B)
            at_B[place_B] = start_K[of_B] + sorted_B % self._chunk
            copy_B = self._buffer.index_select(0, at_B)
        if not bool(dense_K.all()):
            single_B = ~dense_K[of_B]
            self._touch(sorted_B[single_B], place_B[single_B], copy_B)
        return copy_B

    def _dense(self, chunk_K: Tensor, count_K: Tensor) -> Tensor:
        """``[K]`` bool: whether to read a chunk whole: it is in the buffer, or many of its rows are
        needed."""
        ready_K = torch.isin(chunk_K, torch.tensor(list(self._place_of), dtype=torch.int64))
        dense_K = ready_K | (count_K * DENSE >= self._chunk)
        most = max(1, TOUCHED_BYTES // (self._chunk * self._row_bytes))
        if int(dense_K.sum()) > most:
            count_K = torch.where(dense_K, count_K, 0)
            dense_K = torch.zeros_like(dense_K)
            dense_K[count_K.topk(most).indices] = True
        return dense_K

    def _read(self, chunks: list[int]) -> list[int]:
        """Read the chunks that are not in the buffer. Returns the place of each chunk in the buffer."""
        if len(chunks) * self._chunk > len(self._buffer):
            self._buffer = torch.empty(len(chunks) * self._chunk, *self.shape[1:], dtype=self.dtype)
            self._place_of = {}
        places = len(self._buffer) // self._chunk
        place_of = {c: self._place_of[c] for c in chunks if c in self._place_of}
        free = iter(sorted(set(range(places)) - set(place_of.values())))
        runs: list[list[int]] = []  # chunk, place, number of neighbours
        for chunk in chunks:
            if chunk not in place_of:
                place_of[chunk] = next(free)
                if (
                    runs
                    and runs[-1][0] + runs[-1][2] == chunk
                    and runs[-1][1] + runs[-1][2] == place_of[chunk]
                ):
                    runs[-1][2] += 1
                else:
                    runs.append([chunk, place_of[chunk], 1])
        self._place_of = {}  # if reading fails, no chunk counts as read
        for chunk, _place, number in runs:  # a disk is fastest if it knows all requests at once
            self._announce(chunk, number)
        for chunk, place, number in runs:
            rows = min(number * self._chunk, len(self) - chunk * self._chunk)
            self._fill(self._buffer[place * self._chunk :][:rows], chunk * self._chunk)
        self._place_of = place_of
        return [place_of[chunk] for chunk in chunks]

    def soon(self, index_B: Tensor) -> None:
        """Tell the system to read the chunks that will be needed next."""
        chunk_K, count_K = torch.unique(index_B // self._chunk, return_counts=True)
        for chunk in chunk_K[self._dense(chunk_K, count_K)].tolist():
            if chunk not in self._place_of:
                self._announce(chunk, 1)

    def _announce(self, chunk: int, number: int) -> None:
        if self._file is not None and hasattr(os, "posix_fadvise"):
            size = self._chunk * self._row_bytes
            at = self._start + chunk * size
            os.posix_fadvise(self._file, at, number * size, os.POSIX_FADV_WILLNEED)

    def _fill(self, rows: Tensor, first: int) -> None:
        """Read rows from the number ``first`` on into the buffer."""
        assert self._file is not None
        into: memoryview = rows.view(torch.uint8).numpy().reshape(-1).data
        at = self._start + first * self._row_bytes
        while into:
            size = os.preadv(self._file, [into], at)
            if not size:
                raise OSError(f"the file of mapped rows ends at byte {at}")
            into, at = into[size:], at + size

    def _read_again(self, row: int) -> bool:
        """Whether one row of the file equals that of the map."""
        again = torch.empty_like(self._rows[row : row + 1])
        try:
            self._fill(again, row)
        except OSError:
            return False
        return torch.equal(again.view(torch.uint8), self._rows[row : row + 1].contiguous().view(torch.uint8))

    def _touch(self, sorted_B: Tensor, place_B: Tensor, copy_B: Tensor) -> Tensor:
        """Copy rows one by one through the map, releasing its pages on the way."""
        page_B = sorted_B * self._row_bytes // AROUND_BYTES
        fresh_B = torch.ones(len(sorted_B), dtype=torch.int64)
        fresh_B[1:] = page_B[1:] != page_B[:-1]
        touched_B = fresh_B.cumsum(0) * AROUND_BYTES + torch.arange(len(sorted_B)) * self._row_bytes
        at = 0
        while at < len(sorted_B):
            most = int(touched_B[at]) + TOUCHED_BYTES
            stop = max(at + 1, int(torch.searchsorted(touched_B, most)))
            # rows are copied straight to their places: a second copy would double the cost
            copy_B.index_copy_(0, place_B[at:stop], self._rows.index_select(0, sorted_B[at:stop]))
            self._used(int(touched_B[stop - 1] - touched_B[at]) + AROUND_BYTES)
            at = stop
        return copy_B

    def parts(self, y: Tensor, rows: int) -> Iterator[Batch]:
        return zip(self.split(rows), y.split(rows), strict=True)

    def in_batches(self, y: Tensor, order_N: Tensor, batch_size: int) -> Iterator[Batch]:
        at_once = max(1, PART_BYTES // self._row_bytes // batch_size) * batch_size
        parts = order_N.split(at_once)
        for index, following in zip(parts, [*parts[1:], parts[0][:0]], strict=True):
            self.soon(following)
            yield from zip(self.take(index).split(batch_size), y[index].split(batch_size), strict=True)

    def split(self, rows: int) -> Iterator[Tensor]:
        for start in range(0, len(self), rows):
            part = self._rows[start : start + rows]
            if self._file is None:
                part = part.clone()
                self._used(part.nbytes)
            else:
                part = torch.empty_like(part)
                self._fill(part, start)
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
            self._map.madvise(mmap.MADV_DONTNEED)  # the pages of a shared map stay in the system's cache
            self._touched = 0


def _file_of(array: "np.memmap[Any, Any]") -> tuple[int | None, int]:
    """(the opened file, the byte at which the rows begin); None if the file can't be read directly."""
    root: Any = array
    while isinstance(root.base, np.memmap):
        root = root.base
    name = getattr(root, "filename", None)
    if name is None or not hasattr(os, "preadv"):
        return None, 0
    try:
        file = os.open(name, os.O_RDONLY)
    except OSError:
        return None, 0
    return file, int(root.offset + array.ctypes.data - root.ctypes.data)


def as_mapped(values: Any) -> Any:
    """MappedRows of NumPy's ``memmap`` or torch's ``from_file``; anything else unchanged, also arrays of
    other types or of another byte order, which are read whole.
    """
    if isinstance(values, Tensor) and values.is_contiguous() and values.device.type == "cpu":
        name = getattr(values.untyped_storage(), "filename", None)
        if name is not None and values.dim() > 1 and values.numel():
            offset = int(values.storage_offset()) * values.element_size()
            kind = _NUMPY.get(values.dtype)
            if kind is not None:
                return MappedRows(np.memmap(name, kind, "r", offset, tuple(values.shape)))
    if isinstance(values, np.memmap) and _readable(values):
        return MappedRows(values)
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

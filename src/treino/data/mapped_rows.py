"""Objects that replace a tensor of rows and read the rows from outside memory.

An object that replaces a tensor reads its rows from a file, Dataset or DataLoader when they are used. It has
a shape ``[N, *item]``, a dtype, a length and these methods. ``parts(y, rows)`` yields all rows once as (x
``[B, *item]``, y ``[B, ...]``), with B up to ``rows``. ``in_batches(y, order_N, batch_size)`` yields batches
in this order; a stream has its own order. ``split(rows)`` yields parts without targets. ``two(y)`` returns
copies of the rows with the largest and with the smallest number.
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
from torch import Tensor

from treino.data.rows import BLOCK_ROWS

# ---- rows on disk

Batch = tuple[Tensor, Tensor]
PART_BYTES = 1 << 24  # size of a part, the rows that are read at a time
PART_ROWS = 4096  # rows per evaluation of a network; bits of a matrix product may depend on this number


def parts(x: Any, y: Tensor, rows: int | None = None) -> Iterator[Batch]:
    """Yield (x, y) in parts of at most ``rows`` rows.

    By default, rows in memory are a single part; other parts have ``part_rows(x)`` rows.
    """
    if isinstance(x, Tensor):
        if rows is None:
            yield x, y
        else:
            yield from zip(x.split(rows), y.split(rows), strict=True)
        return
    yield from x.parts(y, part_rows(x) if rows is None else rows)


def part_rows(x: Any) -> int:
    """The default number of rows of a part; a multiple of ``PART_ROWS`` if rows are small."""
    fit: int = max(1, PART_BYTES // max(1, x.shape[1:].numel() * x.dtype.itemsize))
    return fit // PART_ROWS * PART_ROWS if fit >= PART_ROWS else max(fit, min(PART_ROWS, 4 * fit))


# ---- rows in a memory-mapped file, read when they are used

TOUCHED_BYTES = 1 << 26  # maximum bytes of the file's pages in memory at a time
AROUND_BYTES = 1 << 16  # bytes that the system maps when one row is read
CHUNK_BYTES = 1 << 22  # maximum bytes of a chunk, which is read in one go
DENSE = 32  # a chunk is read whole if at least one in DENSE of its rows is needed


class MappedRows:
    """A memory-mapped array of rows, indexed like a tensor ``[N, *item]`` and never wholly in memory.

    A chunk with many needed rows is read from the file in one go, and the newest chunks stay in a buffer,
    because an order by blocks needs their other rows next. Single rows are read through the memory map; its
    pages are released before they take 64 MB, or the process would keep them. Values are not converted.
    """

    def __init__(self, array: "np.memmap[Any, Any]") -> None:
        with warnings.catch_warnings():  # torch warns of read-only arrays
            warnings.simplefilter("ignore")
            self._rows = torch.from_numpy(np.asarray(array))
        self.shape, self.dtype = self._rows.shape, self._rows.dtype
        self._row_bytes = max(1, self.shape[1:].numel() * self.dtype.itemsize)
        self._map: mmap.mmap | None = getattr(array, "_mmap", None)
        self._file, self._start = _file_of(array)
        if self._file is not None:
            weakref.finalize(self, os.close, self._file)
        if getattr(array, "mode", "r") == "c":
            self._map = self._file = None  # mode "c" is copy-on-write: changes are not in the file
        self._chunk = max(1, min(BLOCK_ROWS, CHUNK_BYTES // self._row_bytes))
        self._buffer = torch.empty(0, dtype=self._rows.dtype)  # [places * chunk, *item]
        self._place_of: dict[int, int] = {}
        self._touched = 0
        self._one_at_a_time = threading.Lock()
        for row in (0, len(self._rows) - 1):  # the path may by now lead to another file
            if self._file is not None and not self._read_again(row):
                self._file = None

    def __len__(self) -> int:
        return len(self._rows)

    def dim(self) -> int:
        return self._rows.dim()

    def is_floating_point(self) -> bool:
        return self._rows.is_floating_point()

    def __getitem__(self, index: Any) -> Tensor:
        """A copy of these rows. index: an int, a slice, or an integer or boolean tensor."""
        if isinstance(index, int):
            return self.take(torch.tensor([index % len(self)]))[0]
        return self.take(torch.arange(len(self))[index])

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """A copy of these rows, as ``Tensor.index_select``."""
        if dim:
            raise ValueError(f"rows lie along dimension 0, not {dim}")
        return self.take(index)

    def take(self, index_B: Tensor) -> Tensor:
        """A copy ``[B, *item]`` of these rows. They are read in file order."""
        sorted_B, place_B = index_B.sort()
        chunk_K, of_B, count_K = torch.unique_consecutive(
            sorted_B // self._chunk, return_inverse=True, return_counts=True
        )
        dense_K = self._dense(chunk_K, count_K)
        if self._file is None or not bool(dense_K.any()):
            return self._touch(
                sorted_B, place_B, torch.empty(len(index_B), *self._rows.shape[1:], dtype=self._rows.dtype)
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
        """``[K]`` bool: whether to read each chunk whole, because it is in the buffer or many of its rows are
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
        """Read the chunks that are not in the buffer. Return the place of each chunk in the buffer."""
        if len(chunks) * self._chunk > len(self._buffer):
            self._buffer = torch.empty(
                len(chunks) * self._chunk, *self._rows.shape[1:], dtype=self._rows.dtype
            )
            self._place_of = {}
        places = len(self._buffer) // self._chunk
        place_of = {c: self._place_of[c] for c in chunks if c in self._place_of}
        free = iter(sorted(set(range(places)) - set(place_of.values())))
        absent = {chunk: next(free) for chunk in chunks if chunk not in place_of}
        self._place_of = {}  # if reading fails, no chunk counts as read
        for chunk in absent:  # a disk is fastest if it gets all requests at once
            self._announce(chunk)
        for chunk, place in absent.items():
            rows = min(self._chunk, len(self._rows) - chunk * self._chunk)
            self._fill(self._buffer[place * self._chunk :][:rows], chunk * self._chunk)
        place_of |= absent
        self._place_of = place_of
        return [place_of[chunk] for chunk in chunks]

    def soon(self, index_B: Tensor) -> None:
        """Advise the system to read the chunks of these rows, which will be needed next."""
        chunk_K, count_K = torch.unique(index_B // self._chunk, return_counts=True)
        for chunk in chunk_K[self._dense(chunk_K, count_K)].tolist():
            if chunk not in self._place_of:
                self._announce(chunk)

    def _announce(self, chunk: int) -> None:
        if self._file is not None and hasattr(os, "posix_fadvise"):
            size = self._chunk * self._row_bytes
            os.posix_fadvise(self._file, self._start + chunk * size, size, os.POSIX_FADV_WILLNEED)

    def _fill(self, rows: Tensor, first: int) -> None:
        """Fill ``rows`` with the file's rows from number ``first`` on."""
        assert self._file is not None
        into: memoryview = rows.view(torch.uint8).numpy().reshape(-1).data
        at = self._start + first * self._row_bytes
        while into:
            size = os.preadv(self._file, [into], at)
            if not size:
                raise OSError(f"the file of mapped rows ends at byte {at}")
            into, at = into[size:], at + size

    def _read_again(self, row: int) -> bool:
        """Whether a row in the opened file equals the same row in the memory map."""
        again = torch.empty_like(self._rows[row : row + 1])
        try:
            self._fill(again, row)
        except OSError:
            return False
        return torch.equal(again.view(torch.uint8), self._rows[row : row + 1].contiguous().view(torch.uint8))

    def _touch(self, sorted_B: Tensor, place_B: Tensor, copy_B: Tensor) -> Tensor:
        """Copy single rows from the memory map to their places in ``copy_B``, releasing pages on the way."""
        page_B = sorted_B * self._row_bytes // AROUND_BYTES
        fresh_B = torch.ones(len(sorted_B), dtype=torch.int64)
        fresh_B[1:] = page_B[1:] != page_B[:-1]
        touched_B = fresh_B.cumsum(0) * AROUND_BYTES + torch.arange(len(sorted_B)) * self._row_bytes
        at = 0
        while at < len(sorted_B):
            most = int(touched_B[at]) + TOUCHED_BYTES
            stop = max(at + 1, int(torch.searchsorted(touched_B, most)))
            # rows are copied directly to their places: a second copy would double the cost
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
            self._map.madvise(mmap.MADV_DONTNEED)  # pages of a shared map stay in the system's cache
            self._touched = 0


def _file_of(array: "np.memmap[Any, Any]") -> tuple[int | None, int]:
    """Return (file descriptor, byte at which the rows begin); (None, 0) if it can't be read directly."""
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


_DTYPES = ("float32", "float64", "float16", "uint8", "int8", "int16", "int32", "int64")


def as_mapped(values: Any) -> Any:
    """Return an array of NumPy's ``memmap`` as MappedRows, other values unchanged.

    Mapped arrays of unsupported dtypes or non-native byte order are also unchanged; they are read whole.
    """
    readable = (
        isinstance(values, np.memmap)
        and values.ndim > 1
        and values.size > 0
        and values.flags.c_contiguous
        and values.dtype.isnative
        and values.dtype.name in _DTYPES
    )
    return MappedRows(values) if readable else values

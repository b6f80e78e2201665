"""Hold rows of pictures on disk as bytes, which become a network's inputs when they are read."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.data.mapped_rows import MappedRows


class PixelRows(MappedRows):
    """Some rows of a mapped file of pixels, as float32 inputs ``[N, D]``.

    array: uint8 ``[M, D]``. row_N: the rows of the file, in the order in which they count here. transform:
    makes inputs of pixels, ``Preparation.transform``.
    """

    def __init__(
        self,
        array: "np.memmap[Any, Any]",
        row_N: NDArray[np.int64],
        transform: Callable[[NDArray[np.uint8]], Tensor],
    ) -> None:
        super().__init__(array)
        self._row_N, self._transform = torch.from_numpy(row_N), transform
        self.shape, self.dtype = torch.Size((len(row_N), *array.shape[1:])), torch.float32

    def __len__(self) -> int:
        return len(self._row_N)

    def is_floating_point(self) -> bool:
        return True

    def take(self, index_B: Tensor) -> Tensor:
        return self._transform(super().take(self._row_N[index_B]).numpy())

    def soon(self, index_B: Tensor) -> None:
        super().soon(self._row_N[index_B])

    def split(self, rows: int) -> Iterator[Tensor]:
        return map(self.take, torch.arange(len(self)).split(rows))

"""Memory layout of a network's tensors in its row of a population: each starts on a 64-byte line."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

PAD = 16  # numbers: 16 floats are a 64-byte line, and the bits of products depend on alignment


def padded(count: int, to: int = PAD) -> int:
    return -(-count // to) * to


@dataclass(frozen=True)
class Layout:
    """The place of each named tensor of a member in its row of n numbers."""

    names: tuple[str, ...]
    shapes: tuple[torch.Size, ...]
    starts: tuple[int, ...]
    n: int

    @classmethod
    def of(cls, tensors: Iterable[tuple[str, torch.Tensor]]) -> "Layout":
        names, shapes, starts, at = [], [], [], 0
        for name, tensor in tensors:
            names.append(name)
            shapes.append(tensor.shape)
            starts.append(at)
            at += padded(tensor.numel())
        return cls(tuple(names), tuple(shapes), tuple(starts), at)

    @property
    def count(self) -> int:
        """The number of parameters without padding."""
        return sum(shape.numel() for shape in self.shapes)

    def views(self, flat: torch.Tensor) -> list[torch.Tensor]:
        """Views ``[..., *shape]`` of all tensors in ``[..., n]``, without copying."""
        return [
            flat[..., start : start + shape.numel()].unflatten(-1, shape) if shape else flat[..., start]
            for start, shape in zip(self.starts, self.shapes, strict=True)
        ]

    def named(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        return dict(zip(self.names, self.views(flat), strict=True))

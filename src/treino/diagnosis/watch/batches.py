"""What belongs to the rows of a batch: the labels that a loader gives with them, and a net's other inputs."""

from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence

from treino.diagnosis.watch.output import first_tensor
from treino.diagnosis.watch.tables import hash_rows

SIZE = 4_000_000  # numbers of a batch that is looked at
KINDS = 12  # different numbers of a few rows
FEW = 32  # categories of a row


def rows_and_labels(batch: Any) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """The first of a batch's tensors, and the next that isn't only the lengths of the first; of a part that
    holds several, the first.
    """
    parts = list(batch.values()) if isinstance(batch, dict) else batch
    if isinstance(parts, torch.Tensor):
        parts = [parts]
    if not isinstance(parts, (list, tuple)):
        return None, None
    every = [p.data if isinstance(p, PackedSequence) else first_tensor(p) for p in parts]
    tensors = [t for t in every if t is not None and t.dim()]
    if len(tensors) > 2 and _are_lengths(tensors[1], tensors[0]):
        del tensors[1]
    return (tensors[0] if tensors else None), (tensors[1] if len(tensors) > 1 else None)


def _are_lengths(t: torch.Tensor, x: torch.Tensor) -> bool:
    """Whether these say how long texts are that were filled up to the longest of them."""
    whole = t.dtype in (torch.int64, torch.int32) and t.dim() == 1 and x.dim() > 1
    return whole and len(t) == len(x) > 0 and int(t.max()) == x.shape[1]


def whole_rows(x: torch.Tensor, given: tuple[Any, ...]) -> torch.Tensor:
    """The rows of a net that is given categories: the numbers beside them, or the categories of each kind
    side by side; x itself where it is given no more.
    """
    if len(given) < 2 or x.is_floating_point() or x.dim() > 2 or x.numel() > FEW * len(x):
        return x
    beside = [t for t in given if isinstance(t, torch.Tensor) and t.dim() and t is not x]
    beside = [t for t in beside if len(t) == len(x) and t.layout == torch.strided and t.device == x.device]
    for t in beside:
        if t.dim() == 2 and t.is_floating_point() and bool(((t != 0) & (t != 1)).any()):  # else a mask
            return t
    others = [t for t in beside if t.dim() == 1 and t.dtype == x.dtype]
    return torch.stack([x, *others], dim=1) if others and x.dim() == 1 else x


def comes_again(x: torch.Tensor, flat: np.ndarray, given: tuple[Any, ...]) -> bool:
    """Whether rows beside others have so few different numbers, as those of graphs, that they may be equal by
    chance.
    """
    alone = sum(isinstance(t, torch.Tensor) and t.shape[:1] == x.shape[:1] for t in given) < 2
    return not alone and x.is_floating_point() and len(np.unique(flat[:8])) <= KINDS


def with_others(hashes: np.ndarray, x: torch.Tensor, given: tuple[Any, ...]) -> np.ndarray | None:
    """[N] the hashes of rows together with what else a net is given for them; None where that is nothing."""
    found: np.ndarray | None = None
    for t in given:
        if not isinstance(t, torch.Tensor) or t is x or t.device != x.device or t.is_complex():
            continue
        if t.layout != torch.strided or t.is_nested or t.is_quantized:
            continue
        if t.shape[:1] == x.shape[:1] and t.numel() <= SIZE:
            own = hash_rows(t.detach().reshape(len(t), -1).cpu().float().numpy())
            found = (hashes if found is None else found) * np.uint64(3) + own
    return found


def spoils(flat: np.ndarray, out: torch.Tensor) -> bool:
    """Whether the answers to the rows that are not finite, and to no others, are not finite."""
    if out.dim() < 1 or out.shape[0] != len(flat) or out.device.type != "cpu":
        return False
    answered = torch.isfinite(out.detach().reshape(len(flat), -1)).all(dim=1).numpy()
    return bool((answered == np.isfinite(flat).all(axis=1)).all())

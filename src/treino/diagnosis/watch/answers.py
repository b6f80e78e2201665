"""Answers that are compared with labels where no module is called, as for nets made of plain tensors."""

import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.where import here

LEAST = 30  # rows of a table
MOST = 64  # tables, and comparisons


@dataclass
class AnswersSeen:
    """One comparison of answers with labels."""

    site: Site | None
    labels: np.ndarray
    right: int


class Answers:
    """Told of the answers and comparisons that belong to no module, and of tensors that are made."""

    def __init__(self) -> None:
        self.tables: list[np.ndarray] = []  # labels in the order of their classes
        self.seen: list[AnswersSeen] = []
        self._said: weakref.ref[torch.Tensor] | None = None

    def made(self, t: torch.Tensor) -> None:
        """A tensor was made of an array: keep labels that are sorted."""
        if t.dim() != 1 or t.is_floating_point() or len(t) < LEAST or t.is_cuda or len(self.tables) >= MOST:
            return
        labels = t.detach().numpy()
        classes = 1 + int((np.diff(labels) != 0).sum())
        if 2 <= classes <= 20 and bool((np.diff(labels) >= 0).all()):
            self.tables.append(labels.copy())

    def said(self, found: Any) -> None:
        """An argmax or a comparison with a threshold."""
        self._said = weakref.ref(found) if isinstance(found, torch.Tensor) else None

    def compared(self, args: Any) -> None:
        """``said == labels``"""
        said = self._said() if self._said is not None else None
        one, other = args[:2]
        if said is None or not self.tables or len(self.seen) >= MOST:
            return
        labels = other if one is said else one if other is said else None
        if not isinstance(labels, torch.Tensor) or labels.shape != said.shape or labels.dim() != 1:
            return
        if not labels.is_floating_point() and len(labels) >= 10:
            right = int((said == labels).sum())
            self.seen.append(AnswersSeen(here(), labels.detach().numpy().copy(), right))


def in_one_piece(labels: np.ndarray, tables: list[np.ndarray]) -> float:
    """How far the classes of labels that are a piece of a sorted table, as it stands there, are from those of
    the rest of it: 1 where they share none; 0 where they are no such piece, or no class is missing in them.
    """
    own = np.unique(labels)
    for table in tables:
        known = np.unique(table)
        if len(labels) >= len(table) or len(own) == len(known) or not np.isin(own, known).all():
            continue
        start = int(np.searchsorted(table, labels[0]))
        if len(own) > 1:  # the piece begins within its first class, which it holds to the end
            start += int((table == labels[0]).sum() - (labels == labels[0]).sum())
        piece = table[start : start + len(labels)]
        if len(piece) == len(labels) and bool((piece == labels).all()):
            shares = [(np.mean(labels == k), (np.sum(table == k) - np.sum(labels == k))) for k in known]
            rest = len(table) - len(labels)
            return float(sum(abs(a - b / rest) for a, b in shares) / 2)
    return 0.0


def cut_up(pieces: list[np.ndarray], tables: list[np.ndarray]) -> np.ndarray | None:
    """The sorted table that these labels make up, one piece after the other, where a class is missing in one
    that isn't the first.
    """
    for table in tables:
        whole = len(pieces) > 1 and sum(map(len, pieces)) == len(table)
        if whole and bool((np.concatenate(pieces) == table).all()) and len(np.unique(pieces[0])) > 1:
            classes = len(np.unique(table))
            if any(len(np.unique(piece)) < classes for piece in pieces[1:]):
                return table
    return None

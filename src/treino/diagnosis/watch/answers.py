"""Answers that are compared with labels where no module is called, as for nets made of plain tensors; tables
of labels and of targets that stand in order when their tensor is made.
"""

import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.record.lines import here

LEAST = 30  # rows of a table
MOST = 64  # tables, and comparisons
LONG, LONGEST = 100, 100_000  # rows of a table of targets
NARROW = 4  # columns of it
HEAD = 32  # rows that are looked at first
TURNS = 4  # times the range, that a column in order goes up and down
FEW = 50  # values of a column that is a target rather than a class


@dataclass
class AnswersSeen:
    """One comparison of answers with labels."""

    site: Site | None
    labels: np.ndarray
    right: int


@dataclass
class OrderedSeen:
    """Real numbers that stand in order, row after row: they follow a curve."""

    site: Site | None
    rows_ND: np.ndarray

    @property
    def monotone(self) -> bool:
        """Whether a column of them rises, or falls, from the first row to the last."""
        steps = np.diff(self.rows_ND, axis=0)
        return bool(((steps >= 0).all(axis=0) | (steps <= 0).all(axis=0)).any())


class Answers:
    """Told of the answers and comparisons that belong to no module, and of tensors that are made."""

    def __init__(self) -> None:
        self.tables: list[np.ndarray] = []  # labels in the order of their classes
        self.seen: list[AnswersSeen] = []
        self.ordered: list[OrderedSeen] = []
        self._said: weakref.ref[torch.Tensor] | None = None

    def made(self, t: torch.Tensor) -> None:
        """A tensor was made of an array: keep labels that are sorted, and targets in order."""
        if t.is_floating_point():
            self.numbers(t)
            return
        if t.dim() != 1 or len(t) < LEAST or t.is_cuda or len(self.tables) >= MOST:
            return
        labels = t.detach().numpy()
        classes = 1 + int((np.diff(labels) != 0).sum())
        if 2 <= classes <= 20 and bool((np.diff(labels) >= 0).all()):
            self.tables.append(labels.copy())

    def numbers(self, t: torch.Tensor) -> None:
        """Real numbers, a few for each row: keep those in order, as they may be targets."""
        wide = 1 if t.dim() == 1 else t.shape[1] if t.dim() == 2 else 0
        if not 0 < wide <= NARROW or not LONG <= len(t) <= LONGEST or len(self.ordered) >= MOST:
            return
        if t.dtype not in (torch.float32, torch.float64) or t.device.type != "cpu" or t.requires_grad:
            return
        rows_ND = t.numpy().reshape(-1, wide)
        if _in_order(rows_ND[:HEAD]) and _in_order(rows_ND) and _varied(rows_ND):
            self.ordered.append(OrderedSeen(here(), rows_ND.astype(np.float32)))

    def said(self, found: Any) -> None:
        """An argmax or a comparison with a threshold."""
        self._said = weakref.ref(found) if isinstance(found, torch.Tensor) else None

    def compared(self, args: Any) -> None:
        """``said == labels``"""
        said = self._said() if self._said is not None else None
        if said is None or not self.tables or len(self.seen) >= MOST:
            return
        given = [t for t in args[:2] if isinstance(t, torch.Tensor)]
        best = next((t for t in given if t is said or t._base is said), None)  # or the first column of it
        labels = next((t for t in given if t is not best), None)
        if best is None or labels is None or labels.shape != best.shape or labels.dim() != 1:
            return
        if not labels.is_floating_point() and len(labels) >= 10:
            right = int((best == labels).sum())
            self.seen.append(AnswersSeen(here(), labels.detach().numpy().copy(), right))


def _in_order(rows_ND: np.ndarray) -> bool:
    """Whether every column goes up and down no more than a few times."""
    ways = np.abs(np.diff(rows_ND, axis=0)).sum(axis=0)
    return bool((ways <= TURNS * (rows_ND.max(axis=0) - rows_ND.min(axis=0))).all())


def _varied(rows_ND: np.ndarray) -> bool:
    """Whether a column has many values."""
    return bool((np.count_nonzero(np.diff(rows_ND, axis=0), axis=0) >= FEW).any())


def left_over(table_ND: np.ndarray, learned_ND: np.ndarray) -> np.ndarray | None:
    """The rows of a table beyond all that training took of it, at one end; none of them where it took all
    rows up to both ends; None where it did not take its rows from there, and mixed.
    """
    first: dict[bytes, int] = {}
    last: dict[bytes, int] = {}
    for i, row in enumerate(table_ND.astype(np.float32) + 0.0):
        first.setdefault(row.tobytes(), i)
        last[row.tobytes()] = i
    learned = [row.tobytes() for row in learned_ND.astype(np.float32) + 0.0]
    if not learned or learned_ND.shape[1] != table_ND.shape[1] or not first.keys() >= set(learned):
        return None
    steps = np.diff([first[r] for r in learned])
    if max(np.mean(steps >= 0), np.mean(steps <= 0)) > 0.9:
        return None  # one after the other: who knows what came when nobody looked
    end, start = 1 + max(first[r] for r in learned), min(last[r] for r in learned)
    before, after = table_ND[:start], table_ND[end:]
    edge = 0.02 * len(table_ND)
    if len(before) > edge and len(after) > edge:
        return None
    if max(len(before), len(after)) > edge:
        return max(before, after, key=len)
    missed = len(learned) >= len(first) and len(set(learned)) < 0.95 * len(first)  # rows all over the table
    return None if missed else table_ND[:0]


def far_from(rest_ND: np.ndarray, known_ND: np.ndarray) -> float:
    """The share of rows that lie further from all of these, which stand in order, than two wide steps."""
    span = np.ptp(np.concatenate([rest_ND, known_ND]), axis=0)
    rest, known = (rows[:, span > 0] / span[span > 0] for rows in (rest_ND, known_ND))
    step = float(np.quantile(np.abs(np.diff(known, axis=0)).max(axis=1), 0.95))
    rest, known = rest[:: 1 + len(rest) // 256], known[:: 1 + len(known) // 4096]
    nearest = np.array([np.abs(known - row).max(axis=1).min() for row in rest])
    return float(np.mean(nearest > 2 * step))


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

"""How near evaluation rows lie to training rows: nearer than rows do that were drawn independently."""

from collections import Counter

import numpy as np

from treino.diagnosis.watch.eval_seen import EvalSeen
from treino.diagnosis.watch.tables import TrainSeen

NEAREST = 16  # training rows around an evaluation row
GAP = 3.0  # times as far away is the next one
ONE = 10.0  # ... for rows that are nearly one
BLOCK = 6  # different numbers by which a place in a series is known
STEP = 1.25  # ... where the source tells of copies, and half of the rows have such neighbours
AROUND = 32  # training rows of which two may lie on one line with an evaluation row
STRAIGHT = 1e-7  # 1 - |cosine|, by rounding
APART = 0.02  # of their distances from a row, between two on one side of it
MOVED = 16  # copies of a row; where more hold the same numbers, all rows may


def near_copies(train: TrainSeen, e: EvalSeen) -> tuple[int, int]:
    """How many of so many evaluation rows lie at some training rows far nearer than at all others."""
    one, two = _tables(train, e)
    if len(one) < 20 or len(two) < 100:
        return 0, len(one)
    spread = two.std(axis=0)
    moving = spread > 0
    if moving.sum() < 4:
        return 0, len(one)
    one, two = one[:, moving], two[:, moving]
    return max(_far_nearer(one / spread[moving], two / spread[moving]), _far_nearer(one, two)), len(one)


def _far_nearer(one: np.ndarray, two: np.ndarray, gap: float = GAP) -> int:
    """How many rows of the one table lie at some of the other far nearer than at all others."""
    nearest = _nearest(one, two)
    apart = nearest[:, 1:] > gap**2 * np.maximum(nearest[:, :-1], 1e-9)
    return int(apart.any(axis=1).sum())


def of_groups(train: TrainSeen, e: EvalSeen) -> tuple[int, int]:
    """How many of so many evaluation rows are nearly one with a few training rows, as the frames of a film
    are: so near, next to all others, that no source needs to tell of copies.
    """
    one, two = _tables(train, e)
    if len(one) < 40 or len(two) < 100 or (two.std(axis=0) > 0).sum() < 8:
        return 0, len(one)
    return _far_nearer(one, two, ONE), len(one)


def shaken_copies(train: TrainSeen, e: EvalSeen) -> tuple[int, int]:
    """How many of so many evaluation rows lie nearer to a few training rows than to all others, by a step
    that is rare between neighbours; unless they lie nearer still to one another.
    """
    one, two = _tables(train, e)
    if len(one) < 40 or len(two) < 200 or (two.std(axis=0) > 0).sum() < 8:
        return 0, len(one)
    nearest = _nearest(one, two)
    steps = nearest[:, 1:] / np.maximum(nearest[:, :-1], 1e-9)
    stepped = (steps[:, : MOVED - 1] > STEP**2).any(axis=1)
    own = np.sort(_squares(one, one), axis=1)[:, 1]  # to the next one of their own, of which there are fewer
    if np.median(nearest[:, 0]) > np.median(own) or stepped.mean() < 0.5:
        return 0, len(one)
    return int(stepped.sum()), len(one)


def shifted_windows(train: TrainSeen, e: EvalSeen) -> tuple[int, int]:
    """How many of so many evaluation rows hold at least half of a training row, some places further on or
    back: as windows of one series do that overlap.
    """
    one, two = _tables(train, e)
    width = one.shape[1]
    if len(one) < 20 or len(two) < 100 or width < 2 * BLOCK:
        return 0, len(one)
    shared = np.zeros(len(one), bool)
    for rows, others, back in ((one, two, False), (two, one, True)):
        starts = {r.tobytes(): n for n, r in enumerate(np.ascontiguousarray(others[:, :BLOCK]))}
        for at in range(1, width // 2 + 1):
            blocks = np.ascontiguousarray(rows[:, at : at + BLOCK])
            for n, block in enumerate(blocks):
                m = starts.get(block.tobytes())
                if m is None or len(np.unique(block)) < BLOCK:
                    continue
                if np.array_equal(rows[n, at:], others[m, : width - at]):
                    shared[m if back else n] = True
    return int(shared.sum()), len(one)


def between_rows(train: TrainSeen, e: EvalSeen) -> tuple[int, int]:
    """How many of so many evaluation rows lie on one line with two training rows near them, as rows do that
    were made between two others: https://arxiv.org/abs/1106.1813.
    """
    one, two = _tables(train, e)
    if len(one) < 20 or len(two) < 100 or not np.isfinite(one).all() or not np.isfinite(two).all():
        return 0, len(one)
    if np.array_equal(two, np.round(two)) and np.array_equal(one, np.round(one)):
        return 0, len(one)  # whole numbers, as of letters, lie on lines by chance
    two = two[np.unique(np.round(two, 4), axis=0, return_index=True)[1]]  # a row that came twice is no line
    if len(two) < 100:
        return 0, len(one)
    on_line = 0
    around = np.argpartition(_squares(one, two), AROUND, axis=1)[:, :AROUND]
    for row, nearest in zip(one, around, strict=True):
        steps = two[nearest] - row
        steps = steps[(np.abs(steps) > 1e-4).sum(axis=1) >= 4]  # fewer columns are on one line by chance
        far = np.linalg.norm(steps, axis=1, keepdims=True)
        steps /= far
        cosine = steps @ steps.T
        straight = 1 - np.abs(cosine) < STRAIGHT
        # Two that are nearly one row lie on a line with every other.
        apart = np.maximum(1 - far / far.T, 1 - far.T / far) > APART
        on_line += bool(np.triu(straight & ((cosine < 0) | apart), 1).any())
    return on_line, len(one)


def _tables(train: TrainSeen, e: EvalSeen) -> tuple[np.ndarray, np.ndarray]:
    """The rows of an evaluation and of its training that were kept; none of either where they don't match."""
    if not _match(train, e):
        return np.zeros((0, 0)), np.zeros((0, 0))
    one, two = (np.concatenate(some).astype(np.float64) for some in (e.some, train.some))
    return one, two


def _match(train: TrainSeen, e: EvalSeen) -> bool:
    """Whether rows of both were kept, and are as wide: what begins a long series begins a short one, too."""
    kept = bool(train.some) and bool(e.some) and train.some[0].shape[1] == e.some[0].shape[1]
    return kept and train.width == e.width >= 0


def _squares(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    squares: np.ndarray = (one**2).sum(axis=1)[:, None] + (two**2).sum(axis=1)[None] - 2 * one @ two.T
    squares[squares < 0] = 0  # by rounding
    return squares


def _nearest(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """[N, NEAREST + 1] squares of the distances to the nearest rows of the other table, in order."""
    squares = np.partition(_squares(one, two), NEAREST, axis=1)[:, : NEAREST + 1]
    squares.sort(axis=1)
    return squares


def moved_copies(train: TrainSeen, e: EvalSeen) -> tuple[int, int]:
    """How many of so many evaluation rows hold just the numbers of a training row, at other places."""
    if not _match(train, e):
        return 0, 0
    one, two = (np.sort(np.concatenate(some), axis=1) for some in (e.some, train.some))
    if one.shape[1] < 16:
        return 0, len(one)
    varied = (np.diff(one, axis=1) != 0).sum(axis=1) >= 8
    known = Counter(row.tobytes() for row in np.round(two, 5) + 0.0)
    alike = (known[row.tobytes()] for row in np.round(one[varied], 5) + 0.0)
    return sum(0 < times <= MOVED for times in alike), len(one)

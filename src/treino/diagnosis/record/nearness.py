"""How near evaluation rows lie to training rows: nearer than rows do that were drawn on their own."""

from typing import Any

import numpy as np

NEAREST = 16  # training rows around an evaluation row
FLAT = 0.3  # of the median deviation: what a column that hardly moves is divided by
GAP = 3.0  # times as far away is the next one
BLOCK = 6  # different numbers by which a place in a series is known
LEAST, MANY = 20, 100  # rows


def nearest_copies(train: np.ndarray, held_out: np.ndarray) -> dict[str, Any]:
    """How many rows are nearly one with training rows, of how many, and by which measure."""
    fits = len(held_out) >= LEAST and len(train) >= MANY and train.shape[1] == held_out.shape[1]
    if not fits or not np.isfinite(train).all() or not np.isfinite(held_out).all():
        return {"near_of": len(held_out)}
    found = (far_nearer(train, held_out), "near"), (shifted_windows(train, held_out), "windows")
    near, measure = max(found, key=lambda one: one[0])
    return {"near": near, "near_of": len(held_out), "measure": measure}


def far_nearer(train: np.ndarray, held_out: np.ndarray) -> int:
    """How many rows lie at a few training rows far nearer than at all others."""
    two = np.unique(train, axis=0)
    spread = two.std(axis=0)
    moving = spread > 0
    if moving.sum() < 4 or len(two) < MANY:
        return 0
    size = np.maximum(spread[moving], FLAT * np.median(spread[moving])).astype(np.float32)
    one, two = (t[:, moving].astype(np.float32) / size for t in (held_out, two))
    squares = (one**2).sum(axis=1)[:, None] + (two**2).sum(axis=1)[None] - 2 * one @ two.T
    nearest = np.partition(np.maximum(squares, 1e-6), NEAREST, axis=1)[:, : NEAREST + 1]
    nearest.sort(axis=1)
    return int((nearest[:, 1:] > GAP**2 * nearest[:, :-1]).any(axis=1).sum())


def shifted_windows(train: np.ndarray, held_out: np.ndarray) -> int:
    """How many rows hold half of a training row or more, shifted, as overlapping windows of a series do."""
    width = held_out.shape[1]
    if width < 2 * BLOCK:
        return 0
    shared = np.zeros(len(held_out), bool)
    for rows, others, back in ((held_out, train, False), (train, held_out, True)):
        starts = {r.tobytes(): n for n, r in enumerate(np.ascontiguousarray(others[:, :BLOCK]))}
        for at in range(1, min(width // 2, 32) + 1):
            blocks = np.ascontiguousarray(rows[:, at : at + BLOCK])
            for n, block in enumerate(blocks):
                m = starts.get(block.tobytes())
                same = m is not None and len(np.unique(block)) == BLOCK
                if same and np.array_equal(rows[n, at:], others[m, : width - at]):
                    shared[m if back else n] = True
    return int(shared.sum())

"""The choice of the two columns of a picture's plane: they separate the classes, or the network's answers
on the plane agree with its answers off it."""

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pair = tuple[int, int]
MOST = 12  # columns whose pairs are compared
SAME = 1e-6  # 1 − r² of columns that count as one
CLEARLY = 0.05  # in agreement
CLOSE = 0.6  # a plane that agrees with the network on fewer rows shows little of it


def by_separation(x_NK: Floats, y_N: Floats, classes: int) -> list[Pair]:
    """Pairs of columns, the best first: of the least Wilks' lambda, which is the share of their spread that
    the classes don't explain; for a number (``classes`` 0) of the largest R² of a linear fit."""
    unit_NK = _unit(x_NK)
    if classes:
        told_NC = (y_N[:, None] == np.arange(classes)).astype(float)
        told_NC /= np.sqrt(np.maximum(told_NC.sum(axis=0), 1))
    else:
        told_NC = _unit(y_N.reshape(-1, 1))
    mean_KC = unit_NK.T @ told_NC
    order_J = np.argsort(-(mean_KC**2).sum(axis=1), kind="stable")[:MOST]
    unit_NJ, mean_JC = unit_NK[:, order_J], mean_KC[order_J]
    r_JJ, between_JJ = unit_NJ.T @ unit_NJ, mean_JC @ mean_JC.T
    alone_J, order = np.diag(between_JJ), order_J.tolist()

    def left(pair: Pair) -> float:
        i, j = map(order.index, pair)
        total = 1 - r_JJ[i, j] ** 2
        if total < SAME:
            return np.inf
        return float(((1 - alone_J[i]) * (1 - alone_J[j]) - (r_JJ[i, j] - between_JJ[i, j]) ** 2) / total)

    return sorted(combinations(order, 2), key=left)


def _unit(x_NK: Floats) -> Floats:
    """Columns of mean 0 and length 1; constant ones are 0."""
    away_NK = x_NK - x_NK.mean(axis=0)
    length_K = np.linalg.norm(away_NK, axis=0)
    still_K = length_K <= 1e-12 * np.sqrt(len(x_NK)) * np.abs(x_NK).max(axis=0, initial=0)
    return np.asarray(np.where(still_K, 0, away_NK / np.where(still_K, 1, length_K)))


def by_agreement(
    pairs: Iterable[Pair],
    own_N: Floats,
    there: Callable[[Pair], Floats],
    classes: int,
    kept: Sequence[int] = (),
) -> Pair:
    """The pair on whose plane the answers are most like the network's own; of equal ones the first.

    own_N: the network's answers on some rows; there: what it says where they lie on the plane. Each class
    that it answers counts alike, for else a plane that always says the commonest would be good. kept: two
    columns that stay unless others are clearly better.
    """
    best, most = (0, 1), -np.inf
    groups = [own_N == c for c in np.unique(own_N)] if classes else []
    for pair in pairs:
        said_N = there(pair)
        if classes:
            like = float(np.mean([(said_N[group_N] == own_N[group_N]).mean() for group_N in groups]))
        else:
            with np.errstate(all="ignore"):  # the answers of a diverged network may be no numbers
                like = -float(np.mean((said_N - own_N) ** 2))
        if set(pair) == set(kept):
            like += CLEARLY
        if like > most + 1e-9:
            best, most = pair, like
    return best


def candidates(
    separating: Sequence[Pair], important: Sequence[int], columns: int, most: int = MOST
) -> list[Pair]:
    """The pairs to compare: all of a few columns, else of those that matter most to the network and those
    that separate best; in the order of how well they separate."""
    if columns <= most:
        chosen = list(range(columns))
    else:
        alone = list(dict.fromkeys(k for pair in separating for k in pair))
        chosen = list(dict.fromkeys([*important[: most // 2], *alone]))[:most]
    every: list[Pair] = [pair for pair in separating if set(pair) <= set(chosen)]
    return [*every, *(p for p in combinations(chosen, 2) if p not in every and p[::-1] not in every)]

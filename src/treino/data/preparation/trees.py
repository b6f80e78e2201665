"""Make inputs from small boosted decision trees: for each tree, the leaf in which a row lies.

With leaves, a network learns from few rows how columns interact, such as a tariff and the minutes of calls.
He et al. 2014, https://doi.org/10.1145/2648584.2648589.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.data.documents import Tree
from treino.data.preparation.target_means import TargetFolds

Floats = NDArray[np.float64]

DEPTH = 3
SPLITS, LEAVES = (1 << DEPTH) - 1, 1 << DEPTH
RATE = 0.5  # the learning rate: the share of a tree's prediction that is subtracted for the next
LEAST_ROWS, LEAST_SHARE = 10, 0.005  # minimum training rows in a leaf: number and share
FITTED, TRIED = (5_000, 50_000, 10**6), (1_000, 5_000, 2 * 10**5)
"""Limits on the rows on which trees are fitted, or tried: least rows, most rows, most cells."""
MOST_LEFT = 0.8  # maximum error, as a share of the error of trees with a single split


def leaf_inputs(raw_ND: Floats, columns: Sequence[int], thresholds: Sequence[float]) -> Floats:
    """``[N, LEAVES]``: 1 for the leaf of the tree in which a row lies, else 0."""
    leaf_N = np.zeros(len(raw_ND), dtype=np.int64)
    below_NS = raw_ND[:, columns] <= np.array(thresholds)
    while leaf_N.size and leaf_N.min() < len(columns):
        below_N = below_NS[np.arange(len(leaf_N)), leaf_N]
        leaf_N = 2 * leaf_N + np.where(below_N, 1, 2)
    return np.eye(len(columns) + 1)[leaf_N - len(columns)]


def ways() -> tuple[Floats, Floats]:
    """Return ``[SPLITS, LEAVES]``: 1 where a leaf is on the left of a split, -1 where it is on the right, 0
    if it isn't below it; and for each leaf, the number of splits of which it is on the left."""
    way_SL = np.zeros((SPLITS, LEAVES))
    for leaf in range(LEAVES):
        node = SPLITS + leaf
        while node:
            way_SL[(node - 1) // 2, leaf] = 1 if node % 2 else -1
            node = (node - 1) // 2
    return way_SL, (way_SL > 0).sum(0).astype(np.float64)


def fit_trees(raw_ND: Floats, usable: Sequence[int], folds: TargetFolds, count: int) -> tuple[Tree, ...]:
    """``count`` trees; fewer if nothing is left to fit, none if single columns predict as much alone.

    raw_ND: raw inputs of the training rows that ``evenly`` selects. usable: inputs that may be split.
    """
    place_N = evenly(len(folds.target_TK), len(usable))
    target_NK, fold_N = folds.target_TK[place_N], folds.fold_T[place_N]
    weight_N = np.ones(len(place_N)) if folds.weight_T is None else folds.weight_T[place_N]
    raw_ND = np.clip(raw_ND, *np.array([-1, 1]) * float(np.finfo(np.float32).max))  # scikit-learn's range
    if not usable or not _told_together(raw_ND[:, usable], target_NK, weight_N, fold_N):
        return ()
    range_D = np.ptp(raw_ND, axis=0)
    chain = _chain(raw_ND[:, usable], target_NK, weight_N, count, DEPTH)
    return tuple(_whole(model.tree_, usable, range_D) for model in chain if model.tree_.node_count > 1)


def _chain(raw_ND: Floats, target_NK: Floats, weight_N: Floats, count: int, depth: int) -> list[Any]:
    """``count`` trees of scikit-learn, each fitted on the residuals of the trees before it."""
    from sklearn.tree import DecisionTreeRegressor  # slow to import

    share = max(LEAST_SHARE, min(0.5, LEAST_ROWS / float(weight_N.sum())))
    left_NK, models = target_NK.copy(), []
    for _tree in range(count):
        model = DecisionTreeRegressor(max_depth=depth, min_weight_fraction_leaf=share, random_state=0)
        models.append(model.fit(raw_ND, left_NK, sample_weight=weight_N))
        left_NK -= RATE * model.predict(raw_ND).reshape(left_NK.shape)
    return models


def _told_together(raw_ND: Floats, target_NK: Floats, weight_N: Floats, fold_N: NDArray[np.int64]) -> bool:
    """Whether trees predict the targets of other rows much better than trees with one split, in which each
    column counts alone."""
    few_K = evenly(len(raw_ND), raw_ND.shape[1], TRIED)
    raw_ND, target_NK, weight_N, other_N = raw_ND[few_K], target_NK[few_K], weight_N[few_K], fold_N[few_K] < 3
    if len(raw_ND) < TRIED[0] or not 0 < other_N.sum() < len(other_N):  # too few rows to judge
        return False

    def left(count: int, depth: int) -> float:
        left_NK = target_NK[other_N].copy()
        for model in _chain(raw_ND[~other_N], target_NK[~other_N], weight_N[~other_N], count, depth):
            left_NK -= RATE * model.predict(raw_ND[other_N]).reshape(left_NK.shape)
        return float(weight_N[other_N] @ np.square(left_NK).sum(1))

    return left(8, DEPTH) < MOST_LEFT * min(left(24, 1), left(48, 1))


def evenly(rows: int, inputs: int, limits: tuple[int, int, int] = FITTED) -> NDArray[np.int64]:
    """Evenly spread row numbers to fit on; their number is limited so that many inputs don't take long."""
    least, most, cells = limits
    return np.linspace(0, rows - 1, min(rows, max(least, min(most, cells // max(1, inputs))))).astype(
        np.int64
    )


def _whole(fitted: Any, usable: Sequence[int], range_D: Floats) -> Tree:
    """The tree of scikit-learn made complete; a split that isn't needed has the largest threshold.

    A new number may be the midpoint of two training numbers: it stays on the left after float32 rounding.
    """
    columns, thresholds = [0] * SPLITS, [float(np.finfo(np.float64).max)] * SPLITS
    nodes = [(0, 0)]
    for split, node in nodes:
        if fitted.children_left[node] >= 0:
            columns[split] = int(usable[fitted.feature[node]])
            thresholds[split] = float(fitted.threshold[node] + 1e-6 * range_D[columns[split]])
            nodes.append((2 * split + 1, fitted.children_left[node]))
            nodes.append((2 * split + 2, fitted.children_right[node]))
    return Tree(columns=tuple(columns), thresholds=tuple(thresholds))

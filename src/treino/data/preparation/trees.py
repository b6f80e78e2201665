"""Make inputs of boosted decision trees: what a few hundred of them answer together is one more input, or one
for each of several classes.

Where columns together step, as a plan and its minutes do, trees need far fewer rows than a network. A
training row gets the answer of trees that were fitted on other rows, or networks would trust them too much.
Friedman 2001, https://doi.org/10.1214/aos/1013203451, and Wolpert 1992,
https://doi.org/10.1016/S0893-6080(05)80023-1.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.library_parts import boosting_parts, later_boosting
from treino.data.documents import Tree
from treino.data.preparation.target_means import FOLDS, TargetFolds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RATE, LEAVES, DEPTH, BINS = 0.08, 31, 8, 127
SMALL = 300  # trees for each answer; those that follow are larger
LARGER = {"learning_rate": 0.15, "max_leaf_nodes": 127, "max_depth": 14}
FALLS = 0.02  # the share of the error by which the last small trees lower it, or no larger ones follow
MOST_IN_ALL = 1_000  # trees, of all classes together
AT_ONCE = 50  # trees, after which the error on the other rows is looked at
PARTS = 4  # a training row's answer is that of trees of the other parts' rows
FITTED = (5_000, 100_000, 2_000_000)
"""Limits on the rows on which trees are fitted: least rows, most rows, most cells."""
SUMMED = (5_000, 50_000, 1_000_000)
"""The same of the rows on which means and deviations of a text's inputs are computed."""
LEAST_ROWS = 1_000
LEAST_LEAF = 20  # rows in a leaf
FEW_CELLS = 1_000_000  # on at most so many, one thread fits trees


# ---- from raw inputs to answers


def tree_tables(trees: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """All trees in a row: (each tree's answer; its root; each node's column, number, left and right node).

    trees: for each, (its answer, columns, numbers, rights), as ``Tree`` holds them. A leaf goes on to itself.
    """
    answers, *tables = zip(*trees, strict=True)
    columns, numbers, rights = (np.concatenate([np.array(own) for own in table]) for table in tables)
    size_T = np.array([len(own) for own in tables[0]])
    root_T = np.cumsum(size_T) - size_T
    node_M = np.arange(len(columns))
    right_M = rights + np.repeat(root_T, size_T)
    left_M = np.where(right_M == node_M, node_M, node_M + 1)
    return np.array(answers), root_T, columns, numbers, left_M, right_M


def tree_answers(raw_ND: Floats, tables: Sequence[Any], answers: int) -> Floats:
    """``[N, K]``: for each of so many answers, the sum of the numbers of the leaves in which a row lies. All
    rows go down all trees, a level at a time.

    tables: ``tree_tables`` of the trees.
    """
    answer_T, root_T, column_M, number_M, left_M, right_M = tables
    sum_NK, adds_TK = np.zeros((len(raw_ND), answers)), np.eye(answers)[answer_T]
    rows = max(1, 500_000 // len(root_T))
    for start in range(0, len(raw_ND), rows):
        raw_BD = raw_ND[start : start + rows]
        row_B1, node_BT, above_BT = np.arange(len(raw_BD))[:, None], root_T[None], None
        while above_BT is None or (node_BT != above_BT).any():
            left_BT, above_BT = raw_BD[row_B1, column_M[node_BT]] <= number_M[node_BT], node_BT
            node_BT = np.where(left_BT, left_M[node_BT], right_M[node_BT])
        sum_NK[start : start + rows] = number_M[node_BT] @ adds_TK
    return sum_NK


# ---- from training rows to trees


def tree_threads(cells: int) -> AbstractContextManager[Any]:
    """Within the block, one thread fits scikit-learn's trees on so many cells, if these are few.

    More threads wait busily for each other at every node: on a busy machine thirty times as long as one
    thread takes. They change no bit.
    """
    import sklearn.ensemble  # noqa: F401  # only threads of libraries that are loaded are limited
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[Any] = threadpool_limits(1 if cells <= FEW_CELLS else None, "openmp")
    return limited


@dataclass(frozen=True, eq=False)
class TreeRows:
    """The rows of one target on which trees are fitted. classes: how many the target has; 0: numbers.

    raw_RD: the inputs that may be split. place_D: their places among all inputs. y_R: the target's numbers,
    or class numbers. weight_R: None for rows that weigh alike, of which bins are found ten times as fast.
    first_answers: what so many trees answer to the first part's rows, if ``count`` has fitted them.
    """

    raw_RD: Floats
    place_D: Ints
    y_R: Floats
    weight_R: Floats | None
    part_R: Ints
    classes: int
    first_answers: dict[int, Floats]

    @property
    def answers(self) -> int:
        return self.classes if self.classes > 2 else 1

    def at(self, some_R: NDArray[np.bool_]) -> "TreeRows":
        """These rows alone."""
        weight_R = None if self.weight_R is None else self.weight_R[some_R]
        some = {name: getattr(self, name)[some_R] for name in ("raw_RD", "y_R", "part_R")}
        return replace(self, weight_R=weight_R, **some)

    def parts(self) -> "Iterator[tuple[NDArray[np.bool_], TreeRows, TreeRows]]":
        """For each part: which rows are its own, these, and the others."""
        for part in np.unique(self.part_R):
            own_R = self.part_R == part
            yield own_R, self.at(own_R), self.at(~own_R)

    @cached_property
    def constant(self) -> bool:
        return bool((self.y_R == self.y_R[:1]).all())

    def model(self, trees: int) -> Any:
        """So many trees for each answer, fitted on these rows by scikit-learn."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingClassifier if self.classes else HistGradientBoostingRegressor
        shape = {"learning_rate": RATE, "max_leaf_nodes": LEAVES, "max_depth": DEPTH, "max_bins": BINS}
        shape["min_samples_leaf"] = LEAST_LEAF
        made = kind(early_stopping=False, warm_start=True, random_state=0, **shape)
        small = self.grown(made, min(trees, SMALL))
        return self.grown(small, trees) if trees > SMALL else small

    def grown(self, model: Any, trees: int) -> Any:
        """The model, with so many trees for each answer."""
        model.set_params(max_iter=trees, **(LARGER if trees > SMALL else {}))
        return model.fit(self.raw_RD, self.y_R, sample_weight=self.weight_R)

    def places(self, model: Any) -> list[int]:
        """For each of the model's own outputs, the answer that it is."""
        if self.classes <= 2:
            return [0]
        return [int(c) for c in (model.classes_ if len(model.classes_) > 2 else model.classes_[1:])]

    def answered(self, model: Any, output_RK: Floats) -> Floats:
        """``[R, K]``: outputs of the model as answers; 0 for a class that it doesn't know."""
        answer_RK = np.zeros((len(output_RK), self.answers))
        answer_RK[:, self.places(model)] = output_RK.reshape(len(output_RK), -1)
        return answer_RK

    def held_out(self, trees: int) -> Floats:
        """``[R, K]``: each row's answer by trees of the other parts' rows."""
        answer_RK = np.zeros((len(self.y_R), self.answers))
        with tree_threads(self.raw_RD.size):
            for number, (own_R, own, others) in enumerate(self.parts()):
                if number == 0 and trees in self.first_answers:
                    answer_RK[own_R] = self.first_answers[trees]
                elif not others.constant:
                    model = others.model(trees)
                    output = model.decision_function if self.classes else model.predict
                    answer_RK[own_R] = self.answered(model, output(own.raw_RD))
        return np.round(answer_RK, 5)

    def count(self, most: int) -> int:
        """How many trees for each answer predict the first part best, fitted on the others; 0: none do."""
        _own_R, own, others = next(self.parts())
        if others.constant or len(own.y_R) == len(self.y_R):
            return 0
        model = others.model(min(2 * AT_ONCE, most))  # after fewer it never ends
        losses, best, best_RK = list[float](), 0, np.zeros((len(own.y_R), self.answers))
        output, _rounds = boosting_parts(model)
        while True:  # each look begins where the last one ended, so that no tree answers twice
            later = later_boosting(model, output.reshape(-1, len(self.places(model))), len(losses))
            staged = later.staged_decision_function if self.classes else later.staged_predict
            for output in staged(own.raw_RD):
                answer_RK = self.answered(model, output)
                loss = own.loss(answer_RK)
                if loss < min(losses, default=np.inf):
                    best, best_RK = len(losses), answer_RK
                losses.append(loss)
            enough = len(losses) == SMALL and losses[-AT_ONCE] < (1 + FALLS) * losses[-1]
            if enough or best + AT_ONCE < len(losses) or len(losses) == most:
                self.first_answers[best + 1] = best_RK
                return best + 1 if best else 0  # a single one hardly differs from the mean
            others.grown(model, min(most, len(losses) + AT_ONCE))

    def loss(self, answer_RK: Floats) -> float:
        """The mean squared error, or cross-entropy, of these answers."""
        if not self.classes:
            lost_R = (answer_RK[:, 0] - self.y_R) ** 2
        elif self.classes == 2:
            lost_R = np.logaddexp(0, answer_RK[:, 0] * np.where(self.y_R > 0, -1, 1))
        else:
            own_R = answer_RK[np.arange(len(self.y_R)), self.y_R.astype(np.int64)]
            lost_R = np.logaddexp.reduce(answer_RK, axis=1) - own_R
        return float(np.average(lost_R, weights=self.weight_R))

    def trees(self, count: int, first: int) -> Iterator[Tree]:
        """The trees fitted on all rows. first: the number of the target's first answer."""
        model, range_D = self.model(count), np.ptp(self.raw_RD, axis=0)
        starts, rounds = boosting_parts(model)
        for round_of_trees in rounds:
            for place, start, tree in zip(self.places(model), starts.flat, round_of_trees, strict=True):
                yield _tree(tree.nodes, self.place_D, range_D, first + place, float(start))
            starts = np.zeros_like(starts)


def splitting(raw_ND: Floats, usable: Sequence[int]) -> Ints:
    """Those of the usable inputs that a tree on these rows can split: where enough rows differ from most.
    Others, as those of rare classes, would only take time."""
    differs_ND = raw_ND[:, usable] != np.median(raw_ND[:, usable], axis=0)
    return np.array(usable, dtype=np.int64)[np.flatnonzero(differs_ND.sum(0) >= LEAST_LEAF)]


def tree_rows(
    raw_ND: Floats, row_K: Ints, usable: Sequence[int], folds: TargetFolds, classes: Sequence[int]
) -> list[TreeRows]:
    """For each target, the rows on which its trees are fitted. raw_ND: raw inputs of the training rows
    ``row_K``. classes: of each target; 0: numbers."""
    limit = float(np.finfo(np.float32).max)
    weight_K = None if folds.weight_T is None else folds.weight_T[row_K]
    part_K, place_D = folds.fold_T[row_K] * PARTS // FOLDS, splitting(raw_ND, usable)
    raw_KD = np.clip(raw_ND[:, place_D], -limit, limit)
    made, first = list[TreeRows](), 0
    for count in classes:
        target_K = folds.target_TK[row_K, first : first + (count if count > 2 else 1)]
        first += target_K.shape[1]
        y_K = target_K[:, 0]
        if count:
            y_K = target_K.argmax(1).astype(np.float64) if count > 2 else (y_K > 0).astype(np.float64)
        first_answers = folds.first_answers.setdefault(len(made), {})
        made.append(TreeRows(raw_KD, place_D, y_K, weight_K, part_K, count, first_answers))
    return made


def fit_trees(targets: Sequence[TreeRows], most: int) -> tuple[Tree, ...]:
    """The trees of all targets, at most ``most`` for each answer; () where there are too few rows, or for any
    target no trees that predict other rows."""
    if not targets[0].raw_RD.size or len(targets[0].y_R) < LEAST_ROWS:
        return ()
    most = min(most, MOST_IN_ALL // sum(target.answers for target in targets))
    trees, first = list[Tree](), 0
    with tree_threads(targets[0].raw_RD.size):
        counts = [target.count(most) for target in targets]
        if not all(counts):
            return ()
        for target, count in zip(targets, counts, strict=True):
            trees += target.trees(count, first)
            first += target.answers
    return tuple(trees)


def evenly(rows: int, inputs: int, limits: tuple[int, int, int] = SUMMED) -> Ints:
    """Evenly spread row numbers to fit on; their number is limited so that many inputs don't take long."""
    least, most, cells = limits
    return np.linspace(0, rows - 1, min(rows, max(least, min(most, cells // max(1, inputs))))).astype(
        np.int64
    )


def _tree(nodes: Any, place_D: Ints, range_D: Floats, answer: int, start: float) -> Tree:
    """The tree of scikit-learn, on inputs at these places. start: what it adds beside its own numbers.

    A new number may be the midpoint of two training numbers: it stays on the left after float32 rounding.
    """
    columns, numbers, rights = list[int](), list[float](), list[int]()
    waiting: list[tuple[int, int]] = [(0, -1)]  # nodes, and the split whose right part begins there
    while waiting:
        node, split = waiting.pop()
        place, known = len(rights), nodes[node]
        if split >= 0:
            rights[split] = place
        rights.append(place)
        if known["is_leaf"]:
            columns.append(0)
            numbers.append(float(f"{known['value'] + start:.5g}"))
            continue
        column = int(known["feature_idx"])
        columns.append(int(place_D[column]))
        numbers.append(float(known["num_threshold"] + 1e-6 * range_D[column]))
        waiting += [(int(known["right"]), place), (int(known["left"]), -1)]
    return Tree(answer=answer, columns=tuple(columns), numbers=tuple(numbers), rights=tuple(rights))

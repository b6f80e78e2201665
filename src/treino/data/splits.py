"""Draw training, validation and test rows, and folds: stratified, by group or by time; which equal rows stay
together."""

import warnings
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.base.errors import Refusal
from treino.base.words import _
from treino.data.rows import Rows, generator, with_groups
from treino.data.table import Numbers

FOLDS_RANGE = Refusal("{k} folds of {n} rows: some would be empty.", "Use fewer folds; 5 and 10 are usual.")
SHARES_SUM = Refusal(
    "{validation} for validation and one fold of {k} leave no rows to train on.",
    "Use more folds, or a smaller [[validation]].",
)

# ---- splits, stratified, by group or by time

TRAIN, VALIDATION, TEST = 0, 1, 2
PARTS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}


def rows_of_parts(
    part_N: NDArray[np.int64],
    x_of: Mapping[int, Any],
    y: torch.Tensor,
    index_N: NDArray[np.int64],
    unit_N: NDArray[np.int64],
    weight_N: NDArray[np.float32] | None = None,
) -> dict[str, Any]:
    """The rows of each split. x_of: the inputs of each. Of all rows: ``part_N`` is the split, ``index_N`` the
    number in the source, and ``unit_N`` equal for rows that the split never parts."""
    rows = dict[str, Rows]()
    for name, part in PARTS.items():
        at = np.flatnonzero(part_N == part)
        weight = None if weight_N is None else torch.from_numpy(weight_N[at])
        own = Rows(x_of[part], y[torch.from_numpy(at)], torch.from_numpy(index_N[at]), weight)
        rows[name] = own if part == TRAIN else with_groups(own, unit_N[at])
    return rows


def first_of(keys: Iterable[Hashable]) -> NDArray[np.int64]:
    """For each key the place of the first one that equals it."""
    first: dict[Hashable, int] = {}
    return np.array([first.setdefault(key, place) for place, key in enumerate(keys)], dtype=np.int64)


def first_equal(x_ND: Numbers) -> NDArray[np.int64]:
    """``[N]``: for each row, the number of the first row equal to it. -0.0 counts as 0.0, and NaN equals
    itself."""
    if x_ND.dtype == np.uint8:
        return first_of(row_D.tobytes() for row_D in x_ND)
    return first_equal_columns(x_ND.T, len(x_ND))


def first_equal_columns(columns: Iterable[Numbers], n: int) -> NDArray[np.int64]:
    """``first_equal`` of n rows whose columns are read one after the other: each column parts the rows that
    were equal in those before."""
    first_N, open_K = np.zeros(n, dtype=np.int64), np.arange(n)
    for value_N in columns:
        code_K = np.unique(value_N[open_K], return_inverse=True)[1].reshape(-1)
        _key, at_G, group_K, size_G = np.unique(
            first_N[open_K] * n + code_K, return_index=True, return_inverse=True, return_counts=True
        )
        first_N[open_K] = open_K[at_G[group_K]]
        open_K = open_K[size_G[group_K] > 1]
        if not len(open_K):
            break
    return first_N


def joined_rows(
    first_N: NDArray[np.int64], other_K: NDArray[np.int64], of_K: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """``[N]``: the first of all rows that are linked: each with ``first_N``, and the rows ``of_K`` (all) with
    ``other_K``."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    row_N = np.arange(len(first_N))
    from_K, to_K = np.append(row_N, row_N if of_K is None else of_K), np.append(first_N, other_K)
    linked = csr_matrix((np.ones(len(to_K), bool), (from_K, to_K)), (len(row_N), len(row_N)))
    _count, group_N = connected_components(linked, directed=False)
    _group, first_G = np.unique(group_N, return_index=True)
    return np.asarray(first_G[group_N], dtype=np.int64)


def apportion(n: int, shares: tuple[float, ...]) -> list[int]:
    """Divide n rows by shares that sum to 1, by the largest remainder method; ties go in order.

    Every share above 0 gets at least one row; if there are too few rows, the first share gets all.
    """
    parts = [i for i, share in enumerate(shares) if share > 0]
    if n < len(parts):
        return [n] + [0] * (len(shares) - 1)
    counts = [int(n * share) for share in shares]
    for i in sorted(parts, key=lambda i: counts[i] - n * shares[i])[: n - sum(counts)]:
        counts[i] += 1
    for i in parts:
        if counts[i] == 0:
            counts[counts.index(max(counts))] -= 1
            counts[i] = 1
    return counts


def split(
    first_N: NDArray[np.int64],
    label_N: NDArray[np.int64],
    validation: float,
    test: float,
    data_seed: int,
    draw: int = 0,
) -> NDArray[np.int64]:
    """``[N]``: for each row, 0 (TRAIN), 1 (VALIDATION) or 2 (TEST).

    first_N: from ``first_equal``; equal rows get the same split, so shares count distinct rows. label_N:
    class codes (all 0 for regression); each class is divided separately. generator(data_seed, "split", draw)
    shuffles the distinct rows. Equal rows of several classes count for the rarest of these classes.
    """
    rank_C = np.bincount(label_N).argsort(kind="stable").argsort()
    stratum_N = np.full(len(first_N), len(rank_C))
    np.minimum.at(stratum_N, first_N, rank_C[label_N])
    order_N = torch.randperm(len(first_N), generator=generator(data_seed, "split", draw)).numpy()
    order_N = order_N[first_N[order_N] == order_N]
    part_N = np.zeros(len(first_N), dtype=np.int64)
    for stratum in range(len(rank_C)):
        rows = order_N[stratum_N[order_N] == stratum]
        counts = apportion(len(rows), (1 - validation - test, validation, test))
        part_N[rows] = np.repeat([0, 1, 2], counts)  # training, validation, test
    return part_N[first_N]


SHARE_MISSED = 0.1  # of the share of rows that a part should have
DRAWS = 40


def off_share(part_N: NDArray[np.int64], validation: float, test: float) -> NDArray[np.float64]:
    """``[2]``: of each held-back part, by how many rows it is off its share; 0 up to one row or a tenth."""
    wanted_P = np.array([validation, test]) * len(part_N)
    missed_P = np.abs(np.bincount(part_N, minlength=3)[VALIDATION:] - wanted_P)
    return np.asarray(missed_P * ((missed_P > np.maximum(SHARE_MISSED * wanted_P, 1)) & (wanted_P > 0)))


def split_evenly(
    first_N: NDArray[np.int64], label_N: NDArray[np.int64], validation: float, test: float, data_seed: int
) -> NDArray[np.int64]:
    """``[N]``: the first of some draws of ``split`` in which each part has its share of the rows, for groups
    of equal rows may be unlike in size; else the nearest."""
    best_N, least, unlike = np.zeros(0, dtype=np.int64), np.inf, (first_N != np.arange(len(first_N))).any()
    for draw in range(DRAWS if unlike else 1):
        part_N = split(first_N, label_N, validation, test, data_seed, draw)
        if (missed := float(off_share(part_N, validation, test).sum())) < least:
            best_N, least = part_N, missed
        if not missed:
            break
    return best_N


def split_some(
    row_K: NDArray[np.int64],
    first_N: NDArray[np.int64],
    label_N: NDArray[np.int64],
    validation: float,
    test: float,
    data_seed: int,
) -> NDArray[np.int64]:
    """``[K]``: the result of ``split`` for some rows alone."""
    return split_evenly(first_of(first_N[row_K].tolist()), label_N[row_K], validation, test, data_seed)


def split_groups(
    group_N: NDArray[np.int64], validation: float, test: float, data_seed: int
) -> NDArray[np.int64]:
    """``[N]``: the split of each row, the same for all rows of a group.

    Shares count groups, as in scikit-learn's ``GroupShuffleSplit``. group_N: group numbers, from 0.
    """
    groups = int(group_N.max()) + 1
    counts = apportion(groups, (1 - validation - test, validation, test))
    order_G = torch.randperm(groups, generator=generator(data_seed, "split")).numpy()
    part_G = np.empty(groups, dtype=np.int64)
    part_G[order_G] = np.repeat([TRAIN, VALIDATION, TEST], counts)
    return np.asarray(part_G[group_N])


def split_times(time_N: NDArray[np.float64], validation: float, test: float) -> NDArray[np.int64]:
    """``[N]``: TRAIN for the earliest rows, VALIDATION for later ones, TEST for the latest.

    Each border lies between two distinct times, as near to the share of rows as possible. Every split with a
    share gets at least one time, if there are enough times.
    """
    times, inverse, count = np.unique(time_N, return_inverse=True, return_counts=True)
    until = np.cumsum(count) / len(time_N)  # the share of rows up to and including each time
    shares = [1 - validation - test, validation, test]
    parts = [part for part in (TRAIN, VALIDATION, TEST) if shares[part] > 0]
    part_T = np.full(len(times), parts[0])
    if len(times) >= len(parts):
        first = 1
        for i, part in enumerate(parts[1:], start=1):
            aim = sum(shares[:part])
            most = len(times) - (len(parts) - i)  # leave a time for each later split
            first = min(max(int(np.abs(until - aim).argmin()) + 1, first), most)
            part_T[first:] = part
            first += 1
    return np.asarray(part_T[inverse.reshape(-1)])


def leaking(first_N: NDArray[np.int64], part_N: NDArray[np.int64]) -> NDArray[np.bool_]:
    """``[N]`` mask of training rows that equal a validation or test row, and of validation rows that equal a
    test row."""
    tests = np.isin(first_N, first_N[part_N == TEST])
    later_parts = tests | np.isin(first_N, first_N[part_N == VALIDATION])
    return np.asarray(((part_N == TRAIN) & later_parts) | ((part_N == VALIDATION) & tests))


# ---- copies of a row, and rows that return by nature

# A copy on both sides of a split is a leak, so copies stay on one side. Rows of few classes, of ages, of the
# same persons again and again are equal as well, but so will new rows be: a split that parts none of them
# asks for what never comes.
LARGE_ROWS, LARGE_SHARE = 10, 0.05  # a group of more rows than both is no set of copies
OFTEN = 4  # rows of a group on average, if most of the rows return by nature
OTHER_ANSWERS = 0.1  # of the differences that chance would give; copies have the same answer


@dataclass(frozen=True, eq=False)
class EqualRows:
    """``[N]`` each: the first row that equals it, or almost; and the first of those that a split keeps on one
    side, which is the row itself if it returns by nature."""

    first_N: NDArray[np.int64]
    unit_N: NDArray[np.int64]

    def units(self, duplicates: str | None) -> NDArray[np.int64]:
        """``[N]``: what a split never parts, by the setting ``duplicates``."""
        if duplicates == "ignore":
            return np.arange(len(self.first_N))
        return self.first_N if duplicates == "apart" else self.unit_N

    @property
    def alone_N(self) -> NDArray[np.bool_]:
        """``[N]``: whether a row equals others and is kept with none of them."""
        of_first_N, of_unit_N = (np.bincount(of_N)[of_N] for of_N in (self.first_N, self.unit_N))
        return np.asarray((of_first_N > 1) & (of_unit_N == 1))

    @classmethod
    def of(
        cls,
        first_N: NDArray[np.int64],
        answer_N: NDArray[np.int64],
        columns: Iterable[Numbers] | None = None,
    ) -> "EqualRows":
        """The equal rows of a table. answer_N, columns: as for ``returning``."""
        return cls(first_N, np.where(returning(first_N, answer_N, columns), np.arange(len(first_N)), first_N))


def returning(
    first_N: NDArray[np.int64], answer_N: NDArray[np.int64], columns: Iterable[Numbers] | None = None
) -> NDArray[np.bool_]:
    """``[N]``: whether a row equals others by nature: in a large group of equal rows; in one that chance
    would make, as its cells occur in other rows too; and, where most rows return, and often, if their answers
    differ, for copies don't.

    first_N: the first equal row of each. answer_N: equal for rows of equal targets. columns: the features,
    each ``[N]``; None: chance makes none.
    """
    rows, size_N = len(first_N), np.bincount(first_N, minlength=len(first_N))[first_N]
    again_N = size_N > 1
    natural_N = (size_N >= LARGE_ROWS) & (size_N > LARGE_SHARE * rows)
    first_G = np.unique(first_N[again_N & ~natural_N])
    if columns is not None and len(first_G):
        group_N = np.zeros(rows, dtype=bool)
        group_N[first_G[by_chance(first_G, size_N[first_G], columns, rows)]] = True
        natural_N |= group_N[first_N]
    rest_N = again_N & ~natural_N
    later = np.flatnonzero(rest_N & (first_N != np.arange(rows)))
    often = rest_N.sum() >= OFTEN * len(np.unique(first_N[rest_N]))
    if often and 2 * rest_N.sum() > rows - natural_N.sum():
        share_A = np.bincount(answer_N[rest_N]) / rest_N.sum()
        differ = float((answer_N[later] != answer_N[first_N[later]]).mean())
        if differ > OTHER_ANSWERS * (1 - (share_A**2).sum()):
            natural_N |= rest_N
    return natural_N


def by_chance(
    first_G: NDArray[np.int64], size_G: NDArray[np.int64], columns: Iterable[Numbers], rows: int
) -> NDArray[np.bool_]:
    """``[G]``: whether a row equal to each group is to be expected among the other rows, if their columns
    were independent of each other. first_G: the first row of each group; size_G: its rows."""
    others_G = np.maximum(rows - size_G, 1)
    expected_G = others_G.astype(np.float64)
    for value_N in columns:
        _values, code_N, count_V = np.unique(value_N, return_inverse=True, return_counts=True)
        expected_G *= (count_V[code_N.reshape(-1)[first_G]] - size_G) / others_G
        if (expected_G < 1).all():
            break
    return np.asarray(expected_G >= 1)


# ---- folds of a k-fold cross-validation, equal to scikit-learn's


@dataclass(frozen=True)
class Fold:
    """A fold of a cross-validation. number: counted from 0. of: the number of folds."""

    number: int
    of: int

    @property
    def text(self) -> str:
        return f"{self.number + 1}/{self.of}"


def split_fold(
    fold: Fold,
    first_N: NDArray[np.int64],
    label_N: NDArray[np.int64],
    classes: bool,
    validation: float,
    data_seed: int,
) -> NDArray[np.int64]:
    """``[N]``: TEST for the fold's rows; TRAIN or VALIDATION (a share of all rows) for all other rows.

    The folds equal the folds of scikit-learn's ``StratifiedKFold(k, shuffle=True, random_state=data_seed)``,
    or of ``KFold`` without classes; equal rows may be in several folds. first_N: from ``first_equal``.

    Raises:
        TreinoError: more folds than rows, or no rows left to train on.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    if fold.of > len(label_N):
        raise FOLDS_RANGE(k=fold.of, n=len(label_N))
    kind = StratifiedKFold if classes and np.bincount(label_N).max() >= fold.of else KFold
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about classes too rare to be in every fold
        made = kind(fold.of, shuffle=True, random_state=data_seed % 2**32)
        _rest, test_N = next(islice(made.split(np.zeros(len(label_N)), label_N), fold.number, None))
    part_N = np.full(len(label_N), TRAIN, dtype=np.int64)
    part_N[test_N] = TEST
    rest_N = np.flatnonzero(part_N == TRAIN)
    share = validation * len(label_N) / len(rest_N)
    if share >= 1:
        raise SHARES_SUM(validation=validation, k=fold.of)
    if share:
        part_N[rest_N] = split_some(rest_N, first_N, label_N, share, 0.0, data_seed)
    return part_N


def split_name(split: str) -> str:
    """Return the name of the split ``train``, ``validation`` or ``test`` in the reader's language."""
    return {"train": _("training"), "validation": _("validation"), "test": _("test")}[split]

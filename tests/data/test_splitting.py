"""The split: every row once, classes in proportion, equal rows together, from its seed alone."""

import hashlib
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from treino.data.rows import generator
from treino.data.splits import TEST, TRAIN, VALIDATION, apportion, first_equal, split

shares = st.tuples(
    st.floats(0, 0.45, allow_subnormal=False), st.floats(0, 0.45, allow_subnormal=False)
).filter(lambda vt: all(v == 0 or v > 1e-9 for v in vt))


def test_generator_is_the_first_63_bits_of_the_digest() -> None:
    digest = hashlib.sha256(b"7/split/3").hexdigest()
    assert generator(7, "split", 3).initial_seed() == int(digest[:16], 16) >> 1


@given(n=st.integers(0, 500), vt=shares)
@settings(max_examples=100)
def test_apportion_is_within_one_of_the_exact_share(n: int, vt: tuple[float, float]) -> None:
    parts = (1 - sum(vt), *vt)
    counts = apportion(n, parts)
    wanted = [share for share in parts if share > 0]
    assert sum(counts) == n
    assert all(count == 0 for count, share in zip(counts, parts, strict=True) if share == 0)
    if n < len(wanted):
        assert counts[0] == n
        return
    assert all(count >= 1 for count, share in zip(counts, parts, strict=True) if share > 0)
    if all(n * share >= 1 for share in wanted):
        for count, share in zip(counts, parts, strict=True):
            assert math.floor(n * share - 1e-9) <= count <= math.ceil(n * share + 1e-9)


def test_apportion_by_hand() -> None:
    assert apportion(59, (0.7, 0.15, 0.15)) == [41, 9, 9]  # 41.3, 8.85, 8.85
    assert apportion(3, (0.7, 0.15, 0.15)) == [1, 1, 1]
    assert apportion(2, (0.7, 0.15, 0.15)) == [2, 0, 0]
    assert apportion(100, (1 - 0.29, 0.0, 0.29)) == [71, 0, 29]


@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60), vt=shares,
    seed=st.integers(0, 2**31), labels=st.integers(1, 4), data=st.data(),
)  # fmt: skip
@settings(max_examples=100)
def test_split_covers_all_rows_and_keeps_equal_ones_together(
    rows: list[tuple[int, int]], vt: tuple[float, float], seed: int, labels: int, data: st.DataObject
) -> None:
    x_ND = np.array(rows, dtype=np.float64)
    label_N = np.array(
        data.draw(st.lists(st.integers(0, labels - 1), min_size=len(x_ND), max_size=len(x_ND)))
    )
    first_N = first_equal(x_ND)
    part_N = split(first_N, label_N, *vt, seed)
    assert set(part_N.tolist()) <= {TRAIN, VALIDATION, TEST}
    where: dict[tuple[float, ...], set[int]] = {}
    for row, part in zip(x_ND.tolist(), part_N.tolist(), strict=True):
        where.setdefault(tuple(row), set()).add(part)
    assert all(len(parts) == 1 for parts in where.values())
    assert (part_N == split(first_N, label_N, *vt, seed)).all()
    if vt[0] == 0:
        assert VALIDATION not in part_N
    if vt[1] == 0:
        assert TEST not in part_N


@given(counts=st.lists(st.integers(1, 60), min_size=1, max_size=6), vt=shares, seed=st.integers(0, 99))
@settings(max_examples=100)
def test_each_class_is_divided_like_the_whole(counts: list[int], vt: tuple[float, float], seed: int) -> None:
    label_N = np.repeat(np.arange(len(counts)), counts)
    np.random.RandomState(seed).shuffle(label_N)
    part_N = split(np.arange(len(label_N)), label_N, *vt, seed)
    splits = sum(share > 0 for share in (1 - sum(vt), *vt))
    for label, n in enumerate(counts):
        parts = np.bincount(part_N[label_N == label], minlength=3)
        if n < splits:
            assert parts[TRAIN] == n
            continue
        for part, share in ((VALIDATION, vt[0]), (TEST, vt[1])):
            assert parts[part] >= (share > 0)
            assert abs(parts[part] - n * share) <= 1


def test_a_rare_class_that_shares_its_rows_with_a_common_one_is_divided_like_the_whole() -> None:
    x_ND = np.arange(40.0)[:, None].repeat(2, axis=0)  # each row twice
    label_N = np.zeros(80, dtype=np.int64)
    label_N[1:10:2] = label_N[10:20:2] = 1  # the second of five pairs, the first of five others
    for data_seed in range(5):
        part_N = split(first_equal(x_ND), label_N, 0.15, 0.15, data_seed)
        assert np.bincount(part_N[label_N == 1]).tolist() == apportion(10, (0.7, 0.15, 0.15)) == [7, 2, 1]


@given(
    st.lists(
        st.lists(st.sampled_from([0.0, -0.0, 1.5, np.nan]), min_size=2, max_size=2), min_size=1, max_size=30
    )
)
@settings(max_examples=100)
def test_first_equal_agrees_with_comparing_all_pairs(rows: list[list[float]]) -> None:
    expected = [rows.index(row) for row in rows]  # NaN is one object here, which lists take for equal
    assert first_equal(np.array(rows)).tolist() == expected


@pytest.mark.parametrize("data_seed", range(3))
def test_the_split_in_plain_code(data_seed: int) -> None:
    """The algorithm written out once more, as a reader would: the same rows in the same parts."""
    import treino.data as tr

    data = tr.load("wine", data_seed=data_seed)
    from sklearn.datasets import load_wine

    y_N = load_wine().target
    order = torch.randperm(len(y_N), generator=generator(data_seed, "split")).tolist()
    train, validation, test = [], [], []
    for c in range(3):
        rows = [i for i in order if y_N[i] == c]
        a, b, _ = apportion(len(rows), (1 - 0.15 - 0.15, 0.15, 0.15))
        train += rows[:a]
        validation += rows[a : a + b]
        test += rows[a + b :]
    assert data.train.index.tolist() == sorted(train)
    assert data.validation.index.tolist() == sorted(validation)
    assert data.test.index.tolist() == sorted(test)

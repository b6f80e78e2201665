"""Rows given as arrays: what can be read is, what can't is refused with where and what to do."""

import math
import warnings

import numpy as np
import pytest
import torch
from oracles import sample
from tests.conftest import refusal_of

from treino.base.errors import TreinoError
from treino.engine import mlp, train

X, Y = sample()


def changed(t, place, value):
    t = t.clone()
    t[place] = value
    return t


def one_step(data, **arguments):
    training = train(data, mlp(4), steps=1, **arguments)
    training.advance(0.0)
    return training.state.population.params


def test_arrays_and_lists_are_what_tensors_are():
    wanted = one_step(((X, Y), (X, Y)))
    x, y = X.numpy(), Y.numpy()
    fixed = x.copy()
    fixed.flags.writeable = False
    backwards = np.ascontiguousarray(x[::-1])[::-1]
    pairs = [
        (x, y),
        (fixed, y.astype("uint16")),
        (backwards, y.astype("int8")),
        (X.tolist(), Y.tolist()),
        (X.to_sparse(), Y),
        (X.clone().requires_grad_(), Y),
    ]
    for pair in pairs:
        assert torch.equal(one_step(pair), wanted)
        assert torch.equal(one_step((pair, pair)), wanted)


def test_two_rows_are_no_two_pairs():
    x = [[1.0, 2.0], [3.0, 4.0]]
    for y in ([0, 1], [0.5, 1.0], [[5.0, 6.0], [7.0, 8.0]]):
        training = train((x, y), mlp(4))
        assert training.setup.train.x.tolist() == x
        assert training.setup.train.y.squeeze(-1).tolist() == y
        assert training.setup.validation is None


@pytest.mark.parametrize("empty", [(X[:0], Y[:0]), (X[:0], X[:0, 0])])
def test_an_empty_validation_pair_is_none(empty):
    assert train(((X, Y), empty), mlp(4)).setup.validation is None


VALUES = X[:, 0]


@pytest.mark.parametrize(
    ("train_y", "other_y"),
    [(X[:, :2], VALUES), (VALUES, Y), (Y, VALUES), (X[:, :2], X[:, :1])],
    ids=["broadcasting", "numbers-classes", "classes-numbers", "columns"],
)
def test_targets_of_both_parts_are_of_one_kind_and_shape(train_y, other_y):
    assert refusal_of(train, ((X, train_y), (X, other_y)), mlp(4)).rule == "data_shape"
    train(((X, VALUES), (X, X[:, :1])), mlp(4))  # one value is one column


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((changed(X, (3, 2), math.nan), Y), ["x of the training", "nan", "row 3, column 2"]),
        ((X, changed(VALUES, 5, -math.inf)), ["y of the training", "-inf", "row 5."]),
        (
            ((X, X[:, :2]), (X, changed(X[:, :2], (7, 1), math.inf))),
            ["y of the validation", "row 7, column 1"],
        ),
        ((changed(X.double(), (0, 4), 1e300), Y), ["1e+300", "row 0, column 4"]),
        ((changed(X, (3, 2), math.inf).view(24, 1, 5), Y), ["row 3, column 0, 2"]),
    ],
)
def test_what_is_no_number_is_refused_with_its_place(data, said):
    refused = refusal_of(train, data, mlp(4))
    assert refused.rule == "data_not_finite"
    assert all(part in refused.message for part in said), refused.message


def test_float64_may_hold_what_float32_can_not():
    train((changed(X.double(), (0, 4), 1e100), Y), mlp(4), dtype=torch.float64)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ((X + 1j, Y), "data_complex"),
        ((np.array([["a"]]), [0]), "data_type"),
        (([["a"]], [0]), "data_type"),
        (([[1, 2], [3]], [0, 1]), "data_type"),
        ({"x": X, "y": Y}, "data_type"),
        ((X, torch.tensor(3.0)), "data_shape"),
        ((X[:, :0], Y), "data_shape"),
        ((X, X.unsqueeze(-1)), "data_shape"),
        ((X, Y + 10**6), "classes_range"),
    ],
)
def test_what_can_not_be_read_is_refused(data, rule):
    refused = refusal_of(train, data, mlp(4))
    assert refused.rule == rule
    assert refused.status == 2


def test_many_classes_with_few_rows_are_still_classes():
    assert train((X, Y + 900), mlp(4)).outputs == 903


def test_a_frame_is_for_load():
    pandas = pytest.importorskip("pandas")
    frame, series = pandas.DataFrame(X.numpy()), pandas.Series(Y.numpy())
    for data in [(frame, series), (X, series), ((frame, series), (X, Y))]:
        with pytest.raises(TreinoError, match="load") as refused:
            train(data, mlp(4))
        assert refused.value.rule == "data_frame"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch warns of pandas' read-only arrays
        assert torch.equal(one_step((frame.to_numpy(), series.to_numpy())), one_step((X, Y)))

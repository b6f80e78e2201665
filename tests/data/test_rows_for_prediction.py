"""Rows to predict: found by name, prepared as the training rows were, or refused by name."""

import numpy as np
import pandas as pd
import pytest
import torch

from tests.conftest import refusal_of
from tests.data.conftest import Write
from treino.data import load, rows_for_prediction


def lines(rows: int = 30, y: bool = True) -> str:
    head = "p,q,y\n" if y else "p,q\n"
    return head + "".join(f"{i * i},{i % 7}.5{',' + 'ab'[i % 2] if y else ''}\n" for i in range(rows))


def test_the_training_file_itself_gives_the_training_rows(write: Write) -> None:
    path = write(lines())
    data = load(path, target="y")
    prepared = rows_for_prediction(path, data.preparation)
    for rows in data.splits.values():
        assert torch.equal(prepared.x[rows.index], rows.x)
        assert torch.equal(prepared.y[rows.index], rows.y)
    assert prepared.index.tolist() == list(range(30))
    assert prepared.notes == ()
    assert len(prepared) == 30


def test_columns_are_found_by_name_and_others_are_said_to_be_unused(write: Write) -> None:
    preparation = load(write(lines()), target="y").preparation
    prepared = rows_for_prediction(write("z,q,p\nx,1.5,4\n,2.5,9\n", "new.csv"), preparation)
    assert prepared.y is None
    assert prepared.notes == ("Not used: z.",)
    np.testing.assert_allclose(preparation.inverse(prepared.x), [[4, 1.5], [9, 2.5]], rtol=1e-5)
    frame = rows_for_prediction(pd.DataFrame({"q": [1.5, 2.5], "p": [4, 9]}), preparation)
    assert torch.equal(frame.x, prepared.x)
    array = rows_for_prediction(np.array([[4, 1.5], [9, 2.5]]), preparation)
    assert torch.equal(array.x, prepared.x)
    pair = rows_for_prediction((np.array([[4, 1.5], [9, 2.5]]), ["b", "a"]), preparation)
    assert pair.y.tolist() == [1, 0]


def test_a_file_of_one_feature_needs_no_second_column(write: Write) -> None:
    preparation = load(write(lines()), target="y", features=["p"]).preparation
    assert len(rows_for_prediction(write("p\n1\n2\n", "new.csv"), preparation)) == 2


def test_an_empty_target_column_is_no_target(write: Write) -> None:
    preparation = load(write(lines()), target="y").preparation
    prepared = rows_for_prediction(write("p,q,y\n1,2,\n3,4,\n", "new.csv"), preparation)
    assert prepared.y is None
    assert "'y' is empty" in prepared.notes[0]


def test_classes_keep_their_numbers_when_only_some_are_there(write: Write) -> None:
    text = "p,y\n" + "".join(f"{i * i},{i % 3 + 4}\n" for i in range(30))
    preparation = load(write(text), target="y").preparation
    prepared = rows_for_prediction(write("p,y\n1,6\n2,6.0\n", "new.csv"), preparation)
    assert prepared.y.tolist() == [2, 2]


TRUTHS = [("TRUE", "FALSE"), ("True", "False"), ("true", "FALSE"), ("yes", "NO"), ("T", "F"), ("Sim", "Não")]
TRUTHS += [("Verdadeiro", "falso"), ("1", "0"), ("y", "N")]


@pytest.mark.parametrize(("yes", "no"), TRUTHS)
def test_truth_values_are_classes_as_written_and_known_however_written(
    write: Write, yes: str, no: str
) -> None:
    cells = [yes if i % 3 else no for i in range(30)]
    data = load(write("p,y\n" + "".join(f"{i * i},{cell}\n" for i, cell in enumerate(cells))), target="y")
    assert set(data.classes) == {yes, no}
    y_N = torch.tensor([data.classes.index(cell) for cell in cells])
    for other_yes, other_no in TRUTHS:
        text = "p,y\n" + "".join(f"{i * i},{other_yes if i % 3 else other_no}\n" for i in range(30))
        prepared = rows_for_prediction(write(text, "new.csv"), data.preparation)
        assert torch.equal(prepared.y, y_N)
    frame = pd.DataFrame({"p": np.arange(30) ** 2, "y": [i % 3 > 0 for i in range(30)]})
    known = rows_for_prediction(frame, data.preparation).y
    assert torch.equal(known, y_N)


def test_true_and_false_in_several_cases_are_two_classes_of_the_usual_spelling(write: Write) -> None:
    cells = ["TRUE", "false", "True", "TRUE", "False", "false"] * 5
    data = load(write("p,y\n" + "".join(f"{i * i},{cell}\n" for i, cell in enumerate(cells))), target="y")
    assert data.classes == ("false", "TRUE")
    known = torch.cat([rows.y for rows in data.splits.values()])
    index = torch.cat([rows.index for rows in data.splits.values()])
    assert known[index.argsort()].tolist() == [1, 0, 1, 1, 0, 0] * 5


@pytest.mark.parametrize(
    ("text", "rule", "says"),
    [
        ("p,y\n1,a\n", "columns_missing", "lacks 1 of 2 columns: q"),
        ("p,qq\n1,2\n", "columns_missing", "Did you mean 'qq'?"),
        (
            "p,q,y\n1,2,c\n3,4,a\n5,6,c\n",
            "class_unknown",
            "line 2: 'c' is no class of 'y' (rows with such values: 2)",
        ),
        ("p,q\n1,x\n", "feature_text", "'x' in line 2"),
        ("p,q\n1,1e400\n", "feature_infinite", "'1e400' in line 2"),
        ("p,q\n", "csv_no_rows", "no rows"),
        ("p,q\n1,1e300\n", "value_range", "too large"),
    ],
)
def test_rows_that_do_not_fit(write: Write, text: str, rule: str, says: str) -> None:
    preparation = load(write(lines()), target="y").preparation
    error = refusal_of(rows_for_prediction, write(text, "new.csv"), preparation)
    assert error.rule == rule
    assert says in str(error)

"""A letter and its accent are one character or two, and the same name, class and category in every source."""

import unicodedata
from functools import partial
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from tests.conftest import refusal_of
from tests.data.conftest import written
from treino.data import load, rows_for_prediction

ROWS = 60
apart = partial(unicodedata.normalize, "NFD")
CITIES = ["São Paulo", "Brasília", "Maceió"]


def table() -> pd.DataFrame:
    frame = pd.DataFrame(
        {"região": [CITIES[i % 3] for i in range(ROWS)], "área": [i * i / 8 for i in range(ROWS)]}
    )
    frame["opção"] = pd.Categorical(["não", "talvez", "às vezes", "não"] * (ROWS // 4))
    return frame.assign(preço=["é", "à"] * (ROWS // 2))


def decomposed(frame: pd.DataFrame) -> pd.DataFrame:
    words = frame.astype({"opção": object}).map(lambda c: apart(c) if isinstance(c, str) else c)
    return words.rename(columns=apart)


@pytest.mark.parametrize("form", ["csv", "jsonl", "frame", "xlsx", "parquet", "polars", "categories"])
@pytest.mark.parametrize("trained", [table, lambda: decomposed(table())])
def test_both_writings_are_the_same(form: str, trained: object, tmp_path: Path) -> None:
    asked = {"target": apart("preço"), "kinds": {apart("região"): "category"}}
    data = load(trained(), **asked)  # type: ignore[operator]
    assert data.features == ("região", "área", "opção")
    assert data.classes == ("à", "é")
    new = decomposed(table())
    if form == "categories":
        new = new.astype("category").astype({apart("área"): float})
    file = "frame" if form == "categories" else form
    source = pl.from_pandas(new) if form == "polars" else written(new, tmp_path, file)
    prepared = rows_for_prediction(source, data.preparation)
    assert prepared.unknown == {}
    assert prepared.x.equal(rows_for_prediction(table(), data.preparation).x)
    assert prepared.y.flatten().tolist() == [1, 0] * (ROWS // 2)


def test_two_columns_that_look_alike_are_told_apart(tmp_path: Path) -> None:
    both = pd.concat([table(), decomposed(table())[[apart("área")]]], axis=1)
    assert "área.1" in load(written(both, tmp_path, "csv"), target="preço").features
    assert "two columns named 'área'" in refusal_of(load, both, target="preço").message

"""Any table is loaded or refused, and its rows are prepared equally when they are predicted."""

import json

import numpy as np
import pandas as pd
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.conftest import read_back
from treino.base.errors import TreinoError
from treino.data import Data, describe, load, rows_for_prediction

WORDS = ["a", "b", "NA", "x y", "007", "ü", "1", "-", "2024-01-01", "true", "R$ 1,00", "=1+1"]
CELLS = {
    "numbers": st.floats(-1e3, 1e3).map(lambda v: round(v, 2)),
    "huge": st.sampled_from([1e30, -1e30, 0.0, 5e-324, 1.0, 2.0]),
    "endless": st.sampled_from([1.0, 2.0, 1e300, np.inf]),
    "whole": st.integers(-3, 40),
    "truth": st.booleans(),
    "words": st.sampled_from(WORDS),
    "free": st.text(max_size=6),
    "dates": st.datetimes().map(pd.Timestamp),
    "constant": st.just("k"),
    "mixed": st.one_of(st.integers(0, 3), st.sampled_from(WORDS)),
}


TARGETS = {
    "numbers": CELLS["numbers"],
    "counts": st.integers(0, 60),
    "classes": st.sampled_from(["yes", "no", "NA"]),
    "truth": st.booleans(),
    "words": CELLS["words"],
}


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "validation": st.sampled_from([0, 0.2]), "test": st.sampled_from([0, 0.3]),
        "data_seed": st.integers(0, 3),
        "normalise": st.booleans(), "impute": st.just("mean"), "duplicates": st.just("ignore"),
    },
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, dict]:
    """A frame with the target y, and what is asked of its split."""
    rows = draw(st.integers(8, 60))
    seed = np.random.RandomState(draw(st.integers(0, 2**31)))
    columns = {"p": seed.rand(rows).tolist()} if draw(st.integers(0, 4)) else {}
    for j, kind in enumerate(draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=4))):
        few = draw(st.lists(CELLS[kind], min_size=1, max_size=12))
        cells = [few[i] for i in seed.randint(len(few), size=rows)]
        gaps = seed.rand(rows) < draw(st.sampled_from([0, 0, 0.1, 0.9, 1]))
        columns[f"{kind} {j}"] = [None if gap else cell for gap, cell in zip(gaps, cells, strict=True)]
    few = draw(st.lists(TARGETS[draw(st.sampled_from(sorted(TARGETS)))], min_size=2, max_size=12))
    target = [few[i] for i in seed.randint(len(few), size=rows)]
    if draw(st.booleans()):
        target[3] = None
    asked = draw(OPTIONS)
    by = draw(st.sampled_from([None, None, "split_group", "split_time", "split_column"]))
    if by is not None:
        asked[by] = draw(st.sampled_from(sorted(columns)))
    return pd.DataFrame(columns).assign(y=pd.Series(target, dtype=object)), asked


def loaded(frame: pd.DataFrame, options: dict) -> Data | None:
    """None where it is refused as it should be."""
    try:
        return load(frame, target="y", **options)
    except TreinoError as error:
        if not error.hint or error.status != 2:
            raise
        return None


@given(table=tables())
@settings(max_examples=60)
def test_any_table_is_loaded_or_refused_and_prepared_the_same_again(
    table: tuple[pd.DataFrame, dict],
) -> None:
    frame, options = table
    json.dumps(describe(frame, "y").to_json(), allow_nan=False)
    data = loaded(frame, options)
    if data is None:
        return
    assert len(data.preparation.inputs) == data.inputs == sum(map(len, data.preparation.groups))
    for rows in data.splits.values():
        assert rows.x.isfinite().all()
        assert rows.x.dtype == torch.float32
    again = read_back(data.preparation)
    assert again == data.preparation
    index, _ = torch.cat([rows.index for rows in data.splits.values()]).sort()
    assert len(index.unique()) == len(index)
    kept = frame.iloc[index.numpy()]  # a row of no label was left out unread, and may hold anything
    new = rows_for_prediction(kept.drop(columns="y")[list(data.features)[::-1]], again)
    for rows in data.splits.values():
        assert torch.equal(new.x[torch.searchsorted(index, rows.index)], rows.x)
    second = load(frame, target="y", **options)
    assert second.preparation == data.preparation
    assert torch.equal(second.train.x, data.train.x)

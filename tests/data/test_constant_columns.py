"""A column that never changes in the training rows but does in others is said, by load and for new rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treino.data import load, rows_for_prediction

ROWS = 40
PART = ["train"] * 24 + ["validation"] * 8 + ["test"] * 8
NEVER = "Never changes in training rows"


def frame(**columns: object) -> pd.DataFrame:
    plain = {"x": np.sin(np.arange(ROWS)), "y": list("ab") * (ROWS // 2), "part": PART}
    return pd.DataFrame(plain | columns)


def said(table: pd.DataFrame, **more: object) -> list[str]:
    found = load(table, target="y", split_column="part", **more)
    return [note for note in found.notes if NEVER in note]


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize(
    ("values", "n"),
    [
        ([5.0] * 24 + [7.0] * 16, 16),
        ([True] * 30 + [False] * 10, 10),
        (["2024-01-05"] * 38 + ["2024-02-06"] * 2, 2),
        (["09:30"] * 39 + ["10:30"], 1),
        ([None] * 12 + [3.0] * 20 + [4.0] * 8, 8),
        ([None] * 24 + [4.0] * 16, 16),
    ],
    ids=["numbers", "truth values", "dates", "times", "with gaps", "all missing"],
)
def test_of_every_kind(values: list[object], n: int, normalise: bool) -> None:
    (note,) = said(frame(late=values), normalise=normalise)
    assert note.endswith(f": late ({n} rows).")


@pytest.mark.slow
@given(st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=ROWS, max_size=ROWS), st.integers(0, 24))
@settings(max_examples=50)
def test_only_where_training_rows_are_equal_and_others_are_not(values: list[float], equal: int) -> None:
    values[:equal] = [1.0] * equal
    later = sum(v != values[0] for v in values[24:])
    wanted = len(set(values[:24])) == 1 and later > 0
    notes = said(frame(late=values))
    assert notes == ([f"{NEVER}, so nothing is learnt of it, but does in validation or test rows: late "
                      f"({later} rows)."] if wanted else [])  # fmt: skip


def test_new_rows_are_compared_with_the_training_rows() -> None:
    table = frame(late=[5.0] * 24 + [7.0] * 16)
    preparation = load(table, target="y", split_column="part").preparation
    new = pd.DataFrame({"x": [1.0, 2.0, 3.0], "late": [5.0, np.nan, 6.0]})
    assert rows_for_prediction(new, preparation).notes[-1] == (
        "Never changed in training rows, so nothing was learnt of it, but does here: late (1 rows)."
    )
    same = rows_for_prediction(new.assign(late=5.0), preparation)
    assert not [note for note in same.notes if "Never changed" in note]

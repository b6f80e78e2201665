"""Hashes of rows: equal for equal rows alone, whatever the size of the blocks in which they are made."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import treino as tr
from treino.data import load
from treino.folders import row_hashes
from treino.folders.row_hashes import FILE


def test_rows_have_one_hash_if_they_are_equal_and_else_another(monkeypatch: pytest.MonkeyPatch) -> None:
    r = np.random.default_rng(4)
    frame = pd.DataFrame(r.integers(0, 6, (3000, 3)), columns=["a", "b", "y"]).astype(float)
    data = load((frame[["a", "b"]].to_numpy(), frame["y"].to_numpy() + 0.5))
    rows = data.train
    found = row_hashes.row_hashes(rows.x, rows.y, data.preparation)
    cells = torch.cat([rows.x, rows.y], 1).numpy()
    _each, place = np.unique(cells, axis=0, return_inverse=True)
    _hashes, own = np.unique(found, return_inverse=True)
    assert len(set(zip(place.tolist(), own.tolist(), strict=True))) == len(set(place)) == len(set(own))
    swapped = row_hashes.row_hashes(rows.x.flip(1), rows.y, data.preparation)
    assert ((swapped == found) == (rows.x[:, 0] == rows.x[:, 1]).numpy()).all()
    monkeypatch.setattr(row_hashes, "_BLOCK", 64)
    some = torch.tensor([5, 0, 77])
    again = row_hashes.row_hashes(rows.x, rows.y[some], data.preparation, some)
    assert (again == found[some.numpy()]).all()


@pytest.mark.parametrize("shares", [{"test": 0}, {"validation": 0}, {"validation": 0, "test": 0}])
def test_splits_without_rows_have_no_hashes(shares: dict[str, int], tmp_path: Path) -> None:
    run = tr.fit("wine", steps=3, out=tmp_path / "r", **shares)
    assert not [note for note in run.document["notes"] if "failed" in note]
    for split, rows in run.data.splits.items():
        hashes = row_hashes.read_row_hashes(run.folder, [split])
        assert hashes is not None
        assert len(hashes) == len(rows)


def test_a_folder_keeps_eight_bytes_for_each_row_and_is_checked(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(60.0), "y": np.arange(60.0) % 7 + 0.5})
    run = tr.fit(frame, target="y", epochs=1, out=tmp_path / "r")
    assert (run.path / FILE).stat().st_size < 8 * 60 + 400
    assert FILE in run.folder.manifest.files

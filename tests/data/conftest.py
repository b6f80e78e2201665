"""Fixtures of the data tests: files to load, in a folder of each test; a small set of images."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from treino.data.documents import PreparationDocument
from treino.data.preparation.preparation import Preparation
from treino.data.readers import idx

Write = Callable[..., Path]


def read_back(preparation: Preparation) -> Preparation:
    """The preparation, through the text of a folder's document."""
    text = json.dumps(preparation.to_json(), allow_nan=False)
    return Preparation.from_document(PreparationDocument.model_validate(json.loads(text)))


def written(table: pd.DataFrame, folder: Path, form: str, **csv: Any) -> Any:
    """The table itself as a "frame", else the path of a file of this form."""
    path = folder / f"t.{form}"
    if form == "csv":
        table.to_csv(path, index=False, **csv)
    elif form == "jsonl":
        table.to_json(path, orient="records", lines=True)
    elif form == "parquet":
        table.to_parquet(path)
    elif form == "xlsx":
        table.to_excel(path, index=False)
    return table if form == "frame" else path


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write(text or bytes, name="table.csv")`` gives the path of a new file."""

    def write_file(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


def stored(name: str, size: int, bits: int = 3) -> bytes:
    shape = (size, 28, 28) if bits == 3 else (size,)
    header = b"".join(n.to_bytes(4, "big") for n in (0x800 + bits, *shape))
    values = np.random.RandomState(len(name)).randint(0, 10, shape).astype(np.uint8)
    return header + values.tobytes()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a set with 60 + 10 rows in four plain files, and TREINO_DATA set to what holds it."""
    monkeypatch.setitem(idx.ROWS, "train", 60)
    monkeypatch.setitem(idx.ROWS, "t10k", 10)
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    for stem in idx.MNIST:
        size = 60 if stem.startswith("train") else 10
        (folder / stem).write_bytes(stored(stem, size, 3 if "images" in stem else 1))
    monkeypatch.setenv("TREINO_DATA", str(tmp_path))
    return folder

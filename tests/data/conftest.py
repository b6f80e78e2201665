"""Fixtures of the data tests: files to load, in a folder of each test."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from treino.data import Preparation
from treino.documents.preparation import PreparationDocument

Write = Callable[..., Path]


def read_back(preparation: Preparation) -> Preparation:
    """The preparation, through the text of a folder's document."""
    text = json.dumps(preparation.to_json(), allow_nan=False)
    return Preparation.from_document(PreparationDocument.model_validate(json.loads(text)))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write(text or bytes, name="table.csv")`` gives the path of a new file."""

    def write_file(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file

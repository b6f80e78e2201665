"""Tell which splits of a data set are in memory, and take a sample of those that aren't."""

from dataclasses import replace
from hashlib import sha256

from torch import Tensor

from treino.data.dataset import Data
from treino.data.rows import Rows, sampled_rows


def splits_not_in_memory(data: Data) -> list[Rows]:
    """The splits whose rows are not in memory."""
    return [rows for rows in data.splits.values() if not isinstance(rows.x, Tensor)]


def why_not_reproducible(data: Data) -> str:
    """The reason why training on the data isn't reproducible; empty if it is."""
    return next((why for rows in splits_not_in_memory(data) if (why := getattr(rows.x, "why", ""))), "")


def in_memory(data: Data) -> Data:
    """The data with a sample of at most 2000 rows of each split that isn't in memory, for plots."""
    if not splits_not_in_memory(data):
        return data
    train, validation, test = (sampled_rows(rows, data.data_seed) for rows in data.splits.values())
    return replace(data, train=train, validation=validation, test=test)


def digest(data: Data) -> str:
    """The SHA-256 of task, classes, shape, sorted targets and row numbers, to recognise a DataLoader that is
    passed again."""
    content = [data.task, list(data.classes), list(data.item_shape), data.target_mean, data.target_scale]
    sha = sha256(repr(content).encode())
    for rows in data.splits.values():
        sha.update(rows.y.sort(0).values.numpy().tobytes() + rows.index.numpy().tobytes())
    return sha.hexdigest()

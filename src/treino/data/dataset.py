"""What the floors above see of a data set: prepared rows in three splits, and what is known about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import torch

if TYPE_CHECKING:
    from treino.data.preparation import Preparation

Task = Literal["classification", "regression"]


@dataclass(frozen=True, eq=False)
class Rows:
    """One split, prepared: what a kernel trains or is evaluated on.

    x: ``[N, D]`` float32, contiguous; images are flattened (``Data.item_shape`` has their shape).
    y: ``[N]`` int64 class numbers, or ``[N, 1]`` float32 standardised target values.
    index: ``[N]`` int64, the row number of each in the source (0 is the first row of data).
    """

    x: torch.Tensor
    y: torch.Tensor
    index: torch.Tensor

    def __len__(self) -> int:
        return len(self.x)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return iter(zip(self.x, self.y, strict=True))


@dataclass(frozen=True, eq=False)
class Data:
    """A data set, split and prepared; everything that was fitted was fitted on ``train`` only.

    source: a built-in's name or a file's path as given; ``sha256`` of the file, None for a built-in.
    features: names of the columns (or pixels) in the order of ``x``'s columns before preparation.
    item_shape: shape of one item for a module of the user's own: ``(D,)``, images ``(1, 28, 28)``.
    classes: the classes' names in the order of their numbers; empty for regression.
    target_mean, target_scale: a regression target is ``y * target_scale + target_mean`` in its own
    units; 0 and 1 for classes.
    official_test: the test rows are the source's own, not a share taken from it.
    arguments: what ``load`` was asked beside the source (JSON-able): the same again gives the same rows.
    notes: what was decided about the source, one sentence each, for the summary and the run.
    files: where whole splits came from files of their own: ``{split: (path as given, SHA-256)}``.
    """

    name: str
    source: str
    sha256: str | None
    kind: Literal["table", "image"]
    task: Task
    task_reason: str
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    item_shape: tuple[int, ...]
    train: Rows
    validation: Rows
    test: Rows
    preparation: "Preparation"
    arguments: Mapping[str, Any]
    target_mean: float = 0.0
    target_scale: float = 1.0
    official_test: bool = False
    notes: tuple[str, ...] = field(default=())
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def data_seed(self) -> int:
        """The seed of the split, and of the order unless a training says otherwise."""
        return int(self.arguments["data_seed"])

    @property
    def inputs(self) -> int:
        """D: numbers that the network sees per row, after preparation."""
        return self.train.x.shape[1]

    @property
    def splits(self) -> dict[str, Rows]:
        return {"train": self.train, "validation": self.validation, "test": self.test}

"""What the floors above see of a data set: prepared rows in three splits, and what is known about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import torch

from treino.words import N_, _

if TYPE_CHECKING:
    from treino.data.preparing.preparation import Preparation

Task = Literal["classification", "regression"]
SHOWN = 40  # columns in a notebook's table


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

    def __getitem__(self, row: int | slice | torch.Tensor) -> Any:
        """One row as (x ``[D]``, y), as a ``torch.utils.data.Dataset`` gives it; several as Rows."""
        if isinstance(row, (slice, torch.Tensor)):
            return Rows(self.x[row], self.y[row], self.index[row])
        return self.x[row], self.y[row]

    def batches(
        self, batch_size: int = 32, *, shuffle: bool = False, seed: int = 0, epoch: int = 0
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(x ``[B, D]``, y) again and again until all rows came; the last batch may be short.

        shuffle: in the order in which a training with this ``data_seed`` goes through them in that epoch.
        """
        from treino.data.batches import batches, order

        return batches(self, batch_size, order(len(self), seed, epoch, "each" if shuffle else "off"))


@dataclass(frozen=True, eq=False, repr=False)
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
    written: the decimal sign and the order of day and month that the file was found to have.
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
    written: Mapping[str, str] = field(default_factory=dict)

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

    def __repr__(self) -> str:
        """A summary in lines: what it is, what is learnt from what, how many rows, and what was decided."""
        return "\n".join(
            [
                f"{self.name}: {self._learnt()}",
                ", ".join(f"{len(rows):,} {_(name)}" for name, rows in self._named_splits()) + _(" rows"),
                _("{n} columns, {d} inputs: {names}").format(
                    n=len(self.features), d=self.inputs, names=_few(self.features)
                ),
                *(f"· {note}" for note in self.notes),
            ]
        )

    def _repr_html_(self) -> str:
        """The same as a table, for notebooks: a line for each column."""
        made = self.preparation.encoders
        ways = [
            ", ".join(e.inputs) if len(e.inputs) <= 4 else _("{n} inputs").format(n=len(e.inputs))
            for e in made
        ]
        lines = "".join(
            f"<tr><td>{escape(name)}</td><td>{escape(way)}</td></tr>"
            for name, way in list(zip(self.features, ways or self.features, strict=True))[:SHOWN]
        )
        more = len(self.features) - SHOWN
        rest = f"<tr><td colspan=2>{_('and {n} more').format(n=more)}</td></tr>" if more > 0 else ""
        counts = ", ".join(f"{len(rows):,} {_(name)}" for name, rows in self._named_splits())
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return (
            f"<b>{escape(self.name)}</b>: {escape(self._learnt())}<br>{counts} {_('rows')}"
            f"<table><tr><th>{_('column')}</th><th>{_('inputs')}</th></tr>{lines}{rest}</table><ul>{notes}</ul>"
        )

    def _learnt(self) -> str:
        if self.task == "regression":
            return _("the number {target}").format(target=self.target)
        return _("{n} classes of {target}: {names}").format(
            n=len(self.classes), target=self.target, names=_few(self.classes)
        )

    def _named_splits(self) -> list[tuple[str, Rows]]:
        return [(N_("training"), self.train), (N_("validation"), self.validation), (N_("test"), self.test)]


def _few(names: tuple[str, ...]) -> str:
    """The first names, and that there are more."""
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")

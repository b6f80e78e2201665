"""The runs that a run's page shows beside its own: their curves, and the boundary of the first."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from treino.base.errors import TreinoError
from treino.data import Data
from treino.folders import Access, RunFolder, StoredRun, read_run_spec
from treino.training import Playback, Snapshot
from treino_studio.folder_page import identity
from treino_studio.image_scene import Part
from treino_studio.run_state import ThinnedLosses, difference_text, epochs
from treino_studio.scene import Sight, picture

SHOWN = 4  # maximum number of runs that a page shows, its own among them
FAMILIES: dict[Path, list[str]] = {}  # by the folder of the first run: it and its branches, as they were seen


def letter_of(path: Path) -> str:
    """The letter of a run on every page of this studio: A for a run that is no branch, then one for each of
    its branches, and of theirs, in the order in which they are seen."""
    line, folder = [path.name], path.parent
    while (parent := _parent_of(folder / line[-1])) is not None and parent not in line:
        line.append(parent)
    family = FAMILIES.setdefault(folder / line[-1], [])
    family += [name for name in reversed(line) if name not in family]
    return ascii_uppercase[family.index(path.name) % len(ascii_uppercase)]


def _parent_of(path: Path) -> str | None:
    """The run beside this one that it branched off, if it is there."""
    try:
        parent = read_run_spec(RunFolder.open(path, verify=False)).parent
    except TreinoError:  # not written yet, or deleted
        return None
    return parent.run if parent is not None and (path.parent / parent.run).is_dir() else None


@dataclass(eq=False)
class Beside:
    """Another run whose curves are shown. step: the step at which it branched off the page's run, or None."""

    run: StoredRun
    letter: str
    step: int | None
    playback: Playback
    identity: tuple[int, int] | None
    thinned: ThinnedLosses = field(default_factory=ThinnedLosses)
    known: dict[int, dict[int, float]] = field(default_factory=dict)  # as ``epochs`` knows them


class RunsBeside:
    """The runs beside the one in ``path``, by their names in ``shown``. access, data: of the page's run."""

    def __init__(self, path: Path, access: Access, data: Data) -> None:
        self._path, self._access, self._data = path, access, data
        self.letter = letter_of(path)
        self.shown: dict[str, Beside] = {}
        self._neighbours = self._folders()

    @property
    def train(self) -> bool:
        """Whether one of them is in training."""
        return any(other.run.status == "running" for other in self.shown.values())

    @property
    def full(self) -> bool:
        return len(self.shown) >= SHOWN - 1

    def look_for_branches(self) -> None:
        """Show the runs that have branched off since the page was opened."""
        try:
            names = self._folders()
        except OSError:
            return
        new, self._neighbours = names - self._neighbours, names
        for name in sorted(new):
            try:
                parent = read_run_spec(RunFolder.open(self._path.parent / name, verify=False)).parent
                if parent is not None and parent.run == self._path.name and not self.full:
                    self.add(self._path.parent / name)
            except TreinoError:  # not written yet
                self._neighbours.discard(name)

    def _folders(self) -> set[str]:
        return {each.name for each in os.scandir(self._path.parent) if each.is_dir(follow_symlinks=False)}

    def add(self, path: Path) -> None:
        """Show another run, too.

        Raises:
            TreinoError: the run is missing or damaged.
        """
        run = StoredRun(RunFolder.open(path, verify=False), self._access)
        taken = {self.letter, *(b.letter for b in self.shown.values())}
        letter = next(c for c in letter_of(path) + ascii_uppercase if c not in taken)
        parent = run.spec.parent
        step = parent.step if parent is not None and parent.run == self._path.name else None
        self.shown[run.name] = Beside(run, letter, step, Playback(run, self._data), identity(path))

    def listed(self, run: StoredRun) -> list[dict[str, Any]]:
        """Describe the runs beside for the page's state. run: the page's own run."""
        return [
            {
                "run": b.run.name,
                "letter": b.letter,
                "step": b.step,
                "status": b.run.status,
                "text": difference_text(run, b.run),
            }
            for b in self.shown.values()
        ]

    def picture(
        self,
        step: int,
        sight: Sight,
        data: Data,
        replayed: Callable[[Playback, int, NDArray[np.float32]], Snapshot],
    ) -> tuple[dict[str, Any] | None, list[Part]]:
        """The decision boundary of the first run, on the page's plane, at the same step or, if that run is
        shorter, at its last step. replayed: as ``RunPage.replayed``."""
        other = next(iter(self.shown.values()))
        loss_S = other.run.losses
        at = min(step, len(loss_S) if other.run.result is None else other.run.steps)
        try:
            snapshot = replayed(other.playback, at, loss_S)
        except TreinoError:  # the other run's recorded losses lag behind
            return None, []
        net, item_shape = other.run.of_target().alone(snapshot.net), other.run.item_shape
        parts = [(f"beside.{name}", array) for name, array in picture(net, data, sight, item_shape)]
        return {"run": other.run.name, "step": at}, [p for p in parts if p[0] != "beside.share"]

    def curves(self) -> Iterator[dict[str, Any]]:
        """Yield the new points of these runs' curves; leave out runs whose folder is gone."""
        self.shown = {
            name: other for name, other in self.shown.items() if identity(other.run.path) == other.identity
        }
        for other in self.shown.values():
            run = StoredRun(RunFolder.open(other.run.path, verify=False), self._access, self._data)
            other.run = other.playback.run = run
            loss_S = run.losses
            part = other.thinned.more(loss_S) or {"from": other.thinned.points, "step": [], "loss": []}
            yield {"run": run.name, **part, "epochs": epochs(run, loss_S, other.known), "vitals": []}

"""Compare two trainings bit by bit: count the equal numbers, and find the first difference."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.engine import TrainingLoop
from treino.engine.population import Layout
from treino.folders.documents.verification import Compared, DifferenceEntry, TallyEntry

KINDS: tuple[Compared, ...] = get_args(Compared)
"""What is compared, in the order in which a step makes it."""

SAME_FIGURE = 1e-6  # relative: figures are sums over rows, in an order that is torch's

Array = NDArray[Any]


@dataclass(frozen=True)
class Difference:
    """Where two trainings part. step: updates done. kind: one of KINDS. name: of the tensor or the figure; ""
    for a loss. recorded, found: the first numbers that differ; None: not finite, or absent. numbers: how many
    of ``of`` numbers differ. relative: the norm of the difference / the norm of the recorded numbers; None if
    it is not finite."""

    step: int
    kind: str
    name: str
    recorded: float | None
    found: float | None
    numbers: int
    of: int
    relative: float | None


@dataclass
class Tally:
    """Numbers compared, those that are equal, and the largest relative distance of one comparison."""

    compared: int = 0
    equal: int = 0
    largest: float = 0.0


@dataclass
class Comparison:
    """The comparison of a recorded training with the same one made again. first: the earliest difference."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    first: Difference | None = None
    first_loss: Difference | None = None

    def arrays(self, kind: str, step: int, name: str, recorded: Array, found: Array) -> None:
        """Compare every bit of two arrays after ``step`` updates; two NaNs are equal."""
        if recorded.shape != found.shape or recorded.dtype != found.dtype:
            missing = max(recorded.size, found.size)
            self._count(Difference(step, kind, name, None, None, missing, missing, None))
            return
        if not recorded.size:
            return
        ours, theirs = np.ascontiguousarray(found).reshape(-1), np.ascontiguousarray(recorded).reshape(-1)
        whole = f"i{ours.itemsize}"
        same = ours.view(whole) == theirs.view(whole)
        if ours.dtype.kind == "f":
            same |= np.isnan(ours) & np.isnan(theirs)
        at = int(np.argmin(same))
        differing = int((~same).sum())
        pair = (None, None) if not differing else (_finite(theirs[at]), _finite(ours[at]))
        relative = _distance(theirs, ours) if differing else 0.0
        self._count(Difference(step, kind, name, *pair, differing, len(same), relative))

    def losses(self, first: int, recorded_S: Array, found_S: Array) -> None:
        """Compare the losses of the updates after ``first`` of them."""
        common = min(len(recorded_S), len(found_S))
        ours, theirs = found_S[:common], recorded_S[:common]
        same = (ours.view("i4") == theirs.view("i4")) | (np.isnan(ours) & np.isnan(theirs))
        tally = self.tallies.setdefault("losses", Tally())
        tally.compared += common
        tally.equal += int(same.sum())
        for at in np.flatnonzero(~same).tolist():
            pair = _finite(theirs[at]), _finite(ours[at])
            relative = _relative(*pair)
            tally.largest = max(tally.largest, math.inf if relative is None else relative)
            self._keep(Difference(first + at + 1, "losses", "", *pair, 1, 1, relative))

    def tensors(
        self, kind: str, step: int, recorded: Mapping[str, Tensor], found: Mapping[str, Tensor]
    ) -> None:
        """Compare tensors by their names; one that only one side has differs."""
        for name in dict.fromkeys([*recorded, *found]):
            ours, theirs = (
                each[name].detach().cpu().numpy() if name in each else np.zeros((0,), np.float32)
                for each in (found, recorded)
            )
            self.arrays(kind, step, name, theirs, ours)

    def figures(self, kind: str, step: int, recorded: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        """Compare figures by their names, up to a relative difference of SAME_FIGURE, and words; one that
        only one side has differs."""
        for name in dict.fromkeys([*recorded, *found]):
            theirs, ours = recorded.get(name), found.get(name)
            pair: tuple[float | None, float | None] = (None, None)
            if isinstance(theirs, str | bool) or isinstance(ours, str | bool):
                same = theirs == ours
                relative = 0.0 if same else None
            else:
                pair = _finite(theirs), _finite(ours)
                relative = 0.0 if pair == (None, None) else _relative(*pair)
                same = relative is not None and relative <= SAME_FIGURE
            self._count(Difference(step, kind, name, *pair, int(not same), 1, relative))

    def setting(self, name: str, recorded: Any, found: Any) -> None:
        """Compare the value of a setting, any JSON value."""
        ours, theirs = (_finite(v) if isinstance(v, int | float) else None for v in (found, recorded))
        differs = int(found != recorded)
        relative = _relative(theirs, ours) if differs else 0.0
        self._count(Difference(0, "settings", name, theirs, ours, differs, 1, relative))

    def _count(self, seen: Difference) -> None:
        tally = self.tallies.setdefault(seen.kind, Tally())
        tally.compared += seen.of
        tally.equal += seen.of - seen.numbers
        if seen.numbers:
            tally.largest = max(tally.largest, math.inf if seen.relative is None else seen.relative)
            self._keep(seen)

    def _keep(self, seen: Difference) -> None:
        if self.first is None or _place(seen) < _place(self.first):
            self.first = seen
        if seen.kind == "losses" and (self.first_loss is None or seen.step < self.first_loss.step):
            self.first_loss = seen

    @property
    def compared(self) -> dict[Compared, TallyEntry]:
        """How many numbers of each kind were compared, and how many of them are equal."""
        return {
            kind: TallyEntry(compared=t.compared, equal=t.equal, largest=_finite(t.largest))
            for kind in KINDS
            if (t := self.tallies.get(kind)) is not None
        }

    @property
    def first_difference(self) -> DifferenceEntry | None:
        """The earliest difference, for the document."""
        return None if self.first is None else DifferenceEntry.model_validate(asdict(self.first))


def _place(difference: Difference) -> tuple[int, int]:
    return difference.step, KINDS.index(difference.kind)


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _relative(recorded: float | None, found: float | None) -> float | None:
    if recorded is None or found is None:
        return None
    return abs(found - recorded) / max(abs(recorded), abs(found), 1e-300)


def _distance(recorded: Array, found: Array) -> float | None:
    """‖found - recorded‖ / ‖recorded‖, or / ‖found‖ if the recorded numbers are zero."""
    with np.errstate(over="ignore", invalid="ignore"):
        ours, theirs = found.astype(np.float64), recorded.astype(np.float64)
        apart, size = (float(np.linalg.norm(v)) for v in (ours - theirs, theirs))
        return _finite(apart / (size or float(np.linalg.norm(ours)) or 1.0))


# ---- the names of a training's state

UNCOMPARED = ("seeds", "epoch.sums", "epoch.last")  # settings; and sums of the losses


def named_state(training: TrainingLoop, tensors: Mapping[str, Tensor], *, ends: bool) -> dict[str, Tensor]:
    """A training's saved tensors by names that people read: ``0.weight`` for a parameter of all members, and
    ``0.weight (moment.0)`` for what the optimizer keeps of it.

    ends: whether it tells when members ended; a keyframe doesn't.
    """
    layouts = training.shared.layout, training.shared.buffer_layout
    left = UNCOMPARED if ends else (*UNCOMPARED, "status", "stop_step")
    named: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        if key in ("best.params", "best.buffers") and len(
            tensor
        ):  # before the first evaluation they are nothing
            tensor = torch.where(tensors["best.step"].unsqueeze(1) < 0, torch.zeros_like(tensor), tensor)
        if key not in left:
            named |= dict(_parts(key, tensor, layouts))
    return named


def _parts(key: str, tensor: Tensor, layouts: tuple[Layout, Layout]) -> Iterator[tuple[str, Tensor]]:
    layout = layouts[key.rpartition(".")[2] == "buffers"]
    rows = tensor.dim() == 2 and tensor.numel() and tensor.shape[1] == layout.n
    if not rows:
        yield key, tensor
        return
    for name, part in layout.named(tensor).items():
        yield (name if key in ("params", "buffers") else f"{name} ({key})"), part

"""Train a run again, and compare every step with what its folder records.

The training starts from the seeds. Nothing in the folder is changed.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from treino.base.encoding import json_bytes, json_value
from treino.base.files import damaged
from treino.base.words import _
from treino.data.dataset import Data, in_memory
from treino.engine import TrainingLoop
from treino.engine.carry_over import carry_over
from treino.engine.net_state import whole_state
from treino.engine.population import Layout
from treino.engine.saved_state import saved_from_keyframe
from treino.folders.documents.reading import read_checkpoint, read_document
from treino.folders.documents.run_spec import RunSpec
from treino.folders.documents.verification import Compared, DifferenceEntry, TallyEntry
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import Segment, Stretch, Timeline, newest, path, settings_after
from treino.inspection.input_planes import draw
from treino.training.branch import MOST_ROWS
from treino.training.completion import Ending, measure_prediction, measure_rows
from treino.training.resolution import Resolution
from treino.training.stored_training import MACHINE, kept_state, keyframes_in, obey_again, past_limit, rebuilt
from treino.training.train import epoch_values

# ---- the comparison of two trainings, bit by bit

KINDS: tuple[Compared, ...] = get_args(Compared)
"""The kinds of compared values, in the order in which a step computes them."""

SAME_FIGURE = 1e-6  # relative: figures are sums over rows, in an order that torch chooses

Array = NDArray[Any]


@dataclass
class Comparison:
    """The comparison of a recorded training with its repetition. first: the earliest difference."""

    tallies: dict[Compared, TallyEntry] = field(default_factory=dict)
    first: DifferenceEntry | None = None
    first_loss: DifferenceEntry | None = None

    def arrays(self, kind: Compared, step: int, name: str, recorded: Array, found: Array) -> None:
        """Compare every bit of two arrays after ``step`` updates; two NaNs are equal."""
        if recorded.shape != found.shape or recorded.dtype != found.dtype:
            missing = max(recorded.size, found.size)
            self._count(kind, missing, missing, None, step, name)
            return
        if not recorded.size:
            return
        ours, theirs = np.ascontiguousarray(found).reshape(-1), np.ascontiguousarray(recorded).reshape(-1)
        same = _same(theirs, ours)
        differing, at = int((~same).sum()), int(np.argmin(same))
        relative = _distance(theirs, ours) if differing else 0.0
        self._count(kind, len(same), differing, relative, step, name, (theirs[at], ours[at]))

    def losses(self, first: int, recorded_S: Array, found_S: Array) -> None:
        """Compare the losses of the updates after ``first`` of them."""
        common = min(len(recorded_S), len(found_S))
        ours, theirs = found_S[:common], recorded_S[:common]
        differing = np.flatnonzero(~_same(theirs, ours)).tolist()
        self._count("losses", common - len(differing))
        for at in differing:
            pair = theirs[at], ours[at]
            self._count("losses", 1, 1, _relative(*pair), first + at + 1, "", pair)

    def tensors(
        self, kind: Compared, step: int, recorded: Mapping[str, Tensor], found: Mapping[str, Tensor]
    ) -> None:
        """Compare tensors by their names; a tensor that only one side has counts as different."""
        for name in dict.fromkeys([*recorded, *found]):
            ours, theirs = (
                each[name].detach().cpu().numpy() if name in each else np.zeros((0,), np.float32)
                for each in (found, recorded)
            )
            self.arrays(kind, step, name, theirs, ours)

    def figures(
        self, kind: Compared, step: int, recorded: Mapping[str, Any], found: Mapping[str, Any]
    ) -> None:
        """Compare figures by their names, up to a relative difference of SAME_FIGURE, and words; a figure
        that only one side has counts as different."""
        for name in dict.fromkeys([*recorded, *found]):
            theirs, ours = pair = recorded.get(name), found.get(name)
            if isinstance(theirs, str | bool) or isinstance(ours, str | bool):
                same, pair = theirs == ours, (None, None)
                relative = 0.0 if same else None
            else:
                relative = 0.0 if _finite(theirs) is _finite(ours) is None else _relative(theirs, ours)
                same = relative is not None and relative <= SAME_FIGURE
            self._count(kind, 1, int(not same), relative, step, name, pair)

    def setting(self, name: str, recorded: Any, found: Any) -> None:
        """Compare the value of a setting, any JSON value."""
        theirs, ours = (v if isinstance(v, int | float) else None for v in (recorded, found))
        differs = found != recorded
        relative = _relative(theirs, ours) if differs else 0.0
        self._count("settings", 1, int(differs), relative, 0, name, (theirs, ours))

    def _count(
        self,
        kind: Compared,
        of: int,
        numbers: int = 0,
        relative: float | None = 0.0,
        step: int = 0,
        name: str = "",
        pair: tuple[Any, Any] = (None, None),
    ) -> None:
        """Count a comparison; the arguments are those of a ``DifferenceEntry``. pair: recorded, found."""
        tally = self.tallies.get(kind, TallyEntry(compared=0, equal=0, largest=0.0))
        largest = tally.largest
        if numbers:
            largest = None if largest is None or relative is None else max(largest, relative)
        equal = tally.equal + of - numbers
        self.tallies[kind] = TallyEntry(compared=tally.compared + of, equal=equal, largest=largest)
        if not numbers:
            return
        recorded, found = map(_finite, pair)
        seen = DifferenceEntry(
            step=step,
            kind=kind,
            name=name,
            recorded=recorded,
            found=found,
            numbers=numbers,
            of=of,
            relative=relative,
        )
        if self.first is None or _place(seen) < _place(self.first):
            self.first = seen
        if kind == "losses" and (self.first_loss is None or step < self.first_loss.step):
            self.first_loss = seen

    @property
    def compared(self) -> dict[Compared, TallyEntry]:
        """How many numbers of each kind were compared, and how many of them are equal."""
        return {kind: self.tallies[kind] for kind in KINDS if kind in self.tallies}


def _place(difference: DifferenceEntry) -> tuple[int, int]:
    return difference.step, KINDS.index(difference.kind)


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _same(recorded: Array, found: Array) -> NDArray[np.bool_]:
    """Where the bits of two arrays are equal, or both are NaN."""
    whole = f"i{found.itemsize}"
    same: NDArray[np.bool_] = recorded.view(whole) == found.view(whole)
    return same | (np.isnan(recorded) & np.isnan(found)) if found.dtype.kind == "f" else same


def _relative(recorded: Any, found: Any) -> float | None:
    theirs, ours = _finite(recorded), _finite(found)
    if theirs is None or ours is None:
        return None
    return abs(ours - theirs) / max(abs(theirs), abs(ours), 1e-300)


def _distance(recorded: Array, found: Array) -> float | None:
    """‖found - recorded‖ / ‖recorded‖, or / ‖found‖ if the recorded numbers are zero."""
    with np.errstate(over="ignore", invalid="ignore"):
        ours, theirs = found.astype(np.float64), recorded.astype(np.float64)
        apart, size = (float(np.linalg.norm(v)) for v in (ours - theirs, theirs))
        return _finite(apart / (size or float(np.linalg.norm(ours)) or 1.0))


# ---- the names of a training's state

UNCOMPARED = ("seeds", "epoch.sums", "epoch.last")  # settings; and sums of the losses


def named_state(training: TrainingLoop, tensors: Mapping[str, Tensor], *, ends: bool) -> dict[str, Tensor]:
    """A training's saved tensors by readable names: ``0.weight`` for a parameter of all members, and
    ``0.weight (moment.0)`` for the optimizer's state of it.

    ends: whether the state records when members ended; a keyframe doesn't.
    """
    layouts = training.model.layout, training.model.buffer_layout
    left = UNCOMPARED if ends else (*UNCOMPARED, "status", "stop_step")
    named: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        if key in ("best.params", "best.buffers") and len(
            tensor
        ):  # before the first evaluation these tensors have no meaning
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


# ---- the repeated training of a run

PREDICTED = (
    "prediction_intervals",
    "prediction_sets",
    "threshold",
    "calibration",
    "members",
    "answering",
    "answering_steps",
)
"""Entries of ``result.json`` that predictions need, or that say how far to trust them."""

OF_DATA = ("classes", "inputs", "item_shape", "target_mean", "target_scale")
"""Entries of ``spec.json`` that follow from the rows, and that predictions need."""

SECONDS = 0.1  # seconds of training between two reports of the progress

Measured = dict[int, dict[str, float]]
"""What was measured at the ends of epochs: ``{epoch: {"validation loss": value}}``."""

Tell = Callable[[int, int], None]
"""A function that gets the progress: the number of steps trained again, and of all steps."""


def tell_nobody(done: int, of: int) -> None:
    """Ignore the progress."""


RecordedState = tuple[Mapping[str, Tensor], bool]
"""The tensors of a recorded state, and whether it records when members ended, as a checkpoint does."""


@dataclass(eq=False)
class Retraining:
    """A run's training, repeated and compared with its folder's records. done: the steps trained so far.
    tested: the test metrics of the new training."""

    run: StoredRun
    data: Data
    spec: RunSpec
    tell: Tell = tell_nobody
    done: int = 0
    comparison: Comparison = field(default_factory=Comparison)
    tested: Mapping[str, float] = field(default_factory=dict)
    _epochs: dict[int, Measured] = field(default_factory=dict)

    @cached_property
    def sealed(self) -> bool:
        """Whether the run came to its end, with weights and figures."""
        return self.run.folder.manifest.sealed

    @cached_property
    def recorded_S(self) -> NDArray[np.float32]:
        """``[S]``: the losses of the run's path."""
        return np.ascontiguousarray(self.run.losses, dtype=np.float32)

    @cached_property
    def keyframes(self) -> dict[tuple[int, int], str]:
        """The names of the keyframes, by segment and step."""
        return keyframes_in(self.run.folder)

    @cached_property
    def checkpoint(self) -> tuple[int, int]:
        """The segment and the step of the last checkpoint; -1: there is none."""
        checkpoint = read_checkpoint(self.run.folder)
        return (-1, -1) if checkpoint is None else (checkpoint[1]["segment"], checkpoint[1]["engine"]["step"])

    @cached_property
    def stretches(self) -> list[Stretch]:
        """All steps of the run's path, cut at its recorded states."""
        end, states = len(self.recorded_S), {*self.keyframes, self.checkpoint}
        stretches = list[Stretch]()
        for whole in path(self.spec):
            first, stop = whole.first, end if whole.stop is None else whole.stop
            inside = (step for number, step in states if number == whole.segment.number)
            borders = sorted({first, stop, *(step for step in inside if first < step < stop)})
            stretches += [replace(whole, first=a, stop=b) for a, b in pairwise(borders)]
        return stretches

    @cached_property
    def timeline(self) -> Timeline:
        """What was set from which step on."""
        return Timeline(self.run.folder, self.spec)

    def train(self) -> Resolution:
        """Train the run again, from its seeds on. Return the training at its end."""
        before: Resolution | None = None
        for segment in [whole.segment for whole in path(self.spec)]:
            resolution = rebuilt(self.timeline, self.data, self.run.access, segment.number)
            if before is None:
                self._compare_states(resolution.training, segment, 0)
            else:
                self._go_on(before, resolution, segment)
            obey_again(self.timeline, resolution.training, segment.number)
            for stretch in self.stretches:
                if stretch.segment.number == segment.number:
                    self._train(resolution, stretch)
            before = resolution
        assert before is not None
        self._compare_settings(before)
        return before

    # ---- inside

    def _states(self, training: TrainingLoop, segment: Segment, step: int) -> Iterator[RecordedState]:
        """The states that the run recorded at this step, in the form for this training.

        Raises:
            TreinoError: a state lacks something that this training needs.
        """
        folder, name = self.run.folder, self.keyframes.get((segment.number, step))
        if name is not None:
            try:
                yield kept_state(folder, name, training, self.recorded_S)[0], False
            except (KeyError, IndexError, RuntimeError) as error:
                raise damaged(folder.path / name, _("it is no state of this training")) from error
        if self.checkpoint == (segment.number, step):
            checkpoint = read_checkpoint(folder)
            assert checkpoint is not None
            yield checkpoint[0], True

    def _go_on(self, before: Resolution, after: Resolution, segment: Segment) -> None:
        """Carry the state of a training over into the next segment's, and compare it with what the run
        recorded there."""
        training = after.training
        layers = [(r.settings.hidden, r.settings.activation) for r in (before, after)]
        x_ND = None if layers[0] == layers[1] else draw(in_memory(self.data).train, MOST_ROWS).x
        arrays, meta = carry_over(before.training.save(), training, x_ND)
        tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
        losses_S = torch.from_numpy(self.recorded_S)
        carried = saved_from_keyframe(training.setup, training.state, tensors, meta, losses_S)
        training.load(*carried)
        self._compare_states(training, segment, segment.start)

    def _train(self, resolution: Resolution, stretch: Stretch) -> None:
        """Train the stretch, and compare its losses, its evaluations, and the state at its end."""
        training = resolution.training
        assert stretch.stop is not None
        found: Measured = {}
        while training.step < stretch.stop and not training.done:
            tick = training.advance(SECONDS, stretch.stop)
            loss_S = tick.loss_S.cpu().numpy().astype(np.float32)
            first = tick.step - len(loss_S)
            self.comparison.losses(first, self.recorded_S[first : tick.step], loss_S)
            for epoch in tick.epochs:
                values = epoch_values(epoch, resolution.settings)
                found[epoch.number] = {f"{split} {metric}": value for split, metric, value in values}
            self.done += len(loss_S)
            self.tell(self.done, len(self.recorded_S))
        self._compare_epochs(stretch, found)
        if stretch.first < training.step < stretch.stop:  # it ended earlier than the run
            steps = ({"steps": float(step)} for step in (stretch.stop, training.step))
            self.comparison.figures("figures", training.step, *steps)
        if training.step == stretch.stop:
            if stretch.stop == len(self.recorded_S) and past_limit(self.run.folder) and not training.done:
                training.stop(range(len(training.status_P)))
            self._compare_states(training, stretch.segment, stretch.stop)

    def _compare_epochs(self, stretch: Stretch, found: Measured) -> None:
        """Compare what was measured at the ends of the stretch's epochs."""
        assert stretch.stop is not None
        count = stretch.epochs
        recorded = self._measured(stretch.segment.number)
        for epoch in range(count.ended(stretch.first) + 1, count.epoch_of(stretch.stop) + 1):
            step = min(count.end_of(epoch), len(self.recorded_S))  # the last epoch may be cut short
            if stretch.first < step <= stretch.stop:
                theirs, ours = recorded.get(epoch, {}), found.get(epoch, {})
                if theirs or self.sealed:  # a killed run may have lost the last record
                    self.comparison.figures("validation", step, theirs, ours)

    def _measured(self, number: int) -> Measured:
        """What the run measured at the ends of a segment's epochs."""
        if number not in self._epochs:
            measured = self._epochs[number] = Measured()
            for row in self.run.folder.database.epochs(number):
                if row.metric != "seconds":
                    measured.setdefault(row.epoch, {})[f"{row.split} {row.metric}"] = row.value
        return self._epochs[number]

    def _compare_states(self, training: TrainingLoop, segment: Segment, step: int) -> None:
        """Compare the training, which is at this step, with the states that the run recorded there."""
        states = [*self._states(training, segment, step)]
        saved = training.save()[0] if states else {}
        for tensors, ends in states:
            ours, theirs = (named_state(training, each, ends=ends) for each in (saved, tensors))
            self.comparison.tensors("states", step, theirs, ours)

    def _compare_settings(self, resolution: Resolution) -> None:
        """Compare the settings that the training resolved to with those that the run recorded."""
        settings, start = resolution.settings.model_dump(mode="json"), newest(self.spec).start
        for change in self.timeline.held():
            if change.step > start:
                settings = settings_after(settings, change)
        made = json_value(json_bytes(settings), self.run.path / "spec.json")
        known: list[Any] = [self.run.settings]
        if self.sealed:
            known.append(read_document(self.run.folder, "result.json")["settings"])
        for recorded in known:
            for name in sorted({*made, *recorded} - {*MACHINE}):
                self.comparison.setting(name, recorded.get(name), made.get(name))
        of_data = {name: getattr(self.data, name) for name in OF_DATA} | {
            "outputs": resolution.training.outputs
        }
        theirs = {name: getattr(self.run.spec, name) for name in of_data}
        where = self.run.spec.data
        if where.kind == "file":
            written, recorded = dict(self.data.written), where.written
            theirs["written"] = {} if recorded is None else recorded.model_dump(exclude_unset=True)
            if "grouped" not in theirs["written"]:
                written.pop("grouped", None)  # runs of earlier versions don't record it
            of_data["written"] = written
        if where.kind == "given":  # data files that differed would have been refused when read
            of_data["preparation"] = self.data.preparation.to_json()
            theirs["preparation"] = read_document(self.run.folder, "preparation.json")
        self.comparison.figures("settings", 0, dict(_flat(theirs)), dict(_flat(of_data)))

    def compare_end(self, resolution: Resolution) -> None:
        """Compare the weights that are kept, and the figures measured with them, with those of the run."""
        if not self.sealed:
            return
        step = resolution.training.step
        end = Ending(self.run.folder, self.spec, self.data, resolution, self.run.status)
        self.comparison.tensors("weights", step, dict(self.run.state), whole_state(end.net))
        recorded = read_document(self.run.folder, "result.json")
        measure_rows(end)  # a failed measurement gives no figure, which differs from a recorded one
        measure_prediction(end)
        self.tested = end.figures["metrics"]["test"] or {}
        made: dict[str, Any] = {**{name: {} for name in PREDICTED}, "targets": {}, **end.figures}
        for name in ("epochs", "epoch_seconds", "stopped_early", "kept_epoch"):
            del made[name]
        theirs = {name: recorded.get(name, {}) for name in made}
        names = (*PREDICTED, "metrics", "intervals")
        theirs["targets"] = {
            target: {name: own[name] for name in names if name in own}
            for target, own in theirs["targets"].items()
        }
        self.comparison.figures("figures", step, dict(_flat(theirs)), dict(_flat(made)))


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, float | None]]:
    """The numbers in a document, by their keys joined by dots."""
    items: Any = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    else:
        yield name, value
    for key, inner in items:
        yield from _flat(inner, f"{name}.{key}" if name else str(key))

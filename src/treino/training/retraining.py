"""The training of a run made again beside what its folder records, and compared at every step.

It sets out from the seeds, or from any recorded state. Nothing in the folder is changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from treino.data.dataset import Data
from treino.data.torch_datasets.dataset_source import in_memory
from treino.documents import read_checkpoint, read_document
from treino.documents.run_spec import RunSpec
from treino.engine import TrainingLoop
from treino.engine.carry_over import carry_over
from treino.engine.net_state import whole_state
from treino.engine.saved_state import saved_from_keyframe, training_identity
from treino.inspection.loss_surface import drawn
from treino.records.segments import Link, Segment, histories, path_counts
from treino.records.stored_run import StoredRun
from treino.store.files import damaged
from treino.training.branch import MOST_ROWS
from treino.training.comparison import Comparison, named_state
from treino.training.completion import answered_rows, figures_of
from treino.training.resolution import Resolution
from treino.training.stored_training import kept_state, keyframes_in, name_of, obey_again, rebuilt
from treino.training.train import epoch_values
from treino.training.user_data import past_limit
from treino.words import _

SECONDS = 0.1  # of training between two reports of the progress

Tell = Callable[[int, int], None]
"""Told how many of how many steps are trained again."""


def tell_nobody(done: int, of: int) -> None:
    """For who doesn't watch."""


@dataclass(frozen=True)
class Stretch:
    """Steps of a segment between two recorded states: after ``first`` updates, up to ``stop`` of them."""

    link: Link
    first: int
    stop: int

    @property
    def steps(self) -> int:
        return self.stop - self.first


@dataclass(eq=False)
class Retraining:
    """A run's training, made again beside what its folder records. found_S: the losses of the new training;
    NaN where it was not trained."""

    run: StoredRun
    data: Data
    spec: RunSpec
    tell: Tell = tell_nobody
    of: int = 0  # steps to train
    done: int = 0
    comparison: Comparison = field(default_factory=Comparison)
    tested: Mapping[str, float] = field(default_factory=dict)  # the test figures of the new training

    @cached_property
    def recorded_S(self) -> NDArray[np.float32]:
        return np.ascontiguousarray(self.run.losses, dtype=np.float32)

    @cached_property
    def links(self) -> list[tuple[Link, dict[int, str]]]:
        """The links of the run's path, with the names of the keyframes by their steps."""
        names = keyframes_in(self.run.folder)
        return [
            (link, {step: name for (number, step), name in names.items() if number == link.segment.number})
            for link, _count in path_counts(self.spec)
        ]

    @property
    def stretches(self) -> list[Stretch]:
        """All steps of the run's path, cut at its recorded states."""
        end, found = len(self.recorded_S), list[Stretch]()
        for link, names in self.links:
            stop = end if link.stop is None else link.stop
            borders = sorted({link.first, stop, *(step for step in names if link.first < step < stop)})
            found += [Stretch(link, a, b) for a, b in pairwise(borders)]
        return found

    def all(self) -> Resolution:
        """Train all of the run again, from its seeds on. Return the training at its end."""
        self.of = len(self.recorded_S)
        before: Resolution | None = None
        for link, _names in self.links:
            resolution = self._resolution(link.segment)
            if before is not None:
                self._go_on(before, resolution, link.segment)
            else:
                obey_again(self.run.folder, resolution.training, link.segment, set(), 0)
            for stretch in self.stretches:
                if stretch.link.segment.number == link.segment.number:
                    self._train(resolution, stretch)
            before = resolution
        assert before is not None
        training = before.training
        if past_limit(self.run.folder) and not training.done:
            training.stop(range(len(training.status_P)))
        self._check_end(training)
        return before

    def some(self, stretches: Sequence[Stretch]) -> Resolution:
        """Train these stretches again, each from its recorded state. Return the training as it is recorded at
        the run's end."""
        self.of = sum(stretch.steps for stretch in stretches)
        resolution: Resolution | None = None
        following = {a[0].segment.number: b[0] for a, b in pairwise(self.links)}
        for stretch in stretches:
            segment = stretch.link.segment
            resolution = self._resolution(segment)
            self._load(resolution.training, segment, stretch.first)
            self._train(resolution, stretch)
            after = following.get(segment.number)
            if after is not None and stretch.stop == stretch.link.stop:
                self._go_on(resolution, self._resolution(after.segment), after.segment)
        newest = self.links[-1][0].segment
        resolution = self._resolution(newest)
        checkpoint = read_checkpoint(self.run.folder)
        if checkpoint is not None and checkpoint[1]["segment"] == newest.number:
            tensors, meta = checkpoint
            training = resolution.training
            own = training_identity(training.setup, training.state)  # it may name another kernel
            training.load(tensors, meta["engine"] | {"identity": own})
        return resolution

    # ---- inside

    def _resolution(self, segment: Segment) -> Resolution:
        return rebuilt(self.run.folder, self.spec, self.data, self.run.access, segment)

    def _kept(self, training: TrainingLoop, name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """A keyframe in the form for ``TrainingLoop.load``.

        Raises:
            TreinoError: it lacks what this training needs.
        """
        try:
            return kept_state(self.run.folder, name, training, self.recorded_S)
        except (KeyError, IndexError, RuntimeError) as error:
            raise damaged(self.run.path / name, _("it is no state of this training")) from error

    def _load(self, training: TrainingLoop, segment: Segment, step: int) -> None:
        """Set the training to the run's recorded state at this step, or leave it at its beginning."""
        name = name_of(segment.number, step)
        if name in self.run.folder.manifest.files:
            training.load(*self._kept(training, name))
        elif step or segment.origin is not None:
            raise damaged(self.run.path / name, _("it is not in the manifest"))
        obey_again(self.run.folder, training, segment, set(), step)

    def _go_on(self, before: Resolution, after: Resolution, segment: Segment) -> None:
        """Carry the state of a training over into the next segment's, and compare it with what the run
        recorded there."""
        training, folder = after.training, self.run.folder
        for name, value in segment.changes.items():
            training.set(name, value)
        layers = [(r.settings["hidden"], r.settings["activation"]) for r in (before, after)]
        x_ND = None if layers[0] == layers[1] else drawn(in_memory(self.data).train, MOST_ROWS).x
        arrays, meta = carry_over(before.training.save(), training, x_ND)
        tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
        losses_S = torch.from_numpy(self.recorded_S)
        carried = saved_from_keyframe(training.setup, training.state, tensors, meta, losses_S)
        name = name_of(segment.number, segment.start)
        if name in folder.manifest.files:
            self._compare_state(training, segment.start, self._kept(training, name)[0], carried[0])
        training.load(*carried)
        obey_again(folder, training, segment, set(), segment.start)

    def _train(self, resolution: Resolution, stretch: Stretch) -> None:
        """Train the stretch, and compare its losses, its evaluations, and the state at its end."""
        training, folder, number = resolution.training, self.run.folder, stretch.link.segment.number
        found: dict[tuple[int, str, str], float] = {}
        begun = training.step
        while training.step < stretch.stop and not training.done:
            tick = training.advance(SECONDS, stretch.stop)
            loss_S = tick.loss_S.cpu().numpy().astype(np.float32)
            first = tick.step - len(loss_S)
            self.comparison.losses(first, self.recorded_S[first : tick.step], loss_S)
            for epoch in tick.epochs:
                for split, metric, value in epoch_values(epoch, resolution.settings):
                    found[epoch.number, split, metric] = value
            self.done += len(loss_S)
            self.tell(self.done, self.of)
        if training.step < stretch.stop and begun < stretch.stop:
            self.comparison.figures(
                "figures", training.step, {"steps": float(stretch.stop)}, {"steps": float(training.step)}
            )
        self._compare_epochs(stretch, found)
        name = name_of(number, stretch.stop)
        if name in folder.manifest.files and training.step == stretch.stop:
            recorded, mine = self._kept(training, name)[0], training.save()[0]
            self._compare_state(training, stretch.stop, recorded, mine)

    def _compare_epochs(self, stretch: Stretch, found: Mapping[tuple[int, str, str], float]) -> None:
        """Compare what was measured at the ends of the stretch's epochs."""
        number = stretch.link.segment.number
        count = next(c for link, c in path_counts(self.spec) if link.segment.number == number)
        recorded = {
            (row.epoch, row.split, row.metric): row.value
            for row in self.run.folder.database.epochs(number)
            if row.metric != "seconds"
            and stretch.first < min(count.end_of(row.epoch), len(self.recorded_S)) <= stretch.stop
        }
        for epoch, split, metric in sorted({*recorded, *found}):
            key, name = (epoch, split, metric), f"{split} {metric}"
            step = min(count.end_of(epoch), stretch.stop)
            pair: list[dict[str, float | None]] = [
                {name: each[key]} if key in each else {} for each in (recorded, found)
            ]
            self.comparison.figures("validation", step, *pair)

    def _compare_state(
        self,
        training: TrainingLoop,
        step: int,
        recorded: Mapping[str, torch.Tensor],
        found: Mapping[str, torch.Tensor],
        *,
        ends: bool = False,
    ) -> None:
        ours, theirs = (named_state(training, each, ends=ends) for each in (found, recorded))
        self.comparison.tensors("states", step, theirs, ours)

    def _check_end(self, training: TrainingLoop) -> None:
        """Compare the training's last state with the run's last checkpoint."""
        checkpoint = read_checkpoint(self.run.folder)
        if checkpoint is None or checkpoint[1]["segment"] != self.links[-1][0].segment.number:
            return
        tensors, meta = checkpoint
        if meta["engine"]["step"] == training.step:
            self._compare_state(training, training.step, tensors, training.save()[0], ends=True)

    def compare_end(self, training: TrainingLoop) -> None:
        """Compare the weights that are kept, and the figures measured with them, with those of the run."""
        if not self.run.folder.manifest.sealed:
            return
        step, net = training.step, training.answer("kept")
        self.comparison.tensors("weights", step, dict(self.run.state), whole_state(net))
        recorded = read_document(self.run.folder, "result.json")
        over = self.run.status in ("finished", "diverged")
        failures: list[str] = []  # what fails has no figure, which differs from one that is recorded
        loss, shape = training.loss_function, training.shared.item_shape
        answered = answered_rows(net, self.data, shape, over=over, failures=failures, ask="")
        figures, each = figures_of(answered, self.data, loss, failures=failures, ask="")
        made: dict[str, Any] = {**figures, "targets": {}}
        if len(each) > 1:
            made["targets"] = {one.target: own for one, own in zip(self.data.by_target, each, strict=True)}
        self.tested = figures["metrics"]["test"] or {}
        made |= {"steps": int(training.last_step_P.max()), "kept_step": max(training.answering_steps)}
        known = histories(self.run.folder, self.spec, over=over)
        made |= {name: known[name] for name in ("loss", "loss_std")}
        theirs = {name: recorded.get(name, {}) for name in made}
        theirs["targets"] = {
            target: {name: own[name] for name in ("metrics", "intervals")}
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

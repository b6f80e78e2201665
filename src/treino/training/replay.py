"""Replay of a run up to any of its steps: weights, batch, settings and optimizer state, bit for bit.

The training is rebuilt from the run's settings, set to the nearest stored state (a checkpoint, a keyframe, or
the start), given the recorded commands again, and trained up to the step.

``Playback`` keeps its trainings and, within a memory budget, states in addition to those in the folder.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from treino.base.errors import Refusal, TreinoError
from treino.base.files import damaged
from treino.base.words import _
from treino.data.dataset import Data, splits_not_in_memory, why_not_reproducible
from treino.data.rows import is_stream
from treino.engine import Loss, TrainingLoop
from treino.engine.augmentation import augmented
from treino.engine.nets import picture_shape
from treino.engine.step_plan import StepPlan
from treino.engine.tick import next_batch, next_update
from treino.folders.data_source import data_of
from treino.folders.documents.reading import read_checkpoint
from treino.folders.store import RunFolder
from treino.folders.store.folder_files import FILE_MISSING
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import Segment, Stretch, Timeline, path
from treino.training.resolution import Resolution
from treino.training.stored_training import (
    DATA_WANTED,
    kept_state,
    keyframes_in,
    obey_again,
    rebuilt,
    user_data,
)

KEYFRAME_LOST = Refusal(
    "{run} has lost the state at step {start:,}, from which it went on with other settings.", "{hint}"
)
STEP_RANGE = Refusal(
    "{run} has no step {step!r}: it took {last:,}, counted from 0, before the first.",
    "Ask for a whole number from 0 to {last}.",
)
ROWS_NEVER_THE_SAME = Refusal(
    "{run} can't be played again: its rows are not the same each time.",
    "Train on a table, on arrays, or on a Dataset whose items are always the same.",
    rule="replay_rows",
)

# ---- replay of a run up to any of its steps

Saved = tuple[dict[str, Tensor], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows of one update. index_B: their indices in ``data.train``. x_BD: prepared inputs, as the update
    gets them. y_B: class numbers ``[B]``, or values ``[B, 1]``."""

    index_B: Tensor
    x_BD: Tensor
    y_B: Tensor


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A run after ``step`` updates.

    net: a copy of the predicting network at this step, in evaluation mode; for an ensemble, the mean of the
    members that were the best half at this step. member: the number of the single network to which
    ``member_net``, hp, state, gradients and the seed belong: the requested member, or the best running one at
    this step (while the run trains: the first). trained_net: that network with the weights that updates
    change: without running average, and with its gates separate: inputs are multiplied by gate_D ``[D]``;
    None: no gates. loss: the training loss of the last update; None at step 0 and for a single member, since
    only the mean over members is recorded.
    hp: the hyper-parameters of the next update: lr (with its schedule), weight_decay, momentum, beta1, beta2,
    eps, clip (infinite: none), dropout.
    state: ``{parameter: {name: tensor}}``, the optimizer's state before the next update, in torch.optim's
    names. gradients: ``{parameter: tensor}``, the sum so far with the fault ``missing_zero_grad``, else
    empty.
    saved: the result of ``TrainingLoop.save``. data: all rows of the training. plan: the training's steps.
    settings: all settings, as they hold for the next update. loss_function: the training loss.
    """

    run: StoredRun
    segment: int
    step: int
    net: nn.Module
    member: int
    seed: int
    member_net: nn.Module
    trained_net: nn.Module
    gate_D: Tensor | None
    loss: float | None
    hp: dict[str, float]
    state: dict[str, dict[str, Tensor]]
    gradients: dict[str, Tensor]
    saved: Saved
    data: Data
    plan: StepPlan
    settings: dict[str, Any]
    loss_function: Loss

    def learning_rates(self, stop: int) -> list[float]:
        """The learning rates of the updates from this step up to ``stop``, by the schedule, without later
        commands."""
        factors = self.plan.factors(self.step, stop)[0]
        return [self.hp["lr"] * (factor / factors[0]) for factor in factors]

    @cached_property
    def batch(self) -> Batch:
        """The rows of the next update."""
        (index_B, changes), rows = next_batch(self.plan, self.step), self.data.train
        x_BD = rows.x.index_select(0, index_B)
        if changes is not None:
            shape = picture_shape(self.data.item_shape)
            partner_BD = rows.x.index_select(0, changes.partner_B)
            x_BD = augmented(x_BD.view(-1, *shape), partner_BD.view(-1, *shape), changes).flatten(1)
        return Batch(index_B, x_BD, rows.y.index_select(0, index_B))


def snapshots(run: StoredRun, steps: Iterable[int], data: Any = None) -> Iterator[Snapshot]:
    """Yield the run after each of ``steps`` updates, in ascending order, in one pass.

    data: the Dataset again, if the run was trained on one whose items never change.

    Raises:
        TreinoError: a step not between 0 and the run's last; rows that are no longer available; a network
            of the user's own that was neither given nor trusted; a damaged run.
    """
    ascending = sorted({_step(run, step) for step in steps})
    if not ascending:
        return iter(())
    playback, losses_S = Playback(run, training_rows(run, data), remembers=False), run.losses
    return (playback.at(step, losses_S) for step in ascending)


def networks(run: StoredRun, steps: Iterable[int]) -> Iterator[tuple[int, float | None, nn.Module]]:
    """Yield step, loss and predicting network of each of the ``snapshots``, without what else these hold."""
    ascending = sorted({_step(run, step) for step in steps})
    playback, losses_S = Playback(run, training_rows(run, None), remembers=False), run.losses
    for step in ascending:
        training = playback.training_at(step, losses_S).training
        together = _together(run, training)
        net = training.answer("last") if together else training.net(_member(run, training), "last")
        yield step, _loss(run, step, losses_S), net


def last_step(run: StoredRun) -> int:
    """The number of updates of the run, or of its requested member; for a diverged member, only updates with
    finite weights.

    Raises:
        TreinoError: the run is a network of a sweep.
    """
    if run.folder.kind != "run":
        raise TreinoError(
            "replay_of_a_member",
            _("{run} is a network of a sweep, whose steps are not kept one by one.").format(run=run.name),
            _("Train it alone first: treino train [[like={run}]]").format(run=run.typed),
        )
    result = run.result
    steps = run.steps if run.one is None or result is None else result.members[run.one].steps
    if steps > len(run.losses):
        raise damaged(run.path / "result.json", _("it tells of more steps than there are losses"))
    return steps


def set_near(
    run: StoredRun,
    training: TrainingLoop,
    segment: Segment,
    step: int,
    losses_S: NDArray[np.float32],
    begun: bool,
) -> None:
    """Load the latest stored state between the training's step and ``step``, if there is one.

    begun: whether the training is at a state of the segment.

    Raises:
        TreinoError: the training is at no state of the segment, and the folder holds none before ``step``.
    """
    states = _stored_states(run.folder, segment)
    reach = training.step + 1 if begun else 0  # a segment may begin with a new training, at step 0
    for nearest in sorted((at for at in states if reach <= at <= step or at == step), reverse=True):
        saved = states[nearest](training, losses_S)
        if saved is not None:
            training.load(*saved)
            return
    if not begun:
        hint = _("Train it again: treino train [[like={run}]]").format(run=run.typed)
        if later := [at for at in states if at > step]:
            hint = _("Ask for a step from {step:,} on.").format(step=min(later))
        raise KEYFRAME_LOST(run=run.name, start=segment.start, hint=hint)


Read = Callable[[TrainingLoop, NDArray[np.float32]], Saved | None]


def _stored_states(folder: RunFolder, segment: Segment) -> dict[int, Read]:
    """The steps of the segment with a stored state, each with a function that reads the state. The function
    returns None if the training process has removed the state meanwhile."""

    def keyframe(name: str, training: TrainingLoop, losses_S: NDArray[np.float32]) -> Saved | None:
        try:
            return kept_state(folder, name, training, losses_S)
        except TreinoError as error:
            if error.rule != FILE_MISSING.rule or folder.manifest.sealed:
                raise
            return None

    states: dict[int, Read] = {
        step: partial(keyframe, name)
        for (number, step), name in keyframes_in(folder).items()
        if number == segment.number
    }
    checkpoint = read_checkpoint(folder)
    if checkpoint is not None and checkpoint[1]["segment"] == segment.number:
        tensors, meta = checkpoint
        states[meta["engine"]["step"]] = lambda _training, _losses: (tensors, meta["engine"])
    return states


def _together(run: StoredRun, training: TrainingLoop) -> bool:
    """Whether the members of an ensemble predict together."""
    return training.config.shared.ensemble > 1 and run.one is None


def _loss(run: StoredRun, step: int, losses_S: NDArray[np.float32]) -> float | None:
    """The training loss of the last update, unless it is unknown."""
    return float(losses_S[step - 1]) if step and run.one is None else None


def _member(run: StoredRun, training: TrainingLoop) -> int:
    """The member to inspect: the requested one, or the best of the members still training at this step, by
    their final or present metrics."""
    if training.config.shared.ensemble == 1:
        return 0
    if run.one is not None:
        return run.one
    running = set(training.state.running.tolist())
    result = run.result
    best = result.answering if result is not None else range(training.config.shared.ensemble)
    return next((member for member in best if member in running), best[0])


def _step(run: StoredRun, step: Any) -> int:
    last = last_step(run)
    if isinstance(step, bool) or not isinstance(step, Integral) or not 0 <= int(step) <= last:
        raise STEP_RANGE(run=run.name, step=step, last=last)
    return int(step)


def training_rows(run: StoredRun, data: Any, call: str = "run.at(step, data)") -> Data:
    """All rows that the run was trained on. call: the Python call that takes a Dataset again.

    Raises:
        TreinoError: they aren't available any more.
    """
    where = run.spec.data
    if where.kind != "given":
        held = run.data  # all of the run's training rows, or a sample
        whole = not splits_not_in_memory(held) and len(held.train) == run.spec.facts.rows["train"]
        return held if whole else data_of(run.folder, run.access.data_file)
    if where.streams or not run.spec.facts.reproducible:
        raise ROWS_NEVER_THE_SAME(run=run.name)
    if data is None:
        raise DATA_WANTED(run=run.name, what=where.source, call=call)
    rows = user_data(run.folder, where, data)
    if is_stream(rows.train) or why_not_reproducible(rows):
        raise ROWS_NEVER_THE_SAME(run=run.name)
    return rows


# ---- playback of a run, step by step

STATES_BYTES = 64_000_000  # maximum size of the states in memory
NEAR_SECONDS = 0.03  # maximum training time between two states
LONG_SECONDS = 2.0  # a replay that takes longer is announced


@dataclass(eq=False)
class Playback:
    """The playback of one run, which may be training in another process. data: all rows of the run. member:
    for an ensemble, the network to inspect; None: the best. remembers: whether it keeps states for later
    requests, which may be for any step."""

    run: StoredRun
    data: Data
    resolutions: dict[int, Resolution] = field(default_factory=dict)  # by segment; each at any of its steps
    begun: set[int] = field(default_factory=set)  # segments whose training is at a state of the segment
    states: dict[tuple[int, int], Saved] = field(default_factory=dict)  # by segment and step
    step_seconds: float = 1e-3  # seconds of one step, as last measured
    member: int | None = None
    state_bytes: int = 1  # of the largest remembered state
    remembers: bool = True

    def at(
        self, step: int, losses_S: NDArray[np.float32], tell: Callable[[int], None] | None = None
    ) -> Snapshot:
        """The run after ``step`` updates of its path. losses_S: the path's losses, at least ``step`` of them.
        tell: called with the step that is reached, now and then while a replay lasts that is expected to take
        longer than ``LONG_SECONDS``; what it raises ends the replay.

        Raises:
            TreinoError: as ``snapshots``.
        """
        training = self.training_at(step, losses_S, tell).training
        return self._snapshot(self.stretch_at(step).segment.number, training, losses_S, training.save())

    def training_at(
        self, step: int, losses_S: NDArray[np.float32], tell: Callable[[int], None] | None = None
    ) -> Resolution:
        """The training after ``step`` updates, until the next call. Arguments and errors: as ``at``."""
        if not 0 <= step <= len(losses_S):
            raise STEP_RANGE(run=self.run.name, step=step, last=len(losses_S))
        return self._played(self.run.timeline, self.stretch_at(step), step, losses_S, tell)

    def live_snapshot(self, segment: int, saved: Saved, losses_S: NDArray[np.float32]) -> Snapshot:
        """The snapshot of a state of the newest segment, as published by the training process."""
        training = self.resolution(segment).training
        training.load(*saved)
        self.begun.add(segment)
        self.states.pop((segment, training.step), None)  # a command may have changed it since
        self._remember(segment, training, saved)
        return self._snapshot(segment, training, losses_S, saved)

    def resolution(self, segment: int) -> Resolution:
        """The segment's resolution; its training may be at any step."""
        if segment not in self.resolutions:
            self.resolutions[segment] = rebuilt(self.run.timeline, self.data, self.run.access, segment)
            self.begun.discard(segment)
            if path(self.run.spec, segment)[-1].segment.origin is None:
                self.begun.add(segment)
        return self.resolutions[segment]

    def prepare(self, last: int, losses_S: NDArray[np.float32], seconds: float) -> bool:
        """For ``seconds``, train through stretches without stored states up to step ``last``. Return whether
        any are left."""
        begin = time.perf_counter()
        while (step := self._gap(last)) is not None:
            self.at(step, losses_S)
            if time.perf_counter() - begin > seconds:
                return True
        return False

    def stretch_at(self, step: int) -> Stretch:
        """The part of the run's path that contains the update after ``step`` updates."""
        for stretch in path(self.run.spec):
            if step >= stretch.first and (stretch.stop is None or step < stretch.stop):
                return stretch
        raise AssertionError(step)

    # ---- inside

    def _snapshot(
        self, segment: int, training: TrainingLoop, losses_S: NDArray[np.float32], saved: Saved
    ) -> Snapshot:
        """The snapshot of a training of this segment, at its present step. saved: its state."""
        run, step = self.run, training.step
        member = _member(run, training) if self.member is None else self.member
        seen, net = next_update(training.setup, training.state, member), training.net(member, "last")
        return Snapshot(
            run,
            segment,
            step,
            training.answer("last") if _together(run, training) else net,
            member,
            training.config.seeds[member],
            net,
            *training.trained_net(member),
            _loss(run, step, losses_S),
            seen.hp,
            seen.state,
            seen.gradients,
            saved,
            self.data,
            training.plan,
            run.timeline.settings_at(step, segment),
            training.loss_function,
        )

    def _played(
        self,
        timeline: Timeline,
        stretch: Stretch,
        step: int,
        losses_S: NDArray[np.float32],
        tell: Callable[[int], None] | None,
    ) -> Resolution:
        """The segment's resolution with its training at the step, replayed from the nearest known state."""
        number = stretch.segment.number
        resolution = self.resolution(number)
        known = [at for segment, at in self.states if segment == number and at <= step]
        nearest = max(known, default=-1)
        if nearest >= 0 and not nearest <= resolution.training.step <= step:
            resolution.training.load(*self.states[number, nearest])
            self.begun.add(number)
        elif resolution.training.step > step:  # start again
            del self.resolutions[number]
            resolution = self.resolution(number)
        training, begun = resolution.training, number in self.begun
        if not begun or (step - training.step) * self.step_seconds > NEAR_SECONDS:
            set_near(self.run, training, stretch.segment, step, losses_S, begun)
            self.begun.add(number)
        obey_again(timeline, training, number)
        apart = self._apart if self.remembers else step
        long = False
        while training.step < step:
            before, first = time.perf_counter(), training.step
            long = long or (step - first) * self.step_seconds > LONG_SECONDS
            if tell is not None and long:
                tell(first)
            training.advance(None, min(step, first + apart))
            self.step_seconds = (time.perf_counter() - before) / (training.step - first)
            self._remember(number, training)
        self._remember(number, training)
        return resolution

    @property
    def _apart(self) -> int:
        """The steps between two remembered states: large enough that half of the states that fit suffice."""
        fitting = max(2, STATES_BYTES // self.state_bytes)
        return max(1, 2 * self.run.steps // fitting, int(NEAR_SECONDS / max(self.step_seconds, 1e-7)))

    def _gap(self, last: int) -> int | None:
        """A step far from all known states."""
        apart = self._apart
        for stretch in path(self.run.spec):
            number = stretch.segment.number
            stop = last if stretch.stop is None else min(stretch.stop - 1, last)
            known = sorted(at for segment, at in self.states if segment == number and at <= stop)
            reached = stretch.first
            for at in [*known, stop]:
                if at - reached > 2 * apart:
                    return reached + apart
                reached = max(reached, at)
        return None

    def _remember(self, segment: int, training: TrainingLoop, saved: Saved | None = None) -> None:
        if not self.remembers or (segment, training.step) in self.states:
            return
        self.states[segment, training.step] = saved = training.save() if saved is None else saved
        size = sum(tensor.nbytes for tensor in saved[0].values())
        self.state_bytes = max(self.state_bytes, size)
        while len(self.states) * size > STATES_BYTES and len(self.states) > 2:
            for place in sorted(self.states)[1:-1:2]:  # drop every second state
                del self.states[place]
            if size > STATES_BYTES // 4:
                break

"""Playback of a run for someone who looks at one step after another: visited states are remembered.

``training/replay.py`` starts from states in the run's folder each time. Here the trainings are kept, and
states in memory, within a budget, complement those in the folder.
"""

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from treino.data.dataset import Data
from treino.records.segments import Link, path_of
from treino.records.stored_run import StoredRun
from treino.training.replay import Saved, Snapshot, set_near, snapshot_of
from treino.training.resolution import Resolution
from treino.training.stored_training import obey_again, rebuilt

BUDGET = 64_000_000  # bytes of states
NEAR_SECONDS = 0.03  # of training between two states, at most


@dataclass(eq=False)
class Playback:
    """The playback of one run, which may be training in another process. data: all of its rows."""

    run: StoredRun
    data: Data
    resolutions: dict[int, Resolution] = field(default_factory=dict)  # by segment, each at any step of it
    begun: set[int] = field(default_factory=set)  # segments whose training is at a state of the segment
    states: dict[tuple[int, int], Saved] = field(default_factory=dict)  # by segment and step
    step_seconds: float = 1e-3  # of one step, as last measured

    def at(self, step: int, losses_S: NDArray[np.float32]) -> Snapshot:
        """The run after ``step`` updates of its path. losses_S: of the path, ``step`` of them at least.

        Raises:
            TreinoError: as ``snapshots``.
        """
        link = self.link_at(step)
        resolution = self._played(link, step, losses_S)
        return snapshot_of(self.run, link.segment.number, resolution, self.data, step, losses_S)

    def live_snapshot(self, segment: int, saved: Saved, losses_S: NDArray[np.float32]) -> Snapshot:
        """The snapshot of a state that the training process shows of the newest segment."""
        resolution = self.resolution(segment)
        resolution.training.load(*saved)
        self.begun.add(segment)
        step = resolution.training.step
        self._remember(segment, step, saved)
        return snapshot_of(self.run, segment, resolution, self.data, step, losses_S, saved)

    def resolution(self, segment: int) -> Resolution:
        """The segment's resolution, whose training is at any step."""
        if segment not in self.resolutions:
            one = path_of(self.run.spec, segment)[-1].segment
            self.resolutions[segment] = rebuilt(
                self.run.folder, self.run.spec, self.data, self.run.access, one
            )
            self.begun.discard(segment)
            if one.origin is None:
                self.begun.add(segment)
        return self.resolutions[segment]

    def prepare(self, last: int, losses_S: NDArray[np.float32], seconds: float) -> bool:
        """Train through unknown stretches up to step ``last`` for ``seconds``. Returns whether any are
        left."""
        begin = time.perf_counter()
        while (step := self._gap(last)) is not None:
            self.at(step, losses_S)
            if time.perf_counter() - begin > seconds:
                return True
        return False

    def link_at(self, step: int) -> Link:
        """The part of the run's path with this step."""
        for link in path_of(self.run.spec):
            if step >= link.first and (link.stop is None or step < link.stop):
                return link
        raise AssertionError(step)

    # ---- inside

    def _played(self, link: Link, step: int, losses_S: NDArray[np.float32]) -> Resolution:
        """The segment's resolution with its training at the step, replayed from the nearest known state."""
        number = link.segment.number
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
            set_near(self.run, training, link.segment, step, losses_S, begun)
            self.begun.add(number)
        # commands of the steps in between; repeating those of this step changes nothing
        obey_again(self.run.folder, training, link.segment, set(), training.step)
        apart = self._apart
        while training.step < step:
            before, first = time.perf_counter(), training.step
            training.advance(None, min(step, first + apart))
            self.step_seconds = (time.perf_counter() - before) / (training.step - first)
            self._remember(number, training.step, training.save())
        return resolution

    @property
    def _apart(self) -> int:
        """The steps between two remembered states."""
        return max(1, int(NEAR_SECONDS / max(self.step_seconds, 1e-7)))

    def _gap(self, last: int) -> int | None:
        """A step far from all known states."""
        apart = self._apart
        for link in path_of(self.run.spec):
            number, stop = link.segment.number, last if link.stop is None else min(link.stop - 1, last)
            known = sorted(at for segment, at in self.states if segment == number and at <= stop)
            reached = link.first
            for at in [*known, stop]:
                if at - reached > 2 * apart:
                    return reached + apart
                reached = max(reached, at)
        return None

    def _remember(self, segment: int, step: int, saved: Saved) -> None:
        self.states[segment, step] = saved
        size = sum(tensor.nbytes for tensor in saved[0].values())
        while len(self.states) * size > BUDGET and len(self.states) > 2:
            places = sorted(self.states)
            for place in places[1:-1:2]:  # drop every second state
                del self.states[place]
            if size > BUDGET // 4:
                break

"""The networks of a study, each trained some epochs at a time by the processes of a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from treino.cluster.cluster import Cluster, SharedValue, TaskEnd
from treino.cluster.ray_task import processor_kind
from treino.data.dataset import Data
from treino.engine import Tick
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.torch_context import torch_threads
from treino.records.user_network import NetworkFiles
from treino.spec import Settings
from treino.tuning.track import Track, track_of

TASK_SECONDS = 4.0
FEWEST_EPOCHS = 2  # of a task: the first in a process is not timed
WAIT_SECONDS = 0.5
TASKS_PER_SLOT = 2  # so that no process waits for its next task
CALM_SECONDS = 1.0  # of one advance of the engine, in a process that nobody watches

Saved = tuple[dict[str, Tensor], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class TrackOrder:
    """What ``train_track`` needs beside the rows. settings: with the kernel that was decided. networks: the
    user's file that these name, if any. saved: as ``Track.save`` gave it. epochs: at which it is to end."""

    cell: int
    settings: Settings
    networks: NetworkFiles
    saved: Saved
    epochs: int


def train_track(order: TrackOrder, data: Data) -> Saved:
    """Train one network to that epoch, or to its own end; a function of its arguments but for the seconds."""
    track = track_of(order.cell, order.settings, data, order.networks)
    track.load(*order.saved)
    track.note_processor(processor_kind())
    training = track.planned.training
    with torch_threads(torch_threads_of(training.engine, training.threads)):
        while not track.done and track.record.epochs < order.epochs:
            track.advance(CALM_SECONDS)
        return track.save()


@dataclass(eq=False)
class TrackDistribution:
    """cluster: its processes. title: the study's name, for the names of its tasks. networks: files that
    settings name, and that may run."""

    cluster: Cluster
    title: str
    networks: NetworkFiles
    _shared: dict[int, SharedValue] = field(default_factory=dict)
    _running: dict[int, tuple[Track, int]] = field(default_factory=dict)  # with the epochs at its begin
    _pace: dict[int, float] = field(default_factory=dict)  # seconds of an epoch, by id of its track

    def advance(self, tracks: Sequence[Track]) -> tuple[Track, Tick] | None:
        """Have them trained for a moment: one of them, and how far it is; None: all are at their end."""
        running = [track for track, _epochs in self._running.values()]
        waiting = [track for track in tracks if not track.done and track not in running]
        if not waiting and not running:
            return None
        room = TASKS_PER_SLOT * self.cluster.slots - len(running)
        for track in sorted(waiting, key=lambda track: track.record.epochs)[: max(0, room)]:
            self._submit(track)
        found = [self._take(end) for end in self.cluster.ended(WAIT_SECONDS)]
        track = next((track for track in found if track is not None), (running + waiting)[0])
        return track, _moment(track)

    def _submit(self, track: Track) -> None:
        done, pace = track.record.epochs, self._pace.get(id(track))
        epochs = FEWEST_EPOCHS if pace is None else max(FEWEST_EPOCHS, round(TASK_SECONDS / max(pace, 1e-6)))
        training = track.planned.training
        last = -(-training.steps // training.steps_per_epoch)
        until = last if last - done - epochs < FEWEST_EPOCHS else done + epochs
        device = "cuda" if self.cluster.gpus else "cpu"
        kernel = {"engine": training.engine, "threads": training.threads, "device": device}
        settings = track.settings.model_copy(update=kernel)
        order = TrackOrder(
            track.cell,
            settings,
            {word: file for word, file in self.networks.items() if word == settings.net},
            track.save(),
            until,
        )
        ticket = self.cluster.submit(
            train_track,
            order,
            shared=[self._rows(track.data)],
            name=f"{self.title}: row {track.cell + 1}, seed {settings.seed}, epochs {done + 1} to {until}",
            processors=1 if self.cluster.gpus else training.threads,
        )
        self._running[ticket] = track, done

    def _rows(self, data: Data) -> SharedValue:
        """The rows as one preparation has them, laid into the cluster once."""
        if id(data) not in self._shared:
            self._shared[id(data)] = self.cluster.share(data)
        return self._shared[id(data)]

    def _take(self, end: TaskEnd) -> Track | None:
        if end.ticket not in self._running:
            return None
        track, before = self._running.pop(end.ticket)
        track.load(*end.value)
        self._pace[id(track)] = end.seconds / max(1, track.record.epochs - before)
        return track


def _moment(track: Track) -> Tick:
    """A tick that tells of no steps but the last epoch's loss: the steps were made elsewhere."""
    training, loss = track.planned.training, track.record.loss
    last = torch.tensor([[torch.nan if not loss or loss[-1] is None else loss[-1]]])
    return Tick(training.step, training.epoch, last, [], training.status_P, training.population)

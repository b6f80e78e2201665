"""One network of a study: a row's settings with one seed, trained an epoch at a time, and timed."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from treino.cluster.cluster import Cluster, TaskEnd
from treino.data.dataset import Data
from treino.engine import Tick, TrainingLoop
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.metrics import measure, metric_names
from treino.engine.tick import Epoch
from treino.engine.torch_context import torch_threads
from treino.plots.style import split_name
from treino.records.failure_notes import try_or_note
from treino.records.user_network import NetworkFiles, network_of
from treino.spec import Settings
from treino.training.resolution import Resolution, resolve
from treino.training.user_data import answers
from treino.tuning.group_training import PopulationPart, Saved
from treino.words import _

FEWEST_EPOCHS = 2  # of a cluster's task: the first in a process is not timed
CALM_SECONDS = 1.0  # of one advance of the engine, in a process that nobody watches


@dataclass
class Record:
    """What is kept of a network: figures ``[E]``, one for each epoch, None where a loss is not finite.

    seconds: by the clock on the wall, without evaluation. processor: of processors, all threads together.
    cold: the epochs (from 1 on) that were the first in their process, so that memory and threads had to be
    made ready. metrics: measured after the epoch. notes: why some of them could not be. processors: the
    kinds that trained it in a cluster, and since.
    """

    status: str = "running"
    steps: int = 0
    loss: list[float | None] = field(default_factory=list)
    loss_std: list[float | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    cold: list[int] = field(default_factory=list)
    metrics: dict[str, list[float | None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    processors: list[str] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        return len(self.loss)

    def warm(self, of: list[float]) -> list[float]:
        """``seconds`` or ``processor`` without the warm-up epochs."""
        return [s for n, s in enumerate(of, 1) if n not in self.cold]


class Track:
    """A training that takes turns with others.

    cell: the row's number. settings: as they were read. resolution: its training, and every setting's value.
    networks: the file that settings name, if any, and that may run. parts: of one member, for a cluster.
    """

    def __init__(
        self, cell: int, settings: Settings, data: Data, resolution: Resolution, networks: NetworkFiles
    ) -> None:
        self.cell, self.settings, self.data, self.resolution = cell, settings, data, resolution
        self.networks, self.record, self.parts = networks, Record(), [PopulationPart([0])]
        self._so_far, self._processor, self._cold = 0.0, 0.0, True  # seconds of the epoch that has begun

    @property
    def training(self) -> TrainingLoop:
        return self.resolution.training

    @property
    def done(self) -> bool:
        return self.record.status != "running"

    @property
    def step(self) -> int:
        """Updates done; of a network that ended early all that were planned."""
        return self.training.steps if self.done else self.training.step

    @property
    def measured_on(self) -> str:
        """The split whose rows are measured after every epoch."""
        return "validation" if len(self.data.validation) else "train"

    @property
    def left_s(self) -> float | None:
        """Seconds of training to its last epoch at its pace so far; None before there is one."""
        engine, r = self.training, self.record
        if self.done:
            return 0.0
        spent = sum(r.seconds) + self._so_far
        return spent / engine.step * (engine.steps - engine.step) if engine.step else None

    def advance(self, limit_s: float) -> Tick:
        """Train for about so long, no further than the epoch's end."""
        engine = self.training
        border = (engine.step // engine.steps_per_epoch + 1) * engine.steps_per_epoch
        begin, worked = time.perf_counter(), time.process_time()
        tick = engine.advance(limit_s, border)
        self._so_far += time.perf_counter() - begin - sum(e.evaluation_seconds for e in tick.epochs)
        self._processor += time.process_time() - worked
        for epoch in tick.epochs:
            self._keep(float(epoch.loss_P[0]), float(epoch.loss_std_P[0]))
        return tick

    def _keep(self, loss: float, deviation: float) -> None:
        engine, r = self.training, self.record
        r.loss.append(loss if math.isfinite(loss) else None)
        r.loss_std.append(deviation if math.isfinite(deviation) else None)
        r.seconds.append(self._so_far)
        r.processor.append(self._processor)
        r.steps = int(engine.last_step_P[0])
        if self._cold:
            r.cold.append(r.epochs)
        self._so_far, self._processor, self._cold = 0.0, 0.0, False
        what = _("Measuring the {split} rows").format(split=split_name(self.measured_on))
        found = try_or_note(r.notes, what, _("These figures are left out."), self._measured) or {}
        for name in metric_names(engine.loss_function, engine.outputs):
            figure = found.get(name, math.nan)
            r.metrics.setdefault(name, []).append(figure if math.isfinite(figure) else None)
        if engine.done:
            r.status = engine.status_P[0]

    def _measured(self) -> dict[str, float]:
        engine, rows = self.training, self.data.splits[self.measured_on]
        output_NC, y_N = answers(engine.net(0, "last"), rows, engine.shared.item_shape)
        found = measure(output_NC[None], y_N, engine.loss_function, self.data.target_scale)
        return {name: float(value[0]) for name, value in found.items()}

    def note_processor(self, kind: str) -> None:
        """Note who goes on, of what a cluster trains or has begun."""
        if kind not in self.record.processors:
            self.record.processors.append(kind)

    # ---- some epochs in a process of a cluster; see ``Distribution``

    @property
    def members(self) -> tuple[int, ...]:
        return (self.cell,)

    @property
    def task_processors(self) -> int:
        return self.training.threads

    def behind(self, until: int) -> bool:
        return not self.done

    def part_behind(self, part: PopulationPart, until: int) -> bool:
        return not self.done

    def task_end(self, step: int) -> int:
        """The first step from this one on at which a task may end: an epoch's, and not before the second."""
        training = self.training
        per_epoch, last = training.steps_per_epoch, -(-training.steps // training.steps_per_epoch)
        epochs = max(self.record.epochs + FEWEST_EPOCHS, -(-step // per_epoch))
        return (last if last - epochs < FEWEST_EPOCHS else epochs) * per_epoch

    def order(self, part: PopulationPart, until: int, cluster: Cluster) -> "TrackOrder":
        """What a task needs to train it to the end of an epoch."""
        training, device = self.training, "cuda" if cluster.gpus else "cpu"
        kernel = {"engine": training.engine, "threads": training.threads, "device": device}
        settings = self.settings.model_copy(update=kernel)
        return TrackOrder(self.cell, settings, self.networks, self.save(), until // training.steps_per_epoch)

    def task_name(self, part: PopulationPart, until: int) -> str:
        epochs = f"{self.record.epochs + 1} to {until // self.training.steps_per_epoch}"
        return f"row {self.cell + 1}, seed {self.settings.seed}, epochs {epochs}"

    def take(self, part: PopulationPart, end: TaskEnd) -> tuple[int, list[Epoch]]:
        """Go on from where its task has ended; -> the steps that this has taken."""
        before = self.record.steps
        self.load(*end.value)
        self.note_processor(end.processor)
        return self.record.steps - before, []

    # ---- going on after a stop

    def save(self) -> Saved:
        """What going on needs; of a network that is trained to its end its figures alone."""
        kept = {"record": self.record.__dict__, "so_far": [self._so_far, self._processor], "engine": None}
        if self.done or not self.training.step:
            return {}, kept
        tensors, engine = self.training.save()
        return tensors, kept | {"engine": engine}

    def load(self, tensors: Mapping[str, Tensor], kept: Mapping[str, Any]) -> None:
        """Go on from what ``save`` gave; the epoch that it is in counts as cold."""
        self.record = Record(**kept["record"])
        self._so_far, self._processor = kept["so_far"]
        if kept["engine"] is not None:
            self.training.load(dict(tensors), kept["engine"])
            self.parts[0].step = self.training.step


@dataclass(frozen=True, eq=False)
class TrackOrder:
    """What training a network needs beside the rows. settings: with the kernel that was decided.

    networks: the user's file that these name, if any. saved: as ``Track.save`` gave it. epochs: at which it
    is to end.
    """

    cell: int
    settings: Settings
    networks: NetworkFiles
    saved: Saved
    epochs: int

    def train(self, data: Data) -> Saved:
        """Train it to that epoch, or to its own end; a function of its arguments but for the seconds."""
        track = track_of(self.cell, self.settings, data, self.networks)
        track.load(*self.saved)
        with torch_threads(torch_threads_of(track.training.engine, track.training.threads)):
            while not track.done and track.record.epochs < self.epochs:
                track.advance(CALM_SECONDS)
            return track.save()


def track_of(cell: int, settings: Settings, data: Data, networks: NetworkFiles) -> Track:
    """A row's network before its first step. networks: the files that settings name, and that may run.

    Raises:
        TreinoError: settings that contradict the rows or the machine.
    """
    # who never stops early needs no evaluation beside the study's own
    fed = data if settings.patience else replace(data, validation=data.validation[:0])
    own = {word: file for word, file in networks.items() if word == settings.net}
    return Track(cell, settings, data, resolve(settings, fed, network_of(settings, own)), own)

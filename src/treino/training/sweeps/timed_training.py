"""One network of a study: a row's settings with one seed, trained an epoch at a time, and timed."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from treino.base.errors import Refusal
from treino.base.words import N_, _
from treino.data.dataset import Data
from treino.data.splits import split_name
from treino.engine import Tick
from treino.engine.devices import torch_threads
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.metrics import measure, metric_names
from treino.engine.tick import Epoch
from treino.folders.stored_folder import try_or_note
from treino.folders.user_network import NetworkFiles, network_of
from treino.settings.spec import Settings
from treino.training.cluster import TaskEnd
from treino.training.resolution import check_warmup, decide, with_net
from treino.training.stored_training import answers
from treino.training.sweeps.group_training import GroupTraining, Saved
from treino.training.sweeps.populations import Group, for_gpu
from treino.training.sweeps.study_options import NET

BATCH_SIZE_ROWS = Refusal(
    "batch_size_rows",
    N_("A batch of {size:,} is more than the {rows:,} training rows."),
    N_("Use smaller ones, or 'full' for all rows."),
)

FEWEST_EPOCHS = 2  # per cluster task: the first in a process is not timed


@dataclass
class Record:
    """The stored results of a network: lists ``[E]``, one value for each epoch, None for non-finite losses.

    seconds: wall-clock time without evaluation. processor: processor seconds, all threads together.
    cold: numbers (from 1 on) of warm-up epochs: the first in their process, which includes its start-up cost.
    metrics: measured after the epoch. notes: why some metrics could not be measured. processors: the kinds
    of processors that trained it, if a cluster did at any time.
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
        """``of``, which is ``seconds`` or ``processor``, without the warm-up epochs."""
        return [s for n, s in enumerate(of, 1) if n not in self.cold]


@dataclass(eq=False)
class Track(GroupTraining):
    """The timed training of one network: a population of one that takes turns with others. record: results.

    On a cluster, each task trains some epochs.
    """

    record: Record = field(default_factory=Record)
    _so_far: float = 0.0  # seconds of the epoch that has begun
    _processor: float = 0.0
    _cold: bool = True

    @property
    def cell(self) -> int:
        """The number of the network's row in the study."""
        return self.members[0]

    @property
    def training_data(self) -> tuple[Data, ...]:
        return (training_data(self.data, self.group.config.shared.patience),)

    @property
    def done(self) -> bool:
        return self.record.status != "running"

    @property
    def step(self) -> int:
        """Updates done; all planned ones if the network has ended."""
        return self.training.steps if self.done else self.training.step

    @property
    def measured_on(self) -> str:
        """The split whose rows are measured after every epoch."""
        return "validation" if len(self.data.validation) else "train"

    @property
    def threads(self) -> int:
        """torch's number of threads within an operation."""
        return torch_threads_of(self.training.engine, self.training.threads)

    @property
    def left_s(self) -> float | None:
        """Estimated seconds of training left, at the pace so far; None before the first epoch."""
        engine, r = self.training, self.record
        if self.done:
            return 0.0
        spent = sum(r.seconds) + self._so_far
        return spent / engine.step * (engine.steps - engine.step) if engine.step else None

    def behind(self, until: int) -> bool:
        return not self.done and self.training.step < until

    def advance(self, seconds: float | None, until: int) -> Tick:
        """Train for about ``seconds``, at most to the end of the epoch."""
        engine = self.training
        before, per_epoch = engine.step, engine.steps_per_epoch
        with torch_threads(self.threads):
            begin, worked = time.perf_counter(), time.process_time()
            tick = engine.advance(seconds, min(until, (before // per_epoch + 1) * per_epoch))
            self._so_far += time.perf_counter() - begin - sum(e.evaluation_seconds for e in tick.epochs)
            self._processor += time.process_time() - worked
            for epoch in tick.epochs:
                self._keep(float(epoch.loss_P[0]), float(epoch.loss_std_P[0]))
        self.model_steps += engine.step - before
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
        figures = try_or_note(r.notes, what, _("These figures are left out."), self._measured) or {}
        for name in metric_names(engine.loss_function, engine.outputs):
            figure = figures.get(name, math.nan)
            r.metrics.setdefault(name, []).append(figure if math.isfinite(figure) else None)
        if engine.done:
            r.status = engine.status_P[0]

    def _measured(self) -> dict[str, float]:
        engine, rows = self.training, self.data.splits[self.measured_on]
        output_NC, y_N = answers(engine.net(0, "last"), rows, engine.shared.item_shape)
        scale = self.data.scale
        values = measure(output_NC[None], y_N, engine.loss_function, scale, rows.weight)
        return {name: float(value[0]) for name, value in values.items()}

    def note_processor(self, kind: str) -> None:
        """Note a kind of processor that trains this network of a cluster's study."""
        if kind not in self.record.processors:
            self.record.processors.append(kind)

    # ---- tasks in the processes of a cluster; see ``Distribution``

    @property
    def task_processors(self) -> int:
        return self.training.threads

    def task_end(self, step: int) -> int:
        """The end of the task's last epoch: from ``step`` on, and FEWEST_EPOCHS or more in the task."""
        training = self.training
        per_epoch, last = training.steps_per_epoch, -(-training.steps // training.steps_per_epoch)
        epochs = max(self.record.epochs + FEWEST_EPOCHS, -(-step // per_epoch))
        return (last if last - epochs < FEWEST_EPOCHS else epochs) * per_epoch

    def task_name(self, until: int) -> str:
        epochs = f"{self.record.epochs + 1} to {until // self.training.steps_per_epoch}"
        return f"row {self.cell + 1}, seed {self.group.config.shared.seed}, epochs {epochs}"

    def take(self, part: GroupTraining, end: TaskEnd) -> tuple[int, list[Epoch]]:
        track = super().take(part, end)
        self.note_processor(end.processor)
        return track

    # ---- checkpoints

    def save(self) -> Saved:
        """Return the state from which training resumes; for a finished network, only its record."""
        figures = {"record": vars(self.record), "so_far": [self._so_far, self._processor]}
        if self.done or not self.training.step:
            return {}, figures | {"population": None}
        tensors, facts = super().save()
        return tensors, figures | {"population": facts}

    def load(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Restore the state that ``save`` returned; the current epoch then counts as a warm-up."""
        self.record = Record(**facts["record"])
        self._so_far, self._processor = facts["so_far"]
        if facts["population"] is not None:
            super().load(tensors, facts["population"])


def training_data(data: Data, patience: int | None) -> Data:
    """The data without validation rows, unless patience needs them: the study evaluates by itself."""
    return data if patience else replace(data, validation=data.validation[:0])


def track_of(cell: int, settings: Settings, data: Data, networks: NetworkFiles, gpus: bool) -> Track:
    """A row's network before its first step.

    networks: the network files that settings name and that may run. gpus: whether a cluster's GPUs train.

    Raises:
        TreinoError: settings that contradict the rows or the machine.
    """
    if isinstance(settings.batch_size, int) and settings.batch_size > len(data.train):
        raise BATCH_SIZE_ROWS(size=settings.batch_size, rows=len(data.train))
    fed, net = training_data(data, settings.patience), network_of(settings, networks)
    settings = with_net(settings, data, NET)
    layers, config = decide(settings, fed, net)
    own = None if settings.net_file is None else (networks[settings.net_file], settings.seed)
    group = Group((cell,), (data,), layers, config, own)
    track = Track(for_gpu(group) if gpus else group, config.shared.metric)
    check_warmup(settings, track.training.steps)
    return track

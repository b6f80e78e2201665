"""One network of a study: a row's settings with one seed, trained an epoch at a time, and timed."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from torch import Tensor

from treino.base.document_fields import Status
from treino.base.errors import Refusal
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.splits import split_name
from treino.engine import Tick
from treino.engine.defaults import with_net
from treino.engine.devices import torch_threads
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.metrics import measure, metric_names
from treino.folders.documents.sweep import NetworkRecord
from treino.folders.stored_folder import try_or_note
from treino.folders.user_network import NetworkFiles, file_of, network_of
from treino.settings.spec import Settings
from treino.training.resolution import decide
from treino.training.stored_training import answers
from treino.training.sweeps.population_training import PopulationTraining, Saved
from treino.training.sweeps.populations import for_gpu
from treino.training.sweeps.study_options import NET

BATCH_SIZE_ROWS = Refusal(
    "A batch of {size:,} is more than the {rows:,} training rows.",
    "Use smaller ones, or 'full' for all rows.",
)

FEWEST_EPOCHS = 2  # per cluster task: the first in a process is not timed


@dataclass(eq=False)
class TimedTraining(PopulationTraining):
    """The training of a study's network, a population of one: each epoch is timed, and measured after it.

    On a cluster, each task trains some epochs. record: of the epochs so far. label: its row and seed.
    """

    record: NetworkRecord = field(default_factory=lambda: NetworkRecord())
    label: str = ""
    _cold: bool = True

    @property
    def training_data(self) -> tuple[Data, ...]:
        return (training_data(self.data, self.config.shared.patience),)

    @property
    def measured_on(self) -> str:
        """The split whose rows are measured after every epoch."""
        return "validation" if len(self.data.validation) else "train"

    @property
    def step(self) -> int:
        """Updates done; all planned ones if the network has ended."""
        return self.training.steps if self.training.done else self.training.step

    @property
    def left_s(self) -> float | None:
        """Estimated seconds of training left, at the pace so far; None before the first step."""
        engine = self.training
        spent = sum(self.record.epoch_seconds) + self.record.so_far[0]
        return spent / engine.step * (engine.steps - self.step) if engine.step else None

    def advance(self, seconds: float | None, until: int) -> Tick:
        """Train for about ``seconds``, at most to the end of the epoch."""
        engine, r = self.training, self.record
        before, per_epoch = engine.step, engine.steps_per_epoch
        with torch_threads(torch_threads_of(engine.engine, engine.threads)):
            begin, worked = time.perf_counter(), time.process_time()
            tick = engine.advance(seconds, min(until, (before // per_epoch + 1) * per_epoch))
            trained = time.perf_counter() - begin - sum(e.evaluation_seconds for e in tick.epochs)
            r.so_far = r.so_far[0] + trained, r.so_far[1] + time.process_time() - worked
            for epoch in tick.epochs:
                self._keep(float(epoch.loss_P[0]), float(epoch.loss_std_P[0]))
        self.model_steps += engine.step - before
        return tick

    def _keep(self, loss: float, deviation: float) -> None:
        engine, r = self.training, self.record
        r.loss += (loss if math.isfinite(loss) else None,)
        r.loss_std += (deviation if math.isfinite(deviation) else None,)
        r.epoch_seconds += (r.so_far[0],)
        r.epoch_processor_seconds += (r.so_far[1],)
        r.steps = int(engine.last_step_P[0])
        if self._cold:
            r.warm_up_epochs += (len(r.loss),)
        r.so_far, self._cold = (0.0, 0.0), False
        what, notes = _("Measuring the {split} rows").format(split=split_name(self.measured_on)), [*r.notes]
        figures = try_or_note(notes, what, _("These figures are left out."), self._measured) or {}
        r.notes = tuple(notes)
        for name in metric_names(engine.loss_function, engine.outputs):
            figure = figures.get(name, math.nan)
            r.metrics[name] = (*r.metrics.get(name, ()), figure if math.isfinite(figure) else None)
        if engine.done:
            r.status = cast(Status, engine.status_P[0])

    def _measured(self) -> dict[str, float]:
        engine, rows = self.training, self.data.splits[self.measured_on]
        output_NC, y_N = answers(engine.net(0, "last"), rows, engine.model.item_shape)
        scale = self.data.scale
        values = measure(output_NC[None], y_N, engine.loss_function, scale, rows.weight)
        return {name: float(value[0]) for name, value in values.items()}

    # ---- tasks in the processes of a cluster; see ``Distribution``

    @property
    def task_processors(self) -> int:
        return self.training.threads

    def task_end(self, step: int) -> int:
        """The end of the task's last epoch: from ``step`` on, and FEWEST_EPOCHS or more in the task."""
        training = self.training
        per_epoch, last = training.steps_per_epoch, -(-training.steps // training.steps_per_epoch)
        epochs = max(len(self.record.loss) + FEWEST_EPOCHS, -(-step // per_epoch))
        return (last if last - epochs < FEWEST_EPOCHS else epochs) * per_epoch

    def task_name(self, until: int) -> str:
        return f"{self.label}, epochs {len(self.record.loss) + 1} to {until // self.training.steps_per_epoch}"

    # ---- checkpoints

    def save(self) -> Saved:
        tensors, facts = super().save()
        return tensors, facts | {"record": self.record.model_dump(mode="json")}

    def load(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Restore the state that ``save`` returned; the current epoch then counts as a warm-up."""
        super().load(tensors, facts)
        self.record = NetworkRecord(**facts["record"])


def training_data(data: Data, patience: int | None) -> Data:
    """The data without validation rows, unless patience needs them: the study evaluates by itself."""
    return data if patience else replace(data, validation=data.validation[:0])


def timed_training(
    number: int, settings: Settings, data: Data, networks: NetworkFiles, gpus: bool, label: str
) -> TimedTraining:
    """A network of a study before its first step.

    networks: the network files that settings name and that may run. gpus: whether a cluster's GPUs train.

    Raises:
        TreinoError: settings that contradict the rows or the machine.
    """
    if isinstance(settings.batch_size, int) and settings.batch_size > len(data.train):
        raise BATCH_SIZE_ROWS(size=settings.batch_size, rows=len(data.train))
    fed, net = training_data(data, settings.patience), network_of(settings, networks)
    settings = with_net(settings, data, NET)
    layers, config = decide(settings, fed, net)
    config, file = for_gpu(layers, config) if gpus else config, file_of(settings, networks)
    own = None if file is None else (file, settings.seed)
    return TimedTraining((number,), (data,), layers, config, config.shared.metric, own, label=label)

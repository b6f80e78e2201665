"""The training of a study, from its first epoch to its sealed folder, as a stream of events.

The networks take turns, one epoch each, so that a slowdown of the machine affects all of them; the order is
reversed in every other round. On a cluster they train at the same time, some epochs per task. A finished
network is never trained again; all others resume from the last checkpoint, bit for bit.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from treino.base.document_fields import Status
from treino.base.errors import Refusal, TreinoError
from treino.base.resampling import effective_rows, groups_of, weights_or_ones
from treino.base.words import _
from treino.data.dataset import Data
from treino.data.splits import split_name
from treino.engine import Tick
from treino.engine.defaults import with_net
from treino.engine.devices import torch_threads
from treino.engine.kernels.selection import torch_threads_of
from treino.engine.metrics import measure, metric_names
from treino.folders.access import Access
from treino.folders.data_source import recorded_settings
from treino.folders.documents.reading import read_checkpoint, read_study_spec
from treino.folders.documents.sweep import NetworkRecord, StudyCell, StudyFacts, StudyPlan, StudyRowFacts
from treino.folders.store import RunFolder
from treino.folders.stored_folder import as_typed, try_or_note, unfinished, versions
from treino.folders.user_network import NetworkFiles, file_of, network_of
from treino.inspection.curves import floor_twice
from treino.settings.options import HERE, ClusterOptions
from treino.settings.spec import read_settings
from treino.training.goals import check_goals
from treino.training.loop import Job, JobEvent, events, status_at_end, stop_sent
from treino.training.resolution import decide, resolved_settings
from treino.training.search.samplers import Rung
from treino.training.search.space import Config
from treino.training.stored_training import answers
from treino.training.sweeps.bracket import MemberTable, TrainingBracket
from treino.training.sweeps.distribution import Distribution, as_lists, device_here, open_distribution
from treino.training.sweeps.population_training import PopulationTraining, Saved
from treino.training.sweeps.populations import (
    SharedRows,
    for_gpu,
    sources_of,
)
from treino.training.sweeps.request import StudyRequest
from treino.training.sweeps.study_document import HEADLINE, study_result, varied_settings
from treino.training.sweeps.study_options import (
    EPOCHS,
    NET,
    PREPARED,
    read,
    row_settings,
    study_plan,
    with_networks,
)

BATCH_SIZE_ROWS = Refusal(
    "A batch of {size:,} is more than the {rows:,} training rows.",
    "Use smaller ones, or 'full' for all rows.",
)

CHECKPOINT_SECONDS = 2.0
SOFTMAX = "softmax_before_cross_entropy"


# ---- one network

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


# ---- the events of a study


def study_events(request: StudyRequest) -> Iterator[JobEvent]:
    """Train every setting in every mode, in turns. All possible checks come before anything is written.

    Raises:
        TreinoError: bad input (status 2) or a system error (status 1).
    """
    wanted = request.asked | request.device
    plan = study_plan(wanted, request.options)
    words, copies = request.files(_network_words(plan))
    plan = with_networks(plan, words)
    own = [read(cell, plan.base, plan.seeds[0]) for cell in plan.cells]
    shared = read_settings({**plan.base, "seed": plan.seeds[0]})
    source, data = request.rows(shared, (network_of(settings, copies) for settings in own))
    epochs = plan.base.get("epochs", EPOCHS[data.kind])
    whole = epochs if isinstance(epochs, str) else read_settings({"epochs": epochs}).epochs  # 3.0 is 3
    base = dict(plan.base) | {"epochs": whole}
    if not isinstance(source, Data):
        base["data_seed"] = data.data_seed  # a network's own seed must not change the split
    rows = plan.cells
    if request.options.batch_sizes is None and not request.options.cells:
        # the exercise's batch sizes, without those larger than the training rows
        rows = tuple(c for c in rows if int(str(c.own.get("batch_size", 1))) <= len(data.train)) or rows
    plan = plan.model_copy(update={"base": base, "cells": rows})
    gpus = request.place.gpus_per_chunk is not None
    trainings = _trainings(source, data, plan, copies, gpus=gpus)
    check_goals(plan.until, trainings[0].training, data)
    made = request.new_folder("study", "study", data, copies, wanted.values())
    with open_distribution(request.place) as distribution, made as (folder, where):
        facts = _facts(plan, data, trainings, where["source"], gpus=gpus)
        own_net = {"net": plan.base["net"]} if request.asked.get("net") else {}
        spec = {
            "asked": {**request.asked, **own_net},
            "study": plan.to_json(),
            "facts": facts.to_json(),
            "data": where,
            "classes": list(data.classes),
            "versions": versions(),
        }
        folder.write_json("spec.json", spec)
        bracket = StudyBracket.of(trainings, distribution)
        yield from events(partial(StudyJob, folder, data, facts, bracket))


def study_resumption(
    path: str | Path,
    access: Access | None = None,
    *,
    place: ClusterOptions = HERE,
) -> Iterator[JobEvent]:
    """Resume a study that was interrupted or killed: no network is lost, no finished one trained again.

    access: the access to its data and the user's networks; reading a folder never executes them. place: the
    cluster that trains.

    Raises:
        TreinoError: the study is over, is being written by another process, is damaged, or its data is gone.
    """
    access = access or Access()
    folder = unfinished(path)
    spec = read_study_spec(folder)
    options = spec.study
    source, data, networks = sources_of(folder, access, _network_words(options))
    options = options.model_copy(update={"base": recorded_settings(folder, options.base, source)})
    facts = spec.facts
    before = facts.model_copy(update=device_here({"device": facts.device.partition(":")[0]}, place))
    gpus = place.gpus_per_chunk is not None
    trainings = _trainings(source, data, options, networks, before, gpus=gpus)
    with open_distribution(place) as distribution, folder:

        def take_up() -> StudyJob:
            folder.unseal()
            bracket = StudyBracket.of(trainings, distribution)
            if (kept := read_checkpoint(folder)) is not None:
                bracket.load(kept[0], kept[1]["state"], folder.path)
                bracket.processors |= {kind: set(those) for kind, those in kept[1]["processors"].items()}
            return StudyJob(folder, data, facts, bracket)

        yield from events(take_up)


def _network_words(options: StudyPlan) -> list[str | None]:
    """Each row's ``net`` setting, which names its network's file; None for treino's own layers."""
    return [read(cell, options.base, options.seeds[0]).net_file for cell in options.cells]


def _trainings(
    source: Any,
    data: Data,
    options: StudyPlan,
    networks: NetworkFiles,
    before: StudyFacts | None = None,
    *,
    gpus: bool = False,
) -> list[TimedTraining]:
    """Every network before its first step, row by row, seed by seed.

    networks: the network files that settings name and that may run. before: the facts stored when the study
    began, to use the same kernels. gpus: whether a cluster's GPUs train.
    """
    data_for = SharedRows(source, data, read_settings(options.base), PREPARED)
    made = list[TimedTraining]()
    for number, cell in enumerate(options.cells):
        for seed in options.seeds:
            s = read(cell, options.base, seed)
            if before is not None:
                of = before.rows[number]
                kernel = {"engine": of.engine, "threads": of.threads, "device": before.device}
                s = s.model_copy(update=kernel)
            try:
                rows = data_for(s)
                if isinstance(s.batch_size, int) and s.batch_size > len(rows.train):
                    raise BATCH_SIZE_ROWS(size=s.batch_size, rows=len(rows.train))
                net, file = network_of(s, networks), file_of(s, networks)
                layers, config = decide(with_net(s, rows, NET), training_data(rows, s.patience), net)
                config = for_gpu(layers, config) if gpus else config
                own = None if file is None else (file, seed)
                members = (len(made),), (rows,)
                label = f"row {number + 1}, seed {seed}"
                made.append(TimedTraining(*members, layers, config, config.shared.metric, own, label=label))
            except TreinoError as error:
                raise row_settings(error, cell) from None
    return made


def row_facts(
    options: StudyPlan, cell: StudyCell, network: TimedTraining, source: str, device: str
) -> StudyRowFacts:
    """The facts of a row that are known before its first step. device: the device of its training."""
    training, data = network.training, network.data
    settings = with_net(read(cell, options.base, options.seeds[0]), data, NET)
    names = dict.fromkeys(name for each in options.cells for name in each.own)
    s = resolved_settings(settings, data, network.layers, training).model_dump(mode="json")
    typed = settings.recorded
    plain = not s["label_smoothing"] and s["class_weights"] is None
    twice = SOFTMAX in s["fault"] and s["loss"] == "cross_entropy" and plain
    facts = {name: s[name] for name in StudyRowFacts.model_fields if name in s} | {
        "mode": cell.mode,
        "own": {name: s.get(name, value) for name, value in cell.own.items()},
        "settings": {name: s.get(name, cell.own.get(name)) for name in names},
        "processor_timed": device == "cpu" and not training.plan.evaluates,
        "parameters": training.parameters,
        "updates_per_epoch": training.steps_per_epoch,
        "loss_floor": floor_twice(len(data.classes)) if twice else None,
        "command": as_typed(source, typed),
    }
    return StudyRowFacts.model_validate(facts)


def _facts(
    options: StudyPlan, data: Data, trainings: Sequence[TimedTraining], source: str, *, gpus: bool
) -> StudyFacts:
    """The part of the document that is known before the first step."""
    first = trainings[0]
    device = "cuda" if gpus else str(first.training.config.device)
    ofs = zip(options.cells, trainings[:: len(options.seeds)], strict=True)
    rows = [row_facts(options, cell, training, source, device) for cell, training in ofs]
    measured = data.splits[first.measured_on]
    weight_N, group_N = weights_or_ones(measured.weight, len(measured)), groups_of(measured.group)
    alike = measured.weight is None and group_N is None
    facts = {
        "data": data.name,
        "task": data.task,
        "target": data.target,
        "classes": list(data.classes),
        "split": {split: len(part) for split, part in data.splits.items()},
        "measured_on": first.measured_on,
        "measured_rows": len(measured),
        **({} if alike else {"effective_rows": effective_rows(weight_N, group_N)}),
        "metric": HEADLINE[data.task],
        "device": device,
        "epochs": options.base["epochs"],
        "seed_list": list(options.seeds),
        "until": dict(options.until),
        "modes": list(dict.fromkeys(cell.mode for cell in options.cells)),
        "varied": varied_settings(rows),
        "data_notes": list(data.notes),
        "rows": rows,
    }
    return StudyFacts.model_validate(facts)


@dataclass(eq=False)
class StudyBracket(TrainingBracket):
    """The networks of a study: they take turns, an epoch each; on a cluster they train at the same time."""

    populations: Sequence[TimedTraining]
    now: TimedTraining | None = None

    @classmethod
    def of(cls, trainings: Sequence[TimedTraining], distribution: Distribution | None) -> "StudyBracket":
        """The bracket of these networks before their first step."""
        epochs = max(-(-each.training.steps // each.training.steps_per_epoch) for each in trainings)
        rounds = [Rung(len(trainings), epoch + 1) for epoch in range(epochs)]
        configs: dict[int, Config] = {number: {} for number in range(len(trainings))}
        return cls(0, configs, rounds, trainings, MemberTable(()), distribution)

    def goals(self) -> Sequence[tuple[TimedTraining, int]]:
        """Each network, and the step at which this round ends; in reverse order every other round."""
        epochs = self.rungs[self.rung if self.distribution is None else -1].epochs
        each = [(p, min(p.training.steps, epochs * p.training.steps_per_epoch)) for p in self.populations]
        return each[::-1] if self.rung % 2 else each

    def end_rung(self) -> None:
        """All go on, and their records are written at the end."""


@dataclass(eq=False)
class StudyJob(Job):
    """The training of a study's networks, as the event loop drives it.

    facts: the part of the document that is known before the first step.
    """

    folder: RunFolder
    data: Data
    facts: StudyFacts
    bracket: StudyBracket
    checkpoint_seconds: float = field(default_factory=lambda: CHECKPOINT_SECONDS)
    interruptible_close: bool = False

    def __post_init__(self) -> None:
        if self.bracket.distribution is not None:
            self.bracket.distribution.title = self.folder.path.name

    @property
    def done(self) -> float:
        """The share of all planned steps that are done."""
        planned = sum(each.training.steps for each in self.bracket.populations)
        return sum(each.step for each in self.bracket.populations) / planned

    @property
    def left_s(self) -> float | None:
        """Estimated seconds to the end; None until every network has a measured pace."""
        left = [each.left_s for each in self.bracket.populations]
        if any(s is None for s in left):
            return None
        elsewhere = self.bracket.distribution
        return sum(s for s in left if s is not None) / (1 if elsewhere is None else elsewhere.slots)

    def stop_reason(self) -> str | None:
        """``interrupted`` if a command asks to stop: a study has conclusions only when all are trained."""
        return "interrupted" if stop_sent(self.folder) else None

    def advance(self) -> Tick | None:
        """Train the next network for a moment; if it is finished, write a checkpoint at once."""
        tick = self.bracket.advance()
        if tick is not None and self.bracket.now is not None and self.bracket.now.training.done:
            self.checkpoint()
        return tick

    def checkpoint(self) -> None:
        """Write the state and the record of every network."""
        tensors, state = self.bracket.save()
        self.folder.checkpoint(tensors, {"state": state, "processors": as_lists(self.bracket.processors)})

    def close(self, reason: str | None) -> dict[str, Any]:
        """Write the document and seal the folder."""
        if self.bracket.distribution is not None:
            self.bracket.distribution.stop()
        records = [each.record for each in self.bracket.populations]
        status = status_at_end((record.status for record in records), reason)
        processors = as_lists(self.bracket.processors)
        made = study_result(self.folder, self.facts, records, processors, status)
        document = made.to_json()
        self.folder.write_json("result.json", document)
        self.folder.seal(status)
        return document

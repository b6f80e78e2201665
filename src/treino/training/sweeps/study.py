"""The training of a study, from its first epoch to its sealed folder, as a stream of events.

The networks take turns, one epoch each, so that a slowdown of the machine affects all of them; the order is
reversed in every other round. On a cluster they train at the same time, some epochs per task. A finished
network is never trained again; all others resume from the last checkpoint, bit for bit.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from treino.base.errors import TreinoError
from treino.base.resampling import effective_rows
from treino.data.dataset import Data
from treino.engine import Tick
from treino.engine.metrics import metric_names
from treino.folders.access import Access
from treino.folders.data_source import load_data, recorded_settings
from treino.folders.documents.reading import read_checkpoint, read_study_spec
from treino.folders.documents.sweep import StudyFacts, StudyPlan
from treino.folders.network_source import NetworkSource
from treino.folders.own_code import with_own_code
from treino.folders.store import RunFolder
from treino.folders.stored_folder import unfinished, versions
from treino.folders.user_network import NetworkFiles, as_arguments, network_of
from treino.settings.options import HERE, ClusterOptions
from treino.settings.spec import read_settings
from treino.training.cluster import device_here
from treino.training.goals import check_goals
from treino.training.loop import Job, JobEvent, events, status_at_end, stop_sent
from treino.training.search.samplers import Rung
from treino.training.search.space import Config
from treino.training.sweeps.bracket import MemberTable, TrainingBracket
from treino.training.sweeps.distribution import Distribution, as_lists, open_distribution
from treino.training.sweeps.populations import SharedRows, new_folder, own_networks, parted, sources_of
from treino.training.sweeps.study_document import HEADLINE, row_facts, study_result, varied_settings
from treino.training.sweeps.study_options import (
    EPOCHS,
    PREPARED,
    read,
    row_settings,
    study_plan,
    values_of,
    with_networks,
)
from treino.training.sweeps.sweep_members import ROWS_IN_MEMORY
from treino.training.sweeps.timed_training import TimedTraining, timed_training

CHECKPOINT_SECONDS = 2.0


def study_events(
    source: Any,
    *,
    settings: Mapping[str, Any],
    parent: str | Path = "runs",
    name: str | None = None,
    out: str | Path | None = None,
    networks: NetworkSource | None = None,
    place: ClusterOptions = HERE,
    **compared: Any,
) -> Iterator[JobEvent]:
    """Train every setting in every mode, in turns. All possible checks come before anything is written.

    source: a built-in's name, a file, a frame, a pair of arrays, or the result of ``load``. networks: the
    source of the user's network files that settings name. place: the cluster that trains. compared: the
    options of the study, see ``StudyOptions``.

    Raises:
        TreinoError: bad input (status 2) or a system error (status 1).
    """
    settings, where_to = parted(with_own_code(networks, settings), name, out)
    wanted = dict(settings)
    if place.on is not None:
        wanted["device"] = device_here(settings, place)
    options = study_plan(wanted, **compared)
    words, copies = own_networks(networks, _network_words(options))
    options = with_networks(options, words)
    first = (read(cell, options.base, options.seeds[0]) for cell in options.cells)
    source = as_arguments(source, (network_of(settings, copies) for settings in first))
    data = load_data(source, read_settings({**options.base, "seed": options.seeds[0]}))
    if not isinstance(data.train.x, Tensor):
        raise ROWS_IN_MEMORY(name=data.name)
    epochs = options.base.get("epochs", EPOCHS[data.kind])
    whole = epochs if isinstance(epochs, str) else read_settings({"epochs": epochs}).epochs  # 3.0 is 3
    base = dict(options.base) | {"epochs": whole}
    if not isinstance(source, Data):
        base["data_seed"] = data.data_seed  # a network's own seed must not change the split
    rows = options.cells
    if compared.get("batch_sizes") is None and not compared.get("cells"):
        # the exercise's batch sizes, without those larger than the training rows
        rows = tuple(c for c in rows if int(str(c.own.get("batch_size", 1))) <= len(data.train)) or rows
    options = options.model_copy(update={"base": base, "cells": rows})
    gpus = place.gpus_per_chunk is not None
    trainings = _trainings(source, data, options, copies, gpus=gpus)
    engine = trainings[0].training
    check_goals(options.until, metric_names(engine.loss_function, engine.outputs), data)
    with ExitStack() as opened:
        distribution = opened.enter_context(open_distribution(place, {}))
        folder, where = opened.enter_context(
            new_folder("study", data, copies, wanted.values(), parent=parent, stem="study", **where_to)
        )
        facts = _facts(options, data, trainings, where["source"], gpus=gpus)
        folder.write_json(
            "spec.json",
            {
                "asked": {**settings, **({"net": options.base["net"]} if settings.get("net") else {})},
                "study": options.to_json(),
                "facts": facts.to_json(),
                "data": where,
                "classes": list(data.classes),
                "versions": versions(),
            },
        )
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
    facts = before = spec.facts
    if place.on is not None:
        trained_on = {"device": facts.device.partition(":")[0]}
        before = facts.model_copy(update={"device": device_here(trained_on, place)})
    gpus = place.gpus_per_chunk is not None
    trainings = _trainings(source, data, options, networks, before, gpus=gpus)
    with ExitStack() as opened:
        distribution = opened.enter_context(open_distribution(place, {}))
        opened.enter_context(folder)

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
            settings = read(cell, options.base, seed)
            if before is not None:
                of = before.rows[number]
                kernel = {"engine": of.engine, "threads": of.threads, "device": before.device}
                settings = read_settings({**values_of(cell, options.base, seed), **kernel})
            label = f"row {number + 1}, seed {seed}"
            try:
                made.append(timed_training(len(made), settings, data_for(settings), networks, gpus, label))
            except TreinoError as error:
                raise row_settings(error, cell) from None
    return made


def _facts(
    options: StudyPlan, data: Data, trainings: Sequence[TimedTraining], source: str, *, gpus: bool
) -> StudyFacts:
    """The part of the document that is known before the first step."""
    first = trainings[0]
    device = "cuda" if gpus else str(first.training.config.device)
    ofs = zip(options.cells, trainings[:: len(options.seeds)], strict=True)
    rows = [row_facts(options, cell, training, source, device) for cell, training in ofs]
    weight = data.splits[first.measured_on].weight
    facts = {
        "data": data.name,
        "task": data.task,
        "target": data.target,
        "classes": list(data.classes),
        "split": {split: len(part) for split, part in data.splits.items()},
        "measured_on": first.measured_on,
        "measured_rows": len(data.splits[first.measured_on]),
        **({} if weight is None else {"effective_rows": effective_rows(weight.double().numpy())}),
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
        processors = {} if distribution is None else distribution.processors
        return cls(0, configs, rounds, trainings, MemberTable(()), distribution, processors)

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
        cluster = self.bracket.distribution
        return sum(s for s in left if s is not None) / (1 if cluster is None else cluster.cluster.slots)

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

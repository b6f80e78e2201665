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

from treino.base.errors import Refusal, TreinoError
from treino.base.files import damaged
from treino.base.resampling import effective_rows
from treino.base.words import N_, _
from treino.data.dataset import Data
from treino.engine import Tick
from treino.engine.metrics import metric_names
from treino.folders.access import Access
from treino.folders.data_source import load_data, recorded_settings
from treino.folders.documents import read_checkpoint, read_study_spec
from treino.folders.documents.sweep import StudyFacts, StudyPlan
from treino.folders.network_source import NetworkSource
from treino.folders.store import RunFolder
from treino.folders.stored_folder import unfinished, versions
from treino.folders.stored_run import StoredRun
from treino.folders.user_network import NetworkFiles
from treino.settings.options import HERE, ClusterOptions
from treino.settings.spec import read_settings
from treino.training.cluster import device_here, processor_kind
from treino.training.goals import check_goals
from treino.training.loop import JobEvent, events, status_at_end, stop_sent
from treino.training.sweeps.distribution import Distribution, open_distribution
from treino.training.sweeps.group_training import load_each, save_each
from treino.training.sweeps.populations import SharedRows, new_folder, own_networks, sources_of
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
from treino.training.sweeps.timed_training import Track, track_of

STUDY_ROWS = Refusal(
    "study_rows",
    N_("A study needs its rows in memory, and {name} is read item by item."),
    N_("Give a table or arrays."),
)

CHUNK_SECONDS = 0.1
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
    wanted = dict(settings)
    if place.on is not None:
        wanted["device"] = device_here(settings, place)
    options = study_plan(wanted, **compared)
    data = load_data(source, read_settings({**options.base, "seed": options.seeds[0]}))
    if not isinstance(data.train.x, Tensor):
        raise STUDY_ROWS(name=data.name)
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
    words, copies = own_networks(networks, _network_words(options))
    options = with_networks(options, words)
    tracks = _tracks(source, data, options, copies, gpus=place.gpus_per_chunk is not None)
    engine = tracks[0].training
    check_goals(options.until, metric_names(engine.loss_function, engine.outputs), data)
    with ExitStack() as opened:
        distribution = opened.enter_context(open_distribution(place, {}))
        folder, where = opened.enter_context(
            new_folder("study", data, copies, parent=parent, stem="study", name=name, out=out)
        )
        facts = _facts(options, data, tracks, where["source"], gpus=place.gpus_per_chunk is not None)
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
        yield from events(partial(StudyJob, folder, data, options, facts, tracks, distribution))


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
    tracks = _tracks(source, data, options, networks, before, gpus=place.gpus_per_chunk is not None)
    with ExitStack() as opened:
        distribution = opened.enter_context(open_distribution(place, {}))
        opened.enter_context(folder)

        def take_up() -> StudyJob:
            folder.unseal()
            load_each(tracks, *track_states(folder, options))
            for track in tracks:
                if distribution is None and track.record.processors and not track.done:
                    track.note_processor(processor_kind())
            return StudyJob(folder, data, options, facts, tracks, distribution)

        yield from events(take_up)


def track_states(
    folder: RunFolder, options: StudyPlan
) -> tuple[dict[str, Tensor], list[dict[str, Any] | None]]:
    """The last checkpoint: its tensors, and each network's state; None for networks without a checkpoint.

    Raises:
        TreinoError: the checkpoint belongs to other networks.
    """
    kept, many = read_checkpoint(folder), len(options.cells) * len(options.seeds)
    if kept is None:
        return {}, [None] * many
    if len(kept[1]["tracks"]) != many:
        raise damaged(folder.path / "checkpoint", _("it is of other networks than spec.json"))
    return kept[0], kept[1]["tracks"]


def _network_words(options: StudyPlan) -> list[str | None]:
    """Each row's ``net`` setting, which names its network's file; None for treino's own layers."""
    return [read(cell, options.base, options.seeds[0]).net_file for cell in options.cells]


def _tracks(
    source: Any,
    data: Data,
    options: StudyPlan,
    networks: NetworkFiles,
    before: StudyFacts | None = None,
    *,
    gpus: bool = False,
) -> list[Track]:
    """Every network before its first step.

    networks: the network files that settings name and that may run. before: the facts stored when the study
    began, to use the same kernels. gpus: whether a cluster's GPUs train.
    """
    data_for = SharedRows(source, data, read_settings(options.base), PREPARED)
    tracks = []
    for number, cell in enumerate(options.cells):
        for seed in options.seeds:
            settings = read(cell, options.base, seed)
            if before is not None:
                of = before.rows[number]
                kernel = {"engine": of.engine, "threads": of.threads, "device": before.device}
                settings = read_settings({**values_of(cell, options.base, seed), **kernel})
            try:
                tracks.append(track_of(number, settings, data_for(settings), networks, gpus))
            except TreinoError as error:
                raise row_settings(error, cell) from None
    return tracks


def _facts(options: StudyPlan, data: Data, tracks: Sequence[Track], source: str, *, gpus: bool) -> StudyFacts:
    """The part of the document that is known before the first step."""
    first = tracks[0]
    device = "cuda" if gpus else str(first.training.config.device)
    ofs = zip(options.cells, tracks[:: len(options.seeds)], strict=True)
    rows = [row_facts(options, cell, track, source, device) for cell, track in ofs]
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
class StudyJob:
    """The training of a study's networks in turns, one epoch each, as the event loop drives it.

    facts: the part of the document that is known before the first step. distribution: the cluster's; None:
    this process trains. turn: the networks that have still to train in this round, the next one first.
    """

    folder: RunFolder
    data: Data
    options: StudyPlan
    facts: StudyFacts
    tracks: Sequence[Track]
    distribution: Distribution | None = None
    checkpoint_seconds: float = field(default_factory=lambda: CHECKPOINT_SECONDS)
    interruptible_close: bool = False
    resumable: bool = True
    paused: bool = False
    turn: list[Track] = field(default_factory=list)
    now: Track | None = None  # the network that trained last
    run: StoredRun | None = None  # there is no best

    def __post_init__(self) -> None:
        if self.distribution is not None:
            self.distribution.title = self.folder.path.name

    @property
    def threads(self) -> int:
        """torch's threads for the network that trains now; the number differs by network."""
        return (self.now or self.tracks[0]).threads

    @property
    def done(self) -> float:
        """The share of all planned steps that are done."""
        planned = sum(t.training.steps for t in self.tracks)
        return sum(t.step for t in self.tracks) / planned

    @property
    def left_s(self) -> float | None:
        """Estimated seconds to the end; None until every network has a measured pace."""
        left = [t.left_s for t in self.tracks]
        if any(s is None for s in left):
            return None
        places = 1 if self.distribution is None else self.distribution.cluster.slots
        return sum(s for s in left if s is not None) / places

    def stop_reason(self) -> str | None:
        """``interrupted`` if a command asks to stop: a study has conclusions only when all are trained."""
        return "interrupted" if stop_sent(self.folder) else None

    def advance(self) -> Tick | None:
        """Train the next network for a moment; if it is finished, write a checkpoint at once."""
        goals = [(track, track.training.steps) for track in self.tracks]
        moment = self._take_turn() if self.distribution is None else self.distribution.advance(goals)
        if moment is None:
            return None
        track, tick = moment
        assert isinstance(track, Track)
        self.now = track
        if track.done:
            self.checkpoint()
        return tick

    def _take_turn(self) -> tuple[Track, Tick] | None:
        """Train the next network. Return it with its tick; None if all are finished."""
        self.turn = self.turn or _round(self.tracks)
        if not self.turn:
            return None
        track = self.turn[0]
        tick = track.advance(CHUNK_SECONDS, track.training.steps)
        if tick.epochs:
            self.turn.pop(0)
        return track, tick

    def checkpoint(self) -> None:
        """Write the state of every unfinished network, and the records of all."""
        tensors, states = save_each(self.tracks)
        self.folder.checkpoint(tensors, {"tracks": states})

    def close(self, reason: str | None) -> dict[str, Any]:
        """Write the document and seal the folder."""
        if self.distribution is not None:
            self.distribution.stop()
        records = [t.record for t in self.tracks]
        status = status_at_end((r.status for r in records), reason)
        document = study_result(self.folder, self.options, self.facts, records, status).to_json()
        self.folder.write_json("result.json", document)
        self.folder.seal(status)
        return document


def _round(tracks: Sequence[Track]) -> list[Track]:
    """The networks of the next round: the networks with the fewest epochs, in reverse order every other
    round."""
    running = [t for t in tracks if not t.done]
    least = min((t.record.epochs for t in running), default=0)
    turn = [t for t in running if t.record.epochs == least]
    return turn[::-1] if least % 2 else turn

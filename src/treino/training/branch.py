"""Branches of a run: training continued from one of its steps with other settings."""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from treino.data.torch_datasets.dataset_source import in_memory
from treino.documents import read_document
from treino.documents.run_spec import RunSpec
from treino.engine.carry_over import carry_over, largest_change
from treino.engine.keyframes import keyframe_of_saved
from treino.engine.population import Copies
from treino.errors import TreinoError
from treino.inspection.landscape.loss_surface import drawn
from treino.loop.loop import JobEvent, events
from treino.records.data_source import COPY
from treino.records.network_source import NETWORK_COPY
from treino.records.run_command import branch_as_typed
from treino.records.segments import Segment, path_counts, path_of, segments_of
from treino.records.stored_run import StoredRun
from treino.records.versions import versions
from treino.records.weights import BUFFERS, WEIGHTS
from treino.store import RunFolder
from treino.store.encoding import array_parts
from treino.training.initial_facts import run_facts
from treino.training.keyframe_files import keep_keyframes, kept_state, name_of
from treino.training.replay import Snapshot
from treino.training.resolution import Resolution
from treino.training.segment_changes import next_segment
from treino.training.stored_training import START, rebuilt
from treino.training.train import CHECKPOINT_SECONDS, RunJob
from treino.words import _

PLACE = ("name", "out")
MOST_ROWS = 10_000  # training rows by which a network's layers are resized
COPIED = (COPY, "data.json", "preparation.json", NETWORK_COPY, START)


def parse_step(place: str) -> tuple[str, int]:
    """The run and the step of a text such as ``wine-1:120``.

    Raises:
        TreinoError: the text has another form.
    """
    run, colon, step = place.rpartition(":")
    if not colon or not run or not step.isdecimal():
        raise TreinoError(
            "branch_form",
            _("{value!r} does not name a step of a run.").format(value=place),
            _("Write RUN:STEP, e.g. [[branch=wine-1:120]]; step 0 is the untrained network."),
        )
    return run, int(step)


def branching(
    snapshot: Snapshot,
    changes: Mapping[str, Any],
    *,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Iterator[JobEvent]:
    """Train a new run from the snapshot's full state on; see ``Moment.branch``."""
    run = snapshot.run
    place = {name: changes[name] for name in PLACE if name in changes}
    changes = {name: value for name, value in changes.items() if name not in PLACE}
    start = segment_start(snapshot, changes)
    out = Path(place["out"]) if place.get("out") else None
    beside = run.path.parent
    if (beside / "manifest.json").is_file():  # a sweep's winner: its branch goes beside the sweep
        beside = beside.parent
    folder = RunFolder.create(parent=beside, stem=run.spec.data.name, name=place.get("name"), out=out)
    with folder:
        for name in COPIED:
            if run.folder.has(name):
                folder.write_bytes(name, run.folder.read_bytes(name))
        for link in path_of(run.spec, snapshot.segment):  # without these files older steps can't be replayed
            name = name_of(link.segment.number, link.segment.start)
            if run.folder.has(name):
                folder.write_bytes(name, run.folder.read_bytes(name))
        _copy_past(snapshot, folder)
        parent = {"run": run.name, "segment": snapshot.segment, "step": snapshot.step}
        moved = _moved(start.spec["data"], run.path, folder.path)
        typed = branch_as_typed("--branch", f"{run.name}:{snapshot.step}", changes)
        start.spec.update({"parent": parent, "data": moved, "command": typed})
        yield from _train_segment(folder, snapshot, start, checkpoint_seconds)


def rewinding(
    snapshot: Snapshot,
    changes: Mapping[str, Any],
    *,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Iterator[JobEvent]:
    """Train the next segment of the snapshot's own run; see ``Run.rewind``."""
    folder = RunFolder.open(snapshot.run.path)
    for name in PLACE:
        if name in changes:
            raise TreinoError(
                "rewind_place",
                _("{name} names a new run, and rewinding goes on in its own folder.").format(name=name),
                _("Leave it out, or branch: run.at({step}).branch({name}=…).").format(
                    step=snapshot.step, name=name
                ),
            )
    start = segment_start(snapshot, changes)
    with folder:
        folder.unseal()
        before = segments_of(snapshot.run.spec)[-1].number
        for name in ("result.json", WEIGHTS, BUFFERS):  # the result up to here, soon outdated
            if folder.has(name):
                folder.write_bytes(f"segments/{before}/{name}", folder.read_bytes(name))
        place = f"{snapshot.run.name}:{snapshot.step}"
        start.spec["command"] = branch_as_typed("--rewind", place, changes)
        yield from _train_segment(folder, snapshot, start, checkpoint_seconds)


@dataclass(frozen=True, eq=False)
class SegmentStart:
    """A new segment, of which nothing is written yet: its training, its first keyframe, and the new
    ``spec.json``."""

    segment: Segment
    resolution: Resolution
    keyframe: tuple[Copies, dict[str, Any]]
    spec: dict[str, Any]


def _train_segment(
    folder: RunFolder, snapshot: Snapshot, start: SegmentStart, checkpoint_seconds: float
) -> Iterator[JobEvent]:
    """Write the segment's first state, then the ``spec.json`` that names the segment, then train."""
    segment, resolution = start.segment, start.resolution
    name, first = name_of(segment.number, snapshot.step), name_of(0, 0)
    if segment.output_change is not None and not folder.has(first):  # the first segment's layers
        run, (oldest, *_rest) = snapshot.run, segments_of(snapshot.run.spec)
        training = rebuilt(run.folder, run.spec, snapshot.data, run.access, oldest).training
        folder.write_new({first: array_parts(*keyframe_of_saved(training.save()))})
    folder.write_new({name: array_parts(*start.keyframe)})
    folder.write_json("spec.json", start.spec)
    facts = {"from": [snapshot.segment, snapshot.step], "changes": dict(segment.changes)}
    folder.database.add_event(segment.number, snapshot.step, "segment", facts)
    training = resolution.training
    losses_S = np.asarray(snapshot.run.losses[: snapshot.step])
    training.load(*kept_state(folder, name, training, losses_S))
    for setting, value in segment.changes.items():
        training.set(setting, value)
    keep_keyframes(folder, training, resolution.settings.get("every"), segment.number)
    job = RunJob(
        folder, snapshot.data, resolution, checkpoint_seconds=checkpoint_seconds, segment=segment.number
    )
    yield from events(job)


def segment_start(snapshot: Snapshot, changes: Mapping[str, Any]) -> SegmentStart:
    """Prepare the next segment.

    Raises:
        TreinoError: a setting that can't change on the way, or a value out of range; nothing left to train.
    """
    run = snapshot.run
    segment = next_segment(snapshot, changes)
    spec = _with_segment(read_document(run.folder, "spec.json"), run, segment)
    read, access = RunSpec.model_validate(spec), run.access
    resolution = rebuilt(run.folder, read, snapshot.data, access, has_weights=False)
    training = resolution.training
    if training.outputs != run.spec.outputs:
        raise TreinoError(
            "branch_outputs",
            _("{loss} needs {n} outputs, and {run} has {now}.").format(
                loss=training.loss, n=training.outputs, run=run.name, now=run.spec.outputs
            ),
            _("Keep the loss, or train a new run with it."),
        )
    if snapshot.step >= training.steps:
        raise TreinoError(
            "branch_over",
            _("The training is over at step {step:,}: {steps:,} are resolution.").format(
                step=snapshot.step, steps=training.steps
            ),
            _("Give more epochs, e.g. epochs={n}.").format(
                n=2 * max(1, training.plan.count.epoch_of(snapshot.step))
            ),
        )
    for name, value in segment.changes.items():
        training.set(name, value)  # raises here, before anything is written
    layers = [(s["hidden"], s["activation"]) for s in (snapshot.settings, resolution.settings)]
    if layers[0] == layers[1]:
        arrays, meta = carry_over(snapshot.saved, training)
    else:
        x_ND = drawn(in_memory(snapshot.data).train, MOST_ROWS).x
        arrays, meta = carry_over(snapshot.saved, training, x_ND)
        change = largest_change(snapshot.member_net, training, arrays, x_ND, snapshot.member)
        segment = replace(segment, output_change=change if math.isfinite(change) else None)
        spec = _with_segment(spec, run, segment)
    facts = spec["facts"] | run_facts(snapshot.data, resolution)
    spec |= {"resolved": resolution.settings, "facts": facts, "versions": versions()}
    return SegmentStart(segment, resolution, (arrays, meta), spec)


def _with_segment(spec: dict[str, Any], run: StoredRun, segment: Segment) -> dict[str, Any]:
    """The ``spec.json`` with this segment as the newest."""
    return spec | {
        "segments": [s.to_json() for s in (*segments_of(run.spec), segment)],
        "asked": dict(segment.asked),
        "steps_per_epoch": segment.steps_per_epoch,
    }


def _copy_past(snapshot: Snapshot, folder: RunFolder) -> None:
    """Copy the losses, figures and commands up to the snapshot."""
    old, spec = snapshot.run.folder.database, snapshot.run.spec
    commands = old.commands()
    for link, count in path_counts(spec, snapshot.segment):
        number = link.segment.number
        stop = snapshot.step if link.stop is None else min(link.stop, snapshot.step)
        folder.database.add_losses(number, link.first, np.asarray(old.losses(number))[: stop - link.first])
        for row in old.epochs(number):
            if count.end_of(row.epoch) <= stop:
                folder.database.add_epoch(number, *row)
        for command in commands:
            if command.state == "applied" and command.segment == number and (command.step or 0) <= stop:
                folder.database.add_command(command.name, command.value, command.step)
                folder.database.mark_command(
                    folder.database.commands()[-1].id, "applied", command.step, number
                )
    folder.database.flush()
    folder.database.poll_commands()


def _moved(where: dict[str, Any], old: Path, new: Path) -> dict[str, Any]:
    """The data's path relative to another folder."""

    def again(source: str) -> str:
        return os.path.relpath((old / source).resolve(), new.resolve())

    if where["kind"] != "file":
        return where
    files = {s: {**f, "source": again(f["source"])} for s, f in where.get("files", {}).items()}
    return {**where, "source": again(where["source"])} | ({"files": files} if files else {})

"""Branches of a run: training continued from one of its steps with other settings."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from treino.documents import read_document
from treino.documents.run_spec import RunSpec
from treino.engine import HP, OPTIMIZERS
from treino.engine.carry_over import carried_over, unread
from treino.engine.value_checks import known
from treino.errors import TreinoError, nearest
from treino.loop.loop import JobEvent, events
from treino.records.data_source import COPY
from treino.records.network_source import NETWORK_COPY
from treino.records.run_command import branch_as_typed
from treino.records.segments import Segment, epoch_count, path_of, segments_of
from treino.records.stored_run import StoredRun
from treino.records.versions import versions
from treino.records.weights import BUFFERS, WEIGHTS
from treino.spec import OF_SOME, Settings, group_of, read_settings
from treino.store import RunFolder
from treino.store.encoding import array_parts
from treino.training.initial_facts import run_facts
from treino.training.keyframe_files import keep_keyframes, kept_state, name_of
from treino.training.replay import Snapshot
from treino.training.resolution import Plan
from treino.training.stored_training import START, rebuilt
from treino.training.train import CHECKPOINT_SECONDS, RunJob
from treino.words import _

LENGTH = ("epochs", "steps", "patience", "keep", "schedule", "warmup")
PASSES = ("batch_size",)
OPTIMIZER = ("optimizer", "nesterov")
CHANGEABLE = (*LENGTH, *PASSES, *OPTIMIZER)
"""Settings beside the engine's hyper-parameters that may change on the way."""
PLACE = ("name", "out")
USUAL_BETAS = 0.9, 0.999
COPIED = (COPY, "data.json", "preparation.json", NETWORK_COPY, START)


def parse_step(place: str) -> tuple[str, int]:
    """``wine-1:120`` -> the run and the step.

    Raises:
        TreinoError: it is written otherwise.
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
    """A new run that goes on from the snapshot's full state; see ``Moment.branch``."""
    run = snapshot.run
    place = {name: changes[name] for name in PLACE if name in changes}
    changes = {name: value for name, value in changes.items() if name not in PLACE}
    segment, planned, spec = _next(snapshot, changes)
    out = Path(place["out"]) if place.get("out") else None
    beside = run.path.parent
    if (beside / "manifest.json").is_file():  # a sweep's winner: beside the sweep, where runs are looked for
        beside = beside.parent
    folder = RunFolder.create(parent=beside, stem=run.spec.data.name, name=place.get("name"), out=out)
    with folder:
        for name in COPIED:
            if run.folder.has(name):
                folder.write_bytes(name, run.folder.read_bytes(name))
        for link in path_of(run.spec, snapshot.segment):  # without them older steps can't be played again
            name = name_of(link.segment.number, link.segment.start)
            if link.segment.origin is not None and run.folder.has(name):
                folder.write_bytes(name, run.folder.read_bytes(name))
        _copy_past(snapshot, folder)
        parent = {"run": run.name, "segment": snapshot.segment, "step": snapshot.step}
        moved = _moved(spec["data"], run.path, folder.path)
        typed = branch_as_typed("--branch", f"{run.name}:{snapshot.step}", changes)
        spec |= {"parent": parent, "data": moved, "command": typed}
        yield from _on(folder, snapshot, segment, planned, checkpoint_seconds, spec)


def rewinding(
    snapshot: Snapshot,
    changes: Mapping[str, Any],
    *,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Iterator[JobEvent]:
    """The next segment in the snapshot's own run; see ``Run.rewind``."""
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
    segment, planned, spec = _next(snapshot, changes)
    with folder:
        folder.unseal()
        before = segments_of(snapshot.run.spec)[-1].number
        for name in ("result.json", WEIGHTS, BUFFERS):  # what the run was, before it is something else
            if folder.has(name):
                folder.write_bytes(f"segments/{before}/{name}", folder.read_bytes(name))
        spec["command"] = branch_as_typed("--rewind", f"{snapshot.run.name}:{snapshot.step}", changes)
        yield from _on(folder, snapshot, segment, planned, checkpoint_seconds, spec)


def _on(
    folder: RunFolder,
    snapshot: Snapshot,
    segment: Segment,
    planned: Plan,
    checkpoint_seconds: float,
    spec: dict[str, Any],
) -> Iterator[JobEvent]:
    """Write the state that the segment sets out from, then say that there is such a segment, then train."""
    arrays, meta = carried_over(snapshot.saved, planned.training)
    name = name_of(segment.number, snapshot.step)
    folder.write_new({name: array_parts(arrays, meta)})
    folder.write_json("spec.json", spec)
    facts = {"from": [snapshot.segment, snapshot.step], "changes": dict(segment.changes)}
    folder.database.add_event(segment.number, snapshot.step, "segment", facts)
    training = planned.training
    losses_S = np.asarray(snapshot.run.losses[: snapshot.step])
    training.load(*kept_state(folder, name, training, losses_S))
    for setting, value in segment.changes.items():
        training.set(setting, value)
    keep_keyframes(folder, training, planned.settings.get("every"), segment.number)
    job = RunJob(
        folder, snapshot.data, planned, checkpoint_seconds=checkpoint_seconds, segment=segment.number
    )
    yield from events(job)


def _next(snapshot: Snapshot, changes: Mapping[str, Any]) -> tuple[Segment, Plan, dict[str, Any]]:
    """The segment to come, its training before it is put to its first step, and the spec with it.

    Raises:
        TreinoError: a setting that can't change on the way, or a value out of range; nothing left to train.
    """
    run = snapshot.run
    segments = segments_of(run.spec)
    before = next(s for s in segments if s.number == snapshot.segment)
    hp, asked = _parted(changes, before, snapshot)
    segment = replace(
        before,
        number=segments[-1].number + 1,
        origin=(snapshot.segment, snapshot.step),
        asked=asked,
        changes=hp,
        **_passes(asked, snapshot),
    )
    if segment.optimizer != before.optimizer:
        segment = replace(segment, optimizer_from=snapshot.step)
    spec = read_document(run.folder, "spec.json") | {
        "segments": [s.to_json() for s in (*segments, segment)],
        "asked": dict(asked),
        "steps_per_epoch": segment.steps_per_epoch,
    }
    spec["facts"] = spec["facts"] | {"steps_per_epoch": segment.steps_per_epoch}
    planned = rebuilt(run.folder, RunSpec.model_validate(spec), snapshot.data, run.record.access)
    training = planned.training
    if snapshot.step >= training.steps:
        raise TreinoError(
            "branch_over",
            _("The training is over at step {step:,}: {steps:,} are planned.").format(
                step=snapshot.step, steps=training.steps
            ),
            _("Give more epochs, e.g. epochs={n}.").format(
                n=2 * max(1, training.plan.count.epoch_of(snapshot.step))
            ),
        )
    for name, value in hp.items():
        training.set(name, value)  # refused here, before anything is written
    facts = spec["facts"] | run_facts(snapshot.data, planned)
    return segment, planned, spec | {"resolved": planned.settings, "facts": facts, "versions": versions()}


def _parted(
    changes: Mapping[str, Any], before: Segment, snapshot: Snapshot
) -> tuple[dict[str, Any], dict[str, Any]]:
    """-> the changes that are hyper-parameters, by the engine's names; settings as asked with the rest."""
    given, run = dict(changes), snapshot.run
    hp: dict[str, Any] = {}
    if "betas" in given:
        hp["beta1"], hp["beta2"] = read_settings({"betas": given.pop("betas")}).betas or USUAL_BETAS
    for name in list(given):
        if name in HP:
            value = given.pop(name)
            read = read_settings({name: value}) if name in Settings.model_fields else None
            hp[name] = value if read is None else getattr(read, name)
        elif name not in CHANGEABLE:
            _refuse(name, run)
    asked = dict(before.asked)
    if given.keys() & {"epochs", "steps"}:
        asked = {k: v for k, v in asked.items() if k not in ("epochs", "steps")}
        asked |= {"patience": run.spec.resolved.patience}  # whose default hangs on how long was not said
    if given.get("keep") == "best" and run.spec.resolved.keep == "last":
        raise TreinoError(
            "branch_keep",
            _(
                "{run} kept no best weights on its way, so there is nothing to compare later ones with."
            ).format(run=run.name),
            _("Leave keep out, or train anew with keep='best'."),
        )
    asked |= read_settings({**given}).model_dump(mode="json", include=set(given))
    if given.keys() & set(OPTIMIZER):
        _take_optimizer(asked, given, hp, snapshot)
    read_settings(asked)
    return hp, asked


def _take_optimizer(
    asked: dict[str, Any], given: Mapping[str, Any], hp: dict[str, Any], snapshot: Snapshot
) -> None:
    """Leave out what the optimizer doesn't read, and put the momentum in force with Nesterov's, which needs
    one."""
    name = known("optimizer", read_settings(asked).optimizer, OPTIMIZERS)
    for setting in OF_SOME:
        if setting not in OPTIMIZERS[name].reads and setting not in given:
            asked.pop(setting, None)
    for each in unread(name):
        if snapshot.hp[each] != HP[each][0]:
            hp.setdefault(each, HP[each][0])
    momentum = hp.get("momentum", snapshot.hp["momentum"])
    if asked.get("nesterov") and momentum:
        asked["momentum"] = momentum


def _passes(asked: Mapping[str, Any], snapshot: Snapshot) -> dict[str, Any]:
    """How the segment counts its epochs, where another batch size begins a new one at its first step."""
    plan, size = snapshot.plan, read_settings(asked).batch_size
    if size is None:
        return {}
    rows = None if size == "full" else min(size, plan.rows)
    per = 1 if rows is None else -(-plan.rows // rows)
    return {} if rows == plan.batch_size else {"passes_from": snapshot.step, "steps_per_epoch": per}


def _refuse(name: str, run: StoredRun) -> None:
    names = sorted({*HP, "betas", *CHANGEABLE} - {"beta1", "beta2"})
    if name not in Settings.model_fields:
        raise TreinoError(
            "unknown_setting", _("There is no setting {name}.").format(name=name), nearest(name, names)
        )
    why = {
        "Data": _("the rows are the run's own"),
        "Network": _("its weights would not fit"),
        "Loss and optimizer": _("its state would not fit"),
        "Training loop": _("its steps and batches would be others"),
        "Machine": _("its bits would be others"),
        "Run": _("it belongs to a whole run"),
    }[group_of(name)]
    raise TreinoError(
        "branch_setting",
        _("{name} can't change on the way of {run}: {why}.").format(name=name, run=run.name, why=why),
        _("What can: {names}.").format(names=", ".join(names)),
    )


def _copy_past(snapshot: Snapshot, folder: RunFolder) -> None:
    """The losses, figures and commands that led to the snapshot."""
    old, spec = snapshot.run.folder.database, snapshot.run.spec
    commands = old.commands()
    for link in path_of(spec, snapshot.segment):
        number = link.segment.number
        count = epoch_count(spec, number)
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
    """The data's place as it is written from another folder."""

    def again(source: str) -> str:
        return os.path.relpath((old / source).resolve(), new.resolve())

    if where["kind"] != "file":
        return where
    files = {s: {**f, "source": again(f["source"])} for s, f in where.get("files", {}).items()}
    return {**where, "source": again(where["source"])} | ({"files": files} if files else {})

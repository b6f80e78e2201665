"""Branches of a run: training continued from one of its steps with other settings."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from treino.base.encoding import array_parts
from treino.base.errors import Refusal, nearest
from treino.base.files import relative
from treino.base.text import whole_number
from treino.base.words import _
from treino.data.dataset import in_memory
from treino.data.documents import DataSource
from treino.engine import HP, OPTIMIZERS
from treino.engine.carry_over import carry_over, largest_change
from treino.engine.hyperparameters import checked_numbers, may_be_hyperparameter
from treino.engine.optim import BETAS, unread
from treino.engine.population import Copies
from treino.engine.saved_state import keyframe_of_saved
from treino.folders.data_source import ALL_ROWS, COPY
from treino.folders.documents.run_spec import Parent, RunSpec, Segment
from treino.folders.network_source import NETWORK_COPY
from treino.folders.own_code import OF_ENTRIES, write_own_code
from treino.folders.run_records import losses_of
from treino.folders.store import Change, RunFolder
from treino.folders.store.change import CONSEQUENCE
from treino.folders.stored_folder import branch_as_typed, machine, versions
from treino.folders.stored_run import StoredRun
from treino.folders.timeline import LENGTH, Timeline, newest, path, segments_of, settings_after, typed_after
from treino.folders.weights import BUFFERS, WEIGHTS
from treino.inspection.input_planes import draw
from treino.settings.spec import OF_PLACE, UNKNOWN_SETTING, Settings, group_of, read_settings
from treino.training.completion import run_facts
from treino.training.loop import JobEvent, events
from treino.training.replay import Snapshot
from treino.training.resolution import Resolution
from treino.training.stored_training import START, keep_keyframes, kept_state, name_of, obey_again, rebuilt
from treino.training.train import CHECKPOINT_SECONDS, Check, RunJob

BRANCH_SETTING = Refusal("{name} can't change on the way of {run}: {why}.", "What can: {names}.")
BRANCH_KEEP = Refusal(
    "{run} kept no best weights on its way, so there is nothing to compare later ones with.",
    "Leave keep out, or train anew with keep='best'.",
)
BRANCH_FORM = Refusal(
    "{value!r} does not name a step of a run.",
    "Write RUN:STEP, e.g. [[branch=wine-1:120]]; step 0 is the untrained network.",
)
BRANCH_OUTPUTS = Refusal(
    "{loss} needs {n} outputs, and {run} has {now}.", "Keep the loss, or train a new run with it."
)
BRANCH_OVER = Refusal(
    "The training is over at step {step:,}: {steps:,} are planned.", "Give more epochs, e.g. epochs={n}."
)
CHANGE_OPEN = Refusal(
    "A change needs a value, and {name} has none.", "Give it one, or leave it out: it then stays as it is."
)
REWIND_PLACE = Refusal(
    "{name} names a new run, and rewinding goes on in its own folder.",
    "Leave it out, or branch: run.at({step}).branch({name}=…).",
)

# ---- changes of settings, and the segment that they make

ORDER = ("batch_size", "shuffle", "seed", "data_seed")
OPTIMIZER = ("optimizer", "nesterov")
LOSS = ("loss", "label_smoothing", "fault", "as_taught")
NETWORK = ("hidden", "activation")
CHANGEABLE = (*LENGTH, *ORDER, *OPTIMIZER, *LOSS, *NETWORK)
"""Settings that may change during a run, besides the engine's hyper-parameters."""


@dataclass(frozen=True)
class NextSegment:
    """A segment that may begin. change: of settings at its first step. reset: hyper-parameters that the
    optimizer doesn't read, with the values that they then have. typed: all settings, as a training would be
    given them."""

    segment: Segment
    change: Change
    reset: dict[str, Any]
    typed: dict[str, Any]

    @property
    def state(self) -> dict[str, Any]:
        """The changed hyper-parameters, which are a part of a training's state."""
        return self.reset | {
            name: v for name, v in self.change.settings.items() if may_be_hyperparameter(name)
        }


def next_segment(snapshot: Snapshot, changes: Mapping[str, Any], sender: str = "") -> NextSegment:
    """The run's next segment, which starts from the snapshot with these changes. sender: who requested it.

    Raises:
        TreinoError: a setting that can't change during a run, or a value out of range.
    """
    timeline, place = _whole(snapshot).timeline, (snapshot.step, snapshot.segment)
    segments = segments_of(timeline.spec)
    before = next(s for s in segments if s.number == snapshot.segment)
    settings, typed = timeline.settings_at(*place), timeline.typed_at(*place)
    number = segments[-1].number + 1
    change = Change(number, snapshot.step, _changed(changes, typed, snapshot), sender)
    after = typed_after(typed, settings_after(settings, change), change)
    read_settings(after)
    seed = changes.get("data_seed")  # of the row order: this, else a changed ``seed``; None: the data's
    if seed is None and "data_seed" not in typed:
        seed = changes.get("seed")
    order_seed = before.order_seed if seed is None else read_settings({"data_seed": seed}).data_seed
    own = {"number": number, "origin": (snapshot.segment, snapshot.step), "sender": sender}
    segment = before.model_copy(update=own | {"order_seed": order_seed, "output_change": None})
    hidden = read_settings(after).hidden
    layers = "hidden" in changes and len(hidden or ()) != len(snapshot.settings["hidden"])
    optimizer = read_settings(after).optimizer
    if layers or optimizer != read_settings(typed).optimizer:
        segment = segment.model_copy(update={"optimizer_from": snapshot.step})
    idle = () if optimizer == read_settings(typed).optimizer else unread(optimizer)
    reset = {name: HP[name] for name in idle if snapshot.hp[name] != HP[name]}
    return NextSegment(_with_passes(segment, after, snapshot), change, reset, after)


def _whole(snapshot: Snapshot) -> StoredRun:
    """The snapshot's run, to its newest segment."""
    return snapshot.run.latest or snapshot.run


def _changed(changes: Mapping[str, Any], typed: Mapping[str, Any], snapshot: Snapshot) -> dict[str, Any]:
    """The changed settings with their values: those that are not as they were typed before, the optimizer
    first, then hyper-parameters, by the engine's names."""
    rest, run = dict(changes), snapshot.run
    state: dict[str, Any] = {}
    for name, value in changes.items():
        if value is None and name != "clip":  # clip is then off; other open settings were decided before
            raise CHANGE_OPEN(name=name)
    if "betas" in rest:
        state["beta1"], state["beta2"] = read_settings({"betas": rest.pop("betas")}).betas or BETAS
    optimizer = OPTIMIZERS.key("optimizer", rest.get("optimizer", snapshot.settings["optimizer"]))
    own = OPTIMIZERS[optimizer].own
    for name in list(rest):
        if name in HP or (own is not None and may_be_hyperparameter(name)):
            value = rest.pop(name)
            if name in Settings.model_fields:
                state[name] = getattr(read_settings({name: value}), name)
            else:
                (state[name],) = checked_numbers(name, value, 1)
        elif name not in CHANGEABLE or name in _fixed(run):
            refuse(name, run)
    if rest.get("keep") == "best" and snapshot.settings["keep"] == "last":
        raise BRANCH_KEEP(run=run.name)
    read = read_settings(rest).model_dump(mode="json", include=set(rest))
    names = sorted(rest, key=lambda name: name != "optimizer")  # the others may be of the new optimizer
    return {name: read[name] for name in names if typed.get(name) != read[name]} | state


def _with_passes(segment: Segment, typed: Mapping[str, Any], snapshot: Snapshot) -> Segment:
    """The segment with its count of epochs: a changed batch size or row order begins a new epoch at the
    segment's first step. typed: its settings."""
    plan, settings = snapshot.plan, read_settings(typed)
    size = settings.batch_size
    rows = plan.batch_size if size is None else None if size == "full" else min(size, plan.rows)
    seed = snapshot.data.data_seed if segment.order_seed is None else segment.order_seed
    if (rows, settings.shuffle, seed) == (plan.batch_size, plan.shuffle, plan.data_seed):
        return segment
    per = 1 if rows is None else -(-plan.rows // rows)
    return segment.model_copy(update={"passes_from": snapshot.step, "steps_per_epoch": per})


def _fixed(run: StoredRun) -> tuple[str, ...]:
    """Settings of the network that can't change in this run."""
    if run.spec.net != "mlp":
        return NETWORK
    return ("hidden",) if run.resolved.batch_norm else ()  # its statistics belong to the present units


def refuse(name: str, run: StoredRun) -> None:
    """Refuse a setting that can't change in a run.

    Raises:
        TreinoError: always, with the reason.
    """
    names = sorted({*HP, "betas", *CHANGEABLE} - {"beta1", "beta2", *_fixed(run)})
    if name not in Settings.model_fields:
        raise UNKNOWN_SETTING(name=name, hint=nearest(name, names))
    why = {
        "Data": _("the rows are the run's own"),
        "Network": _("only the layers of an MLP grow and shrink")
        if run.spec.net == "cnn"
        else _("its weights would not fit"),
        "Loss and optimizer": _("its state would not fit"),
        "Training loop": _("its steps and batches would be others"),
        "Machine": _("its bits would be others"),
        "Run": _("it belongs to a whole run"),
    }[group_of(name)]
    raise BRANCH_SETTING(name=name, run=run.name, why=why, names=", ".join(names))


# ---- branches of a run

MOST_ROWS = 10_000  # maximum training rows used to resize a network's layers
ROWS_FILES = COPY, "data.json", "preparation.json"
COPIED = (*ROWS_FILES, *(ALL_ROWS + name for name in ROWS_FILES), NETWORK_COPY, START)


def parse_step(place: str) -> tuple[str, int]:
    """The run and the step of a text such as ``wine-1:120``.

    Raises:
        TreinoError: the text has another form.
    """
    run, colon, step = place.rpartition(":")
    number = whole_number(step)
    if not colon or not run or number is None:
        raise BRANCH_FORM(value=place)
    return run, number


def check_changes(snapshot: Snapshot, changes: Mapping[str, Any], *, new_run: bool) -> None:
    """Refuse a branch, or the next segment of the run, as ``branching`` and ``rewinding`` would; nothing is
    written.

    Raises:
        TreinoError: a setting that can't change, a value out of range; a name for a segment.
    """
    if not new_run:
        _check_place(changes, snapshot.step)
    segment_start(snapshot, {name: value for name, value in changes.items() if name not in OF_PLACE})


def branching(
    snapshot: Snapshot,
    changes: Mapping[str, Any],
    *,
    sender: str = "",
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    check: Check | None = None,
) -> Iterator[JobEvent]:
    """Train a new run that starts from the snapshot's full state; see ``RunSnapshot.branch``.

    sender: who asks for it, a word of ``store.change.SENDERS``. check: as in ``train_events``.
    """
    run = snapshot.run
    place = {name: changes[name] for name in OF_PLACE if name in changes}
    changes = {name: value for name, value in changes.items() if name not in OF_PLACE}
    start = segment_start(snapshot, changes, sender, check)
    out = Path(place["out"]) if place.get("out") else None
    beside = run.path.parent
    if (beside / "manifest.json").is_file():  # a sweep's winner: its branch is made beside the sweep
        beside = beside.parent
    folder = RunFolder.create(parent=beside, stem=run.spec.data.name, name=place.get("name"), out=out)
    with folder:

        def begin() -> RunJob:
            for name in COPIED:
                if run.folder.has(name):
                    folder.write_bytes(name, run.folder.read_bytes(name))
            for stretch in path(run.spec, snapshot.segment):  # without these, older steps can't be replayed
                name = name_of(stretch.segment.number, stretch.first)
                if run.folder.has(name):
                    folder.write_bytes(name, run.folder.read_bytes(name))
            _copy_past(snapshot, folder)
            looks = run.result.test_looks if run.result is not None else None
            parent = Parent(run=run.name, segment=snapshot.segment, step=snapshot.step, test_looks=looks or 0)
            moved = _moved(start.spec.data, run.path, folder.path)
            typed = branch_as_typed("--branch", f"{run.name}:{snapshot.step}", changes)
            spec = start.spec.model_copy(update={"parent": parent, "data": moved, "command": typed})
            return _segment_job(folder, snapshot, replace(start, spec=spec), checkpoint_seconds)

        yield from events(begin)


def rewinding(
    snapshot: Snapshot,
    changes: Mapping[str, Any],
    *,
    sender: str = "",
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    check: Check | None = None,
) -> Iterator[JobEvent]:
    """Train the next segment of the snapshot's own run; see ``Run.rewind``. sender: as for ``branching``.
    check: as in ``train_events``."""
    folder = RunFolder.open(snapshot.run.path)
    _check_place(changes, snapshot.step)
    start = segment_start(snapshot, changes, sender, check)
    with folder:

        def begin() -> RunJob:
            folder.unseal()
            before = newest(_whole(snapshot).spec).number
            for name in ("result.json", WEIGHTS, BUFFERS):  # the result up to here, soon outdated
                if folder.has(name):
                    folder.write_bytes(f"segments/{before}/{name}", folder.read_bytes(name))
            place = f"{snapshot.run.name}:{snapshot.step}"
            spec = start.spec.model_copy(update={"command": branch_as_typed("--rewind", place, changes)})
            return _segment_job(folder, snapshot, replace(start, spec=spec), checkpoint_seconds)

        yield from events(begin)


def _check_place(changes: Mapping[str, Any], step: int) -> None:
    """Refuse changes that name the folder of a new run, where the run's own goes on."""
    for name in OF_PLACE:
        if name in changes:
            raise REWIND_PLACE(name=name, step=step)


@dataclass(frozen=True, eq=False)
class SegmentStart:
    """A new segment before anything is written: its training, its first keyframe, the new ``spec.json``, and
    the changes with which it begins."""

    segment: Segment
    resolution: Resolution
    keyframe: tuple[Copies, dict[str, Any]]
    spec: RunSpec
    changes: tuple[Change, ...]


def _segment_job(
    folder: RunFolder, snapshot: Snapshot, start: SegmentStart, checkpoint_seconds: float
) -> RunJob:
    """Write the segment's first state and changes, then the ``spec.json`` that names the segment. Return its
    training."""
    segment, resolution = start.segment, start.resolution
    name, first = name_of(segment.number, snapshot.step), name_of(0, 0)
    if segment.output_change is not None and not folder.has(first):  # the first segment's layers
        run = _whole(snapshot)
        oldest = segments_of(run.spec)[0].number
        training = rebuilt(run.timeline, snapshot.data, run.access, oldest).training
        folder.write_new({first: array_parts(*keyframe_of_saved(training.save()))})
    folder.write_new({name: array_parts(*start.keyframe)})
    folder.database.begin_segment(segment.number, start.changes)
    folder.write_json("spec.json", start.spec.to_json())
    write_own_code(folder, (getattr(resolution.settings, name) for name in OF_ENTRIES))
    facts = {"from": [snapshot.segment, snapshot.step]}
    folder.database.add_event(segment.number, snapshot.step, "segment", facts)
    training = resolution.training
    losses_S = np.asarray(losses_of(folder, start.spec)[: snapshot.step])
    training.load(*kept_state(folder, name, training, losses_S))
    obey_again(Timeline(folder, start.spec), training)
    keep_keyframes(folder, resolution, segment.number)
    return RunJob(
        folder, snapshot.data, resolution, checkpoint_seconds=checkpoint_seconds, segment=segment.number
    )


def segment_start(
    snapshot: Snapshot, changes: Mapping[str, Any], sender: str = "", check: Check | None = None
) -> SegmentStart:
    """Prepare the next segment. sender: who requested it. check: as in ``train_events``.

    Raises:
        TreinoError: a setting that can't change during a run, or a value out of range; nothing left to train.
    """
    run = _whole(snapshot)
    begun = next_segment(snapshot, changes, sender)
    segment = begun.segment
    spec = _with_segment(run.spec, segment)
    reset = Change(segment.number, snapshot.step, begun.reset, CONSEQUENCE)
    timeline = Timeline(run.folder, spec, (begun.change, reset))
    resolution = rebuilt(timeline, snapshot.data, run.access, has_weights=False)
    training = resolution.training
    if training.outputs != run.spec.outputs:
        raise BRANCH_OUTPUTS(loss=training.loss, n=training.outputs, run=run.name, now=run.spec.outputs)
    if snapshot.step >= training.steps:
        raise BRANCH_OVER(
            step=snapshot.step,
            steps=training.steps,
            n=2 * max(1, training.plan.count.epoch_of(snapshot.step)),
        )
    for name, value in begun.state.items():
        training.set(name, value)  # raises here, before anything is written
    held, made = timeline.settings_at(snapshot.step), resolution.settings.model_dump(mode="json")
    layers = [(s["hidden"], s["activation"]) for s in (snapshot.settings, made)]
    if layers[0] == layers[1]:
        arrays, meta = carry_over(snapshot.saved, training)
    else:
        x_ND = draw(in_memory(snapshot.data).train, MOST_ROWS).x
        arrays, meta = carry_over(snapshot.saved, training, x_ND)
        difference = largest_change(snapshot.member_net, training, arrays, x_ND, snapshot.member)
        output_change = difference if math.isfinite(difference) else None
        segment = segment.model_copy(update={"output_change": output_change})
        spec = _with_segment(run.spec, segment)
    decided = begun.reset | {name: made[name] for name in held if made[name] != held[name]}
    now = {
        "facts": run_facts(snapshot.data, resolution),
        "versions": versions(made),
        "machine": machine(),
    }
    if check is not None:
        check(snapshot.data, resolution)
    made_changes = (begun.change, reset._replace(settings=decided))
    return SegmentStart(segment, resolution, (arrays, meta), spec.model_copy(update=now), made_changes)


def _with_segment(spec: RunSpec, segment: Segment) -> RunSpec:
    """The spec with this segment as the newest."""
    every = (s.model_dump(mode="json") for s in (*segments_of(spec), segment))  # with all their defaults
    segments = tuple(map(Segment.model_validate, every))
    return spec.model_copy(update={"segments": segments, "steps_per_epoch": segment.steps_per_epoch})


def _copy_past(snapshot: Snapshot, folder: RunFolder) -> None:
    """Copy the losses, metrics and changes of settings up to the snapshot."""
    run = _whole(snapshot)
    old = run.folder.database
    for stretch in path(run.spec, snapshot.segment):
        number = stretch.segment.number
        stop = snapshot.step if stretch.stop is None else min(stretch.stop, snapshot.step)
        loss_S = np.asarray(old.losses(number))[: stop - stretch.first]
        folder.database.add_losses(number, stretch.first, loss_S)
        for row in old.epochs(number):
            if stretch.epochs.end_of(row.epoch) <= stop:
                folder.database.add_epoch(number, *row)
    for change in run.timeline.held(snapshot.segment):
        if change.step <= snapshot.step:
            folder.database.add_change(change)
    folder.database.flush()


def _moved(where: DataSource, old: Path, new: Path) -> DataSource:
    """The data entry with its paths relative to the folder ``new``."""

    def again(source: str) -> str:
        return relative((old / source).resolve(), new.resolve())

    if where.kind != "file":
        return where
    moved: dict[str, Any] = {"source": again(where.source)}
    if where.files:
        moved["files"] = {
            split: file.model_copy(update={"source": again(file.source)})
            for split, file in where.files.items()
        }
    return where.model_copy(update=moved)

"""The training of a run, rebuilt from its folder, to resume or replay it.

Keyframes are copied in memory while the run trains, and written together at each checkpoint: writing a file
takes as long as a step of a small network, or as twenty steps if it waits for the disk. Their distance is
doubled until all planned keyframes fit into the budget, so that none is written and then dropped.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from treino.base.encoding import array_parts
from treino.base.errors import Refusal, TreinoError
from treino.base.files import RUN_DAMAGED
from treino.base.words import _
from treino.data import load
from treino.data.dataset import Data, digest, splits_not_in_memory, why_not_reproducible
from treino.data.documents import DataSource
from treino.data.mapped_rows import parts
from treino.data.rows import Rows, is_stream
from treino.engine import MLP, TrainingLoop
from treino.engine.defaults import with_net
from treino.engine.gates import gates_of
from treino.engine.hyperparameters import may_be_hyperparameter
from treino.engine.nets import input_shape
from treino.engine.registries import foreign
from treino.engine.saved_state import keyframe_bytes, saved_from_keyframe
from treino.engine.templates import NetSource
from treino.engine.training_setup import warm_start
from treino.engine.user_module import module_copy
from treino.folders.access import Access
from treino.folders.documents.reading import read_checkpoint, read_tensors
from treino.folders.documents.run_spec import ResolvedSettings, Segment
from treino.folders.network_source import run_network
from treino.folders.own_code import restore_own_code
from treino.folders.store import RunFolder
from treino.folders.store.folder_files import FILE_MISSING
from treino.folders.timeline import Timeline, newest, path, settings_after
from treino.folders.weights import ANSWERS, check_answers, check_layers, check_row
from treino.inspection.outputs import outputs
from treino.settings.network_settings import LAYERS
from treino.settings.spec import Settings, read_settings
from treino.training.resolution import Resolution, decide, resolve

# ---- a run's keyframes

KEYFRAMES_BYTES = 64_000_000  # maximum size of all keyframes of a folder
FAR = 50_000  # steps between keyframes that nobody asked for: a small network plays these in seconds
FOLDER = "keyframes"
_NAME = re.compile(rf"{FOLDER}/(\d+)-(\d+)\.safetensors")


def name_of(segment: int, step: int) -> str:
    return f"{FOLDER}/{segment}-{step}.safetensors"


def keyframes_in(folder: RunFolder) -> dict[tuple[int, int], str]:
    """``{(segment, step): name}`` of the keyframes in the manifest."""
    matches = ((_NAME.fullmatch(name), name) for name in folder.manifest.files)
    return {(int(m[1]), int(m[2])): name for m, name in matches if m is not None}


def distance(every: int, steps: int, size: int, budget: int | None = None) -> int:
    """The steps between keyframes of ``size`` bytes so that all fit into the budget; 0: none fits."""
    budget = KEYFRAMES_BYTES if budget is None else budget
    if size > budget:
        return 0
    while (steps // every + 1) * size > budget:
        every *= 2
    return every


def keep_keyframes(folder: RunFolder, resolution: Resolution, segment: int = 0) -> None:
    """Begin to keep keyframes, of one network; stopping and resuming the run doesn't change their steps.

    If the budget requires a larger distance than was asked for or allows none, an event records that.
    """
    training, asked = resolution.training, resolution.settings.every
    if resolution.settings.ensemble > 1 or (asked is None and training.steps <= FAR):
        return
    every = FAR if asked is None else asked
    size = keyframe_bytes(training.state)
    room = KEYFRAMES_BYTES
    older = [place for place in keyframes_in(folder) if place[0] < segment]
    if older:  # earlier segments keep at most half of the budget
        room = KEYFRAMES_BYTES - sum(thinned(folder, older).values())
    apart = distance(every, training.steps, size, room)
    if asked is not None and apart != asked:
        folder.database.add_event(segment, training.step, "keyframes", {"asked": asked, "apart": apart})
    if apart:
        training.keyframes.start(training.state, apart)


def thinned(folder: RunFolder, places: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Remove every second of these keyframes until they take at most half of the budget. Return the
    remaining ones with their sizes in bytes, which differ between segments."""
    files = {place: folder.path / name_of(*place) for place in places}
    size = {place: path.lstat().st_size if path.is_file() else 0 for place, path in files.items()}
    firsts = {segment: min(step for s, step in places if s == segment) for segment, _step in places}
    remaining = sorted(places)
    while sum(size[place] for place in remaining) > KEYFRAMES_BYTES // 2:
        rest = [p for p in remaining if firsts[p[0]] != p[1]]
        fewer = sorted({p for p in remaining if firsts[p[0]] == p[1]} | set(rest[1::2]))
        if len(fewer) == len(remaining):
            break
        remaining = fewer
    folder.remove(name_of(*place) for place in set(places) - set(remaining))
    return {place: size[place] for place in remaining}


def write_keyframes(folder: RunFolder, training: TrainingLoop, segment: int = 0) -> None:
    """Write the keyframes gathered since the last call."""
    frames = training.keyframes.take()
    folder.write_new({name_of(segment, k.step): array_parts(k.arrays, k.meta) for k in frames})


def cut_keyframes(folder: RunFolder, segment: int, step: int) -> None:
    """Remove the keyframes after ``step`` updates of the newest segment, and files of a killed process, which
    may be cut."""
    known = keyframes_in(folder)
    unknown = {name for name in folder.names(FOLDER) if _NAME.fullmatch(name)} - set(known.values())
    sentence = _("{path} is not in the manifest: it may be cut. The run goes on without it.")
    folder.note(*(sentence.format(path=folder.path / name) for name in sorted(unknown)))
    folder.remove(unknown | {name for place, name in known.items() if place > (segment, step)})


def kept_state(
    folder: RunFolder, name: str, training: TrainingLoop, losses_S: Any
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The keyframe in the form for ``TrainingLoop.load``. losses_S: the losses of all steps before it."""
    tensors, meta = read_tensors(folder, name)
    return saved_from_keyframe(training.setup, training.state, tensors, meta, torch.from_numpy(losses_S))


# ---- the training of a run, rebuilt from its folder

START = "start.safetensors"
MACHINE = ("engine", "threads", "device")


def rebuilt(
    timeline: Timeline, data: Data, access: Access, number: int | None = None, *, has_weights: bool = True
) -> Resolution:
    """The run's training before its first step, with the original kernel and the initial weights.

    number: of the segment whose settings are used; default: the newest. has_weights: whether weights with its
    layers are stored.

    Raises:
        TreinoError: the network is the user's own, and its code may not run, or is another network's.
    """
    folder, spec = timeline.folder, timeline.spec
    restore_own_code(folder, access)
    stretch = path(spec, number)[-1]
    segment = stretch.segment
    typed = timeline.typed_at(segment.start, number)
    machine = {name: getattr(spec.resolved, name) for name in MACHINE}
    if foreign(typed) and not foreign(spec.asked):  # which the first kernel may not have
        machine.pop("engine")
    settings = read_settings(typed | machine)
    described = spec.net in LAYERS
    if described:  # older runs don't record it for pictures
        settings = with_net(settings, data, spec.net)
    if described and has_weights:
        layers, _arguments = decide(settings, data)
        wanted = layers.parameter_shapes(input_shape(layers, data.item_shape), spec.outputs)
        numbers = None if layers.batch_norm else _stored_numbers(folder, segment, newest(spec))
        if numbers is not None:
            gates = 0
            if isinstance(layers, MLP) and layers.gates:
                gates = gates_of(data.inputs, data.input_columns, data.input_bins, 1.0).count
            check_row(wanted, gates, numbers, folder.path.name)
        elif (shapes := _stored_shapes(folder)) is not None:
            check_layers(wanted, shapes, folder.path.name)
    own = None if described else run_network(folder, spec.net, settings.net, access, settings.seed)
    resolution = resolve(settings, data, source_of(own, settings), stretch)
    resolution.training.restart_patience(timeline.changed_at(segment.start, number=number))
    if folder.has(START) and (segment.origin is None or not described):
        weights, known = read_tensors(folder, START)
        training, of_each = resolution.training, resolution.training.config.shared.ensemble > 1
        warm_start(training.model, training.state, weights, of_each=of_each)
        if not described:
            answers = known.get(ANSWERS)
            check_answers(resolution.training.net(0, "last"), data.item_shape, answers, folder.path.name)
    resolved = resolution.settings.model_dump(mode="json")
    for change in timeline.held(number):
        if change.step <= segment.start:  # hyper-parameters are a part of the state in which it begins
            state = {name: value for name, value in change.settings.items() if may_be_hyperparameter(name)}
            resolved = settings_after(resolved, change._replace(settings=state))
    return replace(resolution, settings=ResolvedSettings.model_validate(resolved))


def source_of(own: nn.Module | None, settings: Settings) -> NetSource | None:
    """The network in the form for ``resolve``. Each ensemble member is a copy whose initial weights come from
    the folder."""
    return own if own is None or settings.ensemble == 1 else partial(module_copy, own)


def _stored_numbers(folder: RunFolder, segment: Segment, last: Segment) -> int | None:
    """The number of parameters of a network in the segment's first keyframe; None without it. A damaged one
    of the last segment counts as none: its checkpoint has the same layers."""
    name = keyframes_in(folder).get((segment.number, segment.start))
    if name is None:
        return None
    try:
        return int(read_tensors(folder, name)[0]["params"].shape[-1])
    except TreinoError as error:
        if segment != last or error.rule not in (RUN_DAMAGED.rule, FILE_MISSING.rule):
            raise
    return None


def _stored_shapes(folder: RunFolder) -> list[Sequence[int]] | None:
    """Shapes of the stored tensors of the network, or of the first of an ensemble; None if none are
    stored."""
    for name in ("model.safetensors", START):
        if folder.has(name):
            tensors = read_tensors(folder, name)[0].items()
            others = [
                n for n, _tensor in tensors if n.startswith("members.") and not n.startswith("members.0.")
            ]
            return [t.shape for n, t in tensors if n not in (*others, "limits")]
    checkpoint = read_checkpoint(folder, replaced=True)  # both have these shapes
    return None if checkpoint is None else checkpoint[1]["engine"]["identity"]["shapes"]


def obey_again(timeline: Timeline, training: TrainingLoop, number: int | None = None) -> None:
    """Change settings as the run changed them, from the training's step on: in this segment, by default the
    newest. Changes that the training's state has already are made again, which alters nothing."""
    training.restart_patience(timeline.changed_at(training.step, number=number))
    segment = path(timeline.spec, number)[-1].segment.number
    for change in timeline.every:
        if change.segment == segment and change.step >= training.step:
            for name in filter(may_be_hyperparameter, change.settings):
                training.set(name, change.settings[name], change.step)


# ---- data that a user gives in Python

DATA_WANTED = Refusal("{run} was trained on {what}, which was given in Python.", "Give it again: {call}.")
GIVEN_DATA_CHANGED = Refusal(
    "This is not the data that {run} was trained on: its items, targets or parts differ.",
    "Give what was given then, or train a new run on this.",
    rule="data_changed",
)


def user_data_reference(data: Data) -> dict[str, Any]:
    """The entries of ``spec.json`` on data that is neither in a file nor in memory."""
    return {"digest": digest(data), "streams": is_stream(data.train)} if splits_not_in_memory(data) else {}


def user_data(folder: RunFolder, where: DataSource, source: Any) -> Data:
    """The data of a run that was trained on a Dataset or DataLoader. source: that object, passed again.

    Raises:
        TreinoError: the object is missing, or has other rows.
    """
    name = folder.path.name
    if source is None:
        raise DATA_WANTED(run=name, what=where.source, call=f"treino.open('{name}').resume(data)")
    data = source if isinstance(source, Data) else load(source, **where.load.to_json())
    if not splits_not_in_memory(data) or digest(data) != where.digest:
        raise GIVEN_DATA_CHANGED(run=name)
    return data


def resumption_facts(data: Data, lost: int) -> dict[str, str]:
    """A message for a run that can't be resumed exactly; empty for others. lost: the steps after the last
    checkpoint."""
    if not why_not_reproducible(data):
        return {}
    place = (
        _("from the last epoch's border, in an order of its own from there on")
        if is_stream(data.train)
        else _("in the order that it would have had, with items read anew")
    )
    return {"message": _("Went on {place}; steps made again on other rows: {n}.").format(place=place, n=lost)}


PAST_LIMIT = "time_limit"  # the event of a training that a time limit ended
FIRED, NOT_NOTIFIED = "alert", "alert_failed"  # the events of alerts that fired, or could not notify


def resumed_notes(folder: RunFolder) -> list[str]:
    """The messages of all resumptions, of failures of the network or the data, of an end by time limit, and
    alerts."""
    kinds = ("resumed", "failed", PAST_LIMIT, FIRED, NOT_NOTIFIED)
    messages = (event.facts.get("message") for event in folder.database.events() if event.kind in kinds)
    return [message for message in messages if message]


def past_limit(folder: RunFolder) -> bool:
    """Whether a time limit ended the training."""
    return any(event.kind == PAST_LIMIT for event in folder.database.events())


def answers(net: nn.Module, rows: Rows, item_shape: tuple[int, ...] | None) -> tuple[Tensor, Tensor]:
    """The network's outputs ``[N, C]`` for rows in memory or on disk, and y in the same order."""
    pairs, index = parts(rows.x, rows.y), rows.index if isinstance(rows.x, Tensor) else None
    made = [(outputs(net, x, item_shape=item_shape, index=index), y) for x, y in pairs]
    return torch.cat([out for out, _y in made]), torch.cat([y for _out, y in made])

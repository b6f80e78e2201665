"""A run's keyframes: stored states to replay from, in ``keyframes/SEGMENT-STEP.safetensors``.

Keyframes are copied in memory while the run trains, and written together at each checkpoint: writing a file
takes as long as a step of a small network, or as twenty if it waits for the disk. The distance between two is
doubled until all planned ones fit into the budget, so that none is written and then dropped.
"""

import re
from typing import Any

import torch
from torch import Tensor

from treino.documents import read_tensors
from treino.engine import TrainingLoop
from treino.engine.keyframes import keyframe_bytes, saved_from_keyframe
from treino.store import RunFolder
from treino.store.encoding import array_parts

BUDGET = 64_000_000  # bytes of all keyframes of a folder
FOLDER = "keyframes"
_NAME = re.compile(rf"{FOLDER}/(\d+)-(\d+)\.safetensors")


def name_of(segment: int, step: int) -> str:
    return f"{FOLDER}/{segment}-{step}.safetensors"


def keyframes_in(folder: RunFolder) -> dict[tuple[int, int], str]:
    """``{(segment, step): name}`` of the keyframes in the manifest."""
    matches = ((_NAME.fullmatch(name), name) for name in folder.manifest.files)
    return {(int(m[1]), int(m[2])): name for m, name in matches if m is not None}


def distance(every: int, steps: int, size: int, budget: int | None = None) -> int:
    """The steps between two keyframes of ``size`` bytes at which all of a training fit; 0: none fits."""
    budget = BUDGET if budget is None else budget
    if size > budget:
        return 0
    while (steps // every + 1) * size > budget:
        every *= 2
    return every


def keep_keyframes(folder: RunFolder, training: TrainingLoop, every: int | None, segment: int = 0) -> None:
    """Begin to keep keyframes, at the same steps however often the run is stopped and resumed.

    If the budget requires a larger distance or allows none, an event records that.
    """
    if every is None:
        return
    size = keyframe_bytes(training.state)
    room = BUDGET
    older = [place for place in keyframes_in(folder) if place[0] < segment]
    if older:  # earlier segments keep at most half of the budget
        room = BUDGET - sum(thinned(folder, older).values())
    apart = distance(every, training.steps, size, room)
    if apart != every:
        folder.database.add_event(segment, training.step, "keyframes", {"asked": every, "apart": apart})
    if apart:
        training.keyframes.start(training.state, apart)


def thinned(folder: RunFolder, places: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Remove every second of these keyframes until they take at most half of the budget. Returns the
    remaining ones with their sizes in bytes, which differ between segments."""
    files = {place: folder.path / name_of(*place) for place in places}
    size = {place: path.lstat().st_size if path.is_file() else 0 for place, path in files.items()}
    firsts = {segment: min(step for s, step in places if s == segment) for segment, _step in places}
    remaining = sorted(places)
    while sum(size[place] for place in remaining) > BUDGET // 2:
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
    """Remove the keyframes after ``step`` updates of the newest segment, and files of a killed process."""
    known = keyframes_in(folder)
    unknown = {name for name in folder.names(FOLDER) if _NAME.fullmatch(name)} - set(known.values())
    folder.remove(unknown | {name for place, name in known.items() if place > (segment, step)})


def kept_state(
    folder: RunFolder, name: str, training: TrainingLoop, losses_S: Any
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The keyframe as ``TrainingLoop.load`` takes it; losses_S: of the steps that led to it."""
    tensors, meta = read_tensors(folder, name)
    return saved_from_keyframe(training.setup, training.state, tensors, meta, torch.from_numpy(losses_S))

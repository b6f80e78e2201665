"""Single bits flipped in folders of every kind, sealed and killed, which are then read and resumed.

Of a sealed folder everything is read and predicted with; a killed one is shown, and resumed to its end. Each
flip ends in an error that names a file of the folder and says what to do, or in what the whole folder gives.
$TREINO_FLIPS is how many flips, 1500 by default.
"""

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sklearn.datasets import load_wine

from benchmarks.result import Result, Table
from benchmarks.small_folders import (
    NAME,
    bits,
    computed,
    finish,
    frequent_checkpoints,
    killed_at,
    new,
    text,
    writes,
)
from benchmarks.timing import threads
from treino.base.errors import TreinoError
from treino.folders.prediction import predict_like
from treino.folders.store import RunFolder
from treino.folders.stored_run import StoredRun
from treino.training.stored_results import StoredStudy, StoredSweep, open_folder

FLIPS = 1500
KINDS = ("run", "sweep", "study")
DEATHS = 3  # killed folders of each kind, at different writes


@dataclass(frozen=True)
class Folder:
    """A folder as it was made, what is asked of it, and the answers where no bit is flipped."""

    path: Path
    questions: dict[str, Callable[[Path], Any]]
    answers: dict[str, Any]


def run(quick: bool) -> Result:
    wanted = 60 if quick else int(os.environ.get("TREINO_FLIPS", FLIPS))
    begin, chance = time.perf_counter(), random.Random(0)
    ends: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory(dir=_memory()) as place, threads(1), frequent_checkpoints():
        kinds = folders(Path(place), chance)
        for number in range(wanted):
            kind = list(kinds)[number % len(kinds)]
            found = flipped(chance.choice(kinds[kind]), Path(place), chance)
            bad = [end for end in found.values() if end not in ("error", "same")]
            end = "silent" if bad else "errors" if "error" in found.values() else "the same"
            ends.setdefault(kind, Counter()).update(["flips", end])
            if bad:
                print(kind, bad)
    names = ("flips", "errors", "the same", "silent")
    ends["all"] = sum(ends.values(), Counter[str]())
    rows = tuple((kind, *(f"{count[name]:,}" for name in names)) for kind, count in ends.items())
    return Result(
        (Table("Flipped bits", ("folder", *names), rows),),
        f"{time.perf_counter() - begin:.0f} s. Small runs, sweeps and studies of wine, sealed and killed; "
        f"{DEATHS} of each kind were killed, by SIGKILL before a write. A file drawn evenly, then one of its "
        "bits. Asked is what the folder holds (documents, losses, weights, answers) and, of a killed one, "
        "what a resume ends with. Errors: of one of these, naming a file of the folder and what to do. The "
        "same: in both, bit for bit, but for times. Silent: anything else.",
        ("pictures/ and exports/, which no digest holds and nothing reads.",),
        figures={name: ends["all"][name] for name in names},
    )


def _memory() -> str | None:
    """A folder in memory, where this system has one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


# ---- folders


def folders(place: Path, chance: random.Random) -> dict[str, list[Folder]]:
    """A sealed folder of each kind, and some that were killed, by what they are."""
    found: dict[str, list[Folder]] = {}
    for kind in KINDS:
        begin = partial(new, kind)
        count = writes(partial(finish, begin, place / kind))
        sealed = place / kind / NAME
        found[kind] = [_folder(sealed, {"held": held}, place)]
        deaths = found[f"killed {kind}"] = []
        while len(deaths) < DEATHS:
            parent = place / f"killed {kind} {len(deaths)}"
            killed_at(partial(finish, begin, parent), chance.randrange(count // 4, count))
            path = parent / NAME
            if (path / "checkpoint").is_dir() and not RunFolder.open(path, verify=False).manifest.sealed:
                deaths.append(_folder(path, {"held": held, "resumed": partial(ended, kind)}, place))
            else:
                shutil.rmtree(parent)
    return found


def _folder(path: Path, questions: dict[str, Callable[[Path], Any]], place: Path) -> Folder:
    answers = {}
    for name, ask in questions.items():
        answers[name] = ask(_copy(path, place))
    return Folder(path, questions, answers)


def _copy(path: Path, place: Path) -> Path:
    """The folder anew, always in the same place."""
    copy = place / "copy" / NAME
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path, copy)
    return copy


# ---- what is asked of a folder


def held(path: Path) -> Any:
    """All that reading tells: documents, losses, weights, predictions."""
    found = open_folder(path)
    if isinstance(found, StoredStudy):
        return text(found.document), found.frame.to_json()
    if isinstance(found, StoredSweep):
        networks = [found.best, *map(found.member, range(2))] if found.status == "finished" else []
        return text(found.document), found.frame.to_json(), [network(each) for each in networks]
    told = text(found.document), found.losses.tobytes(), text(found.evaluations)
    return told, network(found) if found.status == "finished" else None


def network(run: StoredRun) -> Any:
    """Its weights and buffers, and what it predicts for three rows."""
    rows = load_wine(as_frame=True).data.head(3)
    return bits(run.state), predict_like(run, rows).to_json()


def ended(kind: str, path: Path) -> dict[str, Any]:
    """What it ends with when it is resumed. Keyframes that were damaged are dropped, with a notice."""
    finish(partial(new, kind), path.parent)
    return {name: value for name, value in computed(path).items() if not name.startswith("keyframes/")}


# ---- a flip


def flipped(folder: Folder, place: Path, chance: random.Random) -> dict[str, str]:
    """Flip a bit in copies of the folder; -> by question ``error``, ``same``, or what is wrong."""
    sizes = {p.relative_to(folder.path): p.stat().st_size for p in folder.path.rglob("*") if p.is_file()}
    file = chance.choice(sorted(name for name, size in sizes.items() if size))
    bit = chance.randrange(sizes[file] * 8)
    found = {}
    for name, ask in folder.questions.items():
        copy = _copy(folder.path, place)
        data = bytearray((copy / file).read_bytes())
        data[bit // 8] ^= 1 << bit % 8
        (copy / file).write_bytes(data)
        try:
            found[name] = (
                "same" if repr(ask(copy)) == repr(folder.answers[name]) else f"silent: {file}, bit {bit}"
            )
        except TreinoError as error:
            helps = error.status in (1, 2) and str(copy) in error.message and error.hint
            found[name] = "error" if helps else f"unhelpful: {file}, bit {bit}: {error}"
    return found

"""A study from the first epoch to the sealed folder, as a stream of events; a killed one goes on.

The networks take turns, an epoch each, so that what slows the machine down slows all of them, and the order
is turned round in every round. Whoever is trained to the end is kept and never trained again; the others go
on from the last checkpoint, bit for bit.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from treino.data.dataset import Data
from treino.engine.metrics import metric_names
from treino.engine.torch_context import torch_threads
from treino.errors import TreinoError
from treino.loop.interrupt import ctrl_c
from treino.records.command import versions
from treino.records.data_source import data_of, keep_copy, load_data, reference
from treino.records.resumable import unfinished
from treino.records.user_network import own_net
from treino.spec import Settings, read_settings
from treino.store import RunFolder
from treino.studies.conclusions import answers, notes
from treino.studies.study_document import HEADLINE, row, row_facts, varied
from treino.studies.study_options import EPOCHS, PREPARED, Asked, asked_of, of_row, read
from treino.studies.track import Track
from treino.training.resolution import plan
from treino.tuning.resumption import source_of
from treino.words import _

CHUNK_SECONDS = 0.1
CHECKPOINT_SECONDS = 2.0
CHECKPOINT_SHARE = 50  # at most 1/50 of the time goes into checkpoints


@dataclass(frozen=True, eq=False)
class Begun:
    """The folder is there and the first epoch is about to begin (or the next one, after a resume)."""

    folder: RunFolder
    data: Data
    asked: Asked
    facts: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Advanced:
    """Some steps of one row were taken. left_s: seconds to the end, None before there is a pace."""

    row: dict[str, Any]
    epoch: int
    done: float
    left_s: float | None


@dataclass(frozen=True, eq=False)
class Ended:
    """The folder is sealed. interrupted: by a Ctrl-C, and ``resuming`` goes on."""

    folder: RunFolder
    document: dict[str, Any]
    interrupted: bool


Event = Begun | Advanced | Ended


def studying(
    source: Any,
    *,
    settings: Mapping[str, Any],
    batch_sizes: Any = None,
    until: Any = None,
    cells: Any = (),
    compare: Any = (),
    seeds: int | None = None,
    parent: str | Path = "runs",
    name: str | None = None,
    out: str | Path | None = None,
) -> Iterator[Event]:
    """Train every setting in every mode, in turns. Nothing is written before all that can be checked is.

    source: a built-in's name, a file, a frame, a pair of arrays, or what ``load`` returned. The rest as for
    ``treino.study``.

    Raises:
        TreinoError: bad input (status 2) or a failing machine (status 1).
    """
    asked = asked_of(
        settings, batch_sizes=batch_sizes, until=until, cells=cells, compare=compare, seeds=seeds
    )
    data = load_data(source, read_settings({**asked.base, "seed": asked.seeds[0]}))
    if not isinstance(data.train.x, Tensor):
        raise TreinoError(
            "study_rows",
            _("A study needs its rows in memory, and {name} is read item by item.").format(name=data.name),
            _("Give a table or arrays."),
        )
    base = dict(asked.base) | {"epochs": asked.base.get("epochs", EPOCHS[data.kind])}
    if not isinstance(source, Data):
        base["data_seed"] = data.data_seed  # a network's own seed must not part the rows anew
    rows = asked.cells
    if batch_sizes is None and not cells:  # the sizes are the exercise's: those that these rows can fill
        rows = tuple(c for c in rows if c.own.get("batch_size", 1) <= len(data.train)) or rows
    asked = Asked(base, rows, asked.until, asked.seeds)
    tracks = _tracks(source, data, asked)
    _check_until(asked, data, tracks[0])
    with RunFolder.create(
        parent=parent, stem=f"{data.name}-study", name=name, out=Path(out) if out else None, kind="study"
    ) as folder:
        folder.write_json("preparation.json", data.preparation.to_json())
        where = reference(data, folder.path)
        if where["kind"] == "memory":
            keep_copy(folder, data)
        facts = _facts(asked, data, tracks, where["source"])
        folder.write_json(
            "spec.json",
            {
                "asked": dict(settings),
                "study": asked.to_json(),
                "facts": facts,
                "data": where,
                "classes": list(data.classes),
                "versions": versions(),
            },
        )
        yield Begun(folder, data, asked, facts)
        yield from _drive(folder, asked, facts, tracks)


def resuming(
    path: str | Path, *, data_file: str | Path | None = None, net: str | None = None, trust: bool = False
) -> Iterator[Event]:
    """Go on with a study that was interrupted or killed: no row is lost, none that is whole trained again.

    net, trust: where it trains a network of your own, which reading a folder never executes.

    Raises:
        TreinoError: the study is over, is being written by another process, is damaged, or its data is gone.
    """
    folder = unfinished(path, "spec.json", _("Start a new study, e.g. with more --epochs."))
    spec = folder.read_json("spec.json")
    asked = Asked.from_json(spec["study"])
    asked = Asked(_net_again(folder, asked.base, net, trust), asked.cells, asked.until, asked.seeds)
    data = data_of(folder, data_file)
    tracks = _tracks(source_of(folder, data, data_file), data, asked, spec["facts"])
    with folder:
        folder.unseal()
        kept = folder.last_checkpoint()
        if kept is not None:
            for number, (track, state) in enumerate(zip(tracks, kept[1]["tracks"], strict=True)):
                head = f"{number}/"
                track.load({n[len(head) :]: t for n, t in kept[0].items() if n.startswith(head)}, state)
        yield Begun(folder, data, asked, spec["facts"])
        yield from _drive(folder, asked, spec["facts"], tracks)


def document_of(
    folder: RunFolder, asked: Asked, facts: Mapping[str, Any], records: Sequence[Any], status: str
) -> dict[str, Any]:
    """The document out of what is recorded so far. records: of every network, row by row, seed by seed."""
    many = len(asked.seeds)
    measured = {"metric": facts["metric"], "rows": facts["measured_rows"]}
    rows = [
        row(of, records[number * many : (number + 1) * many], asked, measured)
        for number, of in enumerate(facts["rows"])
    ]
    for broken_off in (r for r in rows if r["status"] == "running"):
        broken_off["status"] = status
    told = {"answers": answers(rows, facts, asked.until), "notes": notes(rows, facts, asked.until)}
    head = {"study": folder.path.name, "path": str(folder.path), "status": status, "kind": "study"}
    seconds = sum(sum(r.seconds) for r in records)
    return {
        **head,
        **{k: v for k, v in facts.items() if k != "rows"},
        "seconds": seconds,
        "steps": sum(r.steps for r in records),
        "rows": rows,
        **told,
    }


def _tracks(source: Any, data: Data, asked: Asked, before: Mapping[str, Any] | None = None) -> list[Track]:
    """Every network before its first step. before: the facts that it was begun with, for
    the same kernels."""
    prepared: dict[str, Data] = {}
    found = []
    for number, cell in enumerate(asked.cells):
        for seed in asked.seeds:
            settings = read(cell, asked.base, seed)
            if before is not None:
                kernel = {n: before["rows"][number][n] for n in ("engine", "threads")}
                kernel["device"] = before["device"]
                settings = read_settings({**cell.values(asked.base, seed), **kernel})
            try:
                rows = _prepared(source, data, settings, prepared)
                if isinstance(settings.batch_size, int) and settings.batch_size > len(rows.train):
                    raise TreinoError(
                        "batch_size_rows",
                        _("A batch of {size:,} is more than the {rows:,} training rows.").format(
                            size=settings.batch_size, rows=len(rows.train)
                        ),
                        _("Use smaller ones, or 'full' for all rows."),
                    )
                own = own_net(settings.net, settings.seed) if settings.net else None
                # who never stops early needs no evaluation beside the study's own
                fed = rows if settings.patience else replace(rows, validation=rows.validation[:0])
                found.append(Track(number, seed, rows, plan(settings, fed, own)))
            except TreinoError as error:
                raise of_row(error, cell) from None
    return found


def _prepared(source: Any, first: Data, settings: Settings, known: dict[str, Data]) -> Data:
    """The rows as these settings prepare them; the splits are always the same."""
    as_first = {name: first.arguments.get(name, getattr(settings, name)) for name in PREPARED}
    asked = {n: getattr(settings, n) if n in settings.model_fields_set else v for n, v in as_first.items()}
    known.setdefault(json.dumps(as_first), first)
    if (key := json.dumps(asked)) not in known:
        if isinstance(source, Data):
            raise TreinoError(
                "data_is_loaded",
                _("The data is prepared already, so a study can't compare how."),
                _("Give what the data is made from, or leave {names} out.").format(names=", ".join(PREPARED)),
            )
        known[key] = load_data(source, settings)
    return known[key]


def _check_until(asked: Asked, data: Data, track: Track) -> None:
    engine = track.planned.training
    there = metric_names(engine.loss_function, engine.outputs)
    for metric in asked.until:
        if metric not in there:
            raise TreinoError(
                "until_task",
                _("{metric} is not measured where the target, {target}, is {what}.").format(
                    metric=metric,
                    target=data.target,
                    what=_("a class of {n}").format(n=len(data.classes)) if data.classes else _("a number"),
                ),
                _("Use one of {names}.").format(names=", ".join(there)),
            )


def _facts(asked: Asked, data: Data, tracks: Sequence[Track], source: str) -> dict[str, Any]:
    """All of the document that is known before the first step."""
    many, first = len(asked.seeds), tracks[0]
    rows = [
        row_facts(asked, cell, read(cell, asked.base, asked.seeds[0]), tracks[number * many], source)
        for number, cell in enumerate(asked.cells)
    ]
    return {
        "data": data.name,
        "task": data.task,
        "target": data.target,
        "classes": list(data.classes),
        "split": {split: len(part) for split, part in data.splits.items()},
        "measured_on": first.measured_on,
        "measured_rows": len(data.splits[first.measured_on]),
        "metric": HEADLINE[data.task],
        "device": first.planned.settings["device"],
        "epochs": asked.base["epochs"],
        "seed_list": list(asked.seeds),
        "until": dict(asked.until),
        "modes": list(dict.fromkeys(cell.mode for cell in asked.cells)),
        "varied": varied(rows),
        "data_notes": list(data.notes),
        "rows": rows,
    }


def _drive(
    folder: RunFolder, asked: Asked, facts: dict[str, Any], tracks: Sequence[Track]
) -> Iterator[Event]:
    """Round after round until all are trained to their end; then the folder is sealed."""
    saved, cost, interrupted = time.perf_counter(), 0.0, False
    planned = sum(t.planned.training.steps for t in tracks)
    with ctrl_c() as stop:
        while not interrupted and (round_ := _round(tracks)):
            for track in round_:
                kernel = track.planned.training
                with torch_threads(1 if kernel.engine == "flat-bmm" else kernel.threads):
                    over = False
                    while not over and not interrupted:
                        over = track.advance(CHUNK_SECONDS)
                        steps = sum(t.step for t in tracks)
                        yield Advanced(
                            facts["rows"][track.cell], track.record.epochs, steps / planned, _left(tracks)
                        )
                        interrupted = stop()
                since = time.perf_counter() - saved
                if track.done or since > max(CHECKPOINT_SECONDS, CHECKPOINT_SHARE * cost):
                    cost, saved = _checkpoint(folder, tracks), time.perf_counter()
                if interrupted:
                    break
        if interrupted:
            _checkpoint(folder, tracks)
        records = [t.record for t in tracks]
        lost = all(r.status == "diverged" for r in records)
        status = "interrupted" if interrupted else "diverged" if lost else "finished"
        document = document_of(folder, asked, facts, records, status)
        folder.write_json("result.json", document)
        folder.seal(status)
    yield Ended(folder, document, interrupted)


def _round(tracks: Sequence[Track]) -> list[Track]:
    """Whose turn it is: those that have done the fewest epochs, in turned order every other time."""
    running = [t for t in tracks if not t.done]
    least = min((t.record.epochs for t in running), default=0)
    turn = [t for t in running if t.record.epochs == least]
    return turn[::-1] if least % 2 else turn


def _left(tracks: Sequence[Track]) -> float | None:
    left = [t.left_s for t in tracks]
    return None if any(s is None for s in left) else sum(s for s in left if s is not None)


def _checkpoint(folder: RunFolder, tracks: Sequence[Track]) -> float:
    """-> the seconds that it took."""
    begin = time.perf_counter()
    tensors: dict[str, torch.Tensor] = {}
    states = []
    for number, track in enumerate(tracks):
        own, state = track.save()
        tensors |= {f"{number}/{name}": tensor for name, tensor in own.items()}
        states.append(state)
    folder.checkpoint(tensors, {"tracks": states})
    return time.perf_counter() - begin


def _net_again(folder: RunFolder, base: Mapping[str, Any], net: str | None, trust: bool) -> dict[str, Any]:
    """What all rows share, with the network of the user's own as it is named now."""
    if net is not None:
        return {**base, "net": net}
    if base.get("net") and not trust:
        raise TreinoError(
            "net_not_trusted",
            _("{study} trains a network of your own, and reading a study executes nothing.").format(
                study=folder.path.name
            ),
            _("Add --trust to run the file that it names, or give it again: --net {net}").format(
                net=base["net"]
            ),
        )
    return dict(base)

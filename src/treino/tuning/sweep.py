"""A sweep from the first member to the last heat, as a stream of events; a killed one goes on.

What is on disk is always enough: the settings of all members asked for so far, the table of the rungs that
are behind, the state of the heat that runs, and the weights of the best.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from treino.data.dataset import Data
from treino.engine import Tick
from treino.engine.metrics import BETTER
from treino.engine.torch_context import torch_threads
from treino.errors import TreinoError
from treino.loop.interrupt import ctrl_c
from treino.records.data_source import data_of, keep_copy, load_data, reference
from treino.records.resumable import unfinished
from treino.search.space import Space, read_space, space_again
from treino.store import RunFolder
from treino.tuning import member_table, top_members
from treino.tuning.bracket import Heat
from treino.tuning.judgement import finish, report
from treino.tuning.populations import settings_of, whole_settings
from treino.tuning.repeats import figures_of, told
from treino.tuning.resumption import ask_again, own_net_again, source_of
from treino.tuning.sweep_options import TPE, Asked, asked_of
from treino.tuning.sweep_state import Progress, Sweeping, ask, heat_of, prepared
from treino.words import _

CHECKPOINT_SECONDS = 10.0
CHECKPOINT_SHARE = 50  # at most 1/50 of the time goes into checkpoints


@dataclass(frozen=True, eq=False)
class Begun:
    """The folder is there and the first heat is about to begin (or the next one, after a resume)."""

    folder: RunFolder
    data: Data
    asked: Asked
    members: int


@dataclass(frozen=True, eq=False)
class Advanced:
    """Some steps were taken."""

    progress: Progress
    tick: Tick


@dataclass(frozen=True, eq=False)
class Judging:
    """All heats are over and kept; the winner is trained alone, and judged."""

    progress: Progress


@dataclass(frozen=True, eq=False)
class Ended:
    """The folder is sealed. interrupted: by a Ctrl-C, and ``resuming`` goes on."""

    folder: RunFolder
    document: dict[str, Any]
    interrupted: bool


Event = Begun | Advanced | Judging | Ended


def sweeping(
    source: Any,
    space: Any,
    *,
    parent: str | Path = "runs",
    name: str | None = None,
    out: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    stem: str = "sweep",
    **asked: Any,
) -> Iterator[Event]:
    """Train many networks and keep the best. Nothing is written before all that can be checked is.

    source: a built-in's name, a file, a frame, a pair of arrays, or what ``load`` returned. space: see
    ``treino.search.space``. settings: what all members share. asked: see ``Asked``. stem: of the
    folder's name, after the data's.

    Raises:
        TreinoError: bad input (status 2) or a failing machine (status 1).
    """
    wanted = asked_of(space if isinstance(space, Space) else read_space(space, whole_settings()), asked)
    base = dict(settings or {})
    shared = settings_of({}, base, 0)
    data = load_data(source, shared)
    if not isinstance(source, Data):
        base["data_seed"] = data.data_seed  # a member's own seed must not part the rows anew
    sweep = prepared(source, data, base, wanted)
    if not ask(sweep):
        raise TreinoError("space_empty", _("The space has no settings to try."), _("Add a value."))
    if len(sweep.configs) < wanted.members and wanted.sampler != TPE:
        sweep.notes.append(
            _("The space holds {n:,} different settings; {members:,} networks were asked for.").format(
                n=len(sweep.configs), members=wanted.members
            )
        )
        wanted = sweep.asked = replace(wanted, members=len(sweep.configs))
    first = heat_of(sweep, 0)
    with RunFolder.create(
        parent=parent, stem=f"{data.name}-{stem}", name=name, out=Path(out) if out else None, kind="sweep"
    ) as folder:
        folder.write_json("preparation.json", data.preparation.to_json())
        where = reference(data, folder.path)
        if where["kind"] == "memory":
            keep_copy(folder, data)
        folder.write_json(
            "spec.json",
            {
                "asked": dict(settings or {}),
                "base": base,
                "space": wanted.space.to_json(),
                "sweep": wanted.to_json(),
                "metric": sweep.metric,
                "data": where,
                "classes": list(data.classes),
                "rows": {split: len(rows) for split, rows in data.splits.items()},
                "notes": [*data.notes, *sweep.notes],
            },
        )
        _write_asked(folder, sweep)
        yield Begun(folder, data, wanted, wanted.members)
        yield from _drive(folder, sweep, first, Progress(wanted.members))


def resuming(
    path: str | Path, *, data_file: str | Path | None = None, net: str | None = None, trust: bool = False
) -> Iterator[Event]:
    """Go on with a sweep that was interrupted or killed: no member is lost, none is trained twice.

    net, trust: where it trains a network of your own, which reading a folder never executes.

    Raises:
        TreinoError: the sweep is over, is being written by another process, is damaged, or its data is gone.
    """
    instead = _("Start a new sweep, e.g. with more --members or --max-time.")
    folder = unfinished(path, "asked.json", instead)
    spec, members = folder.read_json("spec.json"), folder.read_json("asked.json")
    space = space_again(spec["space"])
    base = own_net_again(folder, spec["base"], space, net, trust)
    data = data_of(folder, data_file)
    own = {k: v for k, v in spec["sweep"].items() if k != "space"}
    wanted = asked_of(space, own)
    sweep = prepared(source_of(folder, data, data_file), data, base, wanted)
    with folder:
        folder.unseal()
        kept = folder.last_checkpoint()
        state: dict[str, Any] = {"done": 0, "spent": 0.0, "state": None} if kept is None else kept[1]
        sweep.done, sweep.spent = state["done"], state["spent"]
        sweep.notes += members["notes"]
        if folder.has(member_table.NAME):
            sweep.rows = member_table.Table.from_bytes(
                folder.read_bytes(member_table.NAME), sweep.rows.dimensions
            )
        if folder.has(top_members.MODELS):
            sweep.top = top_members.from_tensors(*folder.read_tensors(top_members.MODELS))
        ask_again(sweep, members)
        over = state.get("ended") is not None  # only the judge was not heard to the end
        heat = None if over or sweep.done >= len(sweep.heats) else heat_of(sweep, sweep.done)
        if heat is not None:  # what was kept of a heat that was broken off is no more than a glimpse
            sweep.top = [k for k in sweep.top if k.member < heat.first]
        if heat is not None and kept is not None and state["state"] is not None:
            heat.load(kept[0], state["state"])
        progress = Progress(wanted.members, seconds=sweep.spent, model_steps=state.get("model_steps", 0))
        yield Begun(folder, data, wanted, wanted.members)
        yield from _drive(folder, sweep, heat, progress, state.get("ended"))


def _drive(
    folder: RunFolder, sweep: Sweeping, heat: Heat | None, progress: Progress, ended: str | None = None
) -> Iterator[Event]:
    """Heat after heat until all are over, or it is enough; ended: why it was, before it broke off."""
    with ctrl_c() as interrupted, torch_threads(1):
        enough = _Enough(sweep, progress, interrupted, ended)
        while enough.reason is None:
            if heat is None:
                if sweep.done >= len(sweep.heats) and not ask(sweep):
                    break
                _write_asked(folder, sweep)
                heat = heat_of(sweep, sweep.done)
            yield from _one(folder, sweep, heat, progress, enough)
            heat = None
        sweep.status = "finished" if enough.reason in (None, "reached") else enough.reason
        if sweep.status == "interrupted":
            document = report(folder, sweep, progress)
            folder.write_json("result.json", document)
            folder.seal("interrupted")
    if sweep.status != "interrupted":
        yield Judging(progress)
        with torch_threads(1):
            document = (told if sweep.asked.spread else finish)(folder, sweep, progress)
    yield Ended(folder, document, sweep.status == "interrupted")


def _one(
    folder: RunFolder, sweep: Sweeping, heat: Heat, progress: Progress, enough: "_Enough"
) -> Iterator[Event]:
    before = progress.model_steps - heat.model_steps
    lost = sum(r["status"] == "diverged" for r in sweep.rows.last() if r["heat"] != heat.number)
    progress.begun = heat.first + len(heat.configs)
    progress.planned_steps = before + heat.planned_steps
    progress.rungs = len(heat.rungs)
    saved = at = time.perf_counter()
    cost = 0.0
    for tick in heat.run(sweep.rows, enough):
        now = time.perf_counter()
        sweep.spent, at = sweep.spent + now - at, now
        progress.seconds, progress.model_steps = sweep.spent, before + heat.model_steps
        progress.rung, progress.diverged = heat.rung, lost + heat.diverged
        _look(sweep, heat, progress)
        yield Advanced(progress, tick)
        at = time.perf_counter()
        if at - saved > max(CHECKPOINT_SECONDS, CHECKPOINT_SHARE * cost):
            cost = _checkpoint(folder, sweep, heat, progress)
            saved = at = time.perf_counter()
    if enough.reason == "interrupted":
        so_far = top_members.merged(sweep.top, top_members.best(heat, sweep.asked.top), sweep.asked.top)
        folder.write_tensors(top_members.MODELS, *top_members.as_tensors(so_far))
        _checkpoint(folder, sweep, heat, progress)
    else:
        _over(folder, sweep, heat, progress, enough.reason)


def _look(sweep: Sweeping, heat: Heat, progress: Progress) -> None:
    """The best so far."""
    better = BETTER[sweep.metric]
    for place, (group, training) in enumerate(zip(heat.groups, heat.trainings, strict=True)):
        lost_P = torch.tensor([status == "diverged" for status in training.status_P])
        best_P = (better * heat.best(place)).nan_to_num(nan=-math.inf).masked_fill(lost_P, -math.inf)
        row = int(best_P.argmax())
        figure = better * float(best_P[row])
        if math.isfinite(figure) and (progress.best is None or better * (figure - progress.best[1]) > 0):
            progress.best, progress.config = (group.members[row], figure), heat.configs[group.members[row]]


def _over(folder: RunFolder, sweep: Sweeping, heat: Heat, progress: Progress, reason: str | None) -> None:
    """Keep what the heat gave; from here on it is never trained again. reason: why all is over, if it is."""
    for row in sweep.rows.rows.values():
        if row["heat"] == heat.number and row["status"] == "running":
            row["status"] = "stopped"  # time was over, or enough was reached
    sweep.top = top_members.merged(sweep.top, top_members.best(heat, sweep.asked.top), sweep.asked.top)
    folder.write_tensors(top_members.MODELS, *top_members.as_tensors(sweep.top))
    if sweep.asked.spread:
        folder.write_json(f"figures/{heat.number}.json", figures_of(heat))
    else:
        folder.write_tensors(
            f"rows/{heat.number}.safetensors", top_members.row_scores(heat, sweep.metric), {}
        )
    for place, curve in enumerate(heat.curves):
        members = {"members": list(heat.groups[place].members)}
        folder.write_tensors(f"curves/{heat.number}-{place}.safetensors", curve.tensors(), members)
    folder.write_bytes(member_table.NAME, sweep.rows.to_bytes())
    figures = heat.figures()
    for member in sorted(figures):
        sweep.sampler.tell(member, figures[member])
    sweep.done = heat.number + 1
    folder.checkpoint({}, _state(sweep, progress) | {"ended": reason})


def _state(sweep: Sweeping, progress: Progress) -> dict[str, Any]:
    return {
        "done": sweep.done, "spent": sweep.spent, "model_steps": progress.model_steps, "state": None,
        "ended": None,
    }  # fmt: skip


def _checkpoint(folder: RunFolder, sweep: Sweeping, heat: Heat, progress: Progress) -> float:
    """-> the seconds that it took."""
    begin = time.perf_counter()
    folder.write_bytes(member_table.NAME, sweep.rows.to_bytes())
    tensors, facts = heat.save()
    folder.checkpoint(tensors, _state(sweep, progress) | {"state": facts})
    return time.perf_counter() - begin


class _Enough:
    """Whether to end now, asked after every tick.

    reason: interrupted, stopped (time is over), reached (what was wanted); None while it goes on.
    """

    def __init__(
        self, sweep: Sweeping, progress: Progress, interrupted: Callable[[], bool], reason: str | None
    ) -> None:
        self.sweep, self.progress, self.interrupted, self.reason = sweep, progress, interrupted, reason

    def __call__(self, tick: Tick) -> bool:
        asked = self.sweep.asked
        if self.interrupted():
            self.reason = "interrupted"
        elif asked.until is not None and not asked.spread and _reached(tick, *asked.until):
            self.reason = "reached"
        elif asked.max_time is not None and self.progress.seconds > asked.max_time:
            self.reason = "stopped"
        return self.reason is not None


def _reached(tick: Tick, metric: str, wanted: float) -> bool:
    found = (tick.evaluation or {}).get("validation", {}).get(metric)
    if found is None:
        return False
    return bool((found >= wanted if BETTER[metric] > 0 else found <= wanted).any())  # NaN is neither


def _write_asked(folder: RunFolder, sweep: Sweeping) -> None:
    heats = [[first, count, [[r.members, r.epochs] for r in rungs]] for first, count, rungs in sweep.heats]
    folder.write_json(
        "asked.json",
        {"heats": heats, "asks": sweep.asks, "configs": sweep.configs, "notes": sweep.notes},
    )

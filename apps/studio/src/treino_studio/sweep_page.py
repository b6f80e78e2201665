"""The page of a sweep or a study: its networks or rows, their metrics and curves, and its progress."""

import itertools
import os
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from treino.base import lock
from treino.base.errors import TreinoError
from treino.base.words import _, numeral
from treino.data import DataSource
from treino.engine import METRICS, metric_name
from treino.folders import (
    RunFolder,
    read_checkpoint,
    read_document,
    read_run_spec,
    read_sweep_spec,
    read_tensors,
)
from treino.plots import blocks_of, plain_blocks, study_blocks, sweep_blocks
from treino.settings import OF_DATA, OF_FILES, Settings, read_settings
from treino.training import (
    MemberTable,
    StoredStudy,
    StoredSweep,
    check_folder,
    deliver,
    left_of,
    params_of,
    plain,
    row_name,
    send_more,
    send_stop,
    settings_in_all,
    settings_of,
    space_in,
)
from treino_studio.folder_page import FolderPage, thinned
from treino_studio.messages import ExtendRequest, LikeRequest
from treino_studio.protocol import ExtendCommand, OpenCommand, StudioCommand
from treino_studio.run_commands import Answer
from treino_studio.run_state import finite

# ---- divergence

FEWEST = 3  # diverged networks, and not diverged ones, needed for a sentence
SHARE = 0.8  # minimum share of the diverged networks that have a setting, and of the others that lack it

Side = tuple[int, int, str]  # numbers of diverged and of other networks in a range, and its description


def where_diverged(networks: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str | None:
    """A sentence on the setting that most of the diverged networks share and most others don't.

    networks: {"status", "settings"} of each; waiting networks are ignored. Return None if too few networks
    diverged or didn't, or no setting fits.
    """
    lost = [n["settings"] for n in networks if n["status"] == "diverged"]
    others = [n["settings"] for n in networks if n["status"] not in ("diverged", "waiting")]
    if len(lost) < FEWEST or len(others) < FEWEST:
        return None
    fine = [
        side
        for name in names
        for side in _sides(name, *([s[name] for s in of if s.get(name) is not None] for of in (lost, others)))
        if side[0] >= SHARE * len(lost) and len(others) - side[1] >= SHARE * len(others)
    ]
    if not fine:
        return None
    hits, wrong, what = max(fine, key=lambda side: side[0] / len(lost) - side[1] / len(others))
    return _("{hits} of the {lost} that diverged have {what}; {wrong} of the {others} others do.").format(
        hits=hits, lost=len(lost), what=what, wrong=wrong, others=len(others)
    )


def _sides(name: str, lost: Sequence[Any], others: Sequence[Any]) -> Iterator[Side]:
    """The ranges to test of a setting: from and up to each value of a diverged network if all values are
    numbers, else each value. lost, others: the values of diverged and of other networks."""
    if any(type(v) not in (int, float) for v in (*lost, *others)):
        counted = Counter(map(str, others))
        for value, hits in Counter(map(str, lost)).items():
            yield hits, counted[value], f"{name} {value}"
        return
    lost, others = sorted(lost), sorted(others)
    for value in sorted(set(lost)):
        words = {"name": name, "value": numeral(value)}
        low, high = (bisect_left(of, value) for of in (lost, others))
        yield len(lost) - low, len(others) - high, _("{name} from {value} up").format(**words)
        low, high = (bisect_right(of, value) for of in (lost, others))
        yield low, high, _("{name} up to {value}").format(**words)


# ---- pages

MOST_NETWORKS = 2000  # maximum number of networks in the page's list: the best
MOST_DIVERGED = 200  # places among them that are kept for diverged networks; more where others leave some
MOST_LINES = 400  # maximum number of curves
FACTS = "member", "rung", "step", "epochs", "status", "best", "parameters", "loss"  # a member's, for the page
CURVES = "loss", "measured_loss"  # curves of a study's row, besides that of its metric
WAITING = "waiting"  # status of a network whose training has not begun
CUT = "cut"  # status of a network that was stopped early while others of its bracket went on


class SweepPage(FolderPage):
    """The page of the sweep in ``path``; see ``FolderPage``."""

    @cached_property
    def settings_in_all(self) -> int | None:
        """The number of distinct settings that the sampler can give; None if infinite. Computed once."""
        spec = StoredSweep(RunFolder.open(self.path, verify=False)).spec
        if spec.sweep.spread:
            return 0
        return settings_in_all(space_in(spec), spec.sweep.sampler)

    def messages(self, folder: RunFolder) -> dict[str, Any]:
        """The messages ``state``, ``networks`` and ``lines`` of apps/studio/docs/studio-protocol.md."""
        sweep = StoredSweep(folder)
        request = read_document(folder, "asked.json")
        table = MemberTable.read(folder)
        checkpoint = read_checkpoint(folder) if folder.status == "running" else None
        tensors, meta = ({}, {}) if checkpoint is None else checkpoint
        running = meta.get("state")
        metric, space = sweep.spec.metric, space_in(sweep.spec)
        parts = {} if (result := sweep.result) is None else sweep_blocks(result, 0)
        rows = {row["member"]: row for row in _with_cut(table.last())}
        networks: list[dict[str, Any]] = [
            {"settings": {k: plain(v) for k, v in config.items()}}
            | {k: rows.get(member, {}).get(k) for k in FACTS}
            | {"member": member, "status": rows.get(member, {}).get("status", WAITING)}
            for member, config in enumerate(request["configs"])
        ]
        better = METRICS[metric].better
        ranked = sorted(networks, key=lambda n: (n["best"] is None, -better * (n["best"] or 0.0)))
        members = [n["member"] for n in ranked[:MOST_LINES]]
        lost = [n for n in ranked if n["status"] == "diverged"]
        names = [d.name for d in space.dimensions]
        state = {
            "kind": "sweep",
            "name": sweep.name,
            "path": str(sweep.path),
            "status": sweep.status,
            "data": sweep.spec.data.name,
            "metric": metric,
            "metric_name": metric_name(metric),
            "better": better,
            "settings": names,
            "columns": [{"key": key, "name": name} for key, name in _columns(metric, names).items()],
            "count": len(networks),
            "diverged": len(lost),
            "cut": sum(n["status"] == CUT for n in networks),
            "ending": is_ending(folder),
            "diverged_where": where_diverged(networks, names),
            "left": left_of(folder, self.settings_in_all),
            "progress": _progress(request, meta, sweep.status),
            "blocks": plain_blocks(blocks_of(parts, without=("leaders",))),
        }
        return {
            "state": state,
            "networks": _listed(ranked, lost),
            "lines": _lines(folder, meta.get("done"), tensors, running, members),
        }


def _columns(metric: str, settings: Sequence[str]) -> dict[str, str]:
    """The headings of what is listed of each network, by the names of the facts."""
    best = _("validation {metric}").format(metric=metric_name(metric))
    own = {f"set.{name}": name for name in settings}
    reached = {"rung": _("rung"), "epochs": _("epochs"), "step": _("steps")}
    sizes = {"parameters": _("parameters"), "loss": _("training loss"), "status": _("status")}
    return {"member": _("network"), "best": best, **own, **reached, **sizes}


def _with_cut(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of the networks at their last rungs; a stopped one is cut if others of its bracket went on,
    and not if the whole sweep was stopped."""
    reached: dict[int, int] = {}
    for row in rows:
        reached[row["bracket"]] = max(row["rung"], reached.get(row["bracket"], 0))
    for row in rows:
        is_cut = row["status"] == "stopped" and row["rung"] < reached[row["bracket"]]
        yield {**row, "status": CUT} if is_cut else row


def is_ending(folder: RunFolder) -> bool:
    """Whether the training has been asked to stop, or no longer obeys because it is ending."""
    if folder.status != "running":
        return False
    if lock.ends(folder.within(lock.NAME)):
        return True
    return any(c.name == "stop" and c.state == "new" for c in folder.database.commands())


def _listed(ranked: list[dict[str, Any]], lost: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The networks to list, in the order of ``ranked``: the best ones and some diverged ones."""
    if len(ranked) <= MOST_NETWORKS:
        return ranked
    others = [n for n in ranked if n["status"] != "diverged"]
    some_lost = lost[: max(MOST_DIVERGED, MOST_NETWORKS - len(others))]
    best = others[: MOST_NETWORKS - len(some_lost)]
    chosen = {n["member"] for n in (*best, *some_lost)}
    return [n for n in ranked if n["member"] in chosen]


def _progress(requested: Mapping[str, Any], meta: Mapping[str, Any], status: str) -> dict[str, Any]:
    """The progress: the rung, the share of all steps, and the seconds left if the pace is known.

    The steps of brackets that have not begun are estimated from their epochs.
    """
    brackets, done, running = requested["brackets"], meta.get("done", 0), meta.get("state")
    over = status != "running"
    epochs = []
    for _first, _count, rungs in brackets:
        spans = zip(rungs, [0, *(until for _members, until in rungs)], strict=False)
        epochs.append(sum(members * (until - before) for (members, until), before in spans))
    begun = sum(epochs[: done + (running is not None)])
    steps, seconds = meta.get("model_steps", 0), meta.get("spent", 0.0)
    share = left = None
    if begun and (planned := meta.get("planned_steps", 0) * sum(epochs) / begun):
        share = min(1.0, steps / planned)
        left = seconds / steps * (planned - steps) if steps and seconds else None
    rungs = brackets[min(done, len(brackets) - 1)][2] if brackets else []
    return {
        "share": 1.0 if over else share,
        "left_s": None if over or left is None else max(0.0, left),
        "rung": None if running is None else running["rung"],
        "rungs": len(rungs),
        "bracket": done,
        "brackets": len(brackets),
        "judging": not over and 0 < len(brackets) <= done,
    }


def _lines(
    folder: RunFolder,
    done: int | None,
    tensors: Mapping[str, Any],
    running: Mapping[str, Any] | None,
    numbers: list[int],
) -> list[dict[str, Any]]:
    """The learning curves of the networks in ``numbers``, in this order. done: completed brackets; tensors,
    running: the checkpoint of the present bracket."""
    lines: dict[int, dict[str, Any]] = {}
    chosen = set(numbers)

    def add(curve: Mapping[str, Any], members: list[int]) -> None:
        if not curve:
            return
        epochs = curve["epoch"].tolist()
        for column, member in enumerate(members):
            if member not in chosen:
                continue
            values = {
                name: [finite(v) for v in curve[name][:, column].tolist()] for name in ("loss", "figure")
            }
            lines[member] = {"member": member, **thinned(epochs, values)}

    for name in sorted(folder.path.glob("curves/*.safetensors")):
        if done is None or int(name.stem.split("-")[0]) < done:
            curve, facts = read_tensors(folder, f"curves/{name.name}")
            add(curve, facts["members"])
    for place, state in enumerate((running or {}).get("populations", ())):
        begin = f"{place}.curve."
        add({k.removeprefix(begin): v for k, v in tensors.items() if k.startswith(begin)}, state["members"])
    return [lines[member] for member in numbers if member in lines]


class StudyPage(FolderPage):
    """The page of the study in ``path``; see ``FolderPage``."""

    def messages(self, folder: RunFolder) -> dict[str, Any]:
        """The messages ``state`` and ``lines`` of apps/studio/docs/studio-protocol.md."""
        study = StoredStudy(folder)
        result = study.result
        document = study.document if result is None else result.to_json()
        metric = document.get("metric")
        lines = []
        for number, row in enumerate(document["rows"]):
            figure = row.get(metric, [])
            curves = {name: row[name] for name in CURVES if row.get(name)}
            curves |= {"figure": figure} if isinstance(figure, list) and figure else {}
            lines.append({"row": number, **thinned(range(1, row["epochs"] + 1), curves)})
        rows = [] if result is None else [(row_name(row, result), row.status) for row in result.rows]
        state = {
            "kind": "study",
            "name": study.name,
            "path": str(study.path),
            "status": study.status,
            "metric_name": None if metric is None else metric_name(metric),
            "ending": is_ending(folder),
            "progress": _study_progress(document, study.status),
            "data": document.get("data", ""),
            "rows": [{"name": row, "status": status} for row, status in rows],
            "blocks": [] if result is None else plain_blocks(blocks_of(study_blocks(result))),
        }
        return {"state": state, "lines": lines}


def _study_progress(document: Mapping[str, Any], status: str) -> dict[str, Any]:
    """The share of all epochs, and the seconds left if the pace is known."""
    rows, planned = document["rows"], str(document.get("epochs", ""))  # no number if rows differ in epochs
    if status != "running" or not rows or not planned.isdecimal():
        return {"share": 1.0 if rows and status != "running" else None, "left_s": None}
    done = sum(row["epochs"] for row in rows) / (int(planned) * len(rows))
    seconds = document.get("seconds", 0.0)
    return {"share": done, "left_s": seconds / done * (1 - done) if done and seconds else None}


def stop(page: FolderPage, _command: StudioCommand) -> Answer:
    """Ask the training to stop, unless it is already ending, which the page may not know yet."""
    folder = RunFolder.open(page.path, verify=False)
    deliver(lambda: send_stop(folder))
    page.changed()
    page.tick()  # the answer finds the page told of it
    return {}


def open_member(page: FolderPage, command: OpenCommand) -> Answer:
    """Train one network of the sweep again, to the same bits, as a run in its own folder.

    Raises:
        TreinoError: the network doesn't exist.
    """
    folder, member = RunFolder.open(page.path, verify=False), command.member
    spec = read_sweep_spec(folder)
    settings = settings_of(params_of(folder, member), spec.base, member)
    first = f"{page.path.name}-{member}"
    for name in itertools.chain([first], (f"{first}-{k}" for k in itertools.count(2))):
        path = page.path.parent / name
        if not os.path.lexists(path):
            return LikeRequest(run=f"{page.path}:{member}", name=name, speed="watched")
        if _trains(path, settings, spec.data):
            return {"run": name}
    raise AssertionError("names never end")


def _trains(path: Path, settings: Settings, data: DataSource) -> bool:
    """Whether the run in this folder has these settings and data: its name may be another run's."""
    try:
        spec = read_run_spec(RunFolder.open(path, verify=False))
        own = read_settings({k: v for k, v in spec.asked.items() if v is not None})
    except TreinoError:
        return False
    unnamed = {*OF_FILES, *(name for name in OF_DATA if name not in own.model_fields_set)}
    return spec.data == data and all(
        getattr(own, name) == getattr(settings, name) for name in settings.model_fields_set - unnamed
    )


def extend(page: FolderPage, command: ExtendCommand) -> Answer:
    """Add networks: in the process that trains the sweep or, if the sweep has ended, in the trainer.

    Raises:
        TreinoError: that many can't be added.
    """
    folder, more = RunFolder.open(page.path, verify=False), command.members
    if folder.status == "running":
        send_more(folder, more)
        return {}
    check_folder(folder, more)
    return ExtendRequest(run=page.path, members=more)


VERBS: Mapping[str, Mapping[str, Callable[[FolderPage, Any], Answer]]] = {
    "sweep": {"stop": stop, "open": open_member, "extend": extend},
    "study": {"stop": stop},
}

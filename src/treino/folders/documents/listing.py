"""The list of runs, sweeps and studies: a row for each, from its documents only."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from treino.base.document_fields import Count, Document, Figure, Text
from treino.base.errors import TreinoError
from treino.base.words import _, numeral
from treino.folders.documents.reading import check, read_document, read_run_spec
from treino.folders.store import RunFolder, list_runs, manifest
from treino.folders.store.run_lookup import RunSummary, run_folders, summary_of

HEADLINE = "accuracy", "r2"  # metrics to list: the first one that a folder has


class ListedRun(Document):
    """A row of the list of runs. figure: of ``metric`` on test rows. damage: None, or what is damaged."""

    run: Text
    path: Text
    status: Text
    when: Text
    data: Text | None
    kind: Text
    steps: Count | None
    metric: Text | None
    figure: Figure
    test_looks: Count | None
    damage: Text | None


def listing(parent: str | Path = "runs") -> list[dict[str, Any]]:
    """A row for each run, sweep and study in ``parent``, the newest first; also damaged ones."""
    return [line(checked(summary)) for summary in list_runs(parent)]


def whole_folders(parent: str | Path = "runs") -> list[Path]:
    """The folders of the undamaged runs, sweeps and studies in ``parent``, the newest first."""
    return [summary.path for summary in map(checked, list_runs(parent)) if summary.status != "damaged"]


def checked(summary: RunSummary) -> RunSummary:
    """The summary; if the folder's documents are invalid, with status damaged."""
    try:
        for name, value in (("spec.json", summary.spec), ("result.json", summary.result)):
            if value is not None:
                check(summary.kind, name, value, summary.path)
    except TreinoError as error:
        return replace(summary, status="damaged", damage=error.message, spec=None, result=None)
    return summary


def line(summary: RunSummary) -> dict[str, Any]:
    """The row of a summary that was ``checked``: name, status, data, steps and test metric."""
    result = summary.result or {}
    figures = (result.get("best") if summary.kind == "sweep" else result.get("metrics")) or {}
    test = figures.get("test") or {}
    metric = next((m for m in HEADLINE if m in test), None)
    return ListedRun(
        run=summary.name,
        path=str(summary.path),
        status=summary.status,
        when=summary.when,
        data=((summary.spec or {}).get("data") or {}).get("name"),
        kind=summary.kind,
        steps=result.get("model_steps" if summary.kind == "sweep" else "steps", _steps_so_far(summary)),
        metric=metric,
        figure=test.get(metric) if metric else None,
        test_looks=result.get("test_looks"),
        damage=summary.damage,
    ).to_json()


def table_of(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The headings and the cells of a table of these rows."""
    heads = _("run"), _("status"), _("data"), _("steps"), _("test figure"), _("when (UTC)")
    lines: list[tuple[str, ...]] = []
    for r in rows:
        figure = "" if r["figure"] is None else f"{r['metric']} {numeral(r['figure'])}"
        if figure and (r["test_looks"] or 1) > 1:
            figure = _("{figure} (look {n})").format(figure=figure, n=r["test_looks"])
        steps = "" if r["steps"] is None else numeral(r["steps"], ",")
        when = r["when"][:19].replace("T", " ")
        lines.append((r["run"], _(r["status"]), r["data"] or "", steps, figure, when))
    return heads, lines


def _steps_so_far(summary: RunSummary) -> int | None:
    """The recorded steps of a run without a result; None if unknown, and for sweeps and studies."""
    if summary.kind != "run" or summary.spec is None or summary.result is not None:
        return None
    segments = summary.spec.get("segments") or [{"number": 0, "origin": None}]
    number, origin = segments[-1]["number"], segments[-1]["origin"]
    try:
        own = len(RunFolder.open(summary.path, verify=False).database.losses(number))
    except TreinoError:
        return None
    return own + (origin[1] if origin else 0)


# ---- rows with settings and figures, for a page that asks repeatedly

DOCUMENTS = manifest.NAME, "spec.json", "result.json"
UNSETTLED = "running", "interrupted", "damaged"  # statuses that change without a change of these documents
Known = dict[Path, tuple[Any, dict[str, Any]]]
"""Rows of an earlier call by folder, each with the stamp of what it was read from."""


def detailed_listing(parent: str | Path, known: Known) -> list[dict[str, Any]]:
    """The rows of ``listing``, with settings and figures.

    known: updated; only folders that have changed since are read again, as the studio asks every few
    seconds and there may be thousands.
    """
    rows: Known = {}
    for path in run_folders(parent):
        stamp = _stamp(path)
        before, row = known.get(path, (None, {}))
        if before != stamp or row["status"] in UNSETTLED:
            summary = checked(summary_of(path))
            row = line(summary) | _details(summary)
        rows[path] = stamp, row
    known.clear()
    known.update(rows)
    order = sorted(rows.values(), key=lambda each: (each[1]["when"], each[1]["run"]), reverse=True)
    return [row for _stamp, row in order]


def _stamp(path: Path) -> Any:
    """A value that differs after a change of the documents of a folder."""
    stamps: list[tuple[int, int, int] | None] = []
    for each in (path, *(path / name for name in DOCUMENTS)):
        try:
            status = os.lstat(each)
        except OSError:
            stamps.append(None)
        else:
            stamps.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return stamps


def _of_newest_segment(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The typed settings of a run that was rewound, or is a branch, and all of them; none if its changes
    can't be read."""
    from treino.folders.timeline import Timeline  # it needs torch

    try:
        folder = RunFolder.open(path, verify=False)
        timeline = Timeline(folder, read_run_spec(folder))
        return timeline.typed, timeline.resolved.model_dump(mode="json")
    except TreinoError:
        return {}, {}


def _details(summary: RunSummary) -> dict[str, Any]:
    """Settings of a run, or of a sweep's best network; the names of the settings that were given; figures by
    split; seconds of training, and parameters."""
    spec, result = summary.spec or {}, summary.result or {}
    of_one = (result.get("best") or {}) if summary.kind == "sweep" else result
    figures = of_one if summary.kind == "sweep" else result.get("metrics") or {}
    own = of_one.get("params", {}) if summary.kind == "sweep" else {}
    asked, settings = spec.get("asked") or {}, spec.get("base") or spec.get("resolved") or {}
    segments = result.get("segments") or []
    if summary.kind == "run" and spec.get("segments"):
        asked, settings = _of_newest_segment(summary.path)
    if summary.kind == "run":  # those after the last step, which a command may have changed
        settings = result.get("settings") or settings
    return {
        "settings": {**(settings or asked), **own},
        "asked": [*asked, *own],
        "figures": {split: figures.get(split) or {} for split in ("validation", "test")},
        "seconds": result.get("seconds"),
        "seconds_from": segments[-1]["origin"][1] if segments and segments[-1]["origin"] else 0,
        "parameters": of_one.get("parameters", (spec.get("facts") or {}).get("parameters")),
    }


# ---- looks at test rows


def test_looks(folder: RunFolder, ends: int) -> int:
    """Return how often a run's test rows were looked at: by its own ends, and by the runs beside it that go
    back to the same run, as branches, by ``--like`` or by its weights. ends: the run's own earlier ends."""
    known = {folder.path.name: read_document(folder, "spec.json")}
    looks = {folder.path.name: ends + known[folder.path.name].get("parent", {}).get("test_looks", 0)}
    for summary in list_runs(folder.path.parent):
        if summary.spec is not None and summary.name not in known:
            known[summary.name], result = summary.spec, summary.result or {}
            tested = _inner(result, "best" if summary.kind == "sweep" else "metrics").get("test")
            count = result.get("test_looks")
            looks[summary.name] = count if isinstance(count, int) and count else int(bool(tested))

    def first(name: str) -> tuple[str, Any, Any]:
        data, path = _inner(known[name], "data"), [name]
        while (before := _origin(known.get(path[-1], {}))) and before not in path:
            path.append(before)
        return path[-1], str(data.get("name")), str(data.get("sha256"))

    own = first(folder.path.name)
    return int(max(looks[name] for name in known if first(name) == own))


def _inner(document: dict[str, Any], key: str) -> dict[str, Any]:
    """A part of a document of another run, whose folder may be damaged."""
    part = document.get(key)
    return part if isinstance(part, dict) else {}


def _origin(spec: dict[str, Any]) -> str | None:
    """The name of the run or sweep that a run goes back to."""
    origin = _inner(spec, "parent").get("run") or spec.get("like") or spec.get("weights")
    return origin.split(":")[0].split("/")[-1] or None if isinstance(origin, str) else None

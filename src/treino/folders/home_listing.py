"""The list of runs, sweeps and studies with their settings and figures, for a page that asks repeatedly."""

import os
from pathlib import Path
from typing import Any

from treino.base.errors import TreinoError
from treino.folders.documents.listing import checked, line
from treino.folders.documents.reading import read_run_spec
from treino.folders.store import RunFolder, manifest
from treino.folders.store.run_lookup import RunSummary, run_folders, summary_of

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

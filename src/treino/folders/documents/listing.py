"""The list of runs, sweeps and studies: a row for each, from its documents only."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from treino.base.document_fields import Count, Document, Figure, Text
from treino.base.errors import TreinoError
from treino.base.words import _, numeral
from treino.folders.documents.reading import check, read_document
from treino.folders.store import RunFolder, list_runs
from treino.folders.store.run_lookup import RunSummary

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

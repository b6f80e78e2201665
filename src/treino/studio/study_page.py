"""One study as its page shows it: its rows, their curves, how far it is, and its conclusions."""

from collections.abc import Callable, Mapping
from typing import Any

from treino.plots.style import metric_name
from treino.store import RunFolder
from treino.studio.folder_page import FolderPage, thinned
from treino.studio.run_commands import Answer
from treino.training.commands import send_stop
from treino.tuning.conclusions import mode_name, row_name, seconds_text
from treino.tuning.stored_study import StoredStudy

CURVES = "loss", "measured_loss"


class StudyPage(FolderPage):
    """The page of the study in ``path``; see ``FolderPage``."""

    def messages(self, folder: RunFolder) -> dict[str, Any]:
        """``state`` and ``lines`` of docs/studio-protocol.md."""
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
        long = ("seeds", "loss_std", *CURVES, metric)
        rows = [{k: v for k, v in row.items() if k not in long} for row in document["rows"]]
        if result is not None:
            for row, known in zip(rows, result.rows, strict=True):
                row["name"], row["mode_name"] = row_name(known, result), mode_name(known.mode)
                row["pace"] = seconds_text(known.seconds_per_epoch)
        state = {
            "kind": "study", "name": study.name, "path": str(study.path), "status": study.status,
            "metric_name": None if metric is None else metric_name(metric),
            "progress": _progress(document, study.status), "document": {**document, "rows": rows},
        }  # fmt: skip
        return {"state": state, "lines": lines}


def _progress(document: Mapping[str, Any], status: str) -> dict[str, Any]:
    """The share of all epochs, and seconds left where the pace is known."""
    rows, planned = document["rows"], str(document.get("epochs", ""))  # each row's own are no number
    if status != "running" or not rows or not planned.isdecimal():
        return {"share": 1.0 if rows and status != "running" else None, "left_s": None}
    done = sum(row["epochs"] for row in rows) / (int(planned) * len(rows))
    seconds = document.get("seconds", 0.0)
    return {"share": done, "left_s": seconds / done * (1 - done) if done and seconds else None}


def stop(page: FolderPage, request: Mapping[str, Any]) -> Answer:
    send_stop(RunFolder.open(page.path, verify=False))
    return {}


VERBS: Mapping[str, Callable[[FolderPage, Mapping[str, Any]], Answer]] = {"stop": stop}

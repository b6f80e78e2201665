"""Where a run's data came from, and how to have the very same rows again."""

import os
from pathlib import Path
from typing import Any

import torch

from treino.data import BUILTINS, load
from treino.data.dataset import Data, Rows
from treino.data.preparation import Preparation
from treino.data.sources import BuiltinName
from treino.errors import TreinoError
from treino.spec import Settings
from treino.store import RunFolder
from treino.store.files import sha256
from treino.words import _

COPY = "data.safetensors"
LOADS = {"target", "features", "task", "normalise", "validation", "test", "data_seed"}  # the settings of load
PLAIN = (
    "name", "source", "sha256", "kind", "task", "task_reason", "features", "target", "classes", "item_shape",
    "arguments", "target_mean", "target_scale", "official_test", "notes",
)  # fmt: skip


def load_data(source: Any, settings: Settings) -> Data:
    """``treino.data.load`` with the settings that belong to it; a ``Data`` is taken as it is."""
    if isinstance(source, Data):
        asked = sorted(LOADS & settings.model_fields_set)
        if asked:
            raise TreinoError(
                "data_is_loaded",
                _("The data is split and prepared already, so {name} comes too late.").format(name=asked[0]),
                _("Give it to load() instead."),
            )
        return source
    return load(
        source,
        target=settings.target,
        features=list(settings.features) if settings.features is not None else None,
        task=settings.task,
        validation=settings.validation,
        test=settings.test,
        data_seed=settings.seed if settings.data_seed is None else settings.data_seed,
        normalise=settings.normalise,
    )


def reference(data: Data, folder: Path) -> dict[str, Any]:
    """What ``spec.json`` says of the data: a built-in's name, a file relative to the run, or 'memory'."""
    if data.sha256 is not None:
        path = os.path.relpath(Path(data.source).resolve(), folder.resolve())
        return {
            "kind": "file",
            "name": data.name,
            "source": path,
            "sha256": data.sha256,
            "load": dict(data.arguments),
        }
    kind = "builtin" if data.source in BUILTINS else "memory"
    return {
        "kind": kind,
        "name": data.name,
        "source": data.source,
        "sha256": None,
        "load": dict(data.arguments),
    }


def keep_copy(folder: RunFolder, data: Data) -> None:
    """Rows that exist only in this process are kept with the run, prepared."""
    tensors = {f"{s}.{a}": getattr(r, a) for s, r in data.splits.items() for a in ("x", "y", "index")}
    folder.write_tensors(COPY, tensors, {})
    folder.write_json("data.json", {name: getattr(data, name) for name in PLAIN})


def data_of(folder: RunFolder, moved_to: str | Path | None = None) -> Data:
    """The run's data again: the same rows in the same splits.

    Raises:
        TreinoError: the file is gone, or is not the one that was trained on (by SHA-256), or is
            prepared differently by this version.
    """
    spec = folder.read_json("spec.json")
    where, stored = spec["data"], folder.read_json("preparation.json")
    if where["kind"] == "memory":
        return _copy_of(folder, stored)
    source: str | Path = BuiltinName(where["source"])
    if where["kind"] == "file":
        source = (
            Path(moved_to) if moved_to is not None else Path(os.path.normpath(folder.path / where["source"]))
        )
        if not source.is_file():
            raise TreinoError(
                "data_gone",
                _("{run} was trained on {path}, which is not there.").format(
                    run=folder.path.name, path=source
                ),
                _("Say where it is now: --data FILE."),
            )
        if sha256(source) != where["sha256"]:
            raise TreinoError(
                "data_changed",
                _("{path} is not the file that {run} was trained on: its SHA-256 differs.").format(
                    path=source, run=folder.path.name
                ),
                _("Give that file with --data FILE, or train a new run on this one."),
            )
    data = load(source, **where["load"])
    if data.preparation.to_json() != stored:
        raise TreinoError(
            "preparation_differs",
            _("{name} is prepared differently now than when {run} was trained.").format(
                name=data.name, run=folder.path.name
            ),
            _("Use the versions that are named in {path}.").format(path=folder.path / "spec.json"),
        )
    return data


def _copy_of(folder: RunFolder, stored: dict[str, Any]) -> Data:
    if not (folder.path / COPY).is_file():
        raise TreinoError(
            "data_not_kept",
            _("{run} keeps no copy of its rows: they were in memory only, and it was trained lean.").format(
                run=folder.path.name
            ),
            _("Train without lean=True where the rows are wanted again."),
        )
    tensors, _metadata = folder.read_tensors(COPY)
    plain = folder.read_json("data.json")
    for name in ("features", "classes", "item_shape", "notes"):
        plain[name] = tuple(plain[name])

    def rows(split: str) -> Rows:
        x, y, index = (torch.clone(tensors[f"{split}.{a}"]) for a in ("x", "y", "index"))
        return Rows(x, y, index)

    return Data(
        train=rows("train"),
        validation=rows("validation"),
        test=rows("test"),
        preparation=Preparation.from_json(stored),
        **plain,
    )
